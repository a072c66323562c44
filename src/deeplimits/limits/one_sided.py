"""The exact law of ρ' after one layer of a ReLU, given ρ before it, as ``transition`` has it of two slopes.

Of k > 1 units that are positive for both inputs the density of y' = artanh ρ' falls like e^{−(k − 1) y'}, and
of one it grows like −log y' towards 0. What has no density, where k = 0 or ρ' = 1, is left out of the
transform h from the start (``engines.transition.one_sided``). h is had at Chebyshev's nodes in a coordinate w
(``step_places``) in which tails that fall like e^{−y'} cost few nodes and y' = 0 is at infinity; beyond the
last h is a constant, whose density is that constant over cosh y', up to a factor.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from deeplimits.activations import Slopes
from deeplimits.array_types import Array
from deeplimits.limits.step_moments import step
from deeplimits.limits.step_places import Places
from deeplimits.limits.transition import Transform, sway, transform, transformed

RELU = Slopes(1, 0)
"""All layers with one slope of 0 have the law of this one: factors and signs of u and v are lost in ρ'."""
FARTHEST = 30.0
"""y beyond which laws of y' − y are one."""
_SPACING, _BROAD = 0.31, 2.0
"""Of τ, in standard deviations of s, and how far from where g is large it grows in proportion."""
_ALTERNATING = 2e-4
"""The largest error of twice the spacing."""
_NOTHING = 24.0
"""Logarithm of the density, below its largest, from which on there is nothing below the middle of a law."""
_TOO_FEW = 22.0
"""Of the probability that two units alone are positive, and bring y' so far below."""
_END = 1e-11
"""Of h / cosh y at the end of a law, which is nearly the probability beyond."""
_LAST = 12.0
"""How far beyond the middle of a law h becomes a constant, where it does."""
_NODES = 84


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


def transform_of(middle: Middle, places: Places, count: int, *, refined: bool = True) -> Transform:
    """h of a step, as ``transform`` has it."""
    return transform(
        lambda spacing, at: _transformed(middle, at, spacing),
        places, count, middle.centre, _SPACING, _ALTERNATING, refined=refined,
    )  # fmt: skip


def _transformed(middle: Middle, at: Array, spacing: float) -> tuple[Array, Array]:
    y = middle.y
    # u and v are negative
    silent = (np.pi / 2 + float(np.arctan(np.sinh(y)))) * float(np.cosh(y))
    return transformed(
        RELU, middle.units, y, 1.0, middle.centre, spacing, middle.sway, at, silent=silent, broad=_BROAD
    )


def density(units: int, y: float, at: Array) -> Array:
    """The density of y' = artanh ρ' after a layer of ``units`` units, at places > 0, without atoms [node].

    Parameters
    ----------
    y
        artanh ρ before the layer.
    """
    middle = Middle.of(y, units)
    places = middle.places(reach(middle), onto_zero=middle.touches, below=middle.below)
    found = transform_of(middle, places, _NODES)
    return everywhere(middle, places, at, found.density, found.end * float(np.exp(-middle.centre)))


def everywhere(
    middle: Middle, places: Places, at: Array, density: Callable[[Array], Array], end: float
) -> Array:
    """The density of y' at places > 0, by what it is at w between the first and the last place: above, h is
    ``end`` e^centre; below, where places begin at 0, it is linear in log y'.
    """
    w = places.w(at)
    inside = (w > places.low) & (w < places.high)
    value = np.where(w > places.low, tail(end, at - middle.centre, middle.centre), 0.0)
    value[inside] = density(w[inside])
    if places.smoothing:
        # at the end itself the slope of a polynomial is least certain
        ends = float(places.y(np.array([places.low]))[0]) * np.exp(np.array([1.0, 2.0]))
        near, far = density(places.w(ends))
        below = at < ends[0]
        value[below] = near + (near - far) * np.log(ends[0] / at[below])
    return value


def tail(end: float, beyond: Array, centre: float) -> Array:
    """The density of y' at places ``beyond`` the centre, from which on h is ``end`` e^centre."""
    return np.asarray(4 / np.pi * end * np.exp(-beyond) / (1 + np.exp(-2 * (beyond + centre))))
