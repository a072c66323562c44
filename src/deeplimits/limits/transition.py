"""The exact law of ρ' after one ReLU-like layer of finite width, given ρ before it.

With S₁ = Σa², S₂ = Σb², P = Σab over the layer's units and s = ½ log(S₁/S₂), B_τ = ½(e^τ S₁ + e^{−τ} S₂) is
√(S₁S₂) cosh(s + τ): P/B_τ = ρ'/cosh(s + τ) is a ratio of sums of independent terms, and its density g_τ one
Fourier integral of an n-th power (``engines.transition.kernels``). Integrated over all τ, s drops out:

    h(x) = x ∫₀^∞ g_τ(x) dτ = E[ρ'/√(ρ'² − x²); ρ' > x],

an Abel transform of the density of ρ', which is inverted: f(r) = −(2/π) ∫_r^1 h'(x) dx/√(x² − r²), and in the
same way of −ρ' > 0. h is had at Chebyshev's nodes in y = artanh x. Where a law touches ρ' = 0, h has a term
x² log x, and the nodes are graded towards it.

Two refinements check themselves: twice as few places of τ tell the error of those that are taken, and
the last coefficients of the polynomial whether there are enough.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.polynomial import chebyshev

from deeplimits.activations import Slopes
from deeplimits.array_types import Array
from deeplimits.engines.compile.native import Kernel
from deeplimits.limits.step_moments import Step, step

_TRANSFORMS = Kernel(
    "engines.transition.kernels", "transforms", "f8 f8 f8 f8 i8 f8 f8 f8 f8 f8 f8[1] f8[1] f8[1] f8[2]"
)
_DENSITIES = Kernel("engines.transition.kernels", "densities", "f8 f8 i8 f8[1] f8[1] f8[1] f8[1] f8[1]")

_CONTOUR = 0.42
"""Step along a contour, in widths of its integrand: 1e-14."""
_SPACING = 0.45
"""Of τ, in standard deviations of s: 1e-20 for a normal law."""
_LEAST_SPACING = 0.1
_BROAD = 4.2
"""How far from where g is large steps are longer, likewise."""
_ALTERNATING = 2e-5
"""The largest error of twice the spacing, whose square is that of the spacing."""
_RESOLVED = 2e-12
"""The last coefficients of h, as a part of the largest."""
_PER_DEVIATION = 3.4
"""Chebyshev's nodes for each standard deviation of a window, to start with."""
_MOST_NODES = {1: 256, 2: 400}
_GRADING = {1: 1.0, 2: 1.4}
"""How many times as many they are where nodes are graded."""
_END = 1e-11
"""Of h / cosh y at the end of a window, which is nearly the probability beyond."""
_FURTHEST = 20.0
_NEGLIGIBLE = 1e-12
"""Of h, that is no error."""
_NOTHING = 29.0
"""Logarithm of the density, below its largest, at the ends of a window."""
_NEAR_ZERO = 0.25
"""A window that starts nearer to 0 than this part of itself is graded."""
_GAUSS = 16
"""Gauss' points of the Abel transform for each three standard deviations of a window."""


@dataclass(frozen=True)
class Window:
    """Where the law of y' has its mass.

    Parameters
    ----------
    centre
        artanh of c K₁(ρ).
    below, above
        How far from it there is something.
    deviation
        Of y', to first order.
    """

    centre: float
    below: float
    above: float
    deviation: float


def window(moments: Step, y: float, slopes: Slopes, units: int, place: int = 0) -> Window:
    """The window of a step from y, ``place`` among those of ``moments``."""
    spread, centre = float(moments.spread[place]), y + float(moments.moved[place])
    # as the density of a linear network, cosh^{−(n − 1)}, of as many units as have this spread
    slope = _NOTHING * max(spread, 0.5) / max(units - 1.5, 0.5)
    reach = float(np.arccosh(np.exp(slope))) if slope < 30 else slope + float(np.log(2))
    deviation = float(np.sqrt(max(spread, 0.05) / units))
    found = Window(centre, reach, reach, deviation)
    if slopes.plus == slopes.minus:
        return found
    wide = sway(moments, units, place)
    sides = (1.0,) if slopes.plus * slopes.minus <= 0 else (1.0, -1.0)
    for side in sides:
        out = reach
        while side * centre + out > 0 and out < _FURTHEST:
            end = np.array([side * centre + out])
            left = transformed(slopes, units, y, side, side * centre, _SPACING, wide, end)[0]
            if float(left[0] / np.cosh(end[0])) < _END:
                break
            out *= 1.25
        found = replace(found, above=out) if side > 0 else replace(found, below=out)
    # below 0 a law has nothing, and above it no transform tells
    return replace(found, below=1.5 * reach) if len(sides) == 1 else found


def sway(moments: Step, units: int, place: int) -> float:
    """The standard deviation of s, to first order."""
    return max(float(np.sqrt(max(moments.sway[place], 0.0) / units)), 1e-300)


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
    if slopes.plus == slopes.minus and y < 0:
        # φ is odd, and near −1 what the transform needs of 1 + ρ would have no digits left
        return density(slopes, units, -y, -nodes[::-1])[::-1]
    if moments is None:
        moments = step(slopes, np.array([y]))
    found = window(moments, y, slopes, units, place)
    wide = sway(moments, units, place)
    value = np.zeros(len(nodes))
    for side in (1.0, -1.0):
        if side < 0 and slopes.plus * slopes.minus <= 0:
            continue
        at = side * nodes
        centre = side * found.centre
        out, back = (found.above, found.below) if side > 0 else (found.below, found.above)
        some = (at > 0) & (at < centre + out) & (at > centre - back)
        if some.any():
            value[some] = _one_side(slopes, units, y, side, found, wide, at[some])
    return value


def _one_side(
    slopes: Slopes, units: int, y: float, side: float, found: Window, wide: float, at: Array
) -> Array:
    centre = side * found.centre
    out, back = (found.above, found.below) if side > 0 else (found.below, found.above)
    high, low = centre + out, max(centre - back, 0.0)
    power = 2 if low < _NEAR_ZERO * (high - low) else 1
    low = 0.0 if power > 1 else low
    count = int(_PER_DEVIATION * _GRADING[power] * min((high - low) / found.deviation, 40.0)) + 20
    spacing = _SPACING
    while True:
        t = nodes(count)
        part = (t + 1) / 2
        places = low + (high - low) * part**power
        values, alternating = transformed(slopes, units, y, side, centre, spacing, wide, places)
        largest = float(np.abs(values).max())
        if not np.isfinite(largest):
            raise ArithmeticError(f"no contour was found for the law of a step from artanh ρ = {y:.6g}")
        if largest == 0:
            return np.zeros(len(at))
        wrong = float(np.abs(alternating).max()) / largest
        if wrong > max(_ALTERNATING, (_NEGLIGIBLE / largest) ** 0.5) and spacing > _LEAST_SPACING:
            spacing *= 0.7
            continue
        coefficients = interpolating(count) @ values
        left = float(np.abs(coefficients[-3:]).max())
        if left <= max(_RESOLVED * largest, _NEGLIGIBLE) or count >= _MOST_NODES[power]:
            break
        count = min(int(1.5 * count), _MOST_NODES[power])
    slope = np.ascontiguousarray(chebyshev.chebder(coefficients) * (2 / power / (high - low)))
    value = np.empty(len(at))
    points, weights = gauss(int(np.clip(np.ceil((high - low) / found.deviation / 3), 5, 20)) * _GAUSS)
    _DENSITIES(low, high, power, slope, points, weights, np.ascontiguousarray(at), value)
    return value


def transformed(
    slopes: Slopes,
    units: int,
    y: float,
    side: float,
    centre: float,
    spacing: float,
    wide: float,
    places: Array,
    *,
    silent: float = 0.0,
    broad: float = _BROAD,
    contour: float = _CONTOUR,
) -> tuple[Array, Array]:
    """h at ``places``, and the error of the rule of twice the ``spacing`` [place]; ``silent`` as in the
    kernel, ``broad`` and ``contour`` as ``_BROAD`` and ``_CONTOUR``.
    """
    plus, minus = float(slopes.plus), float(slopes.minus)
    out, alternating = np.empty(len(places)), np.empty(len(places))
    _TRANSFORMS(
        y,
        plus,
        minus,
        side,
        units,
        silent,
        centre,
        spacing * wide,
        broad * wide,
        contour,
        places,
        out,
        alternating,
        np.empty((28, 16)),
    )
    return out, alternating


@lru_cache(maxsize=64)
def nodes(count: int) -> Array:
    """Chebyshev's nodes."""
    return -np.cos(np.pi * (np.arange(count) + 0.5) / count)


@lru_cache(maxsize=64)
def interpolating(count: int) -> Array:
    """From values at Chebyshev's nodes to coefficients."""
    angles = np.pi * (np.arange(count) + 0.5) / count
    matrix = np.cos(np.outer(np.arange(count), np.pi - angles)) * (2 / count)
    matrix[0] /= 2
    return np.asarray(matrix)


@lru_cache(maxsize=32)
def gauss(count: int) -> tuple[Array, Array]:
    """Gauss' points and weights on [0, 1]."""
    points, weights = np.polynomial.legendre.leggauss(count)
    return (points + 1) / 2, weights / 2
