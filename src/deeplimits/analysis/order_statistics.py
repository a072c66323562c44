"""Exact order statistics of float32 values that are never in memory together, by counting.

A float32 maps to a 32-bit integer of the same order. A first pass counts the upper halves of these keys,
which tells in which of 65,536 cells each order statistic lies; a second pass counts the lower halves in those
cells alone. Counts are integers, so blocks can be added in any order and grouping.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

Counts = Counter[int]


def keys(values: NDArray[np.float32]) -> NDArray[np.uint32]:
    """Integers in the order of ``values``; −0 and 0 get one key."""
    bits = (values + np.float32(0)).view(np.uint32)
    return np.where(bits >> 31, ~bits, bits | np.uint32(0x80000000)).astype(np.uint32)


def values_of(keys_: NDArray[np.uint32]) -> NDArray[np.float32]:
    """The inverse of ``keys``."""
    return np.where(keys_ >> 31, keys_ & np.uint32(0x7FFFFFFF), ~keys_).astype(np.uint32).view(np.float32)


def upper_counts(values: NDArray[np.float32]) -> Counts:
    """How many keys have each upper half."""
    found, count = np.unique(keys(values) >> 16, return_counts=True)
    return Counter(dict(zip(found.tolist(), count.tolist(), strict=True)))


def lower_counts(values: NDArray[np.float32], cells: Iterable[int]) -> dict[int, Counts]:
    """For each upper half in ``cells``, how many keys have each lower half."""
    key = np.sort(keys(values))
    result = {}
    for cell in cells:
        start, stop = np.searchsorted(key, [cell << 16, (cell + 1) << 16])
        found, count = np.unique(key[start:stop] & 0xFFFF, return_counts=True)
        result[cell] = Counter(dict(zip(found.tolist(), count.tolist(), strict=True)))
    return result


def locate(counts: Counts, ranks: Sequence[int]) -> list[tuple[int, int]]:
    """For each rank (0 = smallest): the key it falls on and its rank among the entries of that key."""
    order = sorted(counts)
    ends = np.cumsum([counts[key] for key in order])
    places = np.searchsorted(ends, ranks, side="right")
    return [
        (order[place], rank - (int(ends[place - 1]) if place else 0))
        for place, rank in zip(places.tolist(), ranks, strict=True)
    ]


def ranks_of(levels: Sequence[float], count: int) -> list[int]:
    """Rank of each quantile: the smallest value with at least that part of the sample at or below it."""
    return [min(count - 1, max(0, int(np.ceil(level * count)) - 1)) for level in levels]
