"""Observables: monotone functions of a stored variable at a layer, so that the order statistics of what is
stored are theirs too.

``correlation`` is 1 − g of the first pair of inputs, ``rescaled_correlation`` log(ℓ² g), ``log_variance`` log
V^{aa} of the first input, ``variance`` its exponential. Of residual networks, ``log_activation`` is log
‖φ(z_ℓ)‖² / n and ``log_growth`` log ‖φ(z_ℓ)‖ / ‖φ(z_0)‖, the growth of Hayou 2022, Theorem 1; of gradients,
``gradient_log_norm`` is log ‖∂z_out/∂z_ℓ‖².
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Observable:
    """``transform(stored, layer)`` of ``variable``, or of its difference to layer 0 where ``since_start``;
    ``increasing`` in it or not.
    """

    name: str
    variable: str
    transform: Callable[[Array, int], Array]
    increasing: bool
    label: str
    since_start: bool = False


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
        Observable("log_activation", "log_activation", lambda value, layer: value, True, "log ‖φ(z)‖² / n"),
        Observable(
            "log_growth",
            "log_activation",
            lambda value, layer: value / 2,
            True,
            "log ‖φ(z_ℓ)‖ / ‖φ(z_0)‖",
            since_start=True,
        ),
        Observable(
            "gradient_log_norm", "gradient_log_norm", lambda value, layer: value, True, "log ‖∂z_out/∂z_ℓ‖²"
        ),
    )
}


def usable(stored: NDArray[np.float32]) -> NDArray[np.float32]:
    """The values of living networks: neither NaN (no direction) nor −∞ (no variance)."""
    return stored[np.isfinite(stored)]
