"""Rows of exact kernels, kept on disk by width and activation.

A kernel takes a second, reading it a millisecond. Files lie beside the laws of sampled limits in the user's
cache folder, named by the SHA-256 of what a kernel is of and of what makes rows; each starts with the
SHA-256 of the rest, is written aside and renamed, and what has not been read for longest goes where all files
together have become too large. A folder that cannot be used only costs time.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from deeplimits.engines.compile.cache import written
from deeplimits.limits.made_by import made_by

LARGEST = 1 << 28
"""Bytes of all files together."""
_AFTER = 3 / 4
"""What is left of that once some have been removed."""
_DIGEST = 32


class Rows(Protocol):
    """Rows from a number on."""

    @property
    def first(self) -> int: ...
    @property
    def values(self) -> NDArray[np.float64]: ...


Key = tuple[str, ...]
Kind = TypeVar("Kind")


def read(key: Key, make: Callable[[int, NDArray[np.float64]], Kind]) -> dict[int, Kind]:
    """The rows that are kept of a kernel, by the numbers of their chunks; none where the file is damaged.

    Parameters
    ----------
    key
        ``correlation`` or ``variance``, and all that the kernel depends on.
    """
    file = _folder() / _name(key)
    try:
        content = file.read_bytes()
        if hashlib.sha256(content[_DIGEST:]).digest() != content[:_DIGEST]:
            return {}
        os.utime(file)
    except OSError:
        return {}
    head, _, numbers = content[_DIGEST:].partition(b"\n")
    found = {}
    for number, first, rows, columns in json.loads(head):
        size = 8 * rows * columns
        found[number] = make(first, np.frombuffer(numbers[:size], "<f8").astype(float).reshape(rows, columns))
        numbers = numbers[size:]
    return found


def write(key: Key, blocks: Mapping[int, Rows]) -> None:
    """Keep the rows of a kernel."""
    head = [(number, block.first, *block.values.shape) for number, block in blocks.items()]
    columns = [block.values.astype("<f8").tobytes() for block in blocks.values()]
    content = b"".join([json.dumps(head).encode(), b"\n", *columns])
    folder = _folder()
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        written(folder / _name(key), hashlib.sha256(content).digest() + content)
        _keep_small(folder)


def _folder() -> Path:
    try:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    except RuntimeError:  # there is no home
        base = Path("/nonexistent")
    return base / "deeplimits" / "transitions"


def _name(key: Key) -> str:
    return hashlib.sha256(json.dumps([made_by(), *key]).encode()).hexdigest()


def _keep_small(folder: Path) -> None:
    """Remove what has not been read for longest where there is too much."""
    kept = []
    for file in folder.iterdir():
        with suppress(FileNotFoundError):  # another has removed it
            kept.append((file.stat().st_mtime, file.stat().st_size, file))
    total = sum(size for _, size, _ in kept)
    if total <= LARGEST:
        return
    for _, size, file in sorted(kept):
        if total <= _AFTER * LARGEST:
            break
        file.unlink(missing_ok=True)
        total -= size
