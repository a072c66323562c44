"""The SDE dX = n^{-1/2} ‖φ(X)‖ dB at any width, by its Euler scheme extrapolated in the step.

By its time change, X_t = X_0 + β(τ_t) with dτ/dt = ‖φ(X)‖² / n (Hayou 2022, Proposition 1 and eq. (4)), an
Euler step is exact but for τ, and the law's error is a multiple of the step. Two step sizes run on one
Brownian motion, and every quantile is extrapolated, 2 q(h) − q(2h).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd

import numpy as np
from numpy.typing import NDArray

from deeplimits.engines.residual_paths import ResidualPaths, residual_paths
from deeplimits.laws import EmpiricalLaw, Law, PointMass
from deeplimits.limits.hayou import ResidualLimit
from deeplimits.networks.network import Network

Array = NDArray[np.float64]

SAMPLES = 1 << 16
STEPS = 100
"""At least so many of the coarser steps."""
_NORMALS = 1 << 31
"""Wide networks take fewer samples, so that a law takes no more normals than this; never fewer than 2¹²."""


class HayouSde(ResidualLimit):
    """A ReLU-like or linear branch at any width.

    ``log_activation`` and ``log_growth`` are given that layer 0 is alive. Where there is a closed form
    (``hayou_linear``, ``hayou_relu_n1``) take that: a sample has a noise floor.
    """

    name = "hayou_sde"
    observables = ("log_activation", "log_growth", "log_variance")
    rate = 1.0
    deterministic = False
    source = "Hayou 2022, eq. (4)"

    def about(self, network: Network) -> bool:
        return network.piecewise_linear

    def laws(self, network: Network, layers: Sequence[int], observable: str) -> list[Law]:
        # whole steps between the layers asked for, and twice as many for the finer scheme
        intervals = network.depth // gcd(network.depth, *layers)
        coarse = intervals * -(-STEPS // intervals)
        fine = 2 * coarse
        budget = 1 << (_NORMALS // (network.width * fine)).bit_length()
        samples = max(1 << 12, min(SAMPLES, budget))
        # counted in steps, so that a time is a whole number of them
        times = [0.0, *(round(layer * fine / network.depth) / fine for layer in layers)]
        paths = residual_paths(
            network.width,
            (coarse, fine),
            times,
            0,
            samples,
            slopes=(float(network.slopes.plus), float(network.slopes.minus)),
            variance=network.gram[0][0],
            start=network.start,
            seed=network.seed,
        )
        values = observed(paths, network.width, observable)
        return [extrapolated(*values[:, :, record].T) for record in range(1, len(times))]


def observed(paths: ResidualPaths, width: int, observable: str) -> Array:
    """An observable [sample, level, record]; NaN or −∞ once collapsed."""
    if observable == "log_variance":
        return paths.log_square - np.log(width)
    if observable == "log_activation":
        return paths.log_activation - np.log(width)
    with np.errstate(invalid="ignore"):
        return (paths.log_activation - paths.log_activation[:, :, :1]) / 2


def extrapolated(coarse: Array, fine: Array) -> Law:
    """The law with the quantiles 2 q(fine) − q(coarse), of values of living networks on the same paths."""
    alive = np.isfinite(coarse) & np.isfinite(fine)
    if not alive.any():
        return PointMass(-np.inf)
    values = 2 * np.sort(fine[alive]) - np.sort(coarse[alive])
    return PointMass(float(values[0])) if np.ptp(values) == 0 else EmpiricalLaw.of(values)
