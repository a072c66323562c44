"""Exact order statistics of float32 values that are never in memory together, by counting.

A float32 maps to a 32-bit integer of the same order. A first pass counts the upper halves of these keys,
which tells in which of 65,536 cells each order statistic lies; a second pass counts the lower halves in those
cells alone. Counts are integers, so blocks can be added in any order and grouping.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Counts(NamedTuple):
    """How often each key occurs; ``keys`` ascending."""

    keys: NDArray[np.uint32]
    counts: NDArray[np.int64]

    @classmethod
    def of(cls, keys_: NDArray[np.uint32]) -> Counts:
        """Counts of ``keys_``, in any order."""
        return cls(*np.unique(keys_, return_counts=True))

    @property
    def total(self) -> int:
        """How many there are."""
        return int(self.counts.sum())


def added(counts: Iterable[Counts]) -> Counts:
    """Counts of several samples together."""
    parts = list(counts)
    if len(parts) == 1:
        return parts[0]
    found, place = np.unique(np.concatenate([part.keys for part in parts]), return_inverse=True)
    total = np.zeros(len(found), np.int64)
    np.add.at(total, place, np.concatenate([part.counts for part in parts]))
    return Counts(found, total)


def keys(values: NDArray[np.float32]) -> NDArray[np.uint32]:
    """Integers in the order of ``values``; −0 and 0 get one key."""
    bits = (values + np.float32(0)).view(np.uint32)
    return np.where(bits >> 31, ~bits, bits | np.uint32(0x80000000)).astype(np.uint32)


def values_of(keys_: NDArray[np.uint32]) -> NDArray[np.float32]:
    """The inverse of ``keys``."""
    return np.where(keys_ >> 31, keys_ & np.uint32(0x7FFFFFFF), ~keys_).astype(np.uint32).view(np.float32)


def upper_counts(values: NDArray[np.float32]) -> Counts:
    """How many keys have each upper half."""
    return Counts.of(keys(values) >> np.uint32(16))


def lower_counts(values: NDArray[np.float32], cells: Iterable[int]) -> dict[int, Counts]:
    """For each upper half in ``cells``, how many keys have each lower half."""
    key = np.sort(keys(values))
    result = {}
    for cell in cells:
        start, stop = np.searchsorted(key, [cell << 16, (cell + 1) << 16])
        result[cell] = Counts.of(key[start:stop] & np.uint32(0xFFFF))
    return result


def locate(counts: Counts, ranks: Sequence[int]) -> list[tuple[int, int]]:
    """For each rank (0 = smallest): the key it falls on and its rank among the entries of that key."""
    ends = np.cumsum(counts.counts)
    places = np.searchsorted(ends, ranks, side="right")
    before = ends[places] - counts.counts[places]
    return [
        (int(counts.keys[place]), rank - int(start))
        for place, rank, start in zip(places, ranks, before, strict=True)
    ]


def found(places: Sequence[tuple[int, int]], lower: Mapping[int, Counts]) -> NDArray[np.float32]:
    """The values at places that ``locate`` found among upper halves, given the lower halves there."""
    whole = [(cell << 16) | locate(lower[cell], [rank])[0][0] for cell, rank in places]
    return values_of(np.array(whole, np.uint32))


def ranks_of(levels: Sequence[float], count: int) -> list[int]:
    """Rank of each quantile: the smallest value with at least that part of the sample at or below it."""
    return [min(count - 1, max(0, int(np.ceil(level * count)) - 1)) for level in levels]
