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
    weight = np.array([(d.estimate / d.error) ** 2 for _, d in used])
    centre = np.average(x, weights=weight)
    curvature = float(weight @ (x - centre) ** 2)
    slope = float(weight @ ((x - centre) * y)) / curvature
    level = float(np.average(y, weights=weight)) - slope * centre
    chi_square = float(weight @ (y - level - slope * x) ** 2)
    freedom = len(used) - 2
    scale = max(1.0, chi_square / freedom)
    width = float(stdtrit(freedom, 0.975)) if scale > 1 else 1.96
    half = width * float(np.sqrt(scale / curvature))
    return Rate(-slope, -slope - half, -slope + half, float(np.exp(level)), chi_square, len(used))
