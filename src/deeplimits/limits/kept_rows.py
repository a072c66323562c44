"""Rows of exact kernels, kept on disk by width and activation (``kept_files``): a kernel takes a second.

Files lie beside the laws of sampled limits in the user's cache folder, named by the SHA-256 of what a kernel
is of and of what makes rows.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np

from deeplimits.array_types import Array
from deeplimits.limits import kept_files
from deeplimits.limits.made_by import made_by

LARGEST = 1 << 28
"""Bytes of all files together."""


class Rows(Protocol):
    """Rows from a number on."""

    @property
    def first(self) -> int: ...
    @property
    def values(self) -> Array: ...


Key = tuple[str, ...]
Kind = TypeVar("Kind")


def read(key: Key, make: Callable[[int, Array], Kind]) -> dict[int, Kind]:
    """The rows that are kept of a kernel, by the numbers of their chunks; none where the file is damaged.

    Parameters
    ----------
    key
        ``correlation`` or ``variance``, and all that the kernel depends on.
    """
    kept = kept_files.read(_folder() / _name(key))
    found: dict[int, Kind] = {}
    if kept is not None:
        head, numbers = kept
        for number, first, rows, columns in head:
            values, numbers = np.split(numbers, [rows * columns])
            found[number] = make(first, values.reshape(rows, columns))
    return found


def write(key: Key, blocks: Mapping[int, Rows]) -> None:
    """Keep the rows of a kernel."""
    head = [(number, block.first, *block.values.shape) for number, block in blocks.items()]
    kept_files.write(_folder() / _name(key), head, (block.values for block in blocks.values()), LARGEST)


def _folder() -> Path:
    return kept_files.folder_of("transitions")


def _name(key: Key) -> str:
    return hashlib.sha256(json.dumps([made_by(), *key]).encode()).hexdigest()
