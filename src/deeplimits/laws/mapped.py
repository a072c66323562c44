"""The law of a monotone function of a variable whose law is known: bounded where the function is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from deeplimits.laws.base import Array, Law
from deeplimits.laws.closed import PointMass
from deeplimits.laws.empirical import EmpiricalLaw
from deeplimits.laws.tabulated import Chart

_NODES = 129
"""Of the trapezoidal rule for moments, over nine standard deviations to either side."""


@dataclass(frozen=True, repr=False)
class MappedNormal(Law):
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

    def _cdf(self, x: Array) -> Array:
        from scipy.special import ndtr

        at = np.clip(x, self.chart.low, self.chart.high)
        with np.errstate(divide="ignore"):
            z = (self.chart.to_coordinate(at) - self.location) / self.scale
        value = ndtr(z if self.chart.increasing else -z)
        return np.where(x < self.chart.low, 0.0, np.where(x >= self.chart.high, 1.0, value))

    def _quantile(self, levels: Array) -> Array:
        from scipy.special import ndtri

        z = np.asarray(ndtri(levels))
        return self.chart.from_coordinate(self.location + self.scale * (z if self.chart.increasing else -z))

    def _density(self, x: Array) -> Array:
        inside = (x > self.chart.low) & (x < self.chart.high)
        # where the observable cannot be, any place does for the moment
        at = np.where(inside, x, self.chart.from_coordinate(np.asarray(self.location)))
        z = (self.chart.to_coordinate(at) - self.location) / self.scale
        value = np.exp(-(z**2) / 2) / (self.scale * np.sqrt(2 * np.pi)) * self.chart.slope(at)
        return np.where(inside, value, 0.0)

    @property
    def mean(self) -> float:
        return self._moments[0]

    @property
    def std(self) -> float:
        return self._moments[1]

    @cached_property
    def _moments(self) -> tuple[float, float]:
        z = np.linspace(-9, 9, _NODES)
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
class MappedLaw(Law):
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

    def _cdf(self, x: Array) -> Array:
        with np.errstate(divide="ignore"):
            y = self.chart.to_coordinate(np.clip(x, self.chart.low, self.chart.high))
        value = self.inner.cdf(y) if self.chart.increasing else 1.0 - self.inner.below(y)
        return np.where(x < self.chart.low, 0.0, np.where(x >= self.chart.high, 1.0, value))

    def _quantile(self, levels: Array) -> Array:
        at = self.inner.quantile(levels if self.chart.increasing else 1.0 - levels)
        return np.asarray(self.chart.from_coordinate(np.asarray(at)))

    def _density(self, x: Array) -> Array:
        inside = (x > self.chart.low) & (x < self.chart.high)
        # where the observable cannot be, any place does for the moment
        at = np.where(inside, x, self._quantile(np.asarray(0.5)))
        value = np.asarray(self.inner.density(self.chart.to_coordinate(at))) * self.chart.slope(at)
        return np.where(inside, value, 0.0)

    @property
    def mean(self) -> float:
        return self._moments[0]

    @property
    def std(self) -> float:
        return self._moments[1]

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
