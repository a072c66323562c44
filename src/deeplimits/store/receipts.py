"""Receipts: what a finished job leaves behind, and the only thing that makes its container count.

A receipt names the blocks of a batch, the container that holds them and its SHA-256, and where they came
from. It is written after the container, so that a container without one is unfinished work.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property, partial
from pathlib import Path
from typing import Any

from deeplimits.engines import SAMPLER_VERSION
from deeplimits.errors import InputError
from deeplimits.store.atomic import write_text
from deeplimits.sweep.blocks import Block, block_from_description

FORMAT = 1


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

    @property
    def batch(self) -> str:
        """Name of the batch."""
        return self.path.stem

    @cached_property
    def blocks(self) -> tuple[dict[str, Any], ...]:
        """Descriptions of the blocks."""
        return tuple(json.loads(self.text)["blocks"])


@dataclass(frozen=True, slots=True)
class _Named:
    """A block as far as its name."""

    id: str


@dataclass(frozen=True, slots=True)
class _Body:
    """What a receipt says."""

    blocks: list[_Named]
    container: str
    format: int
    provenance: dict[str, Any]
    sampler_version: int
    sha256: str
    size: int


@cache
def _reader() -> Callable[[bytes], _Body]:
    """Reads the JSON of a receipt whole and keeps of its blocks the names; three times as fast as making a
    dictionary of each.
    """
    from pydantic import TypeAdapter

    return partial(TypeAdapter(_Body).validate_json, strict=True)


def write_receipt(
    path: Path, container: Path, sha256: str, blocks: Sequence[Block], provenance: dict[str, Any]
) -> None:
    """Write the receipt of a container that is already in place."""
    body = {
        "blocks": [block.describe() | {"first": block.first, "count": block.count} for block in blocks],
        "container": container.name,
        "format": FORMAT,
        "provenance": provenance,
        "sampler_version": SAMPLER_VERSION,
        "sha256": sha256,
        "size": container.stat().st_size,
    }
    write_text(path, json.dumps(body, sort_keys=True, separators=(",", ":")) + "\n")


def read_receipt(path: Path) -> Receipt | None:
    """The receipt in ``path``, or None where it is not one, is of another format, or its container is missing
    or of another size.
    """
    try:
        text = path.read_bytes()
        body = _reader()(text)
        container = path.parent / body.container
        if body.format != FORMAT or container.stat().st_size != body.size:
            return None
    except (OSError, ValueError):
        return None
    return Receipt(
        path,
        container,
        body.sha256,
        body.size,
        body.sampler_version,
        tuple(block.id for block in body.blocks),
        body.provenance,
        text,
    )


def read_todo(path: Path) -> list[Block]:
    """The blocks of a job.

    Raises
    ------
    InputError
        If the file is missing or is no todo file of this version.
    """
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
        if body["format"] != FORMAT:
            raise InputError(path, "format", body["format"], str(FORMAT))
        if body["sampler_version"] != SAMPLER_VERSION:
            raise InputError(
                path,
                "sampler_version",
                body["sampler_version"],
                f"{SAMPLER_VERSION}, the one of this installation",
            )
        blocks = [block_from_description(description) for description in body["blocks"]]
    except FileNotFoundError:
        raise InputError(path, "", "<no such file>", "a todo file") from None
    except InputError:
        raise
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            path, "", f"<{type(error).__name__}: {error}>", "a todo file written by a plan"
        ) from None
    for block, description in zip(blocks, body["blocks"], strict=True):
        if block.id != description["id"]:
            raise InputError(
                path, "blocks", description["id"], f"{block.id}, the name of what is described there"
            )
    return blocks
