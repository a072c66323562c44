"""Laws of a point's observables: counts, moments, quantiles and histograms, exact however many samples there
are.

Quantiles are order statistics. Where all values fit into memory they are sorted; otherwise they are found by
counting, in two passes over the blocks (``order_statistics``), which gives the same numbers. Sums are taken a
block at a time and added by ``math.fsum``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from deeplimits.analysis import order_statistics as order
from deeplimits.analysis.columns import Block, Samples, Task
from deeplimits.array_types import Array
from deeplimits.observables import parse

LEVELS = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
"""Levels of the quantiles that study stores hold."""
_RANGE = (0.001, 0.999)
"""Quantiles between which histograms run."""
_ALL_LEVELS = sorted({*LEVELS, *_RANGE})
_KEPT = [_ALL_LEVELS.index(level) for level in LEVELS]
BINS = 64


@dataclass(frozen=True)
class Histogram:
    """Counts in equal bins; what lies beyond the ends is left out of ``counts`` but not of ``total``."""

    edges: Array
    counts: NDArray[np.int64]
    total: int


@dataclass(frozen=True)
class Reduced:
    """What is kept of an observable at one record."""

    count: int
    dead: int
    mean: float
    std: float
    quantiles: Array
    histogram: Histogram


class _Moments:
    """How many networks are alive and dead, and sums over the living ones, one for each block."""

    def __init__(self) -> None:
        self.alive, self.dead = 0, 0
        self._sums: list[float] = []
        self._squares: list[float] = []

    def add(self, samples: int, values: Array) -> None:
        """Add the living networks of a block."""
        self.alive += len(values)
        self.dead += samples - len(values)
        finite = values[np.isfinite(values)]
        self._sums.append(float(finite.sum()))
        self._squares.append(float((finite * finite).sum()))

    def mean_and_std(self) -> tuple[float, float]:
        """Both, NaN where all are dead."""
        if not self.alive:
            return math.nan, math.nan
        mean, square = math.fsum(self._sums) / self.alive, math.fsum(self._squares) / self.alive
        return mean, math.sqrt(max(0.0, square - mean**2))


def reduce_marginals(samples: Samples, tasks: Sequence[Task]) -> list[Reduced]:
    """What is kept of each task."""
    # the living values of all tasks beside the decoded blocks, in an eighth of their memory
    if 4 * samples.count * len(tasks) <= samples.memory // 8:
        return _sorted(samples, tasks)
    return _counted(samples, tasks)


def _sorted(samples: Samples, tasks: Sequence[Task]) -> list[Reduced]:
    moments = [_Moments() for _ in tasks]
    columns: list[list[NDArray[np.float32]]] = [[] for _ in tasks]
    for block in samples:
        for task, sums, column in zip(tasks, moments, columns, strict=True):
            column.append(_first(block, task, sums))
    reduced = []
    for task, sums, column in zip(tasks, moments, columns, strict=True):
        # one zero, as among the keys of ``order_statistics``
        ascending = np.sort(np.concatenate(column) + np.float32(0))
        found = ascending[_ranks(task[0], len(ascending))] if len(ascending) else None
        quantiles = _transformed(task, found)
        edges = _edges(quantiles)
        values = np.sort(parse(task[0]).values(ascending, task[2]))
        reduced.append(_reduced(sums, quantiles, edges, _binned(values, edges)))
    return reduced


def _binned(values: Array, edges: Array) -> NDArray[np.int64]:
    """Counts of ascending ``values`` between ``edges``; the last bin is closed, as NumPy's is."""
    below = np.searchsorted(values, edges, side="left")
    below[-1] = np.searchsorted(values, edges[-1], side="right")
    return np.diff(below).astype(np.int64)


def _counted(samples: Samples, tasks: Sequence[Task]) -> list[Reduced]:
    moments = [_Moments() for _ in tasks]
    upper: list[list[order.Counts]] = [[] for _ in tasks]
    for block in samples:
        for task, sums, found in zip(tasks, moments, upper, strict=True):
            found[:] = [order.added([*found, order.upper_counts(_first(block, task, sums))])]
    places = [
        order.locate(counts, _ranks(task[0], counts.total)) if counts.total else []
        for task, (counts,) in zip(tasks, upper, strict=True)
    ]
    cells = [sorted({cell for cell, _ in place}) for place in places]
    lower: list[dict[int, order.Counts]] = [{} for _ in tasks]
    for block in samples:
        for (name, record, _), wanted, counted in zip(tasks, cells, lower, strict=True):
            for cell, counts in order.lower_counts(block.alive(name, record), wanted).items():
                counted[cell] = order.added([counted[cell], counts]) if cell in counted else counts
    quantiles = [
        _transformed(task, order.found(place, counted) if place else None)
        for task, place, counted in zip(tasks, places, lower, strict=True)
    ]
    edges = [_edges(each) for each in quantiles]
    bins = [np.zeros(BINS, np.int64) for _ in tasks]
    for block in samples:
        for task, ends, binned in zip(tasks, edges, bins, strict=True):
            binned[:] += _binned(np.sort(block.values(*task)), ends)
    return [_reduced(*each) for each in zip(moments, quantiles, edges, bins, strict=True)]


def _first(block: Block, task: Task, sums: _Moments) -> NDArray[np.float32]:
    """The living values of a block as they are stored, added to the sums."""
    name, record, layer = task
    column = block.stored(name, record)
    alive = column[np.isfinite(column)]
    sums.add(len(column), parse(name).values(alive, layer))
    return alive


def _transformed(task: Task, stored: NDArray[np.float32] | None) -> Array:
    if stored is None:
        return np.full(len(_ALL_LEVELS), np.nan)
    return parse(task[0]).values(stored, task[2])


def _reduced(sums: _Moments, quantiles: Array, edges: Array, bins: NDArray[np.int64]) -> Reduced:
    mean, std = sums.mean_and_std()
    return Reduced(sums.alive, sums.dead, mean, std, quantiles[_KEPT], Histogram(edges, bins, sums.alive))


def _ranks(name: str, count: int) -> list[int]:
    """Ranks of quantiles among what is stored, which runs the other way where the observable decreases in
    it.
    """
    ranks = _ranks_of(count)
    return ranks if parse(name).record.increasing else [count - 1 - rank for rank in ranks]


@lru_cache(maxsize=64)
def _ranks_of(count: int) -> list[int]:
    return order.ranks_of(_ALL_LEVELS, count)


def _edges(quantiles: Array) -> Array:
    low, high = (float(quantiles[_ALL_LEVELS.index(level)]) for level in _RANGE)
    if not (np.isfinite(low) and np.isfinite(high) and high > low):
        middle = low if np.isfinite(low) else 0.0
        low, high = middle - 0.5, middle + 0.5
    return np.linspace(low, high, BINS + 1)
