"""The results prove themselves: every file against a digest, and blocks against a fresh computation.

Files are read in pieces and side by side, since SHA-256 leaves other threads their way: what it takes is what
the disk takes.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from deeplimits.engines import SAMPLER_VERSION, simulate_block
from deeplimits.errors import InputError, nearest_name, one_of
from deeplimits.jobs.checks import Checks, batches_there, figures_there, strays, studies_there
from deeplimits.jobs.findings import Finding, Part
from deeplimits.jobs.workflow import planned_receipts
from deeplimits.store.atomic import remove_abandoned
from deeplimits.store.errors import StoreError
from deeplimits.store.paths import (
    batches_folder,
    claims_digests,
    claims_files,
    container_path,
    receipt_path,
    tables_digests,
    tables_page,
)
from deeplimits.store.receipts import Receipt, read_receipt
from deeplimits.store.watched import Watch, unwatched
from deeplimits.store.zarr_zip import CorruptContainer, read_array
from deeplimits.sweep.amounts import counted
from deeplimits.sweep.blocks import Block, block_again

_MB = 1e6
_KINDS = {
    "batch": "container",
    "study": "study store",
    "figure": "figure",
    "claims": "file of verdicts",
    "tables": "page of tables",
}


@dataclass(frozen=True)
class Report:
    """What was looked at, and what was found.

    Attributes
    ----------
    checked
        Parts that were looked at, by kind.
    recomputed
        Names of the blocks that were drawn again.
    removed, being_written
        What dead writers had left, and what live ones are at.
    """

    findings: tuple[Finding, ...]
    checked: Mapping[str, int]
    megabytes: float = 0.0
    recomputed: tuple[str, ...] = ()
    removed: tuple[Path, ...] = ()
    being_written: tuple[Path, ...] = field(default=())

    def row(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "findings": [finding.row() for finding in self.findings],
            "checked": dict(self.checked),
            "megabytes": round(self.megabytes, 3),
            "recomputed": list(self.recomputed),
            "removed": [str(path) for path in self.removed],
            "being_written": [str(path) for path in self.being_written],
        }

    def __str__(self) -> str:
        """One line."""
        parts = [counted(self.checked[kind], noun) for kind, noun in _KINDS.items() if self.checked.get(kind)]
        text = f"{', '.join(parts) or 'nothing'} checked"
        if self.recomputed:
            text += f", {counted(len(self.recomputed), 'block')} drawn again"
        if self.removed:
            text += f", {counted(len(self.removed), 'file')} of writers that are gone removed"
        return f"{text}: {counted(len(self.findings), 'problem')}"


def verify_store(
    results: Path,
    study: str | None = None,
    recompute: int = 0,
    threads: int = 1,
    watch: Watch = unwatched,
) -> Report:
    """Check every file of results, or those of one study, and draw some blocks again.

    Parameters
    ----------
    recompute
        Blocks that are drawn again, chosen at random among those whose files are whole, and compared bit for
        bit with what is stored.
    threads
        Files that are read at a time.
    watch
        Tells how much is done; see ``store.watched``.

    Raises
    ------
    InputError
        If there is no such study among the results.
    OSError
        If a folder cannot be read.
    """
    removed, left = remove_abandoned(results) if study is None else ([], [])
    parts = parts_of(results, study)
    findings, megabytes = check_parts(results, parts, threads, watch)
    if study is None:
        findings += strays(results)
    bad = {finding.part for finding in findings}
    sound = [part.name for part in parts if part.kind == "batch" and part not in bad]
    drawn: list[str] = []
    if recompute:
        differing, drawn = _recomputed(results, sound, recompute, watch)
        findings += differing
    # a batch that is still to be computed has no container
    kinds = [
        part.kind for part in parts if part.kind != "batch" or container_path(results, part.name).exists()
    ]
    return Report(
        tuple(findings),
        {kind: kinds.count(kind) for kind in _KINDS if kind in kinds},
        megabytes,
        tuple(drawn),
        tuple(removed),
        tuple(left),
    )


def parts_of(results: Path, study: str | None = None) -> list[Part]:
    """The parts of results that are there, or those of a study.

    Raises
    ------
    InputError
        If there is no such study, or its todo file, which names its batches, is damaged.
    """
    batches, studies, figures = batches_there(results), studies_there(results), figures_there(results)
    if study is not None:
        if study not in studies:
            raise InputError("verify", "", study, one_of(studies, "a study: "), nearest_name(study, studies))
        planned = {Path(receipt).stem for receipt in planned_receipts(results, study)}
        batches, studies = [name for name in batches if name in planned], [study]
        figures = [each for each in figures if each[0] == study]
    written = any(path.exists() for path in (claims_digests(results), *claims_files(results)))
    tabled = tables_digests(results).exists() or tables_page(results).exists()
    of_all = [Part("claims")] if written else []
    of_all += [Part("tables")] if tabled else []
    return [
        *(Part("batch", name) for name in batches),
        *(Part("study", name) for name in studies),
        *(Part("figure", "/".join(each)) for each in figures),
        *(of_all if study is None else []),
    ]


def check_parts(
    results: Path, parts: Iterable[Part], threads: int = 1, watch: Watch = unwatched
) -> tuple[list[Finding], float]:
    """What is wrong with some parts of results, and the megabytes that were read."""
    parts, lock, megabytes = list(parts), Lock(), 0.0
    with watch(_size(results, parts) / _MB, "MB") as told, ThreadPoolExecutor(threads) as pool:

        def tell(count: float) -> None:
            nonlocal megabytes
            with lock:
                megabytes += count / _MB
                told(count / _MB)

        checks = Checks(results, tell)
        check: dict[str, Callable[[str], list[Finding]]] = {
            "batch": checks.batch,
            "study": checks.study,
            "figure": lambda name: checks.figure(*name.split("/")),
            "claims": lambda _: checks.claims(),
            "tables": lambda _: checks.tables(),
        }

        def found(part: Part) -> list[Finding]:
            try:
                return check[part.kind](part.name)
            except OSError as error:
                return [
                    Finding(
                        Path(error.filename or results), "damaged", f"cannot be read: {error.strerror}", part
                    )
                ]

        findings = [finding for each in pool.map(found, parts) for finding in each]
    # what is drawn from a store that is not what it was is not outdated for that
    damaged = {finding.part.name for finding in findings if finding.part and finding.part.kind == "study"}
    return [
        each for each in findings if not (each.kind == "outdated" and _study(each.part) in damaged)
    ], megabytes


def _study(figure: Part | None) -> str:
    return figure.name.partition("/")[0] if figure else ""


def _size(results: Path, parts: Iterable[Part]) -> float:
    """Bytes of containers and study stores, which are nearly all."""
    names = {(part.kind, part.name) for part in parts}
    paths = [
        *(batches_folder(results) / f"{name}.zarr.zip" for kind, name in names if kind == "batch"),
        *(results / "studies" / f"{name}.zarr.zip" for kind, name in names if kind == "study"),
    ]
    return float(sum(path.stat().st_size for path in paths if path.exists()))


def _recomputed(
    results: Path, batches: list[str], count: int, watch: Watch
) -> tuple[list[Finding], list[str]]:
    """Random blocks of these batches, drawn again; where they differ, and their names."""
    receipts = []
    for batch in batches:
        try:
            receipts.append(read_receipt(receipt_path(results, batch)))
        except (StoreError, FileNotFoundError):
            continue  # a job that is still to be done
    places = [
        (receipt, place)
        for receipt in receipts
        if receipt.sampler_version == SAMPLER_VERSION
        for place in range(len(receipt.names))
    ]
    # other ones each time
    chosen = random.SystemRandom().sample(places, min(count, len(places)))
    found: list[Finding] = []
    drawn = []
    with watch(float(len(chosen)), "blocks") as tell:
        for receipt, place in chosen:
            block = block_again(receipt.blocks[place])
            if block is not None:
                found += _compared(receipt, block)
                drawn.append(block.id)
            tell(1)
    return found, drawn


def _compared(receipt: Receipt, block: Block) -> list[Finding]:
    """Where a block differs from what is computed now."""
    point, part = block.point, Part("batch", receipt.batch)
    fresh = simulate_block(
        point.network, point.layers, block.first, block.count, gradients=point.gradients, output=point.output
    )
    found = []
    for variable, array in fresh.items():
        if array.size == 0:
            continue
        try:
            stored = read_array(receipt.container, block.id, variable, shape=array.shape)
        except CorruptContainer as error:
            found.append(Finding(receipt.container, "damaged", str(error), part))
            continue
        if stored.tobytes() != np.ascontiguousarray(array).tobytes():
            what = f"{block.id}/{variable} differs from a fresh computation"
            found.append(Finding(receipt.container, "damaged", what, part))
    return found
