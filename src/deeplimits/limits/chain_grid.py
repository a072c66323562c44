"""Evenly spaced coordinates on which a chain of exact steps is summed by the trapezoidal rule: y = artanh
ρ, or for laws that live on ρ ≥ 0 a coordinate z whose softplus y is, so that the density falls off at z → −∞
like e^z and the rule converges exponentially there too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deeplimits.array_types import Array
from deeplimits.laws import TabulatedLaw, Transform
from deeplimits.limits.tables import from_derivatives

_FINER = 4
"""How many nodes of a table there are for one of the chain."""


@dataclass(frozen=True)
class Grid:
    """Coordinates z = (k + ½) ``step``, k any whole number.

    Parameters
    ----------
    step
        Between neighbours.
    smoothing
        Length over which softplus bends; 0 where y = z.
    """

    step: float
    smoothing: float

    def z(self, numbers: Array) -> Array:
        """The coordinates of (broken) numbers."""
        return (numbers + 0.5) * self.step

    def y(self, z: Array) -> Array:
        """artanh ρ."""
        if self.smoothing == 0:
            return z
        return np.maximum(z, 0.0) + self.smoothing * np.log1p(np.exp(-np.abs(z) / self.smoothing))

    def back(self, y: Array) -> Array:
        """z, of y > 0 where z is bent."""
        if self.smoothing == 0:
            return y
        with np.errstate(divide="ignore"):
            return y + self.smoothing * np.log(-np.expm1(-y / self.smoothing))

    def slope(self, z: Array) -> Array:
        """dy/dz."""
        if self.smoothing == 0:
            return np.ones_like(z)
        return 1 / (1 + np.exp(-z / self.smoothing))

    def number(self, y: float, *, up: bool) -> int:
        """The last number below y, or with ``up`` the first above."""
        z = -np.inf if self.smoothing and y <= 0 else float(self.back(np.array([y]))[0])
        # beyond, dy/dz is less than rounding
        place = (max(z, -_VANISHED * self.smoothing) if self.smoothing else z) / self.step - 0.5
        return int(np.ceil(place) if up else np.floor(place))


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
