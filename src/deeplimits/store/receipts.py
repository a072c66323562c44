"""Receipts: what a finished job leaves behind, and the only thing that makes its container count.

A receipt names the blocks of a batch, the container that holds them and its SHA-256, and where they came
from. It is written after the container, so that a container without one is unfinished work.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deeplimits.engines import SAMPLER_VERSION
from deeplimits.errors import InputError
from deeplimits.store.atomic import write_text
from deeplimits.sweep.blocks import Block, block_from_description

FORMAT = 1


@dataclass(frozen=True)
class Receipt:
    """A receipt as read; ``blocks`` holds the descriptions of its blocks."""

    path: Path
    container: Path
    sha256: str
    size: int
    sampler_version: int
    blocks: tuple[dict[str, Any], ...]
    provenance: dict[str, Any]

    @property
    def batch(self) -> str:
        """Name of the batch."""
        return self.path.stem


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
        body = json.loads(path.read_text(encoding="utf-8"))
        if body["format"] != FORMAT:
            return None
        container = path.parent / body["container"]
        if container.stat().st_size != body["size"]:
            return None
        return Receipt(
            path,
            container,
            body["sha256"],
            body["size"],
            body["sampler_version"],
            tuple(body["blocks"]),
            body["provenance"],
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


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
