"""The law of ρ after any number of exact steps, from one ρ₀: products of a vector with one-step kernels.

Between layers the law is a density at the nodes of the kernel's grid, and two atoms where inputs can die: ρ =
0 and ρ = 1. It is summed by the trapezoidal rule, which is as exact as the density is smooth. Where widths
differ from layer to layer, so do the grids, which are twice as fine then: either the density or the kernel
that it meets, whichever is the smoother, is interpolated from its own grid to that of the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from deeplimits.activations import Slopes
from deeplimits.array_types import Array
from deeplimits.limits.chain_grid import Grid
from deeplimits.limits.one_thread import one_thread
from deeplimits.limits.transition_rows import CHUNK, Transition, transition

_NOTHING = 3e-12
"""Mass of a chunk of rows that is left out."""
_LOST = 1e-5
"""Of the whole mass, from which on rows have not been resolved; less than that is told as an error."""
_BETWEEN = 2
"""How much finer grids are where widths differ: at the highest frequency of the usual ones 1e-6 is left of a
step, which a sum does not see and interpolation does.
"""
_FURTHER = 28.0
"""How many nodes away a value is taken from where grids change."""


@dataclass(frozen=True)
class State:
    """A law between layers.

    Parameters
    ----------
    grid
        Coordinates of the density.
    first, masses
        Masses at the numbers from ``first`` on [number]; of those alive, as the others.
    apart, equal, alive
        P(ρ = 0 exactly), P(ρ = 1 exactly), P(both inputs live).
    """

    grid: Grid
    first: int
    masses: Array
    apart: float = 0.0
    equal: float = 0.0
    alive: float = 1.0

    @property
    def z(self) -> Array:
        """Coordinates of the masses."""
        return self.grid.z(self.first + np.arange(float(len(self.masses))))

    @property
    def total(self) -> float:
        """What the density and the atoms have: ``alive``, but for what has been lost."""
        return float(self.masses.sum()) + self.apart + self.equal

    @property
    def lost(self) -> float:
        """How much mass has been lost or won on the way, as a part of all."""
        return abs(self.total / self.alive - 1)


Layers = Sequence[tuple[Slopes, int]]
"""Slopes and units of each layer."""


def states(layers: Layers, start: float, wanted: Sequence[int]) -> list[State]:
    """The law after each of the ``wanted`` layers (ascending, from 1 on).

    Parameters
    ----------
    start
        artanh ρ₀.

    Raises
    ------
    ArithmeticError
        Where a step could not be resolved.
    """
    found = dict(_walk(tuple(layers[: wanted[-1]]), start, frozenset(wanted)))
    return [found[layer] for layer in wanted]


@lru_cache(maxsize=64)
@one_thread()
def _walk(
    layers: tuple[tuple[Slopes, int], ...], start: float, wanted: frozenset[int]
) -> tuple[tuple[int, State], ...]:
    found = [(number, state) for number, state in _walked(layers, start) if number in wanted]
    if 1 in wanted:
        # of one step a density has more of high frequencies than a chain asks for
        kernel = transition(*layers[0])
        found[0] = (1, _first(kernel, start, replace(kernel.grid, step=kernel.grid.step / _FINER)))
    return tuple(found)


_FINER = 3
"""How much finer the grid of a law of one step is than that of its kernel."""


def _walked(layers: Layers, start: float) -> Iterator[tuple[int, State]]:
    state: State | None = None
    finer = _BETWEEN if len(set(layers)) > 1 else 1
    for number, (slopes, units) in enumerate(layers, 1):
        kernel = transition(slopes, units, finer)
        state = (
            _first(kernel, start, kernel.grid) if state is None else _next(kernel, _on(state, kernel.grid))
        )
        if not state.lost <= _LOST:
            raise ArithmeticError(
                f"the step to layer {number} is not resolved: its mass is wrong by {state.lost:.1e}, for the "
                "law of ρ has an edge near ρ = −1, or too few units are positive for both inputs"
            )
        yield number, state


def first(layer: tuple[Slopes, int], start: float) -> State:
    """The law after the first layer, from artanh ρ₀."""
    kernel = transition(*layer)
    return _first(kernel, start, kernel.grid)


def after(layer: tuple[Slopes, int], state: State) -> State:
    """The law after another layer."""
    kernel = transition(*layer)
    return _next(kernel, _on(state, kernel.grid))


def _first(kernel: Transition, start: float, grid: Grid) -> State:
    fates = kernel.fates(np.array([start]))
    row = kernel.row(start, grid)
    return State(
        grid,
        row.first,
        row.values * grid.step,
        float(fates.apart[0]),
        float(fates.equal[0]),
        float(fates.alive[0]),
    )


def _next(kernel: Transition, state: State) -> State:
    h = kernel.grid.step
    low = state.first // CHUNK
    padded = np.zeros((-((low * CHUNK - state.first - len(state.masses)) // CHUNK)) * CHUNK)
    at = state.first - low * CHUNK
    padded[at : at + len(state.masses)] = state.masses
    masses = padded.reshape(-1, CHUNK)
    kept = np.flatnonzero(np.abs(masses).sum(axis=1) > _NOTHING * state.alive)
    first, density = state.first, np.zeros(1)
    if len(kept):
        chunks = kernel.together(tuple((low + kept).tolist()))
        first, density = chunks.first, chunks @ masses[kept]
    alive, apart, equal = kernel.fates_of(masses, low)
    if state.apart > _NOTHING * state.alive:
        row, there = kernel.from_zero, kernel.fates(np.zeros(1))
        before = max(first - row.first, 0)
        after_all = max(row.first + len(row.values) - first - len(density), 0)
        first, density = first - before, np.pad(density, (before, after_all))
        density[row.first - first : row.first - first + len(row.values)] += state.apart * row.values
        apart += state.apart * float(there.apart[0])
        equal += state.apart * float(there.equal[0])
        alive += state.apart * float(there.alive[0])
    # equal inputs stay so, and die together
    living = 1 - 0.5**kernel.units if kernel.one_sided else 1.0
    return State(
        kernel.grid, first, density * h, apart, equal + state.equal * living, alive + state.equal * living
    )


def _on(state: State, grid: Grid) -> State:
    """The same law as masses on another grid."""
    if grid == state.grid:
        return state
    y = state.grid.y(state.z)
    some = np.abs(state.masses) > _NOTHING * state.alive
    if not some.any():
        return replace(state, grid=grid, first=0, masses=np.zeros(1))
    if grid.step < state.grid.step:
        low, high = grid.number(y[some][0], up=False), grid.number(y[some][-1], up=True)
        z = grid.z(np.arange(low, high + 1.0))
        old = state.grid.back(grid.y(z))
        numbers = state.first + np.arange(len(state.masses))
        density = _between(old[:, None] / state.grid.step - 0.5 - numbers) @ state.masses
        # of z, of which each grid has its own
        stretch = grid.step * grid.slope(z) / (state.grid.step * state.grid.slope(old))
        return replace(state, grid=grid, first=low, masses=density * stretch)
    place = grid.back(y[some]) / grid.step - 0.5
    first, last = int(np.floor(place.min() - _FURTHER)), int(np.ceil(place.max() + _FURTHER))
    masses = _between(np.arange(first, last + 1)[:, None] - place) @ state.masses[some]
    return replace(state, grid=grid, first=first, masses=masses)


def _between(nodes: Array) -> Array:
    """What a value counts for so many nodes away: sin πx / πx, which by itself would ask for rows far away,
    held by a Gaussian, as what has few frequencies beyond half of the highest allows.
    """
    return np.asarray(np.sinc(nodes) * np.exp(-(nodes**2) * np.pi / (4 * _FURTHER)))
