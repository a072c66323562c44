"""Plans and progress of studies, as rows for people and programs."""

from __future__ import annotations

from typing import Any

from deeplimits.store.catalogue import Catalogue
from deeplimits.store.paths import figure_files, study_receipt
from deeplimits.sweep.config import Config
from deeplimits.sweep.plan import Plan, make_plan
from deeplimits.sweep.study import Study


def _plans(config: Config, name: str | None) -> list[tuple[Study, Plan]]:
    studies = [config.study(name)] if name else config.studies()
    held = Catalogue(config.results).held
    return [(study, make_plan([study], held, config.target_seconds)) for study in studies]


def planned(config: Config, name: str | None = None) -> list[dict[str, Any]]:
    """For each study: points, blocks, jobs, core-hours and bytes of what is missing. Blocks that studies
    share are counted in each.
    """
    return [
        {
            "study": study.name,
            "points": len(study.points),
            "samples": study.samples,
            "blocks": plan.blocks_needed,
            "blocks_missing": plan.blocks_missing,
            "jobs": len(plan.batches),
            "core_hours": plan.seconds / 3600,
            "bytes": plan.bytes_missing,
        }
        for study, plan in _plans(config, name)
    ]


def progress(config: Config, name: str | None = None) -> list[dict[str, Any]]:
    """For each study: what is done, and the core-minutes of simulation that are left by the cost model."""
    return [
        {
            "study": study.name,
            "blocks": plan.blocks_needed,
            "blocks_done": plan.blocks_needed - plan.blocks_missing,
            "aggregated": study_receipt(config.results, study.name).exists(),
            "figures": len(study.figures),
            "figures_done": sum(
                all(path.exists() for path in figure_files(config.results, study.name, figure))
                for figure in study.figures
            ),
            "core_minutes_left": plan.seconds / 60,
        }
        for study, plan in _plans(config, name)
    ]
