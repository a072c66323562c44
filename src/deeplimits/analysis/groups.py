"""Moments of a point at its last recorded layer, by groups of samples: what a delete-a-group jackknife needs
to give any smooth function of them an error.

Kept are power sums of each observable, and means of the entries V^{ab}, a ≤ b, and of their products. Samples
go to groups in turn within each block, so the groups are alike and independent.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from deeplimits.analysis.columns import Block
from deeplimits.analysis.rows import Rows
from deeplimits.array_types import Array
from deeplimits.observables import parse
from deeplimits.sweep.points import Point

GROUPS = 64
POWERS = 4
MOST_INPUTS = 4
"""Inputs whose Gram matrix is kept: products of its entries grow like their fourth power."""

_LARGEST = 1e150

_Number = TypeVar("_Number", np.int64, np.float64)

Indices = NDArray[np.intp]
Scaled = tuple[str, int, int, float, float]
"""(observable, record, layer, centre, scale)"""


class Powers:
    """Sums of powers of the observables of a point, scaled by their means and standard deviations."""

    def __init__(self, tasks: Sequence[Scaled], observables: Sequence[str]) -> None:
        self._tasks, self._observables = tasks, observables
        self._counts = [np.zeros(GROUPS, np.int64) for _ in tasks]
        self._sums = [np.zeros((GROUPS, POWERS)) for _ in tasks]

    def add(self, block: Block) -> None:
        """Add a block."""
        for (name, record, layer, centre, scale), counts, sums in zip(
            self._tasks, self._counts, self._sums, strict=True
        ):
            stored = block.stored(name, record)
            alive = np.isfinite(stored)
            values = parse(name).values(np.where(alive, stored, np.float32(1)), layer)
            finite = alive & np.isfinite(values)
            with np.errstate(invalid="ignore"):
                scaled = np.where(finite, (values - centre) / scale, 0.0)
            square = scaled * scaled
            counts[:] += _sums(finite.astype(np.int64))
            sums[:] += _sums(np.stack([scaled, square, square * scaled, square * square], axis=1))

    def rows(self) -> Rows:
        """The arrays of ``groups`` along observables; NaN and 0 where one is not recorded."""
        size = len(self._observables)
        powers = np.full((size, GROUPS, POWERS), np.nan)
        counted = np.zeros((size, GROUPS), np.int64)
        scaling = np.full((size, 2), np.nan)
        for (name, _, _, centre, scale), counts, sums in zip(
            self._tasks, self._counts, self._sums, strict=True
        ):
            j = self._observables.index(name)
            powers[j], counted[j], scaling[j] = sums, counts, (centre, scale)
        return {"groups": {"power_sum": powers, "counted": counted, "scaling": scaling}}


class Gram:
    """Means of the entries V^{ab}, a ≤ b, of a point, and of their products; NaN where it has more than
    ``MOST_INPUTS`` inputs.

    Parameters
    ----------
    inputs
        The most inputs of a point of the study whose Gram matrix is kept.
    """

    def __init__(self, point: Point, inputs: int) -> None:
        self._network, self._record = point.network, len(point.layers) - 1
        self._kept = point.network.inputs <= MOST_INPUTS
        self._entries = entries_of(inputs)
        self._first, self._second, self._places = _entries(point.network.inputs, inputs)
        size = len(self._first) if self._kept else 0
        self._count = np.zeros(GROUPS, np.int64)
        self._mean, self._product = np.zeros((GROUPS, size)), np.zeros((GROUPS, size, size))

    def add(self, block: Block) -> None:
        """Add a block."""
        if not self._kept:
            return
        first, second = self._first, self._second
        log_variance = block.variable("log_variance")[:, self._record].astype(float)
        with np.errstate(over="ignore", invalid="ignore"):
            entries = np.exp((log_variance[first] + log_variance[second]) / 2)
            if len(log_variance) > 1:
                gap = block.variable("correlation_gap")[:, self._record].astype(float)
                entries[first != second] *= 1 - gap
            # neither dead nor so far exploded that a product is beyond float64
            finite = (np.abs(entries) < _LARGEST).all(axis=0)
        entries = np.where(finite, entries, 0.0).T
        self._count += _sums(finite.astype(np.int64))
        self._mean += _sums(entries)
        self._product += _sums(entries[:, :, None] * entries[:, None, :])

    def rows(self) -> Rows:
        """The arrays of ``groups`` along entries of V."""
        start: Array = np.full(self._entries, np.nan)
        mean: Array = np.full((GROUPS, self._entries), np.nan)
        product: Array = np.full((GROUPS, self._entries, self._entries), np.nan)
        if self._kept:
            places = self._places
            start[places] = np.array(self._network.gram)[self._first, self._second]
            with np.errstate(invalid="ignore"):
                mean[:, places] = self._mean / self._count[:, None]
                product[:, places[:, None], places] = self._product / self._count[:, None, None]
        return {
            "groups": {"gram_0": start, "gram_count": self._count, "gram_mean": mean, "gram_product": product}
        }


def entries_of(inputs: int) -> int:
    """Entries V^{ab}, a ≤ b, of so many inputs."""
    return inputs * (inputs + 1) // 2


@lru_cache(maxsize=16)
def _entries(own: int, inputs: int) -> tuple[Indices, Indices, Indices]:
    """Rows and columns of the entries a ≤ b of a matrix of ``own`` rows, and their places among those of a
    matrix of ``inputs`` rows.
    """
    first, second = np.triu_indices(own)
    places = [entry_index(inputs, int(a), int(b)) for a, b in zip(first, second, strict=True)]
    return first, second, np.array(places)


def entry_index(inputs: int, a: int, b: int) -> int:
    """Place of V^{ab} among the entries a ≤ b of a matrix of ``inputs`` rows, counted from 0."""
    a, b = min(a, b), max(a, b)
    return a * inputs - a * (a - 1) // 2 + b - a


def _sums(values: NDArray[_Number]) -> NDArray[_Number]:
    """Sums of the rows of ``values`` [sample, …] by group, in the order of the samples."""
    missing = -len(values) % GROUPS
    if missing:
        values = np.concatenate([values, np.zeros((missing, *values.shape[1:]), values.dtype)])
    return np.asarray(values.reshape(-1, GROUPS, *values.shape[1:]).sum(axis=0))
