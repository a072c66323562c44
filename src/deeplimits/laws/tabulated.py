"""Exact laws as tables of F, p = F' and p' in a coordinate where the density is smooth, and a monotone map
between that coordinate and the observable; between nodes F is a quintic Hermite polynomial. Quantiles are
found by Newton's method inside a bracket.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from deeplimits.array_types import Array
from deeplimits.laws.transformed import Transform, TransformedLaw

_POINTS = 4
"""Of Gauss' rule for moments between two nodes."""


@lru_cache(maxsize=1)
def _gauss() -> tuple[Array, Array]:
    """Places and weights of Gauss' rule on [−1, 1]."""
    return np.polynomial.legendre.leggauss(_POINTS)


@dataclass(frozen=True, repr=False)
class TabulatedLaw(TransformedLaw):
    """A law given by F, p and p' at nodes of a coordinate.

    Parameters
    ----------
    nodes, cumulative, density_, slope
        y, ascending, F(y), p(y) and p'(y), all [node].
    transform
        The map to the observable.
    """

    nodes: Array
    cumulative: Array
    density_: Array
    slope: Array
    transform: Transform

    def _part(self, y: Array, above: bool) -> Array:
        below = self._value(y, *self._pieces(y))
        return 1.0 - below if above else below

    def _coordinate_density(self, y: Array) -> Array:
        return np.maximum(self._slope(y, *self._pieces(y)), 0.0)

    def _coordinate(self, levels: Array, above: bool) -> Array:
        return self._inverse(np.ravel(1.0 - levels if above else levels)).reshape(levels.shape)

    def _inverse(self, target: Array) -> Array:
        """The coordinates where F is ``target`` [level], each found by itself: in a tail Newton's method may
        take ten times the steps that it takes elsewhere.
        """
        index = np.clip(np.searchsorted(self._monotone, target, side="left") - 1, 0, len(self.nodes) - 2)
        low, high = self.nodes[index], self.nodes[index + 1]
        below, above = self._monotone[index], self._monotone[index + 1]
        with np.errstate(divide="ignore", invalid="ignore"):
            part = (target - below) / (above - below)
        y = low + np.where((part > 0) & (part < 1), part, 0.5) * (high - low)
        found, left, last = y, np.arange(len(target)), 1e-14 * target
        for _ in range(60):
            at = self._pieces(y)
            value, slope = self._inner_value(*at) - target, self._inner_slope(*at)
            under = value < 0
            low, high = np.where(under, y, low), np.where(under, high, y)
            with np.errstate(divide="ignore", invalid="ignore"):
                step = y - value / slope
            inside = (step > low) & (step < high)
            # where the density is small, the last digits of F alone decide between many y
            met = np.abs(value) <= last
            after = np.where(met, y, np.where(inside, step, (low + high) / 2))
            moved = np.abs(after - y) >= 1e-14 * (1 + np.abs(y))
            if len(after) == len(found):
                found = after
            else:
                found[left] = after
            if not moved.any():
                break
            left = left[moved]
            low, high, target, last, y = (each[moved] for each in (low, high, target, last, after))
        return found

    @cached_property
    def _monotone(self) -> Array:
        return np.maximum.accumulate(self.cumulative)

    @cached_property
    def _moments(self) -> tuple[float, float]:
        points, parts = _gauss()
        width = self._steps[:, None]
        at = self.nodes[:-1, None] + width * (points + 1) / 2
        weight = np.maximum(self._slope(at, *self._pieces(at)), 0.0) * width * parts
        weight /= weight.sum()
        with np.errstate(over="ignore"):
            values = self.transform.from_coordinate(at)
        keep = weight > 1e-18
        mean = float((weight * values)[keep].sum())
        if not np.isfinite(mean):
            return mean, float("inf")
        with np.errstate(over="ignore"):
            return mean, float(np.sqrt((weight * (values - mean) ** 2)[keep].sum()))

    def _pieces(self, y: Array) -> tuple[Array, Array, Array]:
        """Coefficients [power, …] of the polynomials that y lie in; how far y is through each, from 0 to 1;
        and how long it is.
        """
        left = self.nodes[1:-1].searchsorted(y, side="right")
        step = self._steps.take(left)
        return (
            self._coefficients.take(left, axis=1),
            _between_0_and_1((y - self.nodes.take(left)) / step),
            step,
        )

    def _value(self, y: Array, *at: Array) -> Array:
        """F; beyond the table 0 or 1."""
        value = self._inner_value(*at)
        return np.where(y < self.nodes[0], 0.0, np.where(y > self.nodes[-1], 1.0, value))

    def _slope(self, y: Array, *at: Array) -> Array:
        """F'; beyond the table 0."""
        return np.where((y < self.nodes[0]) | (y > self.nodes[-1]), 0.0, self._inner_slope(*at))

    def _inner_value(self, coefficients: Array, s: Array, _step: Array) -> Array:
        """F between the ends of the table."""
        f0, d0, c0, a3, a4, a5 = coefficients
        return _between_0_and_1(f0 + s * (d0 + s * (c0 / 2 + s * (a3 + s * (a4 + s * a5)))))

    def _inner_slope(self, coefficients: Array, s: Array, step: Array) -> Array:
        """F' between the ends of the table."""
        _, d0, c0, a3, a4, a5 = coefficients
        return (d0 + s * (c0 + s * (3 * a3 + s * (4 * a4 + s * 5 * a5)))) / step

    @cached_property
    def _steps(self) -> Array:
        """Distances of neighbouring nodes [interval]."""
        return np.diff(self.nodes)

    @cached_property
    def _coefficients(self) -> Array:
        """Coefficients [power, interval] of the polynomial between a node and the next: F, p h and p' h² of
        the node, and those of higher powers; h is the distance of the two.
        """
        step = self._steps
        f0, d0, c0 = self.cumulative[:-1], self.density_[:-1] * step, self.slope[:-1] * step**2
        d1, c1 = self.density_[1:] * step, self.slope[1:] * step**2
        jump = np.diff(self.cumulative)
        a3 = 10 * jump - 6 * d0 - 4 * d1 - (3 * c0 - c1) / 2
        a4 = -15 * jump + 8 * d0 + 7 * d1 + (3 * c0 - 2 * c1) / 2
        a5 = 6 * jump - 3 * (d0 + d1) - (c0 - c1) / 2
        return np.stack([f0, d0, c0, a3, a4, a5])


def _between_0_and_1(values: Array) -> Array:
    """As ``np.clip``, which takes longer to be called than for its work."""
    return np.minimum(np.maximum(values, 0.0), 1.0)
