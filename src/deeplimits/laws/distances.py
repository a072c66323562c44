"""Distances between a sample and a law."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

if TYPE_CHECKING:
    from deeplimits.laws.base import Law

KOLMOGOROV_MEAN = 0.8687311606361592
"""E sup |Brownian bridge| = √(π/2) log 2."""


def noise_floor(samples: int) -> float:
    """Expected Kolmogorov distance of ``samples`` draws from their own law.

    Parameters
    ----------
    samples
        How many draws, N.

    Returns
    -------
    √(π/2) log 2 / √N.

    Examples
    --------
    >>> round(noise_floor(10_000), 5)
    0.00869
    """
    return KOLMOGOROV_MEAN / float(np.sqrt(samples))


def kolmogorov(law: Law, samples: ArrayLike) -> float:
    """sup |F_N − F| of a sample against a law, exactly; an atom of the law counts from its left limit.

    Parameters
    ----------
    law
        F.
    samples
        At least one number, [sample], in any order; ±∞ may be among them.

    Returns
    -------
    The distance, between 0 and 1.

    Examples
    --------
    >>> from deeplimits.laws import NormalLaw
    >>> kolmogorov(NormalLaw(0.0, 1.0), [0.0])
    0.5
    """
    x = np.sort(np.asarray(samples, float))
    count = len(x)
    before = np.searchsorted(x, x, side="left") / count
    after = np.searchsorted(x, x, side="right") / count
    return float(max(np.max(np.abs(after - law.cdf(x))), np.max(np.abs(before - law.below(x)))))


def wasserstein(law: Law, samples: ArrayLike, levels: int = 4096) -> float:
    """∫ |F_N⁻¹ − F⁻¹| du by the midpoint rule in ``levels`` levels.

    Parameters
    ----------
    law
        F.
    samples
        At least one finite number, [sample], in any order.
    levels
        How many levels u.

    Returns
    -------
    The distance, in the unit of the samples.
    """
    u = (np.arange(levels) + 0.5) / levels
    x = np.sort(np.asarray(samples, float))
    return float(np.mean(np.abs(x[np.ceil(u * len(x)).astype(int) - 1] - law.quantile(u))))
