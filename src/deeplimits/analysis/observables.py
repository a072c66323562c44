"""Observables: monotone functions of a stored variable at a layer, so that the order statistics of what is
stored are theirs too.

``correlation`` is 1 − g of the first pair of inputs, ``rescaled_correlation`` log(ℓ² g), ``log_variance`` log
V^{aa} of the first input, ``variance`` its exponential.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Observable:
    """``transform(stored, layer)`` of ``variable``; ``increasing`` in it or not."""

    name: str
    variable: str
    transform: Callable[[Array, int], Array]
    increasing: bool
    label: str


def _rescaled(gap: Array, layer: int) -> Array:
    with np.errstate(divide="ignore"):
        return np.log(float(layer) ** 2 * gap)


OBSERVABLES = {
    observable.name: observable
    for observable in (
        Observable("correlation", "correlation_gap", lambda gap, layer: 1.0 - gap, False, "correlation ρ"),
        Observable("rescaled_correlation", "correlation_gap", _rescaled, True, "r = log ℓ²(1 − ρ)"),
        Observable("log_variance", "log_variance", lambda value, layer: value, True, "log V"),
        Observable("variance", "log_variance", lambda value, layer: np.exp(value), True, "V"),
    )
}


def usable(stored: NDArray[np.float32]) -> NDArray[np.float32]:
    """The values of living networks: neither NaN (no direction) nor −∞ (no variance)."""
    return stored[np.isfinite(stored)]
