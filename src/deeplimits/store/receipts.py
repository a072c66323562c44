"""Receipts: what a finished job leaves behind, and the only thing that makes its container count.

A receipt names the blocks of a batch, the container that holds them and its SHA-256, and where they came
from. It is written after the container, so that a container without one is unfinished work. Its own digest
is in it: one that was changed says so.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property, partial
from pathlib import Path
from typing import Any, ClassVar

from deeplimits.engines import SAMPLER_VERSION
from deeplimits.errors import InputError
from deeplimits.store.atomic import write_text
from deeplimits.store.errors import LaterFormat, StoreError, read_file
from deeplimits.store.seal import is_whole, sealed
from deeplimits.sweep.blocks import Block, block_from_description
from deeplimits.sweep.formats import RECEIPT, TODO, is_later


class UnusableReceipt(StoreError):
    """A receipt that counts for nothing: damaged, or without its container."""

    def __init__(self, path: Path, what: str):
        super().__init__(f"{path}: {what}")
        self.what = what


@dataclass(frozen=True)
class Receipt:
    """A receipt as read: its blocks by their names, and described only where that is asked for, since there
    may be 10⁵ of them.
    """

    path: Path
    container: Path
    sha256: str
    size: int
    sampler_version: int
    names: tuple[str, ...]
    provenance: dict[str, Any]
    text: bytes = field(repr=False)
    changed: int
    """When the container was last changed, in ns."""

    @property
    def batch(self) -> str:
        """Name of the batch."""
        return self.path.stem

    @cached_property
    def blocks(self) -> tuple[dict[str, Any], ...]:
        """Descriptions of the blocks."""
        return described_blocks(self.text)


def described_blocks(text: bytes) -> tuple[dict[str, Any], ...]:
    """Descriptions of the blocks, from the text of a receipt."""
    return tuple(json.loads(text)["blocks"])


@dataclass(frozen=True, slots=True)
class _Named:
    """A block as far as its name."""

    __pydantic_config__: ClassVar = {"extra": "ignore"}

    id: str


@dataclass(frozen=True)
class ReceiptBody:
    """What a receipt says, and nothing else; those of earlier versions have no digest."""

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    blocks: list[_Named]
    container: str
    format: int
    provenance: dict[str, Any]
    sampler_version: int
    sha256: str
    size: int
    digest: str | None = None


@cache
def _reader() -> Callable[[bytes], ReceiptBody]:
    """Reads the JSON of a receipt whole and keeps of its blocks the names; three times as fast as making a
    dictionary of each.
    """
    from pydantic import TypeAdapter

    return partial(TypeAdapter(ReceiptBody).validate_json, strict=True)


_AFTER_BLOCKS = b'],"container":'
_NAMES = re.compile(rb'"id":"([0-9a-f]{32})"')


def _of_a_whole(text: bytes) -> ReceiptBody:
    """What a receipt says whose digest matches, so that its blocks are as they were written and their names
    need not be found by reading the rest of them, which takes most of the time that 10⁵ blocks take.
    """
    # within a text in JSON the quotes would have a backslash before them
    end = text.find(_AFTER_BLOCKS)
    start = b'{"blocks":['
    if end < 0 or not text.startswith(start):
        return _reader()(text)
    body = _reader()(start + text[end:])
    body.blocks.extend(_Named(name.decode()) for name in _NAMES.findall(text, len(start), end))
    return body


def write_receipt(
    path: Path, container: Path, sha256: str, blocks: Sequence[Block], provenance: dict[str, Any]
) -> None:
    """Write the receipt of a container that is already in place."""
    body = {
        "blocks": [block.describe() | {"first": block.first, "count": block.count} for block in blocks],
        "container": container.name,
        "format": RECEIPT,
        "provenance": provenance,
        "sampler_version": SAMPLER_VERSION,
        "sha256": sha256,
        "size": container.stat().st_size,
    }
    write_text(path, sealed(body))


def read_receipt(path: Path) -> Receipt:
    """The receipt in ``path``.

    Raises
    ------
    UnusableReceipt
        If it is not what was written, or its container is missing or of another size.
    LaterFormat
        If a later version wrote it.
    OSError
        If it cannot be read.
    """
    body, text = read_receipt_alone(path)
    container = path.parent / body.container
    try:
        status = container.stat()
    except FileNotFoundError:
        raise UnusableReceipt(path, f"its container {container.name} is missing") from None
    if status.st_size != body.size:
        raise UnusableReceipt(
            path, f"its container {container.name} has {status.st_size:,} bytes, {body.size:,} were written"
        )
    return Receipt(
        path,
        container,
        body.sha256,
        body.size,
        body.sampler_version,
        tuple(block.id for block in body.blocks),
        body.provenance,
        text,
        status.st_mtime_ns,
    )


def read_receipt_alone(path: Path) -> tuple[ReceiptBody, bytes]:
    """What a receipt says, and its text, whatever has become of its container; raises as ``read_receipt``."""
    text = read_file(path)
    whole = is_whole(text)
    if whole is False:
        raise UnusableReceipt(path, "not what was written: its digest does not match")
    try:
        body = _of_a_whole(text) if whole else _reader()(text)
    except ValueError:
        if whole and is_later(json.loads(text).get("format"), RECEIPT):
            raise LaterFormat(path, json.loads(text)["format"], RECEIPT) from None
        raise UnusableReceipt(path, "not a receipt, or not what was written") from None
    if (body.digest is None) != (whole is None):
        raise UnusableReceipt(path, "not what was written: its digest does not match")
    if whole and is_later(body.format, RECEIPT):
        raise LaterFormat(path, body.format, RECEIPT)
    if body.format != RECEIPT:
        raise UnusableReceipt(path, f"a receipt of format {body.format}, where this version reads {RECEIPT}")
    expected = f"{path.name.removesuffix('.json')}.zarr.zip"
    if body.container != expected:
        raise UnusableReceipt(
            path, f"the receipt of {body.container[:80]!r}, where that of {expected} should be"
        )
    return body, text


def read_todo(path: Path) -> list[Block]:
    """The blocks of a job.

    Raises
    ------
    InputError
        If the file is missing or is no todo file of this version.
    """
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
        if body["format"] != TODO:
            raise InputError(path, "format", body["format"], str(TODO))
        if body["sampler_version"] != SAMPLER_VERSION:
            raise InputError(
                path,
                "sampler_version",
                body["sampler_version"],
                f"{SAMPLER_VERSION}, the one of this installation",
            )
        blocks = [block_from_description(description) for description in body["blocks"]]
        # an architecture may be of a package that is not here
        names = [block.id for block in blocks]
    except FileNotFoundError:
        raise InputError(path, "", "<no such file>", "a todo file") from None
    except InputError:
        raise
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            path, "", f"<{type(error).__name__}: {error}>", "a todo file written by a plan"
        ) from None
    for name, description in zip(names, body["blocks"], strict=True):
        if name != description["id"]:
            expected = f"{name}, the name of what is described there"
            raise InputError(path, "blocks", description["id"], expected)
    return blocks
