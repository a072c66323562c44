"""The law of a monotone function of a variable whose law is known: bounded where the function is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from deeplimits.array_types import Array
from deeplimits.laws.base import Law
from deeplimits.laws.closed import PointMass
from deeplimits.laws.empirical import EmpiricalLaw
from deeplimits.laws.transformed import Transform, TransformedLaw

_NODES, _MOST_NODES = 129, (1 << 16) + 1
"""Of the trapezoidal rule for moments, over nine standard deviations to either side."""
_STEP = 0.5
"""Its step in y, over which a transform bends little."""


@dataclass(frozen=True, repr=False)
class MappedNormal(TransformedLaw):
    """The law of x(y), y ~ N(location, scale²).

    Parameters
    ----------
    location, scale
        Mean and standard deviation of y.
    transform
        x(y), its inverse and |dy/dx|.
    """

    location: float
    scale: float
    transform: Transform

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
        x = self.transform.from_coordinate(self.location + self.scale * z)
        mean = float(weight @ x)
        return mean, float(np.sqrt(weight @ (x - mean) ** 2))


def mapped(law: Law, transform: Transform) -> Law:
    """The law of x(y), given that of y: of the same kind where that is a number or a sample."""
    match law:
        case PointMass():
            return PointMass(float(transform.from_coordinate(np.asarray(law.value))))
        case EmpiricalLaw():
            return EmpiricalLaw.of(transform.from_coordinate(law.samples))
    return MappedLaw(law, transform)


@dataclass(frozen=True, repr=False)
class MappedLaw(TransformedLaw):
    """The law of x(y), given that of y, which is neither a number nor a sample.

    Parameters
    ----------
    inner
        The law of y.
    transform
        x(y), its inverse and |dy/dx|.
    """

    inner: Law
    transform: Transform

    @property
    def atoms(self) -> tuple[tuple[float, float], ...]:
        at = {float(self.transform.from_coordinate(np.asarray(y))): mass for y, mass in self.inner.atoms}
        return tuple(sorted((at | dict(super().atoms)).items()))

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
