"""Laws by way of a coordinate: a monotone transform between an observable and the coordinate in which its law
is known or solved.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

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


_ATOM = 1e-9
"""Probability at an end of an observable that is told."""
_COARSE, _ROUNDINGS = 2.0**-23, 4
"""How near an end other than 0 the numbers that a computer has are few, as a part of the end: each stands for
what lies between it and the one below. By how many of them a quantile may be rounded.
"""


class TransformedLaw(Law):
    """The law of an observable x, by that of a coordinate y of which it is a monotone function.

    Where all numbers between two neighbouring ones of a computer have a probability that counts, as near ρ =
    1, the upper of them has it: quantiles and distribution function agree there as well. What lies between an
    end of the observable and its neighbour is an atom at that end.
    """

    transform: Transform

    @property
    def atoms(self) -> tuple[tuple[float, float], ...]:
        """What lies within rounding of an end of the observable, or beyond it."""
        low, high = self.transform.low, self.transform.high
        found = []
        if np.isfinite(low):
            found.append((low, float(self._cdf(np.asarray(low)))))
        if np.isfinite(high):
            found.append((high, 1 - float(self._cdf(np.asarray(np.nextafter(high, -np.inf))))))
        return tuple(each for each in found if each[1] > _ATOM)

    def below(self, x: ArrayLike) -> Array:
        at = np.asarray(x, float)
        value = np.array(super().below(at), float)
        coarse = self._coarse(at)
        if coarse.any():
            value[coarse] = self.cdf(np.nextafter(at[coarse], -np.inf))
        return np.asarray(value)[()]

    def _coarse(self, x: Array) -> NDArray[np.bool_]:
        """Where numbers are few."""
        ends = [end for end in (self.transform.low, self.transform.high) if np.isfinite(end) and end != 0]
        return np.any([np.abs(x - end) <= _COARSE * abs(end) for end in ends], axis=0) & np.isfinite(x)

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
        found = np.asarray(
            self.transform.from_coordinate(self._coordinate(levels, not self.transform.increasing))
        )
        left = np.flatnonzero(self._coarse(found))
        if not len(left):
            return found
        value, levels = found.ravel().copy(), np.ravel(levels)
        # the least number that has the level, which rounding misses by some
        for _ in range(_ROUNDINGS):
            left = left[self._cdf(value[left]) < levels[left]]
            value[left] = np.nextafter(value[left], np.inf)
        left = np.flatnonzero(self._coarse(value))
        for _ in range(_ROUNDINGS):
            lower = np.nextafter(value[left], -np.inf)
            enough = self._cdf(lower) >= levels[left]
            left, lower = left[enough], lower[enough]
            value[left] = lower
        return np.minimum(value, self.transform.high).reshape(found.shape)

    @property
    def mean(self) -> float:
        return self._moments[0]

    @property
    def std(self) -> float:
        return self._moments[1]
