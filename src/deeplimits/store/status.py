"""Plans and progress of studies, as rows for people and programs."""

from __future__ import annotations

from typing import Any

from deeplimits.store.catalogue import Catalogue
from deeplimits.store.errors import StoreError
from deeplimits.store.paths import figure_files, study_receipt, study_store
from deeplimits.store.staleness import staleness
from deeplimits.store.study_groups import study_attributes
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
    """For each study: what is done, and the core-minutes of simulation that are left by the cost model.

    ``stale`` lists in what its store differs from what is asked for. Figures are up to date where the store
    is, and where they are not older than its receipt.
    """
    return [_progress(config, study, plan) for study, plan in _plans(config, name)]


def _progress(config: Config, study: Study, plan: Plan) -> dict[str, Any]:
    receipt = study_receipt(config.results, study.name)
    aggregated = receipt.exists() and study_store(config.results, study.name).exists()
    stale = _stale(config, study) if aggregated else []
    drawn = [figure_files(config.results, study.name, figure) for figure in study.figures]
    done = [paths for paths in drawn if all(path.exists() for path in paths)]
    since = receipt.stat().st_mtime_ns if aggregated and not stale else None
    return {
        "study": study.name,
        "blocks": plan.blocks_needed,
        "blocks_done": plan.blocks_needed - plan.blocks_missing,
        "aggregated": aggregated,
        "stale": stale,
        "figures": len(study.figures),
        "figures_done": len(done),
        "figures_up_to_date": sum(
            since is not None and all(path.stat().st_mtime_ns >= since for path in paths) for paths in done
        ),
        "core_minutes_left": plan.seconds / 60,
    }


def _stale(config: Config, study: Study) -> list[str]:
    try:
        found = staleness(study_attributes(config.results, study.name), study, config)
    except StoreError as error:
        return [str(error)]
    return [*found.differences, *([found.version] if found.version else [])]
