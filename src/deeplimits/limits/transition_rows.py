"""The one-step kernel of a ReLU-like layer on a grid: rows of ``transition``, computed where a law comes by,
in all threads, and kept; with the probabilities of what has no density.

With a slope of 0 an input dies where all of its units are negative. Of two that live, ρ' = 0 where no unit is
positive for both, and ρ' = 1 where one is and no other is positive at all.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from deeplimits.activations import Slopes
from deeplimits.array_types import Array
from deeplimits.limits import fisher, kept_rows
from deeplimits.limits.chain_grid import Gathering, Grid
from deeplimits.limits.one_sided import Middle, reach
from deeplimits.limits.one_sided import density as density_of_one_side
from deeplimits.limits.one_sided_rows import one_sided
from deeplimits.limits.one_thread import in_threads
from deeplimits.limits.step_moments import Step, step
from deeplimits.limits.transition import Transform, density, window

_STEP = 0.6
"""Of a grid, in standard deviations 1/√n of the step of a linear network."""
CHUNK = 16
"""Rows that are computed and kept together."""


@dataclass(frozen=True)
class Row:
    """A density in z at the numbers from ``first`` on."""

    first: int
    values: Array


@dataclass(frozen=True)
class Block:
    """``CHUNK`` rows side by side: densities in z at the numbers from ``first`` on [row, number]."""

    first: int
    values: Array


@dataclass(frozen=True)
class Chunks:
    """Chunks with these ``numbers``: densities [chunk, row, place], and how far behind ``first`` places are
    [chunk, place].
    """

    numbers: tuple[int, ...]
    first: int
    values: Array
    places: NDArray[np.int64]

    def __matmul__(self, masses: Array) -> Array:
        """The density after a step from masses [chunk, row], from ``first`` on."""
        found = np.matmul(masses[:, None, :], self.values)
        return np.asarray(np.bincount(self.places.ravel(), found.ravel()), float)


@dataclass(frozen=True)
class Fates:
    """Probabilities of what has no density, of a step from each of some places.

    Parameters
    ----------
    alive
        Both inputs live.
    apart
        They live and ρ' = 0.
    equal
        They live and ρ' = 1.
    """

    alive: Array
    apart: Array
    equal: Array


@dataclass
class Transition:
    """The kernel of layers with these slopes and so many units.

    Parameters
    ----------
    slopes, units
        Of the layer.
    finer
        How many times closer its coordinates lie than where all layers have as many units.
    """

    slopes: Slopes
    units: int
    finer: int = 1
    _blocks: dict[int, Block] = field(default_factory=dict)
    _fates: dict[int, Array] = field(default_factory=dict)
    _together: Chunks | None = None

    @cached_property
    def one_sided(self) -> bool:
        """Whether a slope is 0, so that inputs can die."""
        return self.slopes.plus * self.slopes.minus == 0

    @cached_property
    def grid(self) -> Grid:
        """The coordinates of its rows."""
        h = _STEP / float(np.sqrt(self.units))
        bends = _BENDS * h if self.slopes.plus * self.slopes.minus <= 0 else 0.0
        return Grid(h / self.finer, bends, gatherings(self.slopes, h, bends))

    def fates(self, y: Array) -> Fates:
        """What becomes of a step from these coordinates."""
        if not self.one_sided:
            zero = np.zeros_like(y)
            return Fates(zero + 1.0, zero, zero)
        theta = np.where(y >= 0, 2 * np.arctan(np.exp(-np.abs(y))), np.pi - 2 * np.arctan(np.exp(-np.abs(y))))
        common = (np.pi - theta) / (2 * np.pi)
        none, one_dead = common**self.units, 2 * 0.5**self.units
        apart = np.maximum((1 - common) ** self.units - one_dead + none, 0.0)
        return Fates(1 - one_dead + none, apart, self.units * common**self.units)

    def fates_of(self, masses: Array, first: int) -> tuple[float, float, float]:
        """What is alive, apart and equal after a step from masses [chunk, row], chunks from ``first`` on."""
        if not self.one_sided:
            return float(masses.sum()), 0.0, 0.0
        numbers = range(first, first + len(masses))
        for number in numbers:
            if number not in self._fates:
                found = self.fates(self._y(number))
                self._fates[number] = np.stack([found.alive, found.apart, found.equal])
        alive, apart, equal = np.einsum("cfr,cr->f", [self._fates[each] for each in numbers], masses).tolist()
        return alive, apart, equal

    def _y(self, number: int) -> Array:
        """Coordinates of the rows of a chunk."""
        return self.grid.y(self.grid.z(np.arange(float(CHUNK)) + number * CHUNK))

    def row(self, y: float, grid: Grid | None = None) -> Row:
        """The density of a step from any coordinate, on its own grid or another."""
        grid = grid or self.grid
        if not self.one_sided:
            return self._row(y, step(self.slopes, np.minimum([y], _FARTHEST)), 0, grid)
        middle = Middle.of(y, self.units)
        first = grid.number(0.0, up=True)
        last = grid.number(middle.centre + reach(middle), up=False)
        z = grid.z(first + np.arange(float(last - first + 1)))
        return Row(first, density_of_one_side(self.units, y, grid.y(z)) * grid.slope(z))

    @cached_property
    def from_zero(self) -> Row:
        """That from ρ = 0."""
        return self.row_of_kernel(0.0)

    def blocks(self, numbers: Iterable[int]) -> dict[int, Block]:
        """The rows in these chunks, computed where they are not known."""
        wanted = set(numbers)
        if not wanted <= self._blocks.keys() and not self.one_sided:
            self._blocks |= kept_rows.read(self.key, Block)
        missing = sorted(wanted - self._blocks.keys())
        if self.one_sided:
            # made of what is kept already
            self._blocks |= {number: self._block(number) for number in missing}
        elif missing:
            found = in_threads(self._block, missing)
            self._blocks |= dict(zip(missing, found, strict=True))
            kept_rows.write(self.key, self._blocks)
        return {number: self._blocks[number] for number in wanted}

    def together(self, numbers: tuple[int, ...]) -> Chunks:
        """The rows in these chunks side by side, which hardly change from layer to layer."""
        if self._together is None or self._together.numbers != numbers:
            blocks = self.blocks(numbers)
            first = min(block.first for block in blocks.values())
            values = np.zeros((len(numbers), CHUNK, max(block.values.shape[1] for block in blocks.values())))
            for place, number in enumerate(numbers):
                values[place, :, : blocks[number].values.shape[1]] = blocks[number].values
            starts = np.array([blocks[number].first - first for number in numbers])
            self._together = Chunks(numbers, first, values, starts[:, None] + np.arange(values.shape[2]))
        return self._together

    @property
    def key(self) -> tuple[str, ...]:
        """All that its rows depend on, but for the sources that make them."""
        parts = (self.slopes.plus, self.slopes.minus, self.units, self.grid)
        return ("correlation", *(str(part) for part in parts))

    def _block(self, number: int) -> Block:
        grid, y = self.grid, self._y(number)
        if self.one_sided:
            rows = [self.row_of_kernel(float(each)) for each in y]
        else:
            moments, known = step(self.slopes, np.minimum(y, _FARTHEST)), dict[float, Transform]()
            rows = [self._row(float(each), moments, place, grid, known) for place, each in enumerate(y)]
        first = min(row.first for row in rows)
        values = np.zeros((CHUNK, max(row.first + len(row.values) for row in rows) - first))
        for place, row in enumerate(rows):
            values[place, row.first - first : row.first - first + len(row.values)] = row.values
        return Block(first, values)

    def row_of_kernel(self, y: float) -> Row:
        """That from y ≥ 0 where a slope is 0, by what makes all rows (``one_sided_rows``)."""
        grid = self.grid
        low, high = one_sided(self.units).ends(y)
        first = grid.number(low, up=True)
        z = grid.z(np.arange(float(first), grid.number(high, up=False) + 1))
        return Row(first, one_sided(self.units).row(y, grid.y(z)) * grid.slope(z))

    def _row(
        self, y: float, moments: Step, place: int, grid: Grid, known: dict[float, Transform] | None = None
    ) -> Row:
        beyond = max(y - _FARTHEST, 0.0)
        found = window(moments, y - beyond, self.slopes, self.units, place)
        centre = found.centre + beyond
        first = grid.number(centre - found.below, up=True)
        last = max(grid.number(centre + found.above, up=False), first)
        z = grid.z(first + np.arange(float(last - first + 1)))
        if self.slopes.plus == self.slopes.minus:
            return Row(first, fisher.density(self.units, y, z))
        at, y = grid.y(z) - beyond, y - beyond
        # no place is at 0, where neither side has a density
        at = np.where(np.abs(at) < _LEAST, _LEAST, at)
        return Row(first, density(self.slopes, self.units, y, at, moments, place, known) * grid.slope(z))


def gatherings(slopes: Slopes, step: float, smoothing: float) -> tuple[Gathering, ...]:
    """Where the law of a step is narrower than elsewhere.

    Where slopes have one sign that is ρ' = 0, with a kink as wide as their ratio; and of any slopes the edge
    that the law of a step from ρ = −1 has: ρ' is no nearer to 0 then than tanh(2 artanh ratio).
    """
    least, most = sorted((abs(slopes.plus), abs(slopes.minus)))
    ratio = float(least / most)
    if ratio in (0.0, 1.0):
        return ()
    edge = -2 * float(np.arctanh(ratio))
    if smoothing:
        edge = float(Grid(step, smoothing).back(np.array([-edge]))[0])
    found = (Gathering.of(edge, _AT_EDGE, _FAR * step, _GATHERED * step),)
    if smoothing:
        return found
    return (Gathering.of(0.0, max(_AT_ZERO / ratio, 1.0), _FAR * step, _GATHERED * step), *found)


_GATHERED, _FAR = 3.5, 6.0
"""How many of the steps near a place it is away, and from how many of the usual ones on they are those: as
far from the real line the map of coordinates is analytic.
"""
_AT_ZERO, _AT_EDGE = 2.0, 6.0
"""How many times closer coordinates are, at 0 for a ratio of slopes of 1."""
_BENDS = 2.0
"""Over how many steps of a grid softplus bends."""
_LEAST = 1e-12
_FARTHEST = 20.0
"""y beyond which laws of y' − y are one, to 1e-9: where θ is small they differ by as much as it."""


@lru_cache(maxsize=32)
def transition(slopes: Slopes, units: int, finer: int = 1) -> Transition:
    """The kernel of layers like this, shared by all networks."""
    return Transition(slopes, units, finer)
