"""The exact law of ρ' after one layer of a ReLU, given ρ before it, as ``transition`` has it of two slopes.

Of k > 1 units that are positive for both inputs the density of y' = artanh ρ' falls like e^{−(k − 1) y'}, and
of one it grows like −log y' towards 0. What has no density, where k = 0 or ρ' = 1, is left out of the
transform h from the start (``engines.transition.one_sided``). h is had at Chebyshev's nodes in a coordinate w
(``step_places``) in which tails that fall like e^{−y'} cost few nodes and y' = 0 is at infinity; beyond the
last h is a constant, whose density is that constant over cosh y', up to a factor.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.polynomial import chebyshev

from deeplimits.activations import Slopes
from deeplimits.array_types import Array
from deeplimits.engines.compile.native import Kernel
from deeplimits.limits.step_moments import step
from deeplimits.limits.step_places import Places
from deeplimits.limits.transition import gauss, interpolating, nodes, sway, transformed

RELU = Slopes(1, 0)
"""All layers with one slope of 0 have the law of this one: factors and signs of u and v are lost in ρ'."""
_INVERTED = Kernel(
    "engines.transition.abel", "inverted", "f8 f8 f8 f8 f8 f8 f8[1] f8[1] f8[1] f8[1] f8[1] f8[1]"
)
FARTHEST = 30.0
"""y beyond which laws of y' − y are one."""
_SPACING, _LEAST_SPACING, _BROAD = 0.31, 0.1, 2.0
"""Of τ, in standard deviations of s, and how far from where g is large it grows in proportion."""
_CONTOUR = 0.34
"""Step along a contour, in widths of its integrand."""
_ALTERNATING = 2e-4
"""The largest error of twice the spacing: that of the spacing is a tenth of its square."""
_NOTHING = 24.0
"""Logarithm of the density, below its largest, from which on there is nothing below the middle of a law."""
_TOO_FEW = 22.0
"""Of the probability that two units alone are positive, and bring y' so far below."""
_END = 1e-11
"""Of h / cosh y at the end of a law, which is nearly the probability beyond."""
_LAST = 12.0
"""How far beyond the middle of a law h becomes a constant, where it does."""
_RESOLVED = 1e-11
"""The last coefficients of h, as a part of the largest."""
_NODES, _MOST_NODES = 84, 240
_GAUSS = 16
"""Gauss' points of the Abel transform for each unit of w."""


@dataclass(frozen=True)
class Middle:
    """The middle of the law of y' after a step from y: its centre, its standard deviation to first order,
    that of s = ½ log (V^{aa} / V^{bb}), and how far below the centre there is something.
    """

    y: float
    units: int
    centre: float
    deviation: float
    sway: float
    below: float

    @classmethod
    def of(cls, y: float, units: int) -> Middle:
        """The middle of the law of a step from ``y``."""
        moments = step(RELU, np.array([min(y, FARTHEST)]))
        spread = float(moments.spread[0])
        # as the density of a linear network, cosh^{−(n − 1)}, of as many units as have this spread
        slope = _NOTHING * max(spread, 0.5) / (units - 1.5)
        below = float(np.arccosh(np.exp(slope))) if slope < 30 else slope + float(np.log(2))
        # and where two units are positive, as e^{−2 |y|}
        below = max(below, (_TOO_FEW + float(np.log(units * units / 2)) - units * float(np.log(2))) / 2)
        deviation = float(np.sqrt(max(spread, 0.05) / units))
        return cls(y, units, y + float(moments.moved[0]), deviation, sway(moments, units, 0), below)

    @property
    def touches(self) -> bool:
        """Whether the law has something near ρ' = 0."""
        return self.below > self.centre

    def places(self, above: float, *, onto_zero: bool, below: float) -> Places:
        """Where the law is had, up to ``above`` the centre: from 0 on, or from ``below`` the centre."""
        if onto_zero:
            return Places.onto_zero(max(self.centre, self.deviation), self.deviation, min(above, _LAST))
        return Places.about(self.centre, self.deviation, below, min(above, _LAST))


def reach(middle: Middle) -> float:
    """How far above the centre there is something."""
    out = min(middle.below, _LAST)
    while True:
        found = _transformed(middle, np.array([middle.centre + out]), _SPACING)[0]
        beyond = float(found[0]) / float(np.cosh(middle.centre + out))
        if not beyond > _END:
            return out
        if out >= _LAST:
            # no density falls slower than e^{−y}
            return out + float(np.log(beyond / _END))
        out = min(1.25 * out, _LAST)


@dataclass(frozen=True)
class Transform:
    """h as a polynomial in w: Chebyshev's coefficients [power]."""

    places: Places
    coefficients: Array

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
            places.low, places.high, places.middle, places.scale, places.bend, self.end, slope, points,
            weights, w, places.y(w), value,
        )  # fmt: skip
        return value


def transform(middle: Middle, places: Places, count: int, *, refined: bool = True) -> Transform:
    """h of a step at ``count`` of Chebyshev's nodes, or ``refined``, at more where that is too few."""
    spacing = _SPACING
    while True:
        at = places.y(places.at((nodes(count) + 1) / 2))
        value, alternating = _transformed(middle, at, spacing)
        # where a density falls like e^{−y}, h does not fall, and its errors count as much less
        weight = np.cosh(middle.centre) / np.cosh(at)
        largest = float((np.abs(value) * weight).max())
        if not np.isfinite(largest):
            raise ArithmeticError(
                f"no contour was found for the law of a step from artanh ρ = {middle.y:.6g}"
            )
        wrong = float((np.abs(alternating) * weight).max())
        if wrong > _ALTERNATING * largest and spacing > _LEAST_SPACING:
            spacing *= 0.8
            continue
        coefficients = interpolating(count) @ value
        left = float(np.abs(coefficients[-3:]).max())
        if not refined or left <= _RESOLVED * float(np.abs(value).max()) or count >= _MOST_NODES:
            return Transform(places, coefficients)
        count = min(int(1.4 * count), _MOST_NODES)


def _transformed(middle: Middle, at: Array, spacing: float) -> tuple[Array, Array]:
    y = middle.y
    # u and v are negative
    silent = (np.pi / 2 + float(np.arctan(np.sinh(y)))) * float(np.cosh(y))
    return transformed(
        RELU, middle.units, y, 1.0, middle.centre, spacing, middle.sway, at,
        silent=silent, broad=_BROAD, contour=_CONTOUR,
    )  # fmt: skip


def density(units: int, y: float, at: Array) -> Array:
    """The density of y' = artanh ρ' after a layer of ``units`` units, at places > 0, without atoms [node].

    Parameters
    ----------
    y
        artanh ρ before the layer.
    """
    middle = Middle.of(y, units)
    places = middle.places(reach(middle), onto_zero=middle.touches, below=middle.below)
    found = transform(middle, places, _NODES)
    w = places.w(at)
    inside = (w > places.low) & (w < places.high)
    over = tail(found.end * float(np.exp(-middle.centre)), at - middle.centre, middle.centre)
    value = np.where(w > places.low, over, 0.0)
    value[inside] = found.density(w[inside])
    return value


def tail(end: float, beyond: Array, centre: float) -> Array:
    """The density of y' at places ``beyond`` the centre, from which on h is ``end`` e^centre."""
    return np.asarray(4 / np.pi * end * np.exp(-beyond) / (1 + np.exp(-2 * (beyond + centre))))
