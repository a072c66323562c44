"""The SDE dX = n^{-1/2} ‖φ(X)‖ dB at any width, by its Euler scheme extrapolated in the step.

By its time change, X_t = X_0 + β(τ_t) with dτ/dt = ‖φ(X)‖² / n (Hayou 2022, Proposition 1 and eq. (4)), an
Euler step is exact but for τ, and the law's error is a multiple of the step. Two step sizes run on one
Brownian motion, and every quantile is extrapolated, 2 q(h) − q(2h). That is for a piecewise-linear branch;
for any other, and for the correlation of two inputs, it is the law of a residual network of 400 layers or
more, which is the same scheme.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from math import gcd
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deeplimits import gaussian
from deeplimits.array_types import Array
from deeplimits.engines import simulate_block
from deeplimits.engines.sde.residual_paths import ResidualPaths, residual_paths
from deeplimits.laws import EmpiricalLaw, Law, PointMass
from deeplimits.limits.accuracy import depth_error, sampled
from deeplimits.limits.regime import Condition
from deeplimits.limits.resnet.hayou import McKeanVlasov, ResidualLimit
from deeplimits.networks.network import Network

SAMPLES = 1 << 16
STEPS = 100
"""At least so many of the coarser steps, where two are extrapolated."""
DEEP = 400
"""At least so many where nothing is."""
_NORMALS = 1 << 31
"""Wide networks take fewer samples, so that a law takes no more normals than this; never fewer than 2¹²."""


NARROW = Condition(
    "so few units that 4,096 networks of 400 layers or of its own are drawn in seconds",
    lambda network: network.units * network.inputs * max(DEEP, network.depth) << 12 <= 2 * _NORMALS,
    lambda network: f"{network.units:,} units and {network.depth:,} layers",
)


class HayouSde(ResidualLimit):
    """Any branch at any width.

    ``log_activation`` and ``log_growth`` are given that the network is alive. Where there is a closed form
    (``hayou_linear``, ``hayou_relu_n1``, ``ornstein_uhlenbeck``) take that: a sample has a noise floor.
    """

    name = "hayou_sde"
    label = "the SDE of residual networks at finite width, d → ∞, sampled"
    observables = ("log_activation", "log_growth", "log_variance", "correlation")
    regimes = tuple(replace(regime, conditions=(NARROW,)) for regime in McKeanVlasov.regimes)
    kind = "sampled"
    precedence = 50
    rate = 1.0
    equation = "dX = n^{-1/2} ‖φ(X)‖ dB, sampled"
    source = "Hayou 2022, eq. (4)"

    def laws(self, network: Network, layers: Sequence[int], observable: str) -> list[Law]:
        # whole steps between the layers asked for
        intervals = network.depth // gcd(network.depth, *layers)
        if network.piecewise_linear and observable != "correlation":
            coarse = intervals * -(-STEPS // intervals)
            return _extrapolated_laws(network, layers, observable, coarse)
        return _deep_laws(network, layers, observable, intervals * -(-DEEP // intervals))

    def _error(self, network: Network, layer: int, observable: str, law: Law) -> float:
        slope, spread = _slope(network), float(np.diff(law.quantile([0.158655, 0.841345]))[0]) / 2
        if observable == "correlation":
            return sampled(1 << 12) + _BENT * max(1.0, slope) / network.depth
        if observable == "log_growth":
            spread *= 2
        return sampled(len(getattr(law, "samples", range(1 << 12)))) + depth_error(
            network, layer, slope, spread
        )


def _slope(network: Network) -> float:
    """The largest of √(E φ(u)² / V) and the slopes of a branch."""
    if network.piecewise_linear:
        return max(abs(float(network.slopes.plus)), abs(float(network.slopes.minus)))
    variance = network.gram[0][0]
    (square,) = gaussian.mean(network.phi, [gaussian.SQUARE], variance)
    return float(np.sqrt(square / variance))


_BENT = 0.5
"""The distance of a correlation at finite depth, times the depth, for slopes up to 1."""


def _extrapolated_laws(network: Network, layers: Sequence[int], observable: str, coarse: int) -> list[Law]:
    fine = 2 * coarse
    # counted in steps, so that a time is a whole number of them
    times = (0.0, *(round(layer * fine / network.depth) / fine for layer in layers))
    paths = _paths(network, (coarse, fine), times, _samples(network.units * fine))
    values = observed(paths, network.units, observable)
    return [extrapolated(*values[:, :, record].T) for record in range(1, len(times))]


@lru_cache(maxsize=2)
def _paths(
    network: Network, depths: tuple[int, ...], times: tuple[float, ...], samples: int
) -> ResidualPaths:
    """Kept, for one observable is often asked for after another."""
    return residual_paths(
        network.units,
        depths,
        times,
        0,
        samples,
        slopes=(float(network.slopes.plus), float(network.slopes.minus)),
        variance=network.gram[0][0],
        start=network.start,
        seed=network.seed,
    )


def _deep_laws(network: Network, layers: Sequence[int], observable: str, depth: int) -> list[Law]:
    # a seed that no study has: a network as deep as this is not to be compared with itself
    deep = replace(network, depth=depth, seed=-1 - network.seed)
    at = [round(layer * depth / network.depth) for layer in layers]
    records = tuple(sorted({0, *at}))
    found = _networks(deep, records, _samples(deep.normals_per_sample))
    if observable == "correlation":
        values = 1.0 - found["correlation_gap"][:, :, 0].astype(float)
    else:
        name = "log_variance" if observable == "log_variance" else "log_activation"
        values = found[name][:, :, 0].astype(float)
        if observable == "log_growth":
            with np.errstate(invalid="ignore"):
                values = (values - values[:, :1]) / 2
    return [_empirical(values[:, records.index(layer)]) for layer in at]


@lru_cache(maxsize=2)
def _networks(network: Network, records: tuple[int, ...], samples: int) -> dict[str, NDArray[Any]]:
    return simulate_block(network, records, 0, samples)


def _samples(normals: int) -> int:
    """How many samples of so many normals a law is made of."""
    return max(1 << 12, min(SAMPLES, 1 << (_NORMALS // normals).bit_length()))


def _empirical(values: Array) -> Law:
    alive = values[np.isfinite(values)]
    if not len(alive):
        return PointMass(-np.inf)
    return PointMass(float(alive[0])) if np.ptp(alive) == 0 else EmpiricalLaw.of(alive)


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
    return _empirical(2 * np.sort(fine[alive]) - np.sort(coarse[alive]))
