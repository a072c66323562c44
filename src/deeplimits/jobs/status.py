"""What studies will cost, and how far they are: for people and programs, from files alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deeplimits.jobs.logs import Unfinished, unfinished_jobs
from deeplimits.store.catalogue import Catalogue
from deeplimits.store.errors import StoreError
from deeplimits.store.paths import figure_files, study_receipt, study_store
from deeplimits.store.staleness import staleness
from deeplimits.store.study_groups import study_attributes
from deeplimits.sweep.config import SCALES, Config
from deeplimits.sweep.cost import SECONDS_PER_FIGURE
from deeplimits.sweep.plan import aggregation_seconds, make_plan
from deeplimits.sweep.study import Study, read_study


def planned(config: Config, name: str | None = None) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """What is to be done for each study, and for all of them.

    Core-hours are those of the simulation; ``aggregation_seconds`` and ``figure_seconds`` come after it.
    Bytes are those of what is missing, before compression; ``job_bytes`` is the memory of the largest
    simulation job.

    Returns
    -------
    A row for each study, in which blocks that studies share are counted each time; and one of all, in which
    they are counted once.
    """
    studies = [config.study(name)] if name else config.studies()
    held = Catalogue(config.results).held
    rows = [_planned(config, [study], held) for study in studies]
    for row, study in zip(rows, studies, strict=True):
        row |= {"study": study.name, "samples": study.samples}
    whole = rows[0] if len(rows) == 1 else _planned(config, studies, held)
    return rows, whole


def _planned(config: Config, studies: Sequence[Study], held: Mapping[str, str]) -> dict[str, Any]:
    plan = make_plan(studies, held, config.target_seconds)
    return {
        "study": "",
        "points": sum(len(study.points) for study in studies),
        "samples": 0,
        "blocks": plan.blocks_needed,
        "blocks_missing": plan.blocks_missing,
        "jobs": len(plan.batches),
        "core_hours": plan.seconds / 3600,
        "bytes": plan.bytes_missing,
        "job_bytes": plan.job_bytes,
        "aggregation_seconds": sum(map(aggregation_seconds, studies)),
        "figure_seconds": SECONDS_PER_FIGURE * sum(len(study.figures) for study in studies),
    }


@dataclass(frozen=True)
class StudyProgress:
    """How far a study is.

    Attributes
    ----------
    blocks, blocks_done
        Blocks that it needs, and those that the store holds.
    aggregated
        Whether it has a store; ``stale`` says in what that differs from what is asked for.
    figures, figures_done, figures_up_to_date
        Figures that it feeds, those that are drawn, and those that were drawn from the store as it is.
    simulation_seconds, aggregation_seconds, figure_seconds
        Core-seconds that are left, by the cost model.
    unfinished
        Jobs that left a log and no result.
    """

    study: str
    blocks: int
    blocks_done: int
    aggregated: bool
    stale: tuple[str, ...]
    figures: int
    figures_done: int
    figures_up_to_date: int
    simulation_seconds: float
    aggregation_seconds: float
    figure_seconds: float
    unfinished: tuple[Unfinished, ...] = ()

    @property
    def seconds(self) -> float:
        """Core-seconds that are left in all."""
        return self.simulation_seconds + self.aggregation_seconds + self.figure_seconds

    def row(self) -> dict[str, Any]:
        """As a row of plain values."""
        return {
            "study": self.study,
            "blocks": self.blocks,
            "blocks_done": self.blocks_done,
            "aggregated": self.aggregated,
            "stale": list(self.stale),
            "figures": self.figures,
            "figures_done": self.figures_done,
            "figures_up_to_date": self.figures_up_to_date,
            "core_minutes_left": self.simulation_seconds / 60,
            "aggregation_minutes_left": self.aggregation_seconds / 60,
            "figure_minutes_left": self.figure_seconds / 60,
            "unfinished": [job.row() for job in self.unfinished],
        }


@dataclass(frozen=True)
class Progress:
    """How far all studies are."""

    studies: tuple[StudyProgress, ...]
    total: StudyProgress
    """All of them; a block that several studies need counts once."""

    @property
    def is_complete(self) -> bool:
        """Whether there is nothing left to do."""
        return self.total.seconds == 0


def progress(config: Config, name: str | None = None) -> Progress:
    """What is done, stale and missing, and the time that is left by the cost model.

    Study files are read as far as their keys and values: whether their networks can be computed is not asked.
    Figures are up to date where the store is, and where they are not older than its receipt.

    Raises
    ------
    InputError
        If a study file cannot be read.
    """
    names = [name] if name else config.study_names
    studies = [read_study(config.study_path(each), SCALES[config.scale]) for each in names]
    held = Catalogue(config.results).held
    blocks = [_Blocks.of(study, held) for study in studies]
    jobs = unfinished_jobs(config.results, {name for each in blocks for name in each.missing})
    found = tuple(_progress(config, study, each, jobs) for study, each in zip(studies, blocks, strict=True))
    return Progress(found, _total(found, blocks))


@dataclass(frozen=True)
class _Blocks:
    """Blocks of a study by name, with the core-seconds of those that are missing."""

    names: set[str]
    missing: dict[str, float]

    @classmethod
    def of(cls, study: Study, held: Mapping[str, str]) -> _Blocks:
        names: set[str] = set()
        missing: dict[str, float] = {}
        for family in study.families:
            of_family = [name for blocks in family.block_names(study.samples) for name in blocks]
            names.update(of_family)
            missing |= dict.fromkeys(
                (name for name in of_family if name not in held), family.seconds_per_block
            )
        return cls(names, missing)


def _progress(config: Config, study: Study, blocks: _Blocks, jobs: Sequence[Unfinished]) -> StudyProgress:
    receipt = study_receipt(config.results, study.name)
    aggregated = receipt.exists() and study_store(config.results, study.name).exists()
    stale = tuple(_stale(config, study)) if aggregated else ()
    drawn = [figure_files(config.results, study.name, figure) for figure in study.figures]
    done = [paths for paths in drawn if all(path.exists() for path in paths)]
    is_current = aggregated and not stale and not blocks.missing
    since = receipt.stat().st_mtime_ns if is_current else None
    current = sum(since is not None and _are_since(paths, since) for paths in done)
    return StudyProgress(
        study.name,
        len(blocks.names),
        len(blocks.names) - len(blocks.missing),
        aggregated,
        stale,
        len(drawn),
        len(done),
        current,
        sum(blocks.missing.values()),
        0.0 if is_current else aggregation_seconds(study),
        SECONDS_PER_FIGURE * (len(drawn) - current),
        tuple(job for job in jobs if job.is_of(study.name, blocks.missing)),
    )


def _are_since(paths: Iterable[Path], time: int) -> bool:
    return all(path.stat().st_mtime_ns >= time for path in paths)


def _total(studies: Sequence[StudyProgress], blocks: Sequence[_Blocks]) -> StudyProgress:
    names = blocks[0].names.union(*(each.names for each in blocks[1:])) if blocks else set()
    missing = {name: cost for each in blocks for name, cost in each.missing.items()}
    return StudyProgress(
        "total",
        len(names),
        len(names) - len(missing),
        all(study.aggregated for study in studies),
        (),
        sum(study.figures for study in studies),
        sum(study.figures_done for study in studies),
        sum(study.figures_up_to_date for study in studies),
        sum(missing.values()),
        sum(study.aggregation_seconds for study in studies),
        sum(study.figure_seconds for study in studies),
        tuple(dict.fromkeys(job for study in studies for job in study.unfinished)),
    )


def _stale(config: Config, study: Study) -> list[str]:
    try:
        found = staleness(study_attributes(config.results, study.name), study, config)
    except StoreError as error:
        return [str(error)]
    return [*found.differences, *([found.version] if found.version else [])]
