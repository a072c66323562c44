"""Laws by way of a coordinate: a monotone transform between an observable and the coordinate in which its law
is known or solved.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from deeplimits.array_types import Array
from deeplimits.laws.base import Law


@dataclass(frozen=True)
class Transform:
    """A monotone function between an observable x and a coordinate y."""

    to_coordinate: Callable[[Array], Array]
    from_coordinate: Callable[[Array], Array]
    slope: Callable[[Array], Array]
    """|dy/dx| as a function of x."""
    increasing: bool = True
    low: float = -np.inf
    high: float = np.inf
    """Between which numbers the observable lies."""

    @classmethod
    def linear(cls, factor: float = 1.0, shift: float = 0.0) -> Transform:
        """x = ``shift`` + ``factor`` y; by default the observable is the coordinate.

        Parameters
        ----------
        factor, shift
            Any numbers, ``factor`` not 0.

        Returns
        -------
        The transform.
        """
        return cls(
            to_coordinate=lambda x: (x - shift) / factor,
            from_coordinate=lambda y: factor * y + shift,
            slope=lambda x: np.full_like(x, 1 / abs(factor)),
            increasing=factor > 0,
        )

    @classmethod
    def exponential(cls, factor: float = 1.0, shift: float = 0.0) -> Transform:
        """x = exp(``shift`` + ``factor`` y).

        Parameters
        ----------
        factor, shift
            Any numbers, ``factor`` not 0.

        Returns
        -------
        The transform.
        """
        return cls(
            to_coordinate=lambda x: (np.log(x) - shift) / factor,
            from_coordinate=lambda y: np.exp(factor * y + shift),
            slope=lambda x: 1 / (abs(factor) * x),
            increasing=factor > 0,
            low=0.0,
        )


class TransformedLaw(Law):
    """The law of an observable x, by that of a coordinate y of which it is a monotone function."""

    transform: Transform

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
        at = np.clip(x, self.transform.low, self.transform.high)
        with np.errstate(divide="ignore"):
            value = self._part(self.transform.to_coordinate(at), not self.transform.increasing)
        return np.where(x < self.transform.low, 0.0, np.where(x >= self.transform.high, 1.0, value))

    def _density(self, x: Array) -> Array:
        inside = (x > self.transform.low) & (x < self.transform.high)
        value, at = np.zeros(x.shape), x[inside]
        value[inside] = self._coordinate_density(self.transform.to_coordinate(at)) * self.transform.slope(at)
        return value

    def _quantile(self, levels: Array) -> Array:
        return self.transform.from_coordinate(self._coordinate(levels, not self.transform.increasing))

    @property
    def mean(self) -> float:
        return self._moments[0]

    @property
    def std(self) -> float:
        return self._moments[1]
