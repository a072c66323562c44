"""The law of a monotone function of a normal variable: bounded where the function is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from deeplimits.laws.base import Array, Law
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
