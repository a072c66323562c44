"""Containers: the blocks of a batch in one file, with equal bytes for equal blocks.

A batch's container has one group a block, named by the block; one made by hand from a range of samples is a
dataset at its root. ``zarr_zip`` says what is in the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from deeplimits.store.zarr_zip import CHUNK_BYTES, Group, write_groups
from deeplimits.variables import CONTAINER


def write_container(
    path: Path, blocks: Iterable[tuple[str, Mapping[str, NDArray[Any]], Mapping[str, Any]]]
) -> str:
    """Write (group, arrays, attributes) triples and return the SHA-256 of the file.

    ``group`` is the block's name, or empty for a dataset at the root. Blocks are written one by one: only one
    is held in memory.
    """
    groups = ((name, _group(arrays, attributes)) for name, arrays, attributes in blocks)
    return write_groups(path, groups, _chunks)


def _group(arrays: Mapping[str, NDArray[Any]], attributes: Mapping[str, Any]) -> Group:
    held = {name: (CONTAINER[name].dimensions, array) for name, array in arrays.items() if array.size}
    return Group(held, attributes)


def _chunks(array: NDArray[Any]) -> tuple[int, ...]:
    """Whole samples, as many records as fit into a chunk: figures read one record of all samples."""
    if array.ndim < 3:
        return array.shape
    samples, records, last = array.shape
    each = max(1, CHUNK_BYTES // (samples * last * array.itemsize))
    return (samples, min(records, each), last)
