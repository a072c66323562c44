"""The mean logarithmic growth E log ‖φ(X_t)‖ / ‖φ(X_0)‖ of a residual network of finite width and infinite
depth, to four digits: what Theorem 1 of Hayou 2022 prints a formula for.

The growth itself spreads by √(t/n), but nearly all of that is a martingale. Three things make the estimate
cheap. The martingale is taken off to second order in the increments, where its mean is known to be zero.
Networks of several depths run on one Brownian motion, so that extrapolating to 1/L → 0 costs no noise. What
is left depends most on how many units are positive at layer 0, whose mean is known: a regression takes that
off. Means are given that layer 0 is alive; a collapse later has a probability of order e^{−nL/2} and is left
out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deeplimits.analysis.distances import CELLS, cell_counts
from deeplimits.array_types import Array
from deeplimits.engines.sde.residual_paths import ResidualPaths, residual_paths
from deeplimits.laws import NormalLaw

_CHUNK = 1 << 14


@dataclass(frozen=True)
class Growth:
    """E log ‖φ(X_t)‖ / ‖φ(X_0)‖ and its variance.

    Parameters
    ----------
    mean, error
        Extrapolated in 1 / L, and its standard error.
    by_depth, errors
        The same of networks of each depth L.
    variance
        Var log ‖φ(X_t)‖ / ‖φ(X_0)‖ of the deepest network.
    positive, positive_variance
        Mean and variance of the number of positive units at time t, of the deepest network.
    samples
        Living networks that were used.
    unit
        How many of the first units of the deepest networks lie in each cell of u = F(x), F the law of
        infinite width, N(0, e^{(s₊² + s₋²) t/2}) (Hayou 2022, Theorem 2).
    """

    mean: float
    error: float
    by_depth: tuple[float, ...]
    errors: tuple[float, ...]
    variance: float
    positive: float
    positive_variance: float
    samples: int
    unit: NDArray[np.int64]


def unit_law(time: float, slopes: tuple[float, float] = (1.0, 0.0)) -> NormalLaw:
    """A unit at time t in a network of infinite depth, then infinite width, from N(0, 1)."""
    plus, minus = slopes
    return NormalLaw(0.0, float(np.exp((plus**2 + minus**2) * time / 4)))


def mean_log_growth(
    width: int,
    depths: Sequence[int] = (50, 100, 200),
    samples: int = 1 << 18,
    seed: int = 0,
    time: float = 1.0,
    *,
    slopes: tuple[float, float] = (1.0, 0.0),
    threads: int | None = None,
) -> Growth:
    """Estimate the mean growth by one time; see ``mean_log_growths``."""
    (found,) = mean_log_growths(width, (time,), depths, samples, seed, slopes=slopes, threads=threads)
    return found


def mean_log_growths(
    width: int,
    times: Sequence[float],
    depths: Sequence[int],
    samples: int,
    seed: int = 0,
    *,
    slopes: tuple[float, float] = (1.0, 0.0),
    threads: int | None = None,
) -> list[Growth]:
    """Estimate the mean growth by each of ``times`` (ascending) from ``samples`` networks at layer 0, of
    every depth in ``depths``. A time gives the same bits alone as among others.

    Parameters
    ----------
    depths
        The largest is a multiple of each, and every time a whole number of layers of each. Through k depths a
        polynomial in 1 / L of degree k − 1 is laid.
    slopes
        s₊ and s₋ of φ.
    """
    weights, deepest = extrapolation(depths), int(np.argmax(depths))
    sums = [_Sums(len(depths) + 4, unit_law(time, slopes)) for time in times]
    for first in range(0, samples, _CHUNK):
        chunk = min(_CHUNK, samples - first)
        paths = residual_paths(
            width, depths, (0.0, *times), first, chunk, slopes=slopes, seed=seed, threads=threads
        )
        for record, held in enumerate(sums, 1):
            held.add(_rows(paths, record, weights, deepest), paths.unit[:, deepest, record])
    return [held.growth(len(depths), positive_mean(width, slopes)) for held in sums]


class _Sums:
    """Sums of rows, of their products, and counts of units, by one time."""

    def __init__(self, size: int, law: NormalLaw) -> None:
        self._total, self._squares, self._count = np.zeros(size), np.zeros((size, size)), 0
        self._law, self._cells = law, np.zeros(CELLS, np.int64)

    def add(self, rows: Array, units: Array) -> None:
        """Add networks."""
        self._total += rows.sum(axis=0)
        self._squares += rows.T @ rows
        self._count += len(rows)
        self._cells += cell_counts(self._law, units)

    def growth(self, depths: int, known: float) -> Growth:
        """The estimate, given the mean number of positive units at layer 0."""
        mean = self._total / self._count
        covariance = self._squares / self._count - np.outer(mean, mean)
        estimates = slice(0, depths + 1)
        at = covariance[-1, -1]
        slope = covariance[estimates, -1] / at if at > 0 else np.zeros(depths + 1)
        means = mean[estimates] - slope * (mean[-1] - known)
        left = np.diag(covariance)[estimates] - slope * covariance[estimates, -1]
        errors = np.sqrt(np.maximum(left, 0.0) / self._count)
        return Growth(
            mean=float(means[0]),
            error=float(errors[0]),
            by_depth=tuple(float(value) for value in means[1:]),
            errors=tuple(float(value) for value in errors[1:]),
            variance=float(covariance[-3, -3]),
            positive=float(mean[-2]),
            positive_variance=float(covariance[-2, -2]),
            samples=self._count,
            unit=self._cells,
        )


def extrapolation(depths: Sequence[int]) -> Array:
    """Weights of values at ``depths`` in the value at 1 / L = 0 of the polynomial in 1 / L through them."""
    steps = 1 / np.asarray(depths, float)
    return np.array([np.prod([other / (other - step) for other in steps if other != step]) for step in steps])


def positive_mean(width: int, slopes: tuple[float, float] = (1.0, 0.0)) -> float:
    """E K at layer 0: n/2, over the probability of being alive, 1 − 2⁻ⁿ, where one slope is 0."""
    plus, minus = slopes
    half, alive = width / 2, 1 - 0.5**width
    if minus == 0:
        return half / alive
    return (half - width * 0.5**width) / alive if plus == 0 else half


def _rows(paths: ResidualPaths, record: int, weights: Array, deepest: int) -> Array:
    """A row for each network that is alive at a record: growth less its martingale, extrapolated and at each
    depth; growth and number of positive units of the deepest; that number at layer 0.
    """
    first, last = paths.log_activation[:, :, 0], paths.log_activation[:, :, record]
    alive = np.isfinite(last).all(axis=1)
    growth = (last[alive] - first[alive]) / 2
    left = growth - paths.control[alive, :, record] / 2
    return np.column_stack(
        [
            left @ weights,
            left,
            growth[:, deepest],
            paths.positive[alive, deepest, record],
            paths.positive[alive, deepest, 0],
        ]
    )
