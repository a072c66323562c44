"""Laws: distributions on the line, exact or empirical, and the distances between a sample and a law.

An exact law is a table of F, p = F' and p' in a coordinate where the density is smooth, and a monotone map
between that coordinate and the observable; between nodes it is a quintic Hermite polynomial. Quantiles are
found by Newton's method inside a bracket.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


class Law(Protocol):
    """A distribution on the real line."""

    def cdf(self, x: ArrayLike) -> Array:
        """P(X ≤ x)."""
        ...

    def quantile(self, level: ArrayLike) -> Array:
        """The smallest x with P(X ≤ x) ≥ level, 0 < level < 1."""
        ...

    def density(self, x: ArrayLike) -> Array:
        """Density with respect to dx; NaN where there is none."""
        ...

    @property
    def mean(self) -> float:
        """E X."""
        ...

    @property
    def std(self) -> float:
        """Standard deviation of X."""
        ...


@dataclass(frozen=True)
class Chart:
    """A monotone map between an observable x and the coordinate y of a table."""

    to_coordinate: Callable[[Array], Array]
    from_coordinate: Callable[[Array], Array]
    slope: Callable[[Array], Array]
    """|dy/dx| as a function of x."""
    increasing: bool = True


@dataclass(frozen=True)
class TabulatedLaw:
    """A law given by F, p and p' at equally spaced nodes of a coordinate.

    Parameters
    ----------
    nodes, cumulative, density_, slope
        y, F(y), p(y) and p'(y), all [node].
    chart
        The map to the observable.
    """

    nodes: Array
    cumulative: Array
    density_: Array
    slope: Array
    chart: Chart

    def cdf(self, x: ArrayLike) -> Array:
        below = self._evaluate(self.chart.to_coordinate(np.asarray(x, float)), 0)
        return below if self.chart.increasing else 1.0 - below

    def density(self, x: ArrayLike) -> Array:
        at = np.asarray(x, float)
        return np.maximum(self._evaluate(self.chart.to_coordinate(at), 1), 0.0) * self.chart.slope(at)

    def quantile(self, level: ArrayLike) -> Array:
        levels = np.asarray(level, float)
        if not ((levels > 0) & (levels < 1)).all():
            raise ValueError("quantile levels lie strictly between 0 and 1")
        target = np.ravel(levels if self.chart.increasing else 1.0 - levels)
        return self.chart.from_coordinate(self._inverse(target).reshape(levels.shape))

    def _inverse(self, target: Array) -> Array:
        """The coordinates where F is ``target`` [level], each found by itself: in a tail Newton's method may
        take ten times the steps that it takes elsewhere.
        """
        index = np.clip(np.searchsorted(self._monotone, target, side="left") - 1, 0, len(self.nodes) - 2)
        low, high = self.nodes[index], self.nodes[index + 1]
        found = (low + high) / 2
        left = np.arange(len(target))
        for _ in range(60):
            y = found[left]
            value, slope = (self._evaluate(y, derivative) for derivative in (0, 1))
            value = value - target[left]
            low, high = np.where(value < 0, y, low), np.where(value < 0, high, y)
            with np.errstate(divide="ignore", invalid="ignore"):
                step = y - value / slope
            inside = (step > low) & (step < high) & np.isfinite(step)
            found[left] = np.where(inside, step, (low + high) / 2)
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
        weight = np.maximum(self.density_, 0.0)
        weight = weight / weight.sum()
        with np.errstate(over="ignore"):
            values = self.chart.from_coordinate(self.nodes)
        keep = weight > 1e-18
        mean = float((weight * values)[keep].sum())
        return mean, float(np.sqrt((weight * (values - mean) ** 2)[keep].sum()))

    def _evaluate(self, y: Array, derivative: int) -> Array:
        """The interpolant or its derivative; beyond the table F is 0 or 1."""
        step = self.nodes[1] - self.nodes[0]
        scaled = np.clip((y - self.nodes[0]) / step, 0.0, len(self.nodes) - 1.0)
        index = np.minimum(scaled.astype(int), len(self.nodes) - 2)
        s = scaled - index
        left, right = index, index + 1
        f0, f1 = self.cumulative[left], self.cumulative[right]
        d0, d1 = self.density_[left] * step, self.density_[right] * step
        c0, c1 = self.slope[left] * step**2, self.slope[right] * step**2
        jump = f1 - f0
        a3 = 10 * jump - 6 * d0 - 4 * d1 - (3 * c0 - c1) / 2
        a4 = -15 * jump + 8 * d0 + 7 * d1 + (3 * c0 - 2 * c1) / 2
        a5 = 6 * jump - 3 * (d0 + d1) - (c0 - c1) / 2
        outside = (y < self.nodes[0]) | (y > self.nodes[-1])
        if derivative:
            value = (d0 + s * (c0 + s * (3 * a3 + s * (4 * a4 + s * 5 * a5)))) / step
            return np.where(outside, 0.0, value)
        value = f0 + s * (d0 + s * (c0 / 2 + s * (a3 + s * (a4 + s * a5))))
        return np.clip(np.where(y < self.nodes[0], 0.0, np.where(y > self.nodes[-1], 1.0, value)), 0.0, 1.0)


@dataclass(frozen=True)
class NormalLaw:
    """N(mean, std²), or with ``exponential`` the law of its exponential."""

    location: float
    scale: float
    exponential: bool = False

    def cdf(self, x: ArrayLike) -> Array:
        from scipy.special import ndtr

        return np.asarray(ndtr((self._inner(x) - self.location) / self.scale))

    def quantile(self, level: ArrayLike) -> Array:
        from scipy.special import ndtri

        value = self.location + self.scale * np.asarray(ndtri(np.asarray(level, float)))
        return np.exp(value) if self.exponential else value

    def density(self, x: ArrayLike) -> Array:
        z = (self._inner(x) - self.location) / self.scale
        value = np.exp(-(z**2) / 2) / (self.scale * np.sqrt(2 * np.pi))
        with np.errstate(divide="ignore", invalid="ignore"):
            return (
                np.where(np.asarray(x, float) > 0, value / np.asarray(x, float), 0.0)
                if self.exponential
                else value
            )

    @property
    def mean(self) -> float:
        return float(np.exp(self.location + self.scale**2 / 2)) if self.exponential else self.location

    @property
    def std(self) -> float:
        return self.mean * float(np.sqrt(np.expm1(self.scale**2))) if self.exponential else self.scale

    def _inner(self, x: ArrayLike) -> Array:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.log(np.maximum(np.asarray(x, float), 0.0)) if self.exponential else np.asarray(x, float)


@dataclass(frozen=True)
class PointMass:
    """All mass at one value."""

    value: float

    def cdf(self, x: ArrayLike) -> Array:
        return (np.asarray(x, float) >= self.value).astype(float)

    def quantile(self, level: ArrayLike) -> Array:
        return np.full(np.shape(level), self.value)

    def density(self, x: ArrayLike) -> Array:
        return np.full(np.shape(x), np.nan)

    @property
    def mean(self) -> float:
        return self.value

    @property
    def std(self) -> float:
        return 0.0


@dataclass(frozen=True, eq=False)
class EmpiricalLaw:
    """The law of a sample; ``samples`` ascending.

    Parameters
    ----------
    bounded
        Whether it lies in [−1, 1], as correlations do; only the density minds.
    """

    samples: Array
    bounded: bool = field(default=False, kw_only=True)

    @classmethod
    def of(cls, values: ArrayLike, bounded: bool = False) -> EmpiricalLaw:
        """The empirical law of ``values``, in any order; NaN is left out."""
        array = np.asarray(values, float)
        return EmpiricalLaw(np.sort(array[~np.isnan(array)]), bounded=bounded)

    def cdf(self, x: ArrayLike) -> Array:
        return np.searchsorted(self.samples, np.asarray(x, float), side="right") / len(self.samples)

    def quantile(self, level: ArrayLike) -> Array:
        rank = np.ceil(np.asarray(level, float) * len(self.samples)).astype(int) - 1
        return self.samples[np.clip(rank, 0, len(self.samples) - 1)]

    def density(self, x: ArrayLike) -> Array:
        """A Gaussian kernel estimate (Scott's rule). Of a bounded law it is made in artanh x, since a kernel
        in x would smear the mass near ±1 beyond it; samples that are ±1 are an atom, which has no density.
        """
        from scipy.stats import gaussian_kde

        at = np.ravel(np.asarray(x, float))
        if not self.bounded:
            return np.asarray(gaussian_kde(self.samples)(at)).reshape(np.shape(x))
        inner = self.samples[np.abs(self.samples) < 1]
        estimate, within = gaussian_kde(np.arctanh(inner)), np.abs(at) < 1
        value = np.zeros(len(at))
        value[within] = estimate(np.arctanh(at[within])) / (1 - at[within] ** 2)
        return (value * (len(inner) / len(self.samples))).reshape(np.shape(x))

    @property
    def mean(self) -> float:
        return float(self.samples.mean())

    @property
    def std(self) -> float:
        return float(self.samples.std())

    def mean_interval(self) -> tuple[float, float]:
        """95 % interval of the mean."""
        half = _NORMAL_95 * self.std / float(np.sqrt(len(self.samples)))
        return self.mean - half, self.mean + half

    def quantile_interval(self, level: float) -> tuple[float, float]:
        """95 % interval of a quantile, between the order statistics where it may lie."""
        half = _NORMAL_95 * float(np.sqrt(level * (1 - level) / len(self.samples)))
        at, ends = self.quantile([level]), np.clip([level - half, level + half], 1e-12, 1 - 1e-12)
        low, high = EmpiricalLaw.quantile(self, ends) - EmpiricalLaw.quantile(self, [level]) + at
        return float(low), float(high)


_NORMAL_95 = 1.959963984540054
KOLMOGOROV_MEAN = 0.8687311606361592
"""E sup |Brownian bridge| = √(π/2) log 2."""


def noise_floor(samples: int) -> float:
    """Expected Kolmogorov distance of ``samples`` draws from their own law."""
    return KOLMOGOROV_MEAN / float(np.sqrt(samples))


def kolmogorov(law: Law, samples: ArrayLike) -> float:
    """sup |F_N − F| of a sample against a law, exactly."""
    x = np.sort(np.asarray(samples, float))
    value, count = law.cdf(x), len(x)
    before = np.searchsorted(x, x, side="left") / count
    after = np.searchsorted(x, x, side="right") / count
    # an atom of the law counts from its left limit
    left = law.cdf(np.nextafter(x, -np.inf)) if isinstance(law, PointMass | EmpiricalLaw) else value
    return float(max(np.max(np.abs(after - value)), np.max(np.abs(before - left))))


def wasserstein(law: Law, samples: ArrayLike, levels: int = 4096) -> float:
    """∫ |F_N⁻¹ − F⁻¹| du by the midpoint rule in ``levels`` levels."""
    u = (np.arange(levels) + 0.5) / levels
    return float(np.mean(np.abs(EmpiricalLaw.of(samples).quantile(u) - law.quantile(u))))


def identity_chart() -> Chart:
    """The observable is the coordinate."""
    return Chart(lambda x: x, lambda y: y, np.ones_like)


def describe(law: Law, levels: list[float]) -> dict[str, Any]:
    """Mean, standard deviation and quantiles, for tables."""
    return {"mean": law.mean, "std": law.std, "quantiles": law.quantile(np.array(levels)).tolist()}
