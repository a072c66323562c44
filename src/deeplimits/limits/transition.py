"""The exact law of ρ' after one ReLU-like layer of finite width, given ρ before it.

With S₁ = Σa², S₂ = Σb², P = Σab over the layer's units and s = ½ log(S₁/S₂), B_τ = ½(e^τ S₁ + e^{−τ} S₂) is √(S₁S₂)
cosh(s + τ): P/B_τ = ρ'/cosh(s + τ) is a ratio of sums of independent terms, and its density g_τ one Fourier
integral of an n-th power (``engines.transition_kernels``). Integrated over all τ, s drops out:

    h(x) = x ∫₀^∞ g_τ(x) dτ = E[ρ'/√(ρ'² − x²); ρ' > x],

an Abel transform of the density of ρ', which is inverted: f(r) = −(2/π) ∫_r^1 h'(x) dx/√(x² − r²), and in the
same way of −ρ' > 0. h is had at Chebyshev's nodes in y = artanh x. Where a law touches ρ' = 0, h has a term
x² log x, and the nodes are graded towards it.

Two refinements check themselves: twice as few places of τ tell the error of those that are taken, and
the last coefficients of the polynomial whether there are enough.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import NDArray

from deeplimits.activations import Slopes
from deeplimits.engines.native import Kernel
from deeplimits.limits.step_moments import Step, step

Array = NDArray[np.float64]

_TRANSFORMS = Kernel("transition_kernels", "transforms", "f8 f8 f8 f8 i8 f8 f8 f8 f8 f8[1] f8[1] f8[1] f8[2]")
_DENSITIES = Kernel("transition_kernels", "densities", "f8 f8 i8 f8[1] f8[1] f8[1] f8[1] f8[1]")

_CONTOUR = 0.42
"""Step along a contour, in widths of its integrand: 1e-14."""
_SPACING = 0.45
"""Of τ, in standard deviations of s: 1e-20 for a normal law."""
_LEAST_SPACING = 0.1
_BROAD = 4.2
"""How far from where g is large steps are longer, likewise."""
_ALTERNATING = 2e-5
"""The largest error of twice the spacing, whose square is that of the spacing."""
_RESOLVED = 1e-11
"""The last coefficients of h, as a part of the largest."""
_PER_DEVIATION = 3.4
"""Chebyshev's nodes for each standard deviation of a window, to start with."""
_MOST_NODES = 256
_GRADING = 1.4
"""How many times as many they are where nodes are graded."""
_NEGLIGIBLE = 1e-12
"""Of h, that is no error."""
_NOTHING = 29.0
"""Logarithm of the density, below its largest, at the ends of a window."""
_NEAR_ZERO = 0.25
"""A window that starts nearer to 0 than this part of itself is graded."""
_GAUSS = 80


@dataclass(frozen=True)
class Window:
    """Where the law of y' has its mass.

    Parameters
    ----------
    centre
        artanh of c K₁(ρ).
    reach
        How far from it there is something.
    deviation
        Of y', to first order.
    """

    centre: float
    reach: float
    deviation: float


def window(moments: Step, y: float, units: int, place: int = 0) -> Window:
    """That of a step from y, ``place`` among those of ``moments``."""
    spread = float(moments.spread[place])
    # as the density of a linear network, cosh^{−(n − 1)}, of as many units as have this spread
    slope = _NOTHING * max(spread, 0.5) / max(units - 1.5, 0.5)
    reach = float(np.arccosh(np.exp(slope))) if slope < 30 else slope + float(np.log(2))
    deviation = float(np.sqrt(max(spread, 0.05) / units))
    return Window(y + float(moments.moved[place]), reach, deviation)


def density(
    slopes: Slopes, units: int, y: float, nodes: Array, moments: Step | None = None, place: int = 0
) -> Array:
    """The density of y' = artanh ρ' after a layer of ``units`` units, at ``nodes``, without atoms.

    Parameters
    ----------
    y
        artanh ρ before the layer.
    nodes
        Coordinates, ascending, none of them 0 [node].
    moments
        Those of ``step``, where they are known, in which y is at ``place``.
    """
    if moments is None:
        moments = step(slopes, np.array([y]))
    found = window(moments, y, units, place)
    sway = max(float(np.sqrt(max(moments.sway[place], 0.0) / units)), 1e-300)
    value = np.zeros(len(nodes))
    for side in (1.0, -1.0):
        if side < 0 and slopes.plus * slopes.minus <= 0:
            continue
        at = side * nodes
        centre = side * found.centre
        some = (at > 0) & (np.abs(at - centre) < found.reach)
        if some.any():
            value[some] = _one_side(slopes, units, y, side, found, sway, at[some])
    return value


def _one_side(
    slopes: Slopes, units: int, y: float, side: float, found: Window, sway: float, at: Array
) -> Array:
    centre = side * found.centre
    high, low = centre + found.reach, max(centre - found.reach, 0.0)
    graded = low < _NEAR_ZERO * (high - low)
    low = 0.0 if graded else low
    count = int(_PER_DEVIATION * (_GRADING if graded else 1.0) * min((high - low) / found.deviation, 40.0)) + 20
    spacing = _SPACING
    while True:
        t = _nodes(count)
        part = (t + 1) / 2
        places = low + (high - low) * (part**2 if graded else part)
        transformed = _transformed(slopes, units, y, side, centre, spacing, sway, places)
        largest = float(np.abs(transformed[0]).max())
        if not np.isfinite(largest):
            raise ArithmeticError(f"no contour was found for the law of a step from artanh ρ = {y:.6g}")
        if largest == 0:
            return np.zeros(len(at))
        wrong = float(np.abs(transformed[1]).max()) / largest
        if wrong > max(_ALTERNATING, (_NEGLIGIBLE / largest) ** 0.5) and spacing > _LEAST_SPACING:
            spacing *= 0.7
            continue
        coefficients = _interpolating(count) @ transformed[0]
        left = float(np.abs(coefficients[-3:]).max())
        if left <= max(_RESOLVED * largest, _NEGLIGIBLE) or count >= _MOST_NODES:
            break
        count = min(int(1.5 * count), _MOST_NODES)
    # u = √part in place of part where graded: dh/dy = (dh/du) / (2 u (high − low))
    scale = 1 / (high - low) if graded else 2 / (high - low)
    slope = np.ascontiguousarray(chebyshev.chebder(coefficients) * scale)
    value = np.empty(len(at))
    points, weights = _gauss()
    _DENSITIES(low, high, int(graded), slope, points, weights, np.ascontiguousarray(at), value)
    return value


def _transformed(
    slopes: Slopes, units: int, y: float, side: float, centre: float, spacing: float, sway: float, places: Array
) -> tuple[Array, Array]:
    plus, minus = float(slopes.plus), float(slopes.minus)
    out, alternating = np.empty(len(places)), np.empty(len(places))
    _TRANSFORMS(
        y,
        plus,
        minus,
        side,
        units,
        centre,
        spacing * sway,
        _BROAD * sway,
        _CONTOUR,
        places,
        out,
        alternating,
        np.empty((11, 16)),
    )
    return out, alternating


@lru_cache(maxsize=64)
def _nodes(count: int) -> Array:
    return -np.cos(np.pi * (np.arange(count) + 0.5) / count)


@lru_cache(maxsize=64)
def _interpolating(count: int) -> Array:
    """From values at Chebyshev's nodes to coefficients."""
    angles = np.pi * (np.arange(count) + 0.5) / count
    matrix = np.cos(np.outer(np.arange(count), np.pi - angles)) * (2 / count)
    matrix[0] /= 2
    return np.asarray(matrix)


@lru_cache(maxsize=1)
def _gauss() -> tuple[Array, Array]:
    points, weights = np.polynomial.legendre.leggauss(_GAUSS)
    return (points + 1) / 2, weights / 2
