"""Intervals for a probability from counts."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

Array = NDArray[np.float64]


def clopper_pearson(found: ArrayLike, total: ArrayLike, error: float = 0.05) -> tuple[Array, Array]:
    """The interval of Clopper and Pearson for the probability of an event seen ``found`` times in ``total``.

    It misses the true probability in at most a part ``error`` of all experiments, whatever that probability
    is.

    Returns
    -------
    Its lower and upper end, with the shape of ``found``; 0 and 1 where ``total`` is 0.
    """
    found, total = np.broadcast_arrays(np.asarray(found, float), np.asarray(total, float))
    with np.errstate(invalid="ignore"):
        low = np.where(found > 0, stats.beta.ppf(error / 2, found, total - found + 1), 0.0)
        high = np.where(found < total, stats.beta.ppf(1 - error / 2, found + 1, total - found), 1.0)
    return low, high
