"""Rates: the power of n with which a distance falls, with an interval, from distances that know their noise.

Weighted least squares of log(distance) on log(n), the noise floor taken off each distance; points where less
than two standard errors are left say nothing about a rate and are left out. Where the points scatter more
than their errors allow, the interval is widened by that factor.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deeplimits.analysis.distances import Distance
from deeplimits.analysis.least_squares import STORED_NORMAL, fitted


@dataclass(frozen=True)
class Rate:
    """distance ≈ constant · n^{−exponent}; ``low`` and ``high`` bound the exponent at 95 %."""

    exponent: float
    low: float
    high: float
    constant: float
    chi_square: float
    points: int


def fit_rate(sizes: Sequence[float], distances: Sequence[Distance]) -> Rate | None:
    """The rate, or None where fewer than three points rise above their noise."""
    from scipy.special import stdtrit

    used = [
        (size, d)
        for size, d in zip(sizes, distances, strict=True)
        # of one network, or of networks that are all alike, no error is known
        if d.estimate > 2 * d.error > 0
    ]
    if len({size for size, _ in used}) < 3:
        return None
    x = np.log([size for size, _ in used])
    y = np.log([d.estimate for _, d in used])
    error = np.array([d.error / d.estimate for _, d in used])
    centre = np.average(x, weights=error**-2)
    fit = fitted(np.stack([np.ones(len(x)), x - centre], axis=1), y, error)
    level, slope = fit.coefficients.tolist()
    scale = max(1.0, fit.chi_square / fit.freedom)
    width = float(stdtrit(fit.freedom, 0.975)) if scale > 1 else STORED_NORMAL
    half = width * float(np.sqrt(scale * fit.covariance[1, 1]))
    constant = float(np.exp(level - slope * centre))
    return Rate(-slope, -slope - half, -slope + half, constant, fit.chi_square, len(used))
