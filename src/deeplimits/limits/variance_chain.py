"""The law of log V of a finite network with a smooth activation after any number of exact steps, and the part
of the networks whose V has not reached s² yet.

Between layers the law is a density at the nodes of the panels of ``variance_rows``. Where widths differ from
layer to layer so do the panels: a polynomial on each takes the density to the nodes of the next ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from deeplimits.activations import ShapedSmooth
from deeplimits.array_types import Array
from deeplimits.laws import TabulatedLaw, Transform
from deeplimits.limits.one_thread import one_thread
from deeplimits.limits.tables import from_derivatives
from deeplimits.limits.variance_rows import POINTS, Rows, VarianceKernel, points, variance_kernel

_NOTHING = 1e-13
"""Mass of a panel that is left out."""
_RESOLVED = 1e-8
"""Error of distribution functions at which panels are halved."""
_LEVELS = 3
_MOST_PANELS = 1 << 14
"""Above log s²: where V is not followed any more."""
_FINE = 32
"""Nodes of a table on a panel."""


@dataclass(frozen=True)
class Spread:
    """Densities in log V at the nodes of the panels from ``first`` on, [panel, node]."""

    first: int
    values: Array

    def below(self, panel: int) -> Spread:
        """The part of the density on panels before one."""
        return Spread(self.first, self.values[: max(panel - self.first, 0)])


@dataclass(frozen=True)
class State:
    """A law between layers.

    Parameters
    ----------
    kernel
        Whose panels it lies on.
    law
        The density of all.
    inside
        That of networks whose V has been below s² in all layers so far.
    unexploded
        The probability of these.
    beyond
        That of a variance too large to be followed.
    """

    kernel: VarianceKernel
    law: Spread
    inside: Spread
    unexploded: float
    beyond: float = 0.0

    @property
    def lost(self) -> float:
        """How much mass has been lost or won on the way."""
        return abs(_mass(self.kernel, self.law) + self.beyond - 1)

    @property
    def error(self) -> float:
        """What distribution functions are wrong by: mass that has been lost, or what a polynomial on a panel
        cannot follow.
        """
        last = np.abs(self.law.values @ points()[2].T)[:, -2:]
        return max(self.lost, float(last.max(initial=0.0)) * self.kernel.width / (2 * POINTS))

    def table(self, transform: Transform) -> TabulatedLaw:
        """The law of those that are followed, as that of what ``transform`` makes of log V."""
        kernel, count = self.kernel, len(self.law.values)
        modes = self.law.values @ points()[2].T
        at = (2 * np.arange(_FINE) + 1) / _FINE - 1
        columns = []
        for order in range(3):
            matrix = np.stack(
                [
                    np.polynomial.legendre.legval(at, np.polynomial.legendre.legder(row, order))
                    for row in np.eye(POINTS)
                ]
            )
            columns.append((modes @ matrix).ravel() * (2 / kernel.width) ** order)
        panel = self.law.first + np.arange(count)[:, None]
        nodes = kernel.barrier + kernel.width * (panel + (at + 1) / 2)
        return from_derivatives(nodes.ravel(), np.array(columns), transform)


Layers = Sequence[tuple[ShapedSmooth, int]]
"""φ_s and units of each layer."""


def variance_states(layers: Layers, start: float, wanted: Sequence[int]) -> list[State]:
    """The law after each of the ``wanted`` layers (ascending, from 1 on).

    Parameters
    ----------
    start
        log V_0.

    Raises
    ------
    ArithmeticError
        Where a step could not be resolved.
    """
    found = _followed(tuple(layers[: wanted[-1]]), start, frozenset(wanted))
    return [found[layer] for layer in wanted]


@lru_cache(maxsize=32)
@one_thread()
def _followed(
    layers: tuple[tuple[ShapedSmooth, int], ...], start: float, wanted: frozenset[int]
) -> dict[int, State]:
    found = dict[int, State]()
    for level in range(_LEVELS):
        found = {
            number: state for number, state in enumerate(_steps(layers, start, level), 1) if number in wanted
        }
        if max(state.error for state in found.values()) <= _RESOLVED:
            return found
    lost = max(state.lost for state in found.values())
    if lost > _LOST:
        raise ArithmeticError(f"the law of V is too narrow in places: its mass is wrong by {lost:.1e}")
    return found


_LOST = 1e-4
"""Of the whole mass, from which on a law is refused; less than that is told as an error."""


def _steps(layers: Layers, start: float, level: int) -> Iterator[State]:
    state: State | None = None
    for phi, units in layers:
        kernel = variance_kernel(phi, units, level)
        if state is None:
            rows = kernel.steps(np.array([start]))
            law = _spread(rows.first, rows.values[0])
            inside = law.below(0) if start < kernel.barrier else Spread(law.first, law.values[:0])
            beyond = 0.0
        else:
            if state.kernel is not kernel:
                # s² may be another: what has reached that of this layer's input counts as the last layer's
                state = State(
                    kernel,
                    _on(state.kernel, state.law, kernel),
                    _on(state.kernel, state.inside, kernel).below(0),
                    state.unexploded,
                    state.beyond,
                )
            ceiling = _MOST_PANELS if _reaches(state.law, kernel.top) and kernel.straight else kernel.top
            followed = state.law.below(ceiling)
            high = Spread(max(ceiling, state.law.first), state.law.values[len(followed.values) :])
            beyond = state.beyond + _mass(kernel, high)
            masses, used = _masses(kernel, followed)
            rows_of = kernel.rows(used)
            law = _stepped(masses, rows_of)
            inside_masses, used_inside = _masses(kernel, state.inside)
            inside = _stepped(inside_masses, {panel: rows_of[panel] for panel in used_inside}).below(0)
        state = State(kernel, law, inside, _mass(kernel, inside), beyond)
        yield state


def _reaches(spread: Spread, panel: int) -> bool:
    return spread.first + len(spread.values) > panel


def _spread(first: int, values: Array) -> Spread:
    return Spread(first, values.reshape(-1, POINTS))


def _mass(kernel: VarianceKernel, spread: Spread) -> float:
    return float((spread.values @ kernel.weights).sum())


def _masses(kernel: VarianceKernel, spread: Spread) -> tuple[dict[int, Array], list[int]]:
    """Masses at the nodes of the panels that have some."""
    masses = spread.values * kernel.weights
    kept = np.flatnonzero(np.abs(masses).sum(axis=1) > _NOTHING)
    found = {spread.first + place: masses[place] for place in kept.tolist()}
    return found, list(found)


def _stepped(masses: dict[int, Array], rows: dict[int, Rows]) -> Spread:
    if not rows:
        return Spread(0, np.zeros((0, POINTS)))
    first = min(each.first for each in rows.values())
    last = max(each.first + each.values.shape[1] // POINTS for each in rows.values())
    density = np.zeros((last - first) * POINTS)
    for panel, each in rows.items():
        at = (each.first - first) * POINTS
        density[at : at + each.values.shape[1]] += masses[panel] @ each.values
    return _spread(first, density)


def _on(old: VarianceKernel, spread: Spread, new: VarianceKernel) -> Spread:
    """The same density at the nodes of other panels."""
    count = len(spread.values)
    if count == 0:
        return spread
    low = old.barrier + old.width * spread.first
    high = low + old.width * count
    first, last = new.panel(low), new.panel(high)
    u = np.concatenate([new.nodes(panel) for panel in range(first, last + 1)])
    modes = spread.values @ points()[2].T
    place = (u - low) / old.width
    panel = np.clip(np.floor(place).astype(int), 0, count - 1)
    at = 2 * (place - panel) - 1
    inside = (place >= 0) & (place <= count)
    vander = np.polynomial.legendre.legvander(np.clip(at, -1, 1), POINTS - 1)
    return _spread(first, np.where(inside, (vander * modes[panel]).sum(axis=1), 0.0))
