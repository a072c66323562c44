"""Exact laws as tables of F, p = F' and p' in a coordinate where the density is smooth, and a monotone map
between that coordinate and the observable; between nodes F is a quintic Hermite polynomial. Quantiles are
found by Newton's method inside a bracket.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from deeplimits.laws.base import Array, Law

_ATOM = 1e-9
"""Probability at the lower end of an observable that is told."""
_POINTS = 4
"""Of Gauss' rule for moments between two nodes."""


@dataclass(frozen=True)
class Chart:
    """A monotone map between an observable x and the coordinate y of a table."""

    to_coordinate: Callable[[Array], Array]
    from_coordinate: Callable[[Array], Array]
    slope: Callable[[Array], Array]
    """|dy/dx| as a function of x."""
    increasing: bool = True
    low: float = -np.inf
    high: float = np.inf
    """Between which numbers the observable lies."""


@dataclass(frozen=True, repr=False)
class TabulatedLaw(Law):
    """A law given by F, p and p' at nodes of a coordinate.

    Parameters
    ----------
    nodes, cumulative, density_, slope
        y, ascending, F(y), p(y) and p'(y), all [node].
    chart
        The map to the observable.
    """

    nodes: Array
    cumulative: Array
    density_: Array
    slope: Array
    chart: Chart

    @property
    def atoms(self) -> tuple[tuple[float, float], ...]:
        """What the table has beyond the range of the observable is at its lower end."""
        low = self.chart.low
        mass = float(self._cdf(np.asarray(low))) if np.isfinite(low) else 0.0
        return ((low, mass),) if mass > _ATOM else ()

    def _cdf(self, x: Array) -> Array:
        at = np.clip(x, self.chart.low, self.chart.high)
        with np.errstate(divide="ignore"):
            y = self.chart.to_coordinate(at)
            below = self._value(y, *self._pieces(y))
        value = below if self.chart.increasing else 1.0 - below
        return np.where(x < self.chart.low, 0.0, np.where(x >= self.chart.high, 1.0, value))

    def _density(self, x: Array) -> Array:
        inside = (x > self.chart.low) & (x < self.chart.high)
        # where the observable cannot be, any place of the table does for the moment
        at = np.where(inside, x, self.chart.from_coordinate(self.nodes[len(self.nodes) // 2]))
        y = self.chart.to_coordinate(at)
        value = np.maximum(self._slope(y, *self._pieces(y)), 0.0) * self.chart.slope(at)
        return np.where(inside, value, 0.0)

    def _quantile(self, levels: Array) -> Array:
        target = np.ravel(levels if self.chart.increasing else 1.0 - levels)
        return self.chart.from_coordinate(self._inverse(target).reshape(levels.shape))

    def _inverse(self, target: Array) -> Array:
        """The coordinates where F is ``target`` [level], each found by itself: in a tail Newton's method may
        take ten times the steps that it takes elsewhere.
        """
        index = np.clip(np.searchsorted(self._monotone, target, side="left") - 1, 0, len(self.nodes) - 2)
        low, high = self.nodes[index], self.nodes[index + 1]
        below, above = self._monotone[index], self._monotone[index + 1]
        with np.errstate(divide="ignore", invalid="ignore"):
            part = (target - below) / (above - below)
        found = low + np.where((part > 0) & (part < 1), part, 0.5) * (high - low)
        left = np.arange(len(target))
        last = 1e-14 * target
        for _ in range(60):
            y = found[left]
            at = self._pieces(y)
            value, slope = self._value(y, *at) - target[left], self._slope(y, *at)
            low, high = np.where(value < 0, y, low), np.where(value < 0, high, y)
            with np.errstate(divide="ignore", invalid="ignore"):
                step = y - value / slope
            inside = (step > low) & (step < high) & np.isfinite(step)
            # where the density is small, the last digits of F alone decide between many y
            met = np.abs(value) <= last[left]
            found[left] = np.where(met, y, np.where(inside, step, (low + high) / 2))
            moved = np.abs(found[left] - y) >= 1e-14 * (1 + np.abs(y))
            if not moved.any():
                break
            left, low, high = left[moved], low[moved], high[moved]
        return found

    @property
    def mean(self) -> float:
        return self._moments[0]

    @property
    def std(self) -> float:
        return self._moments[1]

    @cached_property
    def _monotone(self) -> Array:
        return np.maximum.accumulate(self.cumulative)

    @cached_property
    def _moments(self) -> tuple[float, float]:
        points, parts = np.polynomial.legendre.leggauss(_POINTS)
        width = np.diff(self.nodes)[:, None]
        at = self.nodes[:-1, None] + width * (points + 1) / 2
        weight = np.maximum(self._slope(at, *self._pieces(at)), 0.0) * width * parts
        weight /= weight.sum()
        with np.errstate(over="ignore"):
            values = self.chart.from_coordinate(at)
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
        left = np.searchsorted(self.nodes[1:-1], y, side="right")
        step = self._steps.take(left)
        return (
            self._coefficients.take(left, axis=1),
            np.clip((y - self.nodes.take(left)) / step, 0.0, 1.0),
            step,
        )

    def _value(self, y: Array, coefficients: Array, s: Array, _step: Array) -> Array:
        """F; beyond the table 0 or 1."""
        f0, d0, c0, a3, a4, a5 = coefficients
        value = f0 + s * (d0 + s * (c0 / 2 + s * (a3 + s * (a4 + s * a5))))
        value = np.where(y < self.nodes[0], 0.0, np.where(y > self.nodes[-1], 1.0, value))
        return np.clip(value, 0.0, 1.0)

    def _slope(self, y: Array, coefficients: Array, s: Array, step: Array) -> Array:
        """F'; beyond the table 0."""
        _, d0, c0, a3, a4, a5 = coefficients
        slope = (d0 + s * (c0 + s * (3 * a3 + s * (4 * a4 + s * 5 * a5)))) / step
        return np.where((y < self.nodes[0]) | (y > self.nodes[-1]), 0.0, slope)

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


def identity_chart() -> Chart:
    """The observable is the coordinate.

    Returns
    -------
    The map that changes nothing.
    """
    return Chart(lambda x: x, lambda y: y, np.ones_like)
