"""What no study wants: files of results that no study file asks for any more.

Only files under names that this package gives are ever named here. A container with one block that is wanted
stays, and so does whatever a live writer is at.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from deeplimits.errors import InputError
from deeplimits.jobs.checks import batches_there, figures_there, studies_there
from deeplimits.store.atomic import remove_abandoned
from deeplimits.store.catalogue import Catalogue
from deeplimits.store.errors import StoreError
from deeplimits.store.paths import (
    container_path,
    figure_digests,
    figure_files,
    receipt_path,
    study_digest,
    study_receipt,
    study_store,
    study_todo,
    todo_path,
)
from deeplimits.store.receipts import UnusableReceipt, read_receipt_alone, read_todo
from deeplimits.sweep.config import SCALES, Config
from deeplimits.sweep.study import Study, read_study


@dataclass(frozen=True)
class Unwanted:
    """Files that belong together, and why nobody wants them."""

    what: str
    why: str
    files: tuple[Path, ...]

    @property
    def bytes(self) -> int:
        """Bytes of all files."""
        return sum(path.stat().st_size for path in self.files)

    def remove(self) -> None:
        """Remove the files."""
        for path in self.files:
            path.unlink(missing_ok=True)

    def __str__(self) -> str:
        return f"{self.what}: {self.why}"


def unwanted(config: Config) -> list[Unwanted]:
    """What the files of the folder of studies, listed in the configuration or not, do not ask for at its
    scale.

    Raises
    ------
    InputError
        If one of these files cannot be read: what it wants is not known then.
    """
    results, folder = config.results, config.studies_folder
    studies = [read_study(path, SCALES[config.scale]) for path in sorted(folder.glob("*.yaml"))]
    _, busy = remove_abandoned(results)
    found = [
        *_batches(results, studies, f"{folder} at scale {config.scale}"),
        *_studies(results, studies, folder),
        *_figures(results, studies, folder),
    ]
    return [each for each in found if each.files and not _is_at(each, busy)]


def _is_at(found: Unwanted, busy: list[Path]) -> bool:
    """Whether a live writer is at one of these files."""
    begun = tuple(f".part-{path.name}-" for path in found.files)
    return any(path.name.startswith(begun) for path in busy)


def _batches(results: Path, studies: list[Study], where: str) -> Iterator[Unwanted]:
    wanted = {
        name
        for study in studies
        for family in study.families
        for blocks in family.block_names(study.samples)
        for name in blocks
    }
    held = Catalogue(results).held
    for batch in batches_there(results):
        blocks = _blocks(results, batch)
        if blocks is None:
            why = "neither its receipt nor its todo file tells what it holds"
        elif not wanted.intersection(blocks):
            why = f"none of its {len(blocks):,} blocks is wanted by a study of {where}"
        elif not receipt_path(results, batch).exists() and held.keys() >= {*blocks}:
            why = "other batches hold its blocks"
        else:
            continue
        paths = [each(results, batch) for each in (receipt_path, container_path, todo_path)]
        yield Unwanted(f"batch {batch}", why, _there([*paths, *_files_of_job(results, f"simulate/{batch}")]))


def _blocks(results: Path, batch: str) -> list[str] | None:
    try:
        return [block.id for block in read_receipt_alone(receipt_path(results, batch))[0].blocks]
    except (UnusableReceipt, FileNotFoundError):
        pass
    try:
        return [block.id for block in read_todo(todo_path(results, batch))]
    except InputError:
        return None


def _studies(results: Path, studies: list[Study], folder: Path) -> Iterator[Unwanted]:
    names = {study.name for study in studies}
    for name in studies_there(results):
        if name not in names:
            # the receipt first: without it the others count for nothing
            paths = [each(results, name) for each in (study_receipt, study_digest, study_store, study_todo)]
            why = f"{folder} has no study of this name"
            yield Unwanted(
                f"study {name}", why, _there([*paths, *_files_of_job(results, f"aggregate/{name}")])
            )


def _figures(results: Path, studies: list[Study], folder: Path) -> Iterator[Unwanted]:
    asked = {(study.name, figure) for study in studies for figure in study.figures}
    for study, figure in figures_there(results):
        if (study, figure) not in asked:
            paths = [figure_digests(results, study, figure), *figure_files(results, study, figure)]
            why = f"no study of {folder} asks for it"
            told = _files_of_job(results, f"figure/{study}/{figure}")
            yield Unwanted(f"figure {study}/{figure}", why, _there([*paths, *told]))


def _files_of_job(results: Path, job: str) -> list[Path]:
    return [results / "logs" / f"{job}.log", results / "benchmarks" / f"{job}.tsv"]


def _there(paths: list[Path]) -> tuple[Path, ...]:
    return tuple(path for path in paths if path.is_file())


def check_no_run(folder: Path) -> None:
    """Refuse to go on while the workflow is at work in a working folder.

    Raises
    ------
    StoreError
        If a run lives, or cannot be seen from here.
    """
    from deeplimits.jobs.runs import RunFolder

    running = RunFolder(folder).running()
    if running:
        raise StoreError(f"nothing is removed while a run is at work: {running[0]}")
