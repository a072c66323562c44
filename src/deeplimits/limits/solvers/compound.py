"""Laws made of other laws: sums with a Gaussian variable, mixtures, and images under maps that are not
monotone.

``convolved`` is the law of a variable with a smooth density plus an independent Gaussian one, by the
trapezoidal rule over the latter, which converges faster than any power of its step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from deeplimits.array_types import Array
from deeplimits.laws import Law, TabulatedLaw, Transform

_REACH = 8.0
"""Standard deviations of the Gaussian variable that are summed over."""
_NODES = 16
"""Nodes of a table over a length in which the density changes."""
_WIDE = 30.0
"""How much wider a Gaussian variable may be than the other before the sum is taken over the latter."""
_BISECTIONS = 100
_LEVELS = (np.arange(1 << 16) + 0.5) / (1 << 16)
"""Levels over which moments are averaged."""


@dataclass(frozen=True)
class Density:
    """A variable with a smooth density: F, p and p', where it lives, and over which length p changes."""

    cdf: Callable[[Array], Array]
    density: Callable[[Array], Array]
    slope: Callable[[Array], Array]
    low: float
    high: float
    length: float


def log_chi_square(width: int) -> Density:
    """log(χ²_n / n), the logarithm of the mean square of n standard normals.

    Parameters
    ----------
    width
        n.

    Returns
    -------
    F, p and p'.
    """
    from scipy.special import gammainc, gammaln

    half = width / 2
    constant = half * np.log(half) - gammaln(half)

    def density(x: Array) -> Array:
        return np.exp(constant + half * (x - np.exp(np.minimum(x, 100.0))))

    return Density(
        cdf=lambda x: np.asarray(gammainc(half, half * np.exp(np.minimum(x, 100.0)))),
        density=density,
        slope=lambda x: density(x) * half * (1 - np.exp(np.minimum(x, 100.0))),
        # beyond these ends lies less than 1e-13
        low=-60 / width - 8 * np.sqrt(2 / width),
        high=float(np.log1p(60 / width + 8 * np.sqrt(2 / width))),
        length=float(np.sqrt(2 / width)),
    )


def convolved(base: Density, factor: float, shift: float, spread: float) -> TabulatedLaw:
    """The law of ``factor`` B + ``shift`` + ``spread`` Z for independent B of ``base`` and Z ~ N(0, 1);
    ``factor`` is positive.

    Parameters
    ----------
    base
        The variable B.
    factor
        Positive.
    shift
        Any number.
    spread
        Not negative.

    Returns
    -------
    The law of the sum, as a table.

    Examples
    --------
    >>> law = convolved(log_chi_square(64), 1.0, 0.0, 0.5)
    >>> round(law.mean, 4), round(law.std, 4)
    (-0.0157, 0.5308)
    """
    length = factor * base.length
    if spread > _WIDE * length:
        return _smeared(base, factor, shift, spread)
    z, weights = np.zeros(1), np.ones(1)
    if spread > 0:
        step = min(0.5, 0.3 * length / spread)
        z = step * np.arange(-np.ceil(_REACH / step), np.ceil(_REACH / step) + 1)
        weights = np.exp(-(z**2) / 2)
        weights /= weights.sum()
    low = factor * base.low + shift - _REACH * spread
    high = factor * base.high + shift + _REACH * spread
    # the density may be as steep as one of the two on either side
    nodes = np.linspace(low, high, int(np.ceil(_NODES * (high - low) / max(length, spread))) + 1)
    columns = np.zeros((3, len(nodes)))
    for point, weight in zip(z, weights, strict=True):
        at = (nodes - shift - spread * point) / factor
        columns[0] += weight * base.cdf(at)
        columns[1] += weight * base.density(at) / factor
        columns[2] += weight * base.slope(at) / factor**2
    return TabulatedLaw(nodes, columns[0], columns[1], columns[2], Transform.linear())


def _smeared(base: Density, factor: float, shift: float, spread: float) -> TabulatedLaw:
    """The same summed over B, where the Gaussian variable is much the wider of both."""
    from scipy.special import ndtr

    points = np.linspace(base.low, base.high, int(np.ceil(_NODES * (base.high - base.low) / base.length)) + 1)
    weights = base.density(points)
    weights /= weights.sum()
    reach = np.linspace(-_REACH, _REACH, int(2 * _NODES * _REACH) + 1) * spread
    ends = factor * base.low + shift, factor * base.high + shift
    middle = shift + factor * float(weights @ points)
    nodes = np.unique(np.concatenate([ends[0] + reach[:1], middle + reach, ends[1] + reach[-1:]]))
    columns = np.zeros((3, len(nodes)))
    for point, weight in zip(points, weights, strict=True):
        z = (nodes - shift - factor * point) / spread
        density = np.exp(-(z**2) / 2) / (np.sqrt(2 * np.pi) * spread)
        columns += weight * np.stack([ndtr(z), density, -z / spread * density])
    return TabulatedLaw(nodes, columns[0], columns[1], columns[2], Transform.linear())


@dataclass(frozen=True, repr=False)
class MixtureLaw(Law):
    """``laws[i]`` with probability ``weights[i]``."""

    weights: tuple[float, ...]
    laws: tuple[Law, ...]

    @property
    def atoms(self) -> tuple[tuple[float, float], ...]:
        masses: dict[float, float] = {}
        for weight, law in zip(self.weights, self.laws, strict=True):
            for where, mass in law.atoms:
                masses[where] = masses.get(where, 0.0) + weight * mass
        return tuple(sorted(masses.items()))

    def _cdf(self, x: Array) -> Array:
        return np.asarray(sum(w * law.cdf(x) for w, law in zip(self.weights, self.laws, strict=True)))

    def below(self, x: ArrayLike) -> Array:
        return np.asarray(sum(w * law.below(x) for w, law in zip(self.weights, self.laws, strict=True)))[()]

    def _density(self, x: Array) -> Array:
        """The density of the parts that have one; NaN where none has."""
        parts = [
            w * law.density(x)
            for w, law in zip(self.weights, self.laws, strict=True)
            if sum(mass for _, mass in law.atoms) < 1
        ]
        return np.asarray(sum(parts)) if parts else np.full(x.shape, np.nan)

    def _quantile(self, levels: Array) -> Array:
        ends = np.array([law.quantile(levels) for law in self.laws])
        finite = np.isfinite(ends)
        low, high = np.where(finite, ends, np.inf).min(axis=0), np.where(finite, ends, -np.inf).max(axis=0)
        low, high = (np.where(np.isfinite(end), end, 0.0) for end in (low, high))
        found = np.where(levels <= self.mass(-np.inf), -np.inf, np.inf)
        inside = (levels > self.mass(-np.inf)) & (levels <= 1 - self.mass(np.inf))
        found[inside] = inverse(self.cdf, levels[inside], low[inside], high[inside])
        for where, mass in self.atoms:
            up_to = float(self.cdf(where))
            found = np.where((levels > up_to - mass) & (levels <= up_to), where, found)
        return found

    @property
    def mean(self) -> float:
        return float(sum(w * law.mean for w, law in zip(self.weights, self.laws, strict=True)))

    @property
    def std(self) -> float:
        mean = self.mean
        if not np.isfinite(mean):
            return float("inf")
        squares = (law.std**2 + (law.mean - mean) ** 2 for law in self.laws)
        return float(np.sqrt(sum(w * square for w, square in zip(self.weights, squares, strict=True))))


@dataclass(frozen=True, repr=False)
class FoldedLaw(Law):
    """The law of X = ``fold``(U), for U of a law without atoms and a map that falls and then rises.

    Parameters
    ----------
    base
        The law of U.
    fold
        The map.
    branches
        x ↦ (a, b) with X ≤ x iff a ≤ U ≤ b; infinite where there is no such end.
    slopes
        x ↦ (|da/dx|, |db/dx|), 0 where there is no such end.
    """

    base: Law
    fold: Callable[[Array], Array]
    branches: Callable[[Array], tuple[Array, Array]]
    slopes: Callable[[Array], tuple[Array, Array]]

    def _cdf(self, x: Array) -> Array:
        low, high = self.branches(x)
        return np.maximum(self.base.cdf(high) - self.base.cdf(low), 0.0)

    def _density(self, x: Array) -> Array:
        with np.errstate(invalid="ignore"):
            terms = [
                np.where(slope > 0, self.base.density(end) * slope, 0.0)
                for end, slope in zip(self.branches(x), self.slopes(x), strict=True)
            ]
        return np.asarray(terms[0] + terms[1])

    def _quantile(self, levels: Array) -> Array:
        centre = float(self.fold(np.asarray(self.base.quantile(0.5))))
        return inverse(self.cdf, levels, np.full(levels.shape, centre), np.full(levels.shape, centre))

    @property
    def mean(self) -> float:
        return float(self._values.mean())

    @property
    def std(self) -> float:
        return float(self._values.std())

    @property
    def _values(self) -> Array:
        return self.fold(np.asarray(self.base.quantile(_LEVELS)))


def inverse(cdf: Callable[[Array], Array], levels: Array, low: Array, high: Array) -> Array:
    """Quantiles at ``levels``: ``low`` and ``high`` are moved apart until they hold them, then bisected.

    Parameters
    ----------
    cdf
        F, elementwise.
    levels
        Levels, [level].
    low, high
        Guesses of numbers between which the quantiles lie, low < high, [level].

    Returns
    -------
    Quantiles, [level].
    """
    width = 1.0
    while (unmet := cdf(low) >= levels).any():
        low = np.where(unmet, low - width, low)
        width *= 2
    width = 1.0
    while (unmet := cdf(high) < levels).any():
        high = np.where(unmet, high + width, high)
        width *= 2
    return bisected(cdf, levels, low, high)


def bisected(cdf: Callable[[Array], Array], levels: Array, low: Array, high: Array) -> Array:
    """Quantiles of ``cdf`` at ``levels`` between ``low`` and ``high``, to a rounding of theirs.

    Returns
    -------
    Numbers, [level].
    """
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        below = cdf(middle) < levels
        low, high = np.where(below, middle, low), np.where(below, high, middle)
        if (high - low <= np.spacing(np.abs(high)) + 1e-300).all():
            break
    return np.asarray(high)


def mixture(weights: Sequence[float], laws: Sequence[Law]) -> Law:
    """A mixture; one law alone stays what it is.

    Parameters
    ----------
    weights
        Probabilities whose sum is 1.
    laws
        As many laws.

    Returns
    -------
    The law of a variable that has each law with its probability.
    """
    return laws[0] if len(laws) == 1 else MixtureLaw(tuple(weights), tuple(laws))
