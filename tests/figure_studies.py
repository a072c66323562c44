"""The shipped studies made small and their variants, written, and aggregated."""

from __future__ import annotations

from pathlib import Path

import yaml

import small_studies
from deeplimits.jobs.aggregate import aggregate_study
from deeplimits.jobs.simulate import simulate_batch
from deeplimits.store.catalogue import Catalogue
from deeplimits.store.paths import container_path, receipt_path
from deeplimits.sweep.plan import make_plan
from deeplimits.sweep.study import Study

STUDIES = small_studies.all_studies()


def written(folder: Path, name: str, figures: list[str] | None = None) -> Path:
    path = folder / f"{name}.yaml"
    content = {**STUDIES[name], "figures": figures or []}
    path.write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return path


def aggregated(folder: Path, study: Study) -> None:
    for batch in make_plan([study], Catalogue(folder).held, 60.0).batches:
        paths = container_path(folder, batch.name), receipt_path(folder, batch.name)
        simulate_batch(list(batch.blocks), *paths)
    aggregate_study(study, folder)
