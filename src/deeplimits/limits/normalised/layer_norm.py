"""The correlation of a perceptron with LayerNorm at p = ½: dρ = [ν(ρ) − κ/(2π) (1 − ρ) − ½ ρ (1 − ρ²)] dt +
(1 − ρ²) dB, ν(ρ) = κ/(2π) (√(1−ρ²) − ρ arccos ρ).

A layer makes c K₁(ρ) of the second moments of φ_s and takes off the product of its means, A/π in units of the
second moment: (c K₁(ρ) − A/π) / (1 − A/π), A = (s₊ − s₋)² / (s₊² + s₋²). With κ = 2 n A that is ν − κ/(2π)
(1 − ρ) to leading order; fluctuations are those of the plain perceptron, for centring takes one of n
directions. In y = artanh ρ the noise is that of a Brownian motion.

The *matched* SDE takes κ = 2 n A / (1 − A/π) from the network's own slopes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import ClassVar

import numpy as np

from deeplimits.array_types import Array
from deeplimits.laws import Law
from deeplimits.limits.accuracy import mean_inverse_width
from deeplimits.limits.base import Limit
from deeplimits.limits.coefficients import asymmetry
from deeplimits.limits.conditions import ABOVE_MINUS_ONE
from deeplimits.limits.layers import in_pieces
from deeplimits.limits.mlp.correlation import CorrelationSde, correlation_diffusion, from_start, solved
from deeplimits.limits.regime import HALF, SHAPED, Regime
from deeplimits.limits.solvers.resolvents import Diffusion
from deeplimits.limits.times import network_time
from deeplimits.networks.network import Network


def centred_diffusion(kappa: float) -> Diffusion:
    """The diffusion of y = artanh ρ."""
    plain, factor = correlation_diffusion(kappa), kappa / (2 * np.pi)

    def coefficients(y: Array) -> tuple[Array, Array]:
        drift, slope = plain.coefficients(y)
        # (1 − ρ) / (1 + ρ) = e^{−2y}, and 1 / (1 + ρ) is half of one more than that
        ratio = np.exp(-2 * np.clip(y, -300.0, 300.0))
        return drift - factor * (1 + ratio) / 2, slope + factor * ratio

    return Diffusion(coefficients)


class LayerNormSde(Limit):
    """The SDE of the limit n → ∞ at p = ½."""

    name = "layer_norm_sde"
    label = "the correlation SDE of shaped perceptrons with LayerNorm at p = ½, n → ∞"
    equation = "dρ = [ν(ρ) − κ/(2π) (1 − ρ) − ½ ρ (1 − ρ²)] dt + (1 − ρ²) dB"
    observables = ("correlation",)
    regimes: ClassVar[tuple[Regime, ...]] = (
        Regime(
            ("relu_like", "linear"),
            HALF,
            architecture="layer_norm_mlp",
            uneven=True,
            inputs=2,
            conditions=(ABOVE_MINUS_ONE,),
        ),
    )
    precedence: ClassVar[int | None] = 30
    rate_reason = "1 where c₊ + c₋ = 0, ½ otherwise: matched_layer_norm_sde has 1 for all slopes"
    source = "this project: the mean and variance of a step, tested against explicit weights"

    def kappas(self, network: Network) -> list[float]:
        """(c₊ − c₋)² of a layer of each number of units that occurs, in ascending order."""
        return CorrelationSde().kappas(network)

    def laws(self, network: Network, layers: Sequence[int], observable: str) -> list[Law]:
        times = [self.time(network, layer) for layer in layers]
        pieces = tuple(in_pieces(network, self.kappas(network)))
        return from_start(network, times, self.name, partial(solved, centred_diffusion, pieces))

    def _error(self, network: Network, layer: int, observable: str, law: Law) -> float:
        time = network_time(network, layer)
        exact = MatchedLayerNormSde().kappas(network)
        away = max(abs(a - b) for a, b in zip(exact, self.kappas(network), strict=True))
        # the drift of y that κ makes is at most κ/4 away from −1
        steps = mean_inverse_width(network, layer) * _STEPS * (1 + np.sqrt(time)) * (1 + max(exact) / 4)
        return float(min(1.0, steps + _DENSITY * away / 4 * np.sqrt(time)))


_STEPS = 0.6
"""Kolmogorov distance times n of networks from the matched law, where κ is small: measured up to 0.4."""
_DENSITY = 0.4
"""The largest density of a standard normal."""


class MatchedLayerNormSde(LayerNormSde):
    """The SDE with the network's own constants: κ = 2 n A / (1 − A/π) of each layer, and time ℓ / n."""

    name = "matched_layer_norm_sde"
    label = "the correlation SDE of perceptrons with LayerNorm with the network's own slopes"
    equation = "`layer_norm_sde` with κ = 2 n A / (1 − A/π) from the network's own slopes"
    regimes = tuple(replace(regime, exponents=SHAPED) for regime in LayerNormSde.regimes)
    precedence = None
    matched_precedence = 10
    rate = 1.0
    rate_reason = ""

    def kappas(self, network: Network) -> list[float]:
        """2 n A / (1 − A/π) of a layer of each number of units that occurs, in ascending order."""
        found = []
        for units, layer in network.layer_kinds.items():
            strength = asymmetry(layer.slopes)
            found.append(2 * units * strength / (1 - strength / np.pi))
        return found
