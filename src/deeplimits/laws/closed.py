"""Laws in closed form: normal, log-normal, and a single value."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deeplimits.array_types import Array
from deeplimits.laws.base import Law


@dataclass(frozen=True, repr=False)
class NormalLaw(Law):
    """N(location, scale²), or with ``exponential`` the law of its exponential; ``scale`` > 0.

    Parameters
    ----------
    location
        Mean of the normal variable.
    scale
        Its standard deviation, positive.
    exponential
        Whether the law is that of its exponential, log-normal.

    Examples
    --------
    >>> round(float(NormalLaw(0.0, 1.0).quantile(0.975)), 4)
    1.96
    >>> round(NormalLaw(0.0, 1.0, exponential=True).mean, 4)
    1.6487
    """

    location: float
    scale: float
    exponential: bool = False

    def _cdf(self, x: Array) -> Array:
        from scipy.special import ndtr

        return np.asarray(ndtr((self._inner(x) - self.location) / self.scale))

    def _quantile(self, levels: Array) -> Array:
        from scipy.special import ndtri

        value = self.location + self.scale * np.asarray(ndtri(levels))
        with np.errstate(over="ignore"):
            return np.exp(value) if self.exponential else value

    def _density(self, x: Array) -> Array:
        z = (self._inner(x) - self.location) / self.scale
        value = np.exp(-(z**2) / 2) / (self.scale * np.sqrt(2 * np.pi))
        return value / np.where(x > 0, x, np.inf) if self.exponential else value

    @property
    def mean(self) -> float:
        return _exp(self.location + self.scale**2 / 2) if self.exponential else self.location

    @property
    def std(self) -> float:
        square = self.scale**2
        if not self.exponential:
            return self.scale
        # e^{location + square/2} √(e^square − 1), whose second factor alone may be beyond all numbers
        return _exp(self.location + square + float(np.log(-np.expm1(-square))) / 2)

    def _inner(self, x: Array) -> Array:
        if not self.exponential:
            return x
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(np.maximum(x, 0.0)))


def _exp(value: float) -> float:
    """exp, infinite beyond the largest number."""
    with np.errstate(over="ignore"):
        return float(np.exp(value))


@dataclass(frozen=True, repr=False)
class PointMass(Law):
    """All mass at one value, which may be ±∞."""

    value: float

    @property
    def atoms(self) -> tuple[tuple[float, float], ...]:
        return ((self.value, 1.0),)

    def _cdf(self, x: Array) -> Array:
        return (x >= self.value).astype(float)

    def _quantile(self, levels: Array) -> Array:
        return np.full(levels.shape, self.value)

    def _density(self, x: Array) -> Array:
        """NaN: there is none."""
        return np.full(x.shape, np.nan)

    @property
    def mean(self) -> float:
        return self.value

    @property
    def std(self) -> float:
        return 0.0
