"""Where a law of dy = a(y) dt + dB has its mass, and nodes as fine as it asks for, before it is solved.

E e^{−Eτ} of the time τ at which a path reaches y is exp(−∫ (√(a² + 2E) ∓ a)) to leading order, from which
P(τ ≤ t) ≤ e^{−S} with S = ∫ (√(a² + 2E) ∓ a) − E t for every E ≥ 0: nothing to speak of is where the best of
them is large. E < 0 speaks in the same way of paths that are late, unless they come back against the drift.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deeplimits.array_types import Array
from deeplimits.limits.solvers.resolvents import Diffusion

_NEGLIGIBLE = 30.0
"""S beyond which there is nothing: e^{−30} is 1e-13."""
_ENERGIES = np.concatenate([[0.0], 2.0 ** np.arange(-4.0, 11.0)])
"""E t."""
_LATE = -(2.0 ** np.arange(-4.0, 11.0, 0.5))
_LOOKED_AT = 160
"""Places looked at to either side, closer together near the start: 0.12 √t apart, no more than 0.08, and
further apart by a part of themselves from one to the next."""
_GROWTH = 0.025
_TABLE = 0.48
"""Longest step in units of the length 1 / |S'| over which the density falls, where that is no longer than 1 /
3.6 of the standard deviation of the middle: an eighth of it for a normal law."""
_MIDDLE = 3.6
_TAIL = 9.0
"""S up to which quantiles are asked for; beyond, an error counts as much less as there is mass."""
_CELL = 0.055
"""Longest step where (a² + a')'' is 1: the error of a cell goes with the seventh power of its width."""
_MIXED = 0.5
"""How much of (a² + a')² (a² + a')' counts beside it."""
_SUMMED = 3e-5
"""How much of a' and a'' counts, for ∫ a over a cell."""
_TURN = 1.5
"""Longest step in units of the length (a² + a')^{−1/2} over which solutions grow."""
_SLACK = 0.15
"""By how much of a distance steps may grow over it."""
_GROWTHS = (0.0, 0.01, 0.02, 0.04, 0.06)
_MOST = 100_000


@dataclass(frozen=True)
class Reach:
    """What is looked at before a law is solved, each [place].

    Parameters
    ----------
    places
        Coordinates, ascending.
    drift
        a there.
    unreached
        S of the paths that come there at all, 0 where they are expected.
    absent
        S of those that are there in the end.
    step
        Longest step between nodes.
    """

    places: Array
    drift: Array
    unreached: Array
    absent: Array
    step: Array

    @property
    def ends(self) -> tuple[float, float]:
        """The interval outside of which there is nothing."""
        inside = np.flatnonzero(self.unreached < _NEGLIGIBLE)
        first, last = max(int(inside[0]) - 1, 0), min(int(inside[-1]) + 1, len(self.places) - 1)
        return float(self.places[first]), float(self.places[last])

    @property
    def inside(self) -> slice:
        """The places in that interval and its ends."""
        low, high = self.ends
        return slice(
            int(np.searchsorted(self.places, low)), int(np.searchsorted(self.places, high, side="right"))
        )

    @property
    def support(self) -> tuple[float, float]:
        """The interval outside of which nothing is left in the end."""
        left = np.flatnonzero(self.absent < _NEGLIGIBLE)
        first, last = max(int(left[0]) - 1, 0), min(int(left[-1]) + 1, len(self.places) - 1)
        return float(self.places[first]), float(self.places[last])

    def displacement(self, time: float) -> float:
        """By how many standard deviations the drift moves the law, roughly."""
        core = self.places[self.absent < 18.0]
        spread = (core[-1] - core[0]) / 12 if len(core) > 1 else 0.0
        middle = self.absent <= self.absent.min() + 0.02
        return float(np.abs(self.drift[middle]).min() * time / max(spread, 1e-300))


def reach(diffusion: Diffusion, points: Array, masses: Array, time: float, ceiling: float = np.inf) -> Reach:
    """Where paths get in ``time`` from point masses.

    Parameters
    ----------
    points, masses
        The start, ascending [point].
    ceiling
        What lies above is not looked at.
    """
    low, high = float(points[0]), float(points[-1])
    apart = min(0.12 * float(np.sqrt(time)), 0.08)
    for looked_at in (_LOOKED_AT, 2 * _LOOKED_AT, 4 * _LOOKED_AT):
        out = apart * np.cumsum((1 + _GROWTH) ** np.arange(looked_at))
        count = 1 if high == low else int(np.clip((high - low) / apart, 2, 400))
        places = np.concatenate([(low - out)[::-1], np.linspace(low, high, count), high + out])
        kept = places[places <= max(ceiling, high + apart)]
        found = _reach(diffusion, points, masses, time, kept)
        ends = found.unreached[[0, -1]] >= _NEGLIGIBLE
        if ends[0] and (ends[1] or len(kept) < len(places)):
            return found
    raise ArithmeticError(f"paths from {low} to {high} have no end within reach after a time of {time}")


def _reach(diffusion: Diffusion, points: Array, masses: Array, time: float, places: Array) -> Reach:
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        drift, slope = diffusion.coefficients(places)
        origin = int(np.searchsorted(places, points[0]))
        energies = _ENERGIES[:, None]
        speed = np.sqrt(drift**2 + 2 * energies / time)
        up, down = _from(speed - drift, places, origin), _from(-speed - drift, places, origin)
        if len(points) > 1:
            up -= _mean(up, places, points, masses)
            down -= _mean(down, places, points, masses)
        unreached = np.fmax(np.fmax.reduce(np.fmax(up, down) - energies, axis=0), 0.0)
        absent = unreached
        if len(points) == 1 and float(drift[origin]) ** 2 * time > 0.5:
            late = _LATE[:, None]
            square = drift**2 + 2 * late / time
            speed = np.where(square > 0, np.sqrt(np.maximum(square, 0.0)), -1e30)
            after = np.arange(len(places)) >= origin
            left = np.where(
                after, _from(speed - drift, places, origin), _from(-speed - drift, places, origin)
            )
            absent = np.fmax(unreached, (left - late).max(axis=0))
            absent[origin] = (absent[origin - 1] + absent[origin + 1]) / 2
            middle = int(np.argmin(absent))
            back = _from(np.stack([np.abs(drift) - drift, -np.abs(drift) - drift]), places, middle).max(
                axis=0
            )
            absent = np.fmax(unreached, np.minimum(absent, back))
        step = _steps(places, drift, slope, unreached, absent, time)
    return Reach(places, drift, unreached, absent, step)


def _from(integrand: Array, places: Array, origin: int) -> Array:
    """Integrals from the origin outwards [line, place]: what is large far away costs no digits near it."""
    parts = (integrand[:, 1:] + integrand[:, :-1]) * np.diff(places) / 2
    total = np.zeros_like(integrand)
    np.cumsum(parts[:, origin:], axis=1, out=total[:, origin + 1 :])
    total[:, :origin] = -np.cumsum(parts[:, :origin][:, ::-1], axis=1)[:, ::-1]
    return total


def _mean(lines: Array, places: Array, points: Array, masses: Array) -> Array:
    """log Σ masses e^{line} [line, 1]."""
    at = np.array([np.interp(points, places, line) for line in lines])
    at += np.log(np.maximum(masses, 1e-300))
    top = at.max(axis=1, keepdims=True)
    return np.asarray(top + np.log(np.exp(at - top).sum(axis=1, keepdims=True)))


def _steps(places: Array, drift: Array, slope: Array, unreached: Array, absent: Array, time: float) -> Array:
    """The longest step at each place."""
    middle = places[absent < 2.0]
    widest = float(np.sqrt(time))
    spread = max(float(middle[-1] - middle[0]) / 4, 1e-3 * widest) if len(middle) else widest
    steep = np.hypot(np.gradient(absent, places), _MIDDLE / spread)
    well = drift**2 + slope
    bends = np.gradient(well, places)
    turns = np.maximum(np.abs(slope), np.abs(np.gradient(slope, places)))
    bent = np.maximum(np.abs(bends) * (1 + _MIXED * well**2), np.abs(np.gradient(bends, places)))
    bent = np.maximum(bent, _SUMMED * turns)
    table = _TABLE * np.exp(np.clip(absent - _TAIL, 0.0, 50.0) / 6) / steep
    cell = _CELL * np.exp(np.minimum(unreached, 60.0) / 7) * np.clip(bent, 1e-9, 1e200) ** (-1 / 7)
    turn = _TURN / np.sqrt(np.abs(well) * np.exp(-np.minimum(unreached, 60.0) / 3) + 1e-9)
    longest = np.fmin(np.fmin(np.fmin(table, cell), turn), widest / 2)
    # what is fine asks its neighbours to be so
    longest = np.minimum.accumulate(longest - _SLACK * places) + _SLACK * places
    return np.minimum.accumulate((longest + _SLACK * places)[::-1])[::-1] - _SLACK * places


def nodes_for(found: Reach, origin: float, finer: float = 1.0) -> tuple[Array, int]:
    """Nodes for the law of one point, one of them ``origin``, and which of them that is."""
    at = found.inside
    places = found.places[at]
    pace = finer / found.step[at]
    count = np.concatenate([[0.0], np.cumsum((pace[1:] + pace[:-1]) / 2 * np.diff(places))])
    start = float(np.interp(origin, places, count))
    below, above = int(np.ceil(start)), int(np.ceil(count[-1] - start))
    if below + above > _MOST:
        raise ArithmeticError(f"a law that asks for {below + above} nodes")
    at_nodes = np.clip(start + np.arange(-below, above + 1.0), 0.0, count[-1])
    nodes = np.interp(at_nodes, count, places)
    nodes[below] = origin
    return nodes, below


def smooth_nodes(found: Reach, finest: Array, time: float, finer: float = 1.0) -> tuple[Array, Array]:
    """Nodes over which a smooth density is summed without an error to speak of, and their weights.

    The step grows or falls by a constant factor from one to the next, and both a density and the transition
    law of ``time`` have several of them within their widths.

    Parameters
    ----------
    finest
        Longest step for the density at the start, at the places of ``found`` [place].
    """
    at = found.inside
    places = found.places[at]
    longest = np.minimum(np.minimum(found.step[at], finest[at]), float(np.sqrt(time)) / 2.8) / finer
    low, high = found.ends
    size, growth, first = np.inf, 0.0, 0.0
    for by in (*_GROWTHS, *(-by for by in _GROWTHS[1:])):
        step = float((longest - abs(by) * ((places - low) if by >= 0 else (high - places))).min())
        if step <= 0:
            continue
        count = np.log1p(abs(by) * (high - low) / step) / abs(by) if by else (high - low) / step
        if count < 0.9 * size:
            size, growth, first = float(count), by, step
    if not size < _MOST:
        raise ArithmeticError(f"a law that asks for {size} nodes")
    number = np.arange(np.ceil(size) + 1)
    if growth == 0:
        return low + first * number, np.full(len(number), first)
    offset, weights = (
        first * np.expm1(abs(growth) * number) / abs(growth),
        first * np.exp(abs(growth) * number),
    )
    return (low + offset, weights) if growth > 0 else ((high - offset)[::-1], weights[::-1])
