"""Intervals for a probability from counts."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from deeplimits.array_types import Array


def clopper_pearson(found: ArrayLike, total: ArrayLike, error: float = 0.05) -> tuple[Array, Array]:
    """The interval of Clopper and Pearson for the probability of an event seen ``found`` times in ``total``.

    It misses the true probability in at most a part ``error`` of all experiments, whatever that probability
    is.

    Returns
    -------
    Its lower and upper end, with the shape of ``found``; 0 and 1 where ``total`` is 0.
    """
    # betaincinv: the quantile of the beta law, without the imports of all laws
    from scipy.special import betaincinv

    found, total = np.broadcast_arrays(np.asarray(found, float), np.asarray(total, float))
    with np.errstate(invalid="ignore"):
        low = np.where(found > 0, betaincinv(found, total - found + 1, error / 2), 0.0)
        high = np.where(found < total, betaincinv(found + 1, total - found, 1 - error / 2), 1.0)
    return low, high
