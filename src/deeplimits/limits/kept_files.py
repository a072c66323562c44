"""Files of numbers in the user's cache folder: what takes seconds to make and a millisecond to read.

A file starts with the SHA-256 of the rest: one that is damaged is no file. It is written aside and renamed,
so that writers may meet, and what has not been read for longest goes where all files together have become too
large. A folder that cannot be used only costs time.
"""

from __future__ import annotations

import hashlib
import json
import os
import uuid
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from deeplimits.array_types import Array

_AFTER = 3 / 4
"""What is left of the largest size once some files have been removed."""
_DIGEST = 32


def folder_of(kind: str) -> Path:
    """Where files of a kind lie."""
    try:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    except RuntimeError:  # there is no home
        base = Path("/nonexistent")
    return base / "deeplimits" / kind


def read(file: Path) -> tuple[list[Any], Array] | None:
    """The line about the numbers of a file, and the numbers; None where there is none, or it is not whole."""
    try:
        content = file.read_bytes()
        if hashlib.sha256(content[_DIGEST:]).digest() != content[:_DIGEST]:
            return None
        os.utime(file)
    except OSError:
        return None
    head, _, numbers = content[_DIGEST:].partition(b"\n")
    return json.loads(head), np.frombuffer(numbers, "<f8").astype(float)


def write(file: Path, head: list[Any], numbers: Iterable[Array], largest: int) -> None:
    """Keep numbers, and a line about them, in a folder of at most so many bytes."""
    columns = (values.astype("<f8").tobytes() for values in numbers)
    content = b"".join([json.dumps(head).encode(), b"\n", *columns])
    aside = file.with_name(f".part-{file.name}-{uuid.uuid4().hex}")
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            aside.write_bytes(hashlib.sha256(content).digest() + content)
            aside.replace(file)
        finally:
            aside.unlink(missing_ok=True)
        _keep_small(file.parent, largest)


def _keep_small(folder: Path, largest: int) -> None:
    """Remove what has not been read for longest where there is too much."""
    kept = []
    for file in folder.iterdir():
        with suppress(FileNotFoundError):  # another has removed it
            kept.append((file.stat().st_mtime, file.stat().st_size, file))
    total = sum(size for _, size, _ in kept)
    if total <= largest:
        return
    for _, size, file in sorted(kept):
        if total <= _AFTER * largest:
            break
        file.unlink(missing_ok=True)
        total -= size
