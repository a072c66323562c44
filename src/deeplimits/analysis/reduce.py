"""Reductions of one point: order statistics, moments and what comparisons need, streamed block by block
through dask.

A task holds one block, and results are added in a tree, so that memory grows with the logarithm of their
number. Integer counts do not mind the order; sums are taken a block at a time and added by ``math.fsum``, so
no scheduler changes a bit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deeplimits.analysis import order_statistics as order
from deeplimits.analysis.deviations import Deviations
from deeplimits.analysis.distances import cell_counts
from deeplimits.analysis.observables import is_since_start, measure, sources, usable
from deeplimits.laws import Law, PointMass
from deeplimits.limits.observables import Observable
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
    """What the observables of one block are made of, each variable read once."""

    def __init__(self, location: BlockLocation, take: int) -> None:
        self._location, self._take = location, take
        self._arrays: dict[str, NDArray[np.float32]] = {}

    def stored(self, name: str, record: int) -> NDArray[np.float32]:
        """What is stored for an observable at a record [sample], or its difference to the first record; NaN
        where a network is dead at both.
        """
        observable, measured = measure(name)
        parts = sources(observable)
        now = measured.combine([self._column(variable, part, record) for variable, part in parts])
        if not is_since_start(observable):
            return now
        with np.errstate(invalid="ignore"):
            return now - measured.combine([self._column(variable, part, 0) for variable, part in parts])

    def _column(self, variable: str, part: Observable, record: int) -> NDArray[np.float32]:
        if variable not in self._arrays:
            # [column, record, sample]; an output has no record: it is that of the last layer
            array = self._location.read(variable)[: self._take]
            array = array[:, None] if array.ndim == 2 else array
            self._arrays[variable] = np.ascontiguousarray(array.transpose(2, 1, 0))
        held = self._arrays[variable]
        size = len(held)
        inputs = size if len(part.inputs) == 1 else (1 + math.isqrt(1 + 8 * size)) // 2
        records = held[part.column(inputs)]
        return records[min(record, len(records) - 1)]

    def values(self, name: str, record: int, layer: int) -> Array:
        """The observable of the living networks."""
        return measure(name)[1].transform(usable(self.stored(name, record)).astype(float), layer)


@lru_cache(maxsize=32)
def _block(location: BlockLocation, take: int) -> _Block:
    """Blocks stay for the next pass where they are few."""
    return _Block(location, take)


def stored(location: BlockLocation, take: int, name: str, record: int) -> NDArray[np.float32]:
    """What a block stores for an observable at a record [sample]."""
    return _block(location, take).stored(name, record)


def observed(location: BlockLocation, take: int, name: str, record: int, layer: int) -> Array:
    """An observable of every network of a block, in their order; not finite where a network is dead."""
    with np.errstate(over="ignore"):
        return measure(name)[1].transform(_block(location, take).stored(name, record).astype(float), layer)


@dataclass(frozen=True)
class _First:
    """Of one task: upper halves, the dead, and the sums of values and squares, a block each."""

    counts: order.Counts
    dead: int
    sums: tuple[float, ...]
    squares: tuple[float, ...]


def _first_pass(location: BlockLocation, take: int, tasks: Sequence[Task]) -> list[_First]:
    block, results = _block(location, take), []
    for name, record, layer in tasks:
        column = block.stored(name, record)
        alive = usable(column)
        values = measure(name)[1].transform(alive.astype(float), layer)
        finite = values[np.isfinite(values)]
        results.append(
            _First(
                order.upper_counts(alive),
                len(column) - len(alive),
                (math.fsum(finite),),
                (math.fsum(finite**2),),
            )
        )
    return results


def _add_first(parts: Sequence[list[_First]]) -> list[_First]:
    return [
        _First(
            order.added(part.counts for part in each),
            sum(part.dead for part in each),
            tuple(value for part in each for value in part.sums),
            tuple(value for part in each for value in part.squares),
        )
        for each in zip(*parts, strict=True)
    ]


_Second = list[Mapping[int, order.Counts]]


def _second_pass(
    location: BlockLocation, take: int, tasks: Sequence[Task], cells: Sequence[Sequence[int]]
) -> _Second:
    block = _block(location, take)
    return [
        order.lower_counts(usable(block.stored(name, record)), wanted)
        for (name, record, _), wanted in zip(tasks, cells, strict=True)
    ]


def _add_second(parts: Sequence[_Second]) -> _Second:
    return [
        {cell: order.added(part[cell] for part in each) for cell in each[0]}
        for each in zip(*parts, strict=True)
    ]


Held = NDArray[np.int64] | Deviations
"""What is kept of a comparison: counts on u = F(x), or how far the sample lies from a limit that is one
number."""
_Third = tuple[list[NDArray[np.int64]], list[Held]]


def _third_pass(
    location: BlockLocation,
    take: int,
    tasks: Sequence[Task],
    edges: Sequence[Array],
    laws: Sequence[Comparison],
) -> _Third:
    block = _block(location, take)
    histograms = [np.histogram(block.values(*task), bins)[0] for task, bins in zip(tasks, edges, strict=True)]
    return histograms, [_held(law, block.values(name, record, layer)) for name, record, layer, law in laws]


def _held(law: Law, values: Array) -> Held:
    return Deviations.of(law.value, values) if isinstance(law, PointMass) else cell_counts(law, values)


def _joined(parts: Sequence[Any]) -> Any:
    return Deviations.joined(parts) if isinstance(parts[0], Deviations) else sum(parts)


def _add_third(parts: Sequence[_Third]) -> _Third:
    histograms, cells = zip(*parts, strict=True)
    return [sum(each) for each in zip(*histograms, strict=True)], [
        _joined(each) for each in zip(*cells, strict=True)
    ]


def reduce_point(
    located: Located, tasks: Sequence[Task], laws: Sequence[Comparison]
) -> tuple[list[Reduced], list[Held]]:
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
    What is kept of each task, and of each comparison.
    """
    levels = sorted({*LEVELS, *_RANGE})
    first: list[_First] = over_blocks(_first_pass, _add_first, located, tasks)
    places = [
        order.locate(part.counts, _ranks(name, levels, part.counts.total)) if part.counts.total else []
        for (name, _, _), part in zip(tasks, first, strict=True)
    ]
    cells = [sorted({cell for cell, _ in place}) for place in places]
    second: _Second = over_blocks(_second_pass, _add_second, located, tasks, cells)
    quantiles = [
        measure(name)[1].transform(order.found(place, lower).astype(float), layer)
        if place
        else np.full(len(levels), np.nan)
        for (name, _, layer), place, lower in zip(tasks, places, second, strict=True)
    ]
    edges = [_edges(dict(zip(levels, values, strict=True))) for values in quantiles]
    histograms, compared = over_blocks(_third_pass, _add_third, located, tasks, edges, laws)
    kept = [levels.index(level) for level in LEVELS]
    reduced = []
    for part, values, bins, counts in zip(first, quantiles, edges, histograms, strict=True):
        total = part.counts.total
        mean = math.fsum(part.sums) / total if total else math.nan
        square = math.fsum(part.squares) / total if total else math.nan
        std = math.sqrt(max(0.0, square - mean**2))
        reduced.append(Reduced(total, part.dead, mean, std, values[kept], Histogram(bins, counts, total)))
    return reduced, compared


TOGETHER = 8
"""Blocks that one task reduces, and results that one adds: a task has its price."""


def over_blocks(
    function: Callable[..., Any], add: Callable[[Sequence[Any]], Any], located: Located, *arguments: Any
) -> Any:
    """The sum of ``function`` over all blocks, as a tree of dask tasks under whatever scheduler is set; where
    there would be one task, it is done here and now, in a tenth of the time of a small one.
    """

    def reduced(part: Located) -> Any:
        return add([function(location, take, *arguments) for location, take in part])

    if len(located) <= TOGETHER:
        return reduced(located)
    import dask

    task = dask.delayed(reduced, pure=False, traverse=False)
    joined = dask.delayed(add, pure=False, traverse=False)
    results = [
        task(dask.delayed(part, pure=False, traverse=False))
        for part in (located[i : i + TOGETHER] for i in range(0, len(located), TOGETHER))
    ]
    while len(results) > 1:
        results = [joined(results[i : i + TOGETHER]) for i in range(0, len(results), TOGETHER)]
    return dask.compute(results[0])[0]


def _ranks(name: str, levels: Sequence[float], count: int) -> list[int]:
    """Ranks of quantiles among what is stored, which runs the other way where the observable decreases in
    it.
    """
    ranks = order.ranks_of(levels, count)
    return ranks if measure(name)[1].increasing else [count - 1 - rank for rank in ranks]


def _edges(quantiles: dict[float, float]) -> Array:
    low, high = quantiles[_RANGE[0]], quantiles[_RANGE[1]]
    if not (np.isfinite(low) and np.isfinite(high) and high > low):
        middle = low if np.isfinite(low) else 0.0
        low, high = middle - 0.5, middle + 0.5
    return np.linspace(low, high, BINS + 1)
