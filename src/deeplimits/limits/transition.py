"""The exact law of ρ' after one ReLU-like layer of finite width, given ρ before it.

With S₁ = Σa², S₂ = Σb², P = Σab over the layer's units and s = ½ log(S₁/S₂), B_τ = ½(e^τ S₁ + e^{−τ} S₂) is
√(S₁S₂) cosh(s + τ): P/B_τ = ρ'/cosh(s + τ) is a ratio of sums of independent terms, and its density g_τ one
Fourier integral of an n-th power (``engines.transition.kernels``). Integrated over all τ, s drops out:

    h(x) = x ∫₀^∞ g_τ(x) dτ = E[ρ'/√(ρ'² − x²); ρ' > x],

an Abel transform of the density of ρ', which is inverted: f(r) = −(2/π) ∫_r^1 h'(x) dx/√(x² − r²), and in the
same way of −ρ' > 0. h is had at Chebyshev's nodes in a coordinate w (``step_places``) in which tails cost
few nodes. Where a law touches ρ' = 0, h has a term x² log x, and y' = 0 is at infinity.

Two refinements check themselves: twice as few places of τ tell the error of those that are taken, and
the last coefficients of the polynomial whether there are enough.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.polynomial import chebyshev

from deeplimits.activations import Slopes
from deeplimits.array_types import Array
from deeplimits.engines.compile.native import Kernel
from deeplimits.limits.quadrature import gauss, interpolating, nodes
from deeplimits.limits.step_moments import Step, step
from deeplimits.limits.step_places import Places

_TRANSFORMS = Kernel(
    "engines.transition.kernels", "transforms", "f8 f8 f8 f8 i8 f8 f8 f8 f8 f8 f8[1] f8[1] f8[1] f8[2]"
)
_INVERTED = Kernel(
    "engines.transition.abel", "inverted", "f8 f8 f8 f8 f8 f8 f8[1] f8[1] f8[1] f8[1] f8[1] f8[1]"
)

CONTOUR, _MANY = 0.34, 24
"""Step along a contour, in widths of its integrand, and for how many units that is enough: of fewer an
integrand has longer tails.
"""
CONTOUR_OF_ONE_SIDE = 0.25
"""Likewise where a slope is 0."""
_SPACING, _LEAST_SPACING = 0.45, 0.06
"""Of τ, in standard deviations of s: 1e-20 for a normal law."""
_BROAD = 4.2
"""How far from where g is large steps are longer, likewise."""
_ALTERNATING = 2.5e-5
"""The largest error of twice the spacing."""
_HOPELESS = 1e-2
_LESS = 0.6
"""Errors from which on a rule of τ is none, and what more nodes have to make of the last coefficients."""
_NODES, _NODES_FROM_ZERO, _MOST_NODES = 64, 92, 240
"""Chebyshev's nodes, to start with and at most."""
_RESOLVED = 1e-11
"""The last coefficients of h, as a part of the largest."""
_END = 1e-11
"""Of h / cosh y at the end of a window, which is nearly the probability beyond."""
_FURTHEST = 20.0
_NEGLIGIBLE = 1e-11
"""Of h, that is no error."""
_NOTHING = 29.0
"""Logarithm of the density, below its largest, at the ends of a window."""
_VANISHED = 12.0
"""As ``step_places.VANISHED``, where a density is finite at 0."""
_GAUSS = 16
"""Gauss' points of the Abel transform for each unit of w."""


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
    slopes: Slopes,
    units: int,
    y: float,
    nodes: Array,
    moments: Step | None = None,
    place: int = 0,
    known: dict[float, Transform] | None = None,
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
    known
        Transforms of a y nearby, by the sign of y': they tell how fine these have to be, which take their
        place.
    """
    known = {} if known is None else known
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
            known[side] = _one_side(slopes, units, y, side, found, wide, known.get(side))
            places = known[side].places
            value[some] = known[side].density(np.clip(places.w(at[some]), places.low, places.high))
    return value


def _one_side(
    slopes: Slopes, units: int, y: float, side: float, found: Window, wide: float, near: Transform | None
) -> Transform:
    centre = side * found.centre
    out, back = (found.above, found.below) if side > 0 else (found.below, found.above)
    if centre < back:
        middle = max(centre, found.deviation)
        places, count = (
            Places.onto_zero(middle, found.deviation, centre + out - middle, _VANISHED),
            _NODES_FROM_ZERO,
        )
    else:
        places, count = Places.about(centre, found.deviation, back, out), _NODES

    def had(spacing: float, places_of_h: Array) -> tuple[Array, Array]:
        return transformed(slopes, units, y, side, centre, spacing, wide, places_of_h)

    spacing = _SPACING
    if near is not None:
        spacing, count = min(near.enough[0], spacing), max(near.enough[1], count)
    return transform(had, places, count, centre, spacing, _ALTERNATING)


@dataclass(frozen=True)
class Transform:
    """h as a polynomial in w.

    Parameters
    ----------
    coefficients
        Chebyshev's [power].
    enough
        The spacing in τ and the nodes that would have been enough for it.
    """

    places: Places
    coefficients: Array
    enough: tuple[float, int]

    @property
    def end(self) -> float:
        """h from the last place on."""
        return float(self.coefficients.sum())

    def density(self, w: Array) -> Array:
        """The density of y' at ``w``, none beyond the last place [node]."""
        places = self.places
        length = places.high - places.low
        slope = np.ascontiguousarray(chebyshev.chebder(self.coefficients) * (2 / length))
        points, weights = gauss(int(np.clip(np.ceil(length), 5, 20)) * _GAUSS)
        value, w = np.empty(len(w)), np.ascontiguousarray(w)
        _INVERTED(
            places.low, places.high, places.middle, places.scale, places.smoothing, self.end, slope, points,
            weights, w, places.y(w), value,
        )  # fmt: skip
        return value


def transform(
    had: Callable[[float, Array], tuple[Array, Array]],
    places: Places,
    count: int,
    centre: float,
    spacing: float,
    allowed: float,
    *,
    refined: bool = True,
) -> Transform:
    """h of a step at ``count`` of Chebyshev's nodes, or ``refined``, at more where that is too few.

    Parameters
    ----------
    had
        h, and the error of the rule of twice a spacing, of a spacing in τ and coordinates.
    centre
        Where the law has its middle.
    spacing, allowed
        The first spacing, and the largest error of twice the spacing, as a part of the largest h: that of
        the spacing is a tenth of its square.
    """
    before = np.inf
    while True:
        at = places.y(places.at((nodes(count) + 1) / 2))
        value, alternating = had(spacing, at)
        # where a density falls like e^{−y}, h does not fall, and its errors count as much less
        weight = np.cosh(max(centre, 0.0)) / np.cosh(at)
        largest = float((np.abs(value) * weight).max())
        if not np.isfinite(largest):
            raise ArithmeticError(f"no contour was found for the law of a step to artanh ρ near {centre:.6g}")
        wrong = float((np.abs(alternating) * weight).max())
        if largest <= _NEGLIGIBLE:
            return Transform(places, interpolating(count) @ value, (spacing, count))
        tolerated = max(allowed, min((_NEGLIGIBLE / largest) ** 0.5, _HOPELESS))
        # the logarithm of an error goes with the spacing's inverse
        less = 0.95 * float(np.log(max(wrong / largest, _NEGLIGIBLE)) / np.log(tolerated))
        if wrong > tolerated * largest and spacing > _LEAST_SPACING:
            spacing = max(spacing * float(np.clip(less, 0.3, 0.85)), _LEAST_SPACING)
            continue
        coefficients = interpolating(count) @ value
        left = float(np.abs(coefficients[-3:]).max())
        most = float(np.abs(value).max())
        enough = max(_RESOLVED * most, _NEGLIGIBLE)
        # as many as their decay so far asks for
        lacking = float(np.log(0.3 * enough / most) / np.log(min(left / most, 0.5)))
        # where times τ are too few, or more nodes have told no more, what is left is noise
        noise = wrong > _HOPELESS * largest or left > _LESS * before
        if not refined or noise or left <= enough or count >= _MOST_NODES:
            fine = count if left > enough else int(np.ceil(count * min(lacking, 1.0)))
            return Transform(places, coefficients, (max(spacing * less, _LEAST_SPACING), fine))
        count, before = min(int(count * float(np.clip(lacking, 1.25, 2.0))), _MOST_NODES), left


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
) -> tuple[Array, Array]:
    """h at ``places``, and the error of the rule of twice the ``spacing`` [place]; ``silent`` as in the
    kernel, ``broad`` as ``_BROAD``.
    """
    plus, minus = float(slopes.plus), float(slopes.minus)
    out, alternating = np.empty(len(places)), np.empty(len(places))
    contour = CONTOUR_OF_ONE_SIDE if silent else CONTOUR * min(float(np.sqrt(units / _MANY)), 1.0)
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
