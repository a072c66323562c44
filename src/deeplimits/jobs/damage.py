"""What a plan finds damaged before any job runs, so that the workflow makes it again.

A plan reads receipts, study stores, figures and verdicts whole. Containers may be terabytes: of them it looks
at the size, and reads those that were changed after their receipts. ``verify`` reads all of them.
"""

from __future__ import annotations

import os
from collections.abc import Container, Iterator
from contextlib import suppress
from pathlib import Path

from deeplimits.errors import InputError
from deeplimits.store.atomic import write_text
from deeplimits.store.catalogue import Catalogue
from deeplimits.store.digests import digest, digest_once, read_digests, write_digests
from deeplimits.store.errors import read_file
from deeplimits.store.paths import (
    batches_folder,
    figure_digests,
    file_names,
    receipt_path,
    study_digest,
    study_receipt,
    study_store,
    todo_path,
)
from deeplimits.store.receipts import (
    Receipt,
    UnusableReceipt,
    described_blocks,
    read_receipt,
    read_receipt_alone,
    read_todo,
)
from deeplimits.store.studies import is_readable
from deeplimits.sweep.blocks import Block, block_again
from deeplimits.sweep.cost import seconds
from deeplimits.sweep.plan import Batch, todo_text
from deeplimits.sweep.study import Study


def damaged_batches(catalogue: Catalogue) -> dict[str, Batch]:
    """Batches by name that have to be computed again as they were: their receipts or containers are damaged,
    or a container has no receipt. One of which nothing tells the blocks any more is not among them.
    """
    found = {}
    for name in _damaged(catalogue):
        blocks = blocks_of_batch(catalogue.results, name)
        if blocks is not None:
            largest = max(block.bytes for block in blocks)
            found[name] = Batch(tuple(blocks), sum(map(seconds, blocks)), largest)
    return found


def _damaged(catalogue: Catalogue) -> Iterator[str]:
    receipts = catalogue.receipts
    yield from (path.stem for path in catalogue.unusable)
    yield from (receipt.batch for receipt in receipts if _is_changed(receipt))
    known = {receipt_path(catalogue.results, receipt.batch) for receipt in receipts} | {*catalogue.unusable}
    for name in file_names(batches_folder(catalogue.results)):
        batch = name.removesuffix(".zarr.zip")
        receipt = receipt_path(catalogue.results, batch)
        if batch != name and receipt not in known and not receipt.exists():
            yield batch


def _is_changed(receipt: Receipt) -> bool:
    """Whether a container that was written to after its receipt is another."""
    written = receipt.path.stat().st_mtime_ns
    if receipt.changed <= written:
        return False
    if digest(receipt.container) != receipt.sha256:
        return True
    # a copy without its times, of which the next plan need not think again
    with suppress(OSError):
        os.utime(receipt.container, ns=(written, written))
    return False


def discard_damaged_batch(catalogue: Catalogue, batch: str, again: Container[str]) -> None:
    """Remove a receipt that would count as done, of a batch that is damaged or is among ``again``; one that a
    job has written since the catalogue was read stays.
    """
    path = receipt_path(catalogue.results, batch)
    try:
        found = read_receipt(path)
    except FileNotFoundError:
        return
    except UnusableReceipt:
        path.unlink(missing_ok=True)
        return
    if batch in again and any(found.text == each.text for each in catalogue.receipts if each.path == path):
        path.unlink(missing_ok=True)


def blocks_of_batch(results: Path, batch: str) -> list[Block] | None:
    """The blocks of a batch, as its receipt or its todo file has them; None where neither can be believed."""
    with suppress(UnusableReceipt, FileNotFoundError):
        _, text = read_receipt_alone(receipt_path(results, batch))
        blocks = [block for each in described_blocks(text) if (block := block_again(each))]
        if len(blocks) == len(described_blocks(text)):
            return blocks
    with suppress(InputError):
        blocks = read_todo(todo_path(results, batch))
        if Batch(tuple(blocks), 0.0).name == batch:
            return blocks
    return None


def todo_of_receipt(text: bytes) -> str:
    """The todo file of a batch, from the text of its receipt."""
    blocks = described_blocks(text)
    return todo_text(
        {key: value for key, value in block.items() if key not in ("first", "count")} for block in blocks
    )


def restore_todo(results: Path, receipt: Receipt) -> None:
    """Write the todo file of a batch that is done, which the workflow asks for, where it is lost, or where it
    is another since the job ended.
    """
    path, written = todo_path(results, receipt.batch), receipt.path.stat().st_mtime_ns
    try:
        if path.stat().st_mtime_ns <= written:
            return
        text = read_file(path)
    except FileNotFoundError:
        text = b""
    wanted = todo_of_receipt(receipt.text)
    if text != wanted.encode():
        write_text(path, wanted, flush=False)
    with suppress(OSError):
        os.utime(path, ns=(written, written))


def discard_damaged_study(results: Path, study: Study) -> None:
    """Remove what makes a study store or its figures count as done where they are not what was written."""
    name, receipt = study.name, study_receipt(results, study.name)
    if is_readable(results, name):
        write_study_digest(results, name)
    else:
        receipt.unlink(missing_ok=True)
    for figure in study.figures:
        discard_damaged(figure_digests(results, name, figure))


def write_study_digest(results: Path, study: str) -> None:
    """Write the digest of a study store that is whole, unless it is there."""
    beside, store = study_digest(results, study), study_store(results, study)
    held = {store.name: digest_once(store)}
    try:
        if read_digests(beside) == held:
            return
    except FileNotFoundError:
        pass
    write_digests(beside, held)


def discard_damaged(beside: Path) -> None:
    """Remove a file of digests that does not match the files it is about: the workflow makes them again."""
    if beside.exists() and mismatch(beside) is not None:
        beside.unlink(missing_ok=True)


def mismatch(beside: Path) -> str | None:
    """The first file that is not what a file of digests says, with what was found; None where all are."""
    try:
        held = read_digests(beside)
    except FileNotFoundError:
        return f"{beside}: missing"
    if held is None:
        return f"{beside}: not what was written"
    for name, said in held.items():
        path = beside.parent / name
        try:
            found = digest_once(path)
        except FileNotFoundError:
            return f"{path}: missing"
        if found != said:
            return f"{path}: SHA-256 is {found}, {beside.name} says {said}"
    return None
