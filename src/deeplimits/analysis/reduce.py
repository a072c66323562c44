"""Reductions of one point: order statistics, moments and cell counts, streamed block by block through dask.

A task holds one block. Integer counts are added in whatever order they arrive; sums are taken a block at a
time and added by ``math.fsum`` in block order, so no scheduler and no chunking changes a bit.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import dask
import numpy as np
from numpy.typing import NDArray

from deeplimits.analysis import order_statistics as order
from deeplimits.analysis.distances import cell_counts
from deeplimits.analysis.observables import OBSERVABLES, usable
from deeplimits.laws import Law
from deeplimits.store.catalogue import BlockLocation

LEVELS = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
"""Levels of the quantiles that study stores hold."""
_RANGE = (0.001, 0.999)
"""Quantiles between which histograms run."""
BINS = 64

Array = NDArray[np.float64]
Located = Sequence[tuple[BlockLocation, int]]
Task = tuple[str, int, int]
"""(observable, record, layer)"""
Comparison = tuple[str, int, int, Law]
"""(observable, record, layer, law)"""


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


class _Block:
    """The first pair or input of one block, each variable read once."""

    def __init__(self, location: BlockLocation, take: int) -> None:
        self._location, self._take = location, take
        self._arrays: dict[str, NDArray[np.float32]] = {}

    def stored(self, name: str, record: int) -> NDArray[np.float32]:
        """What is stored for an observable at a record [sample]."""
        variable = OBSERVABLES[name].variable
        if variable not in self._arrays:
            self._arrays[variable] = np.ascontiguousarray(self._location.read(variable)[: self._take, :, 0].T)
        return self._arrays[variable][record]

    def values(self, name: str, record: int, layer: int) -> Array:
        """The observable of the living networks."""
        return OBSERVABLES[name].transform(usable(self.stored(name, record)).astype(float), layer)


@lru_cache(maxsize=32)
def _block(location: BlockLocation, take: int) -> _Block:
    """Blocks stay for the next pass where they are few."""
    return _Block(location, take)


def _first_pass(location: BlockLocation, take: int, tasks: Sequence[Task]) -> list[tuple[Any, ...]]:
    block, results = _block(location, take), []
    for name, record, layer in tasks:
        column = block.stored(name, record)
        alive = usable(column)
        values = OBSERVABLES[name].transform(alive.astype(float), layer)
        finite = values[np.isfinite(values)]
        results.append(
            (order.upper_counts(alive), len(column) - len(alive), math.fsum(finite), math.fsum(finite**2))
        )
    return results


def _second_pass(
    location: BlockLocation, take: int, tasks: Sequence[Task], cells: Sequence[Sequence[int]]
) -> list[dict[int, order.Counts]]:
    block = _block(location, take)
    return [
        order.lower_counts(usable(block.stored(name, record)), wanted)
        for (name, record, _), wanted in zip(tasks, cells, strict=True)
    ]


def _third_pass(
    location: BlockLocation,
    take: int,
    tasks: Sequence[Task],
    edges: Sequence[Array],
    laws: Sequence[Comparison],
) -> tuple[list[NDArray[np.int64]], list[NDArray[np.int64]]]:
    block = _block(location, take)
    histograms = [np.histogram(block.values(*task), bins)[0] for task, bins in zip(tasks, edges, strict=True)]
    return histograms, [
        cell_counts(law, block.values(name, record, layer)) for name, record, layer, law in laws
    ]


def reduce_point(
    located: Located, tasks: Sequence[Task], laws: Sequence[Comparison]
) -> tuple[list[Reduced], list[NDArray[np.int64]]]:
    """Reduce one point.

    Parameters
    ----------
    located
        Its blocks, and how many samples to take of each.
    tasks
        (observable, record, layer) of everything to reduce.
    laws
        (observable, record, layer, law) of every comparison.

    Returns
    -------
    What is kept of each task, and the cell counts of each comparison.
    """
    levels = sorted({*LEVELS, *_RANGE})
    first = _each_block(_first_pass, located, tasks)
    counts: list[order.Counts] = [sum((block[i][0] for block in first), Counter()) for i in range(len(tasks))]
    places = []
    for (name, _, _), count in zip(tasks, counts, strict=True):
        total = sum(count.values())
        wanted = levels if OBSERVABLES[name].increasing else [1 - level for level in levels]
        places.append(order.locate(count, order.ranks_of(wanted, total)) if total else [])
    cells = [sorted({cell for cell, _ in place}) for place in places]
    second = _each_block(_second_pass, located, tasks, cells)
    quantiles = [
        _quantiles(task, place, [block[i] for block in second]) if place else np.full(len(levels), np.nan)
        for i, (task, place) in enumerate(zip(tasks, places, strict=True))
    ]
    edges = [_edges(dict(zip(levels, values, strict=True))) for values in quantiles]
    third = _each_block(_third_pass, located, tasks, edges, laws)
    reduced = []
    for i in range(len(tasks)):
        total = sum(counts[i].values())
        mean = math.fsum(block[i][2] for block in first) / total if total else math.nan
        square = math.fsum(block[i][3] for block in first) / total if total else math.nan
        histogram = Histogram(
            edges[i], sum((block[0][i] for block in third), np.zeros(BINS, np.int64)), total
        )
        kept = quantiles[i][[levels.index(level) for level in LEVELS]]
        dead = sum(block[i][1] for block in first)
        reduced.append(Reduced(total, dead, mean, math.sqrt(max(0.0, square - mean**2)), kept, histogram))
    return reduced, [sum(block[1][j] for block in third) for j in range(len(laws))]


def _each_block(function: Any, located: Located, *arguments: Any) -> list[Any]:
    """``function`` of every block, as dask tasks under whatever scheduler is set."""
    shared = [dask.delayed(argument, pure=False, traverse=False) for argument in arguments]
    task = dask.delayed(function, pure=False)
    return list(dask.compute(*(task(location, take, *shared) for location, take in located)))


def _quantiles(task: Task, place: list[tuple[int, int]], blocks: list[dict[int, order.Counts]]) -> Array:
    name, _, layer = task
    keys = []
    for cell, rank in place:
        lower = sum((block[cell] for block in blocks), Counter())
        keys.append((cell << 16) | order.locate(lower, [rank])[0][0])
    stored = order.values_of(np.array(keys, np.uint32)).astype(float)
    return OBSERVABLES[name].transform(stored, layer)


def _edges(quantiles: dict[float, float]) -> Array:
    low, high = quantiles[_RANGE[0]], quantiles[_RANGE[1]]
    if not (np.isfinite(low) and np.isfinite(high) and high > low):
        middle = low if np.isfinite(low) else 0.0
        low, high = middle - 0.5, middle + 0.5
    return np.linspace(low, high, BINS + 1)
