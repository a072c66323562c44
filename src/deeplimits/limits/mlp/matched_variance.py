"""The variance of a network at its own width and depth, with its own constants; every p ≥ 0.

Piecewise linear: log V is a sum of ℓ independent terms, each with a variance close to v / n, v = Var(c
φ_s(g)²) = 3 M − 1 from the network's own slopes, where the limit at p > 0 has v = 2. Smooth: the SDE of
``smooth_variance`` with β = (¾ φ''(0)² + φ'''(0)) n / s² from the network's own s.
"""

from __future__ import annotations

from collections.abc import Sequence

from deeplimits.laws import Law
from deeplimits.limits.accuracy import smooth_variance_error
from deeplimits.limits.base import Limit
from deeplimits.limits.mlp.smooth_variance import ONE_STABILITY, SmoothVariance, stability
from deeplimits.limits.mlp.variance import log_normal, log_normal_error, own_variance
from deeplimits.limits.regime import SHAPED, Regime
from deeplimits.networks.network import Network


class MatchedVariance(Limit):
    """log V^{aa} of the first input."""

    name = "matched_variance"
    label = "the law of the variance with the network's own constants, at its own n and d"
    observables = ("log_variance", "variance")
    regimes = (
        Regime(("linear", "relu_like"), uneven=True),
        Regime(("smooth",), SHAPED, uneven=True, conditions=(ONE_STABILITY,)),
    )
    matched_precedence = 10
    rate_reason = "too near for a power to be measured: 0.013 at n = 8, slopes (0, −1)"
    equation = "`variance` or `smooth_variance` with the network's own constants"
    source = "Li, Nica & Roy 2022, eq. (2.6) and Theorem 3.9, with the network's own constants"

    def laws(self, network: Network, layers: Sequence[int], observable: str) -> list[Law]:
        if not network.piecewise_linear:
            return SmoothVariance().laws(network, layers, observable)
        return log_normal(network, [own_variance(network, layer) for layer in layers], observable)

    def _error(self, network: Network, layer: int, observable: str, law: Law) -> float:
        if network.piecewise_linear:
            return log_normal_error(network, layer, law)
        return smooth_variance_error(network, layer, observable, law, stability(network))

    def explosion_probability(self, network: Network, layer: float) -> float | None:
        if network.piecewise_linear:
            return None
        return SmoothVariance().explosion_probability(network, layer)

    def explosion_probability_ever(self, network: Network) -> float | None:
        return None if network.piecewise_linear else SmoothVariance().explosion_probability_ever(network)
