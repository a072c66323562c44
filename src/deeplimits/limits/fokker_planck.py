"""Transition laws of one-dimensional diffusions dy = a(y) dt + dB, without sampling: sinc collocation and an
exact propagator in time.

The density on equally spaced nodes is a combination of sinc functions, whose error falls exponentially in the
spacing for an analytic density; a point mass at a node is the sinc function there. With A' = a, the
substitution p = e^A ψ makes the generator symmetric, H = −½ ∂² + ½ (a² + a'), and e^{−tH} is exact through
its eigenvectors, for any number of times at once. Where e^A varies too much for that to be accurate (a strong
drift away from the start), the generator is used as it is, with a matrix exponential.

The way is taken in stages, each on nodes as fine as the density at its start asks for and as wide as it can
get by its end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deeplimits.laws import Chart, TabulatedLaw

Array = NDArray[np.float64]

_NODES_PER_STD = 3.5
"""A Gaussian needs 2.6 for exp(−π² 2.6² / 2) < 1e-14; the rest is for densities with a steeper side."""
_WIDEST_STEP = 0.1
"""The coefficients have their nearest singularity at distance π/2 from the line, exp(−π²/2 / 0.14) < 1e-15; a
drift that repels exponentially makes a density that wants more."""
_REACH = 7.5
"""Standard deviations to each side."""
_STAGE = 3.0
"""Longest stage in units of the variance at its start."""
_EXPONENT = 8.0
"""Largest range of A in a stage for the symmetric form: e^8 · 1e-16 is below 1e-12."""
_REFINE = 4
"""Table nodes for each collocation node."""
_WINDOWS = 4.0 ** -np.arange(4)
"""Parts of a stage through which a path may be pushed to the ends of the nodes."""
_NEGLIGIBLE = 1e-13
_EARLY = 0.02
"""Where a point mass becomes a density, as a part of the first time asked for; earlier where the drift
bends."""
_START_ERROR = 1e-7
"""Of the order t³ W'², which the short-time law leaves out (its coefficient is 1/24)."""


@dataclass(frozen=True)
class Diffusion:
    """dy = drift(y) dt + dB with ``drift_slope`` = a'."""

    drift: Callable[[Array], Array]
    drift_slope: Callable[[Array], Array]


@dataclass(frozen=True)
class Start:
    """A normal law at time ``time``; a point mass where ``std`` is 0."""

    time: float
    mean: float
    std: float


@dataclass(frozen=True)
class _Density:
    """A density on equally spaced nodes, at a time."""

    time: float
    nodes: Array
    values: Array

    @property
    def step(self) -> float:
        return float(self.nodes[1] - self.nodes[0])

    def at(self, nodes: Array) -> Array:
        """The sinc interpolant at other nodes."""
        return np.asarray(np.sinc(np.subtract.outer(nodes, self.nodes) / self.step) @ self.values)

    @property
    def spread(self) -> float:
        """Standard deviation."""
        weight = np.maximum(self.values, 0.0)
        weight = weight / weight.sum()
        mean = weight @ self.nodes
        return float(np.sqrt(weight @ (self.nodes - mean) ** 2))

    @property
    def ends(self) -> tuple[float, float]:
        """The interval outside of which the density is negligible."""
        above = np.flatnonzero(self.values > _NEGLIGIBLE * self.values.max())
        return float(self.nodes[above[0]]), float(self.nodes[above[-1]])


def solve(
    diffusion: Diffusion, start: Start, times: Sequence[float], chart: Callable[[float], Chart]
) -> list[TabulatedLaw]:
    """Laws of the diffusion at ``times`` (ascending, after the start).

    Parameters
    ----------
    chart
        The observable as a function of the coordinate, at a time.
    """
    return solve_in_pieces([(float("inf"), diffusion)], start, times, chart)


def solve_in_pieces(
    pieces: Sequence[tuple[float, Diffusion]],
    start: Start,
    times: Sequence[float],
    chart: Callable[[float], Chart],
) -> list[TabulatedLaw]:
    """As ``solve``, for coefficients that change with time: ``pieces`` are the end of each piece, ascending,
    and the
    diffusion up to there; the last one goes on beyond its end.
    """
    laws: list[TabulatedLaw] = []
    remaining = list(times)
    if not remaining:
        return laws
    ends = [*(end for end, _ in pieces[:-1]), float("inf")]
    piece, diffusion = 0, pieces[0][1]
    density = _first(diffusion, start, min(remaining[0], ends[0]))
    while remaining:
        due = [time for time in remaining if time <= density.time * (1 + 1e-12)]
        if not due:
            while density.time >= ends[piece] * (1 - 1e-12):
                piece += 1
                diffusion = pieces[piece][1]
            end = min(density.time + _stage(diffusion, density), ends[piece])
            due = [time for time in remaining if time <= end]
            stage = _advance(diffusion, density, due or [end])
        else:
            stage = [density] * len(due)
        if due:
            laws += _tables(stage, [chart(time) for time in due])
            remaining = remaining[len(due) :]
        density = stage[-1]
    return laws


def _first(diffusion: Diffusion, start: Start, time: float) -> _Density:
    """A smooth density to start from: the normal start itself, or the short-time law of a point mass.

    With p = e^A ψ, ψ is a Gaussian times exp(−t ∫ W − t²/2 ∫ s(1 − s) W'') along the straight line back to
    the start, W = ½ (a² + a'), to O(t³): a point mass on the nodes would excite waves of the node spacing,
    whose algebraic tails meet the ends of the nodes.
    """
    reach = np.linspace(-_REACH, _REACH, 2 * int(_REACH * _NODES_PER_STD) + 1)
    if start.std > 0:
        nodes = start.mean + start.std * reach
        return _Density(start.time, nodes, np.exp(-(reach**2) / 2) / (start.std * np.sqrt(2 * np.pi)))

    def well(y: Array) -> Array:
        return (diffusion.drift(y) ** 2 + diffusion.drift_slope(y)) / 2

    centre = np.array([start.mean])
    bend = float(np.abs(well(centre + 1e-3) - well(centre - 1e-3))[0]) / 2e-3
    elapsed = min(_EARLY * (time - start.time), (_START_ERROR / max(bend, 1e-3) ** 2) ** (1 / 3))
    nodes = start.mean + np.sqrt(elapsed) * reach
    points, weights = np.polynomial.legendre.leggauss(16)
    fraction, weights = (points + 1) / 2, weights / 2
    line = start.mean + fraction * (nodes - start.mean)[:, None]
    step = 1e-3 * np.sqrt(elapsed) + 1e-4
    curvature = (well(line + step) - 2 * well(line) + well(line - step)) / step**2
    push = (nodes - start.mean) * (diffusion.drift(line) @ weights)
    exponent = (
        push
        - elapsed * (well(line) @ weights)
        - elapsed**2 / 2 * (curvature @ (weights * fraction * (1 - fraction)))
    )
    values = np.exp(exponent - reach**2 / 2) / np.sqrt(2 * np.pi * elapsed)
    return _Density(start.time + elapsed, nodes, values)


def _advance(diffusion: Diffusion, density: _Density, times: list[float]) -> list[_Density]:
    """Densities at later times, on nodes that suit the whole stage."""
    step = float(min(density.spread / _NODES_PER_STD, _WIDEST_STEP))
    low, high = _range(diffusion, *density.ends, times[-1] - density.time)
    nodes = low + step * np.arange(int(np.ceil((high - low) / step)) + 1, dtype=np.float64)
    return _propagate(diffusion, _Density(density.time, nodes, density.at(nodes)), times)


def _stage(diffusion: Diffusion, density: _Density) -> float:
    """How far one set of nodes reaches: until the noise has doubled the standard deviation, or the drift has
    moved the bulk by two of them.
    """
    spread = density.spread
    speed = float(np.abs(diffusion.drift(np.array([density.nodes[int(np.argmax(density.values))]])))[0])
    return min(_STAGE * spread**2, 2 * spread / max(speed, 1e-12))


def _propagate(diffusion: Diffusion, density: _Density, times: list[float]) -> list[_Density]:
    elapsed = [time - density.time for time in times]
    exponent = _antiderivative(diffusion.drift, density.nodes)
    exponent -= exponent[int(np.argmax(density.values))]
    if np.abs(exponent).max() <= _EXPONENT:
        densities = _symmetric(diffusion, density.nodes, density.step, exponent, density.values, elapsed)
    else:
        densities = _direct(diffusion, density.nodes, density.step, density.values, elapsed)
    return [_Density(time, density.nodes, values) for time, values in zip(times, densities, strict=True)]


def _range(diffusion: Diffusion, low: float, high: float, elapsed: float) -> tuple[float, float]:
    """An interval that keeps all but a negligible part of the mass of [low, high] for a time: paths with
    constant pushes outwards, of equal cost, through the whole of it or a last part: against a drift that
    grows outwards a short push gets further.
    """
    from scipy.integrate import solve_ivp

    ends = [low, high]
    for window in elapsed * _WINDOWS:
        push = _REACH / np.sqrt(window)
        for start, sign in ((low, -1.0), (high, 1.0)):

            def velocity(t: float, y: Array, sign: float = sign, push: float = push) -> Array:
                return np.clip(diffusion.drift(y), -1e6, 1e6) + sign * push

            path = solve_ivp(velocity, (0, window), [start], method="LSODA", rtol=1e-4, atol=1e-6)
            ends += [float(path.y[0].min()), float(path.y[0].max())]
    return min(ends), max(ends)


def _antiderivative(function: Callable[[Array], Array], nodes: Array) -> Array:
    """∫ from the first node, by ten-point Gauss quadrature between nodes."""
    points, weights = np.polynomial.legendre.leggauss(10)
    half = (nodes[1] - nodes[0]) / 2
    inner = nodes[:-1, None] + half * (points + 1)
    return np.concatenate([[0.0], np.cumsum(half * (function(inner) @ weights))])


def _second_derivative(size: int, step: float) -> Array:
    offset = np.subtract.outer(np.arange(size), np.arange(size)).astype(float)
    with np.errstate(divide="ignore"):
        matrix = -2 * (-1.0) ** np.abs(offset) / (offset * step) ** 2
    np.fill_diagonal(matrix, -(np.pi**2) / (3 * step**2))
    return matrix


def _first_derivative(size: int, step: float) -> Array:
    offset = np.subtract.outer(np.arange(size), np.arange(size)).astype(float)
    with np.errstate(divide="ignore"):
        matrix = (-1.0) ** np.abs(offset) / (offset * step)
    np.fill_diagonal(matrix, 0.0)
    return matrix


def _symmetric(
    diffusion: Diffusion, nodes: Array, step: float, exponent: Array, initial: Array, elapsed: list[float]
) -> list[Array]:
    from scipy.linalg import eigh

    well = (diffusion.drift(nodes) ** 2 + diffusion.drift_slope(nodes)) / 2
    # where the well is this deep nothing is left at the first time, and a larger number would only cost
    # digits
    well = np.minimum(well, 300 / elapsed[0])
    hamiltonian = -0.5 * _second_derivative(len(nodes), step)
    hamiltonian[np.diag_indices(len(nodes))] += well
    values, vectors = eigh(hamiltonian, driver="evd")
    weights = vectors.T @ (initial * np.exp(-exponent))
    return [np.exp(exponent) * (vectors @ (np.exp(-values * time) * weights)) for time in elapsed]


def _direct(
    diffusion: Diffusion, nodes: Array, step: float, initial: Array, elapsed: list[float]
) -> list[Array]:
    from scipy.linalg import expm

    drift = np.clip(diffusion.drift(nodes), -20 / step, 20 / step)
    size = len(nodes)
    generator = 0.5 * _second_derivative(size, step) - _first_derivative(size, step) * drift[None, :]
    densities, density, now = [], initial, 0.0
    propagators: dict[float, Array] = {}
    for time in elapsed:
        span = round(time - now, 14)
        if span not in propagators:
            propagators[span] = expm(generator * span)
        density = propagators[span] @ density
        densities.append(density)
        now = time
    return densities


def _tables(densities: list[_Density], charts: list[Chart]) -> list[TabulatedLaw]:
    """F, p and p' of each density on a grid four times as fine: the integral, value and slope of every sinc
    function there.
    """
    from scipy.special import sici

    nodes, step = densities[0].nodes, densities[0].step
    size = len(nodes)
    fine = nodes[0] + step / _REFINE * np.arange((size - 1) * _REFINE + 1)
    offset = np.subtract.outer(np.arange(len(fine)) / _REFINE, np.arange(size))
    angle = np.pi * offset
    value = np.sinc(offset)
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = np.where(offset == 0, 0.0, (np.cos(angle) - value) / offset) / step
    integral = step * (0.5 + sici(angle)[0] / np.pi)
    laws = []
    for density, chart in zip(densities, charts, strict=True):
        law = density.values / (step * density.values.sum())
        laws.append(TabulatedLaw(fine, integral @ law, value @ law, slope @ law, chart))
    return laws
