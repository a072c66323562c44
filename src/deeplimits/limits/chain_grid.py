"""Evenly spaced coordinates on which a chain of exact steps is summed by the trapezoidal rule: y = artanh
ρ, or for laws that live on ρ ≥ 0 a coordinate z whose softplus y is, so that the density falls off at z → −∞
like e^z and the rule converges exponentially there too.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from deeplimits.array_types import Array
from deeplimits.laws import TabulatedLaw, Transform
from deeplimits.limits.tables import from_derivatives

_FINER = 4
"""How many nodes of a table there are for one of the chain."""


@dataclass(frozen=True)
class Gathering:
    """A place about which coordinates lie closer, in proportion to the distance from it.

    Parameters
    ----------
    place
        x of it.
    near, far
        Between which distances dz/dx falls from what it is there to 1.
    strength
        dz/dx − 1, times the distance, in between.
    """

    place: float
    near: float
    far: float
    strength: float

    @classmethod
    def of(cls, place: float, closer: float, far: float, strength: float) -> Gathering:
        """That where dz/dx is ``closer``."""
        return cls(place, strength / (closer - 1 + strength / far), far, strength)

    def gained(self, x: Array) -> Array:
        """How much more z changes than x from 0 on: 0 stays what it is."""
        ends = np.array([self.near, self.far])
        gained = np.arcsinh(np.divide.outer(x - self.place, ends)) + np.arcsinh(self.place / ends)
        return np.asarray(self.strength * (gained[..., 0] - gained[..., 1]))

    def closer(self, x: Array) -> Array:
        """dz/dx − 1."""
        distance = x - self.place
        return self.strength * (1 / np.hypot(distance, self.near) - 1 / np.hypot(distance, self.far))

    @property
    def around(self) -> Array:
        """Places between which z is nearly linear in x."""
        last = np.arcsinh(_TABULATED * self.far / self.near)
        return self.place + self.near * np.sinh(np.linspace(-last, last, int(_FOR_EACH * last)))


_TABULATED, _FOR_EACH = 100.0, 16


@dataclass(frozen=True)
class Grid:
    """Coordinates z = (k + ½) ``step``, k any whole number.

    Parameters
    ----------
    step
        Between neighbours.
    smoothing
        Length over which softplus bends; 0 where y is x.
    gatherings
        Where they are closer in x, of which y is the softplus, than elsewhere.
    """

    step: float
    smoothing: float
    gatherings: tuple[Gathering, ...] = ()

    def z(self, numbers: Array) -> Array:
        """The coordinates of (broken) numbers."""
        return (numbers + 0.5) * self.step

    def y(self, z: Array) -> Array:
        """artanh ρ."""
        x = self._x(z)
        if self.smoothing == 0:
            return x
        return np.maximum(x, 0.0) + self.smoothing * np.log1p(np.exp(-np.abs(x) / self.smoothing))

    def back(self, y: Array) -> Array:
        """z, of y > 0 where z is bent."""
        x = y
        if self.smoothing:
            with np.errstate(divide="ignore"):
                x = y + self.smoothing * np.log(-np.expm1(-y / self.smoothing))
        z = x
        for each in self.gatherings:
            z = z + np.where(np.isfinite(x), each.gained(np.where(np.isfinite(x), x, 0.0)), 0.0)
        return z

    def slope(self, z: Array) -> Array:
        """dy/dz."""
        x = self._x(z)
        value = np.ones_like(x)
        for each in self.gatherings:
            value += each.closer(x)
        if self.smoothing:
            value *= 1 + np.exp(-x / self.smoothing)
        return 1 / value

    def number(self, y: float, *, up: bool) -> int:
        """The last number below y, or with ``up`` the first above."""
        z = -np.inf if self.smoothing and y <= 0 else float(self.back(np.array([y]))[0])
        # beyond, dy/dz is less than rounding
        place = (max(z, -_VANISHED * self.smoothing) if self.smoothing else z) / self.step - 0.5
        return int(np.ceil(place) if up else np.floor(place))

    def _x(self, z: Array) -> Array:
        """By Newton's method from a table."""
        if not self.gatherings:
            return z
        x = z + np.interp(z, *self._table)
        for _ in range(_ATTEMPTS):
            wrong, rate = x - z, np.ones_like(x)
            for each in self.gatherings:
                wrong = wrong + each.gained(x)
                rate += each.closer(x)
            x = x - wrong / rate
            if (np.abs(wrong) <= 4e-16 * (1 + np.abs(z))).all():
                break
        return x

    @cached_property
    def _table(self) -> tuple[Array, Array]:
        """z, and x − z there."""
        x = np.sort(np.concatenate([each.around for each in self.gatherings]))
        gained = sum(each.gained(x) for each in self.gatherings)
        return x + gained, -np.asarray(gained)


_ATTEMPTS = 8
_VANISHED = 24.0
"""At this many ``smoothing`` below 0 there is e^{−24} of a density left."""


def tabulated(grid: Grid, first: int, density: Array, transform: Transform) -> TabulatedLaw:
    """The law whose density in z is band-limited, from its values at ``first`` … [node]; its integral is
    made 1.

    Parameters
    ----------
    transform
        The observable as a function of z.
    """
    count = len(density)
    columns = np.empty((3, count, _FINER))
    for phase in range(_FINER):
        for order, kernel in enumerate(_sinc(np.asarray(np.arange(1.0 - count, count) + phase / _FINER))):
            summed = np.convolve(density, kernel)[count - 1 : 2 * count - 1]
            columns[order, :, phase] = summed / grid.step**order
    nodes = grid.z(first + np.arange(count * _FINER) / _FINER)
    return from_derivatives(nodes, columns.reshape(3, -1), transform)


def _sinc(x: Array) -> tuple[Array, Array, Array]:
    """sin πx / πx and its first two derivatives."""
    at = np.where(x == 0, 1.0, x)
    sine, cosine = np.sin(np.pi * at) / np.pi, np.cos(np.pi * at)
    value, first = sine / at, (cosine - sine / at) / at
    second = -(np.pi**2) * sine / at - 2 * first / at
    here = x == 0
    return np.where(here, 1.0, value), np.where(here, 0.0, first), np.where(here, -(np.pi**2) / 3, second)
