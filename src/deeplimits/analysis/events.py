"""What a study store keeps of a point beside laws: how many networks have exploded or collapsed by each
layer, and a few paths.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from deeplimits.analysis.columns import Block
from deeplimits.analysis.rows import Rows
from deeplimits.limits import registry
from deeplimits.limits.resnet.collapse import collapse_probability
from deeplimits.store.arrays import blank
from deeplimits.sweep.blocks import variables
from deeplimits.sweep.points import Point
from deeplimits.variables import STORED

PATHS = 32
"""Samples that are kept whole."""
ALONG_PATHS = tuple(name for name, variable in STORED.items() if variable.paths)
"""Variables that are kept of them, of the first input or pair."""

Counts = NDArray[np.int64]


class Events:
    """Counts of what happened to the first input of a point, −1 where it has no meaning, and exact
    probabilities.

    ``exploded`` [record] counts networks with V ≥ s² by each recorded layer, and ``explosion_probability``
    and ``explosion_probability_ever`` are what the limit gives for the last one and for ever. ``alive``
    counts residual networks with φ(z_0) ≠ 0, ``collapsed`` [record] those of them with φ(z_ℓ) = 0 by each
    recorded layer, and ``collapse_probability`` [record] is exact for networks of one unit that are alive.
    """

    def __init__(self, point: Point, records: int) -> None:
        stored = variables(point)
        self._point, self._records = point, records
        self._layers = np.array(point.layers)
        self._can_explode, self._can_collapse = ("exploded_at" in stored, "collapsed_at" in stored)
        self._exploded: Counts = np.zeros(len(point.layers), np.int64)
        self._collapsed: Counts = np.zeros(len(point.layers), np.int64)
        self._alive = 0

    def add(self, block: Block) -> None:
        """Count a block."""
        if self._can_explode:
            self._exploded += _by(block.variable("exploded_at")[0, 0], self._layers, 0)
        if self._can_collapse:
            at = block.variable("collapsed_at")[0, 0]
            self._alive += int(np.count_nonzero(at))
            self._collapsed += _by(at, self._layers, 1)

    def rows(self) -> Rows:
        """The arrays of ``events``."""
        network, layers, last = self._point.network, self._point.layers, len(self._layers)
        found = blank("events", record=self._records)
        if self._can_explode:
            found["exploded"][:last] = self._exploded
            limit = registry()["smooth_variance"]
            if limit.applies(network):
                by_the_end = limit.explosion_probability(network, layers[-1])
                ever = limit.explosion_probability_ever(network)
                found["explosion_probability"][()] = np.nan if by_the_end is None else by_the_end
                found["explosion_probability_ever"][()] = np.nan if ever is None else ever
        if self._can_collapse:
            found["alive"][()], found["collapsed"][:last] = self._alive, self._collapsed
            found["collapse_probability"][:last] = [collapse_probability(network, layer) for layer in layers]
        return {"events": found}


class Paths:
    """The first samples of a point, as they are stored, of the first input or pair [path, record]; NaN where
    it has no such variable.
    """

    def __init__(self, point: Point, names: tuple[str, ...], samples: int, records: int) -> None:
        self._names = [name for name in names if along_paths(point, name)]
        self._kept = {name: np.full((min(PATHS, samples), records), np.nan, np.float32) for name in names}
        self._filled = 0

    def add(self, block: Block) -> None:
        """Take what is still wanted of a block."""
        taken = 0
        for name in self._names:
            array = self._kept[name]
            if self._filled < len(array):
                held = block.variable(name)[0, :, : len(array) - self._filled]
                taken = held.shape[1]
                array[self._filled : self._filled + taken, : len(held)] = held.T
        self._filled += taken

    def rows(self) -> Rows:
        """The arrays of ``paths``."""
        return {"paths": self._kept}


def along_paths(point: Point, name: str) -> bool:
    """Whether a variable is stored of a point."""
    shape, _ = variables(point).get(name, ((0,), ""))
    return shape[-1] > 0


def _by(at: NDArray[np.integer], layers: NDArray[np.integer], first: int) -> Counts:
    """How many have happened by each layer, at layer ``first`` or later."""
    happened = np.sort(at[at >= first])
    return np.searchsorted(happened, layers, side="right").astype(np.int64)
