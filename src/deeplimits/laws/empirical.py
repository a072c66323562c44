"""The law of a sample, with the intervals that its size leaves."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from deeplimits.array_types import Array
from deeplimits.errors import InputError
from deeplimits.laws.base import Law

_SHOWN = 1 << 14
"""Samples of which a density is made."""


@dataclass(frozen=True, eq=False, repr=False)
class EmpiricalLaw(Law):
    """The law of a sample; ``samples`` ascending, ±∞ among them where networks died or exploded.

    Parameters
    ----------
    bounded
        Whether it lies in [−1, 1], as correlations do; only the density minds.

    Raises
    ------
    InputError
        If there is no sample, or they do not ascend.
    """

    samples: Array
    bounded: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        x = self.samples
        if not len(x) or np.isnan(x[0]) or not (x[1:] >= x[:-1]).all():
            found = "<numbers in another order, or NaN>" if len(x) else "<no sample>"
            expected = "ascending numbers; EmpiricalLaw.of sorts them"
            raise InputError("EmpiricalLaw", "samples", found, expected)

    @classmethod
    def of(cls, values: ArrayLike, bounded: bool = False) -> EmpiricalLaw:
        """The empirical law of ``values``, in any order; NaN is left out.

        Parameters
        ----------
        values
            Numbers of any shape, ±∞ among them where networks died or exploded.
        bounded
            Whether the law lies in [−1, 1]; only the density minds.

        Returns
        -------
        The law of those that are not NaN.

        Raises
        ------
        InputError
            If there is none.

        Examples
        --------
        >>> law = EmpiricalLaw.of([0.3, 0.1, 0.2])
        >>> float(law.quantile(0.5))
        0.2
        """
        array = np.ravel(np.asarray(values, float))
        return EmpiricalLaw(np.sort(array[~np.isnan(array)]), bounded=bounded)

    @property
    def atoms(self) -> tuple[tuple[float, float], ...]:
        """What lies at ±∞, and at ±1 where those are the ends."""
        ends = [-np.inf, -1.0, 1.0, np.inf] if self.bounded else [-np.inf, np.inf]
        masses = [(end, self._below_or_at(end, "right") - self._below_or_at(end, "left")) for end in ends]
        return tuple((end, float(mass)) for end, mass in masses if mass > 0)

    def _below_or_at(self, x: ArrayLike, side: Literal["left", "right"]) -> Array:
        return np.asarray(np.searchsorted(self.samples, np.asarray(x, float), side) / len(self.samples))

    def _cdf(self, x: Array) -> Array:
        return self._below_or_at(x, "right")

    def below(self, x: ArrayLike) -> Array:
        return self._below_or_at(x, "left")[()]

    def _quantile(self, levels: Array) -> Array:
        count = len(self.samples)
        rank = np.clip(np.ceil(levels * count), 1, count)
        # where the product was rounded upwards, the rank before has that probability already
        rank = np.where((rank > 1) & ((rank - 1) / count >= levels), rank - 1, rank)
        return self.samples[rank.astype(int) - 1]

    def _density(self, x: Array) -> Array:
        """A Gaussian kernel estimate (Scott's rule). Of a bounded law it is made in artanh x, since a kernel
        in x would smear the mass near ±1 beyond it; samples that are ±1 are an atom, which has no density.
        NaN where all samples are equal.
        """
        from scipy.stats import gaussian_kde

        at = np.ravel(x)
        inner = self.samples[np.abs(self.samples) < 1] if self.bounded else self._finite
        if not len(inner) or inner[0] == inner[-1]:
            return np.full(x.shape, np.nan)
        part = len(inner) / len(self.samples)
        inner = inner[:: max(1, len(inner) // _SHOWN)]
        if not self.bounded:
            return np.asarray(gaussian_kde(inner)(at) * part).reshape(x.shape)
        estimate, within = gaussian_kde(np.arctanh(inner)), np.abs(at) < 1
        value = np.zeros(len(at))
        value[within] = estimate(np.arctanh(at[within])) / (1 - at[within] ** 2)
        return (value * part).reshape(x.shape)

    @property
    def _finite(self) -> Array:
        return self.samples[np.isfinite(self.samples)]

    @property
    def mean(self) -> float:
        first, last = self.samples[[0, -1]]
        if np.isfinite(first) and np.isfinite(last):
            with np.errstate(over="ignore"):
                return float(self.samples.mean())
        return float("nan") if np.isinf(first) and np.isinf(last) and first != last else float(first + last)

    @property
    def std(self) -> float:
        if len(self._finite) == len(self.samples):
            with np.errstate(over="ignore"):
                return float(self.samples.std())
        return 0.0 if self.samples[0] == self.samples[-1] else float("inf")

    def mean_interval(self) -> tuple[float, float]:
        """95 % interval of the mean; the whole line where the sample has no finite spread.

        Returns
        -------
        Lower and upper end, by the normal law of the mean of many samples.
        """
        half = _normal() * self.std / float(np.sqrt(len(self.samples)))
        if not np.isfinite(half):
            return -np.inf, np.inf
        return self.mean - half, self.mean + half

    def quantile_interval(self, level: float) -> tuple[float, float]:
        """95 % interval of a quantile, between the order statistics where it may lie.

        Parameters
        ----------
        level
            Between 0 and 1.

        Returns
        -------
        Lower and upper end, both of them samples.
        """
        half = _normal() * float(np.sqrt(level * (1 - level) / len(self.samples)))
        low, high = self.quantile(np.clip([level - half, level + half], 1e-12, 1 - 1e-12))
        return float(low), float(high)


def _normal() -> float:
    """Half the width of a 95 % interval in standard errors."""
    from scipy.special import ndtri

    return float(ndtri(0.975))
