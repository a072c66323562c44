"""The law of a monotone function of a variable whose law is known: bounded where the function is."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from deeplimits.array_types import Array
from deeplimits.laws.base import Law
from deeplimits.laws.closed import PointMass
from deeplimits.laws.empirical import EmpiricalLaw
from deeplimits.laws.tabulated import Chart

_NODES, _MOST_NODES = 129, (1 << 16) + 1
"""Of the trapezoidal rule for moments, over nine standard deviations to either side."""
_STEP = 0.5
"""Its step in y, over which a chart bends little."""


class ChartedLaw(Law):
    """The law of an observable x, by that of a coordinate y of which it is a monotone function."""

    chart: Chart

    @abstractmethod
    def _part(self, y: Array, above: bool) -> Array:
        """P(Y ≤ y), or with ``above`` P(Y ≥ y)."""

    @abstractmethod
    def _coordinate(self, levels: Array, above: bool) -> Array:
        """The quantiles of y, or with ``above`` those of −y, negated."""

    @abstractmethod
    def _coordinate_density(self, y: Array) -> Array:
        """The density with respect to dy."""

    @property
    @abstractmethod
    def _moments(self) -> tuple[float, float]:
        """Mean and standard deviation of x."""

    def _cdf(self, x: Array) -> Array:
        at = np.clip(x, self.chart.low, self.chart.high)
        with np.errstate(divide="ignore"):
            value = self._part(self.chart.to_coordinate(at), not self.chart.increasing)
        return np.where(x < self.chart.low, 0.0, np.where(x >= self.chart.high, 1.0, value))

    def _density(self, x: Array) -> Array:
        inside = (x > self.chart.low) & (x < self.chart.high)
        value, at = np.zeros(x.shape), x[inside]
        value[inside] = self._coordinate_density(self.chart.to_coordinate(at)) * self.chart.slope(at)
        return value

    def _quantile(self, levels: Array) -> Array:
        return self.chart.from_coordinate(self._coordinate(levels, not self.chart.increasing))

    @property
    def mean(self) -> float:
        return self._moments[0]

    @property
    def std(self) -> float:
        return self._moments[1]


@dataclass(frozen=True, repr=False)
class MappedNormal(ChartedLaw):
    """The law of x(y), y ~ N(location, scale²).

    Parameters
    ----------
    location, scale
        Mean and standard deviation of y.
    chart
        x(y), its inverse and |dy/dx|.
    """

    location: float
    scale: float
    chart: Chart

    def _part(self, y: Array, above: bool) -> Array:
        from scipy.special import ndtr

        z = (y - self.location) / self.scale
        return np.asarray(ndtr(-z if above else z))

    def _coordinate(self, levels: Array, above: bool) -> Array:
        from scipy.special import ndtri

        z = np.asarray(ndtri(levels))
        return self.location + self.scale * (-z if above else z)

    def _coordinate_density(self, y: Array) -> Array:
        z = (y - self.location) / self.scale
        return np.asarray(np.exp(-(z**2) / 2) / (self.scale * np.sqrt(2 * np.pi)))

    @cached_property
    def _moments(self) -> tuple[float, float]:
        count = np.clip(18 * self.scale / _STEP, _NODES - 1, _MOST_NODES - 1)
        z = np.linspace(-9, 9, int(count) + 1)
        weight = np.exp(-(z**2) / 2)
        weight /= weight.sum()
        x = self.chart.from_coordinate(self.location + self.scale * z)
        mean = float(weight @ x)
        return mean, float(np.sqrt(weight @ (x - mean) ** 2))


def mapped(law: Law, chart: Chart) -> Law:
    """The law of x(y), given that of y: of the same kind where that is a number or a sample."""
    match law:
        case PointMass():
            return PointMass(float(chart.from_coordinate(np.asarray(law.value))))
        case EmpiricalLaw():
            return EmpiricalLaw.of(chart.from_coordinate(law.samples))
    return MappedLaw(law, chart)


@dataclass(frozen=True, repr=False)
class MappedLaw(ChartedLaw):
    """The law of x(y), given that of y, which is neither a number nor a sample.

    Parameters
    ----------
    inner
        The law of y.
    chart
        x(y), its inverse and |dy/dx|.
    """

    inner: Law
    chart: Chart

    @property
    def atoms(self) -> tuple[tuple[float, float], ...]:
        at = [(float(self.chart.from_coordinate(np.asarray(y))), mass) for y, mass in self.inner.atoms]
        return tuple(sorted(at))

    def _part(self, y: Array, above: bool) -> Array:
        return 1.0 - self.inner.below(y) if above else self.inner.cdf(y)

    def _coordinate(self, levels: Array, above: bool) -> Array:
        return np.asarray(self.inner.quantile(1.0 - levels if above else levels))

    def _coordinate_density(self, y: Array) -> Array:
        return np.asarray(self.inner.density(y))

    @cached_property
    def _moments(self) -> tuple[float, float]:
        from scipy.special import ndtr

        # fine enough for laws that jump
        z = np.linspace(-8, 8, 16 * _NODES)
        weight = np.exp(-(z**2) / 2)
        weight /= weight.sum()
        x = self._quantile(ndtr(z))
        if not np.isfinite(x).all():
            mean = float(weight @ np.where(np.isfinite(x) | (weight > 1e-12), x, 0.0))
            return mean, float("inf")
        mean = float(weight @ x)
        return mean, float(np.sqrt(weight @ (x - mean) ** 2))
