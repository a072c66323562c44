"""The correlation of a smooth network with φ''(0) = 0 and φ'''(0) < 0 below p = ¼: it tends to 0.

There c K₁(ρ) = ρ − φ'''(0)² / (6 s⁴) ρ (1 − ρ²) + …, s = a n^p: a drift of size n^{−4p} a layer, more than
the linear network's noise, while V^{aa} → 1. Li, Nica & Roy 2022, Proposition 3.10 (i), corrected: the paper
prints a constant V^{ab} for all p < ½. At p = ¼ drift and noise are of one size (``smooth_quarter``), and
above it the noise is left (``linear``).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from deeplimits.activations import Smooth
from deeplimits.laws import Law, PointMass
from deeplimits.limits.base import Limit
from deeplimits.limits.conditions import SETTLING, STRAIGHT
from deeplimits.limits.regime import Exponents, Regime
from deeplimits.limits.times import shaping_time
from deeplimits.networks.network import Network


class SmoothDecay(Limit):
    """p < ¼: dρ/dt = −φ'''(0)² / (6 a⁴) ρ (1 − ρ²) at time ℓ / n^{4p}, so ρ² / (1 − ρ²) falls like an
    exponential, and at ℓ = t n correlations tend to 0.
    """

    name = "smooth_decay"
    label = "the decay of correlations of smooth networks with φ''(0) = 0 below p = ¼"
    observables = ("correlation",)
    regimes = (
        Regime(
            ("smooth",),
            Exponents(0.0, 0.25, with_low=False, with_high=False),
            uneven=True,
            inputs=2,
            conditions=(STRAIGHT, SETTLING),
        ),
    )
    kind = "number"
    precedence = 70
    rate_reason = "a number; the error is the network's fluctuation, n^{2p−½}"
    equation = "dρ/dt = −φ'''(0)²/(6 a⁴) ρ (1 − ρ²), time ℓ / n^{4p}"
    source = "Li, Nica & Roy 2022, Proposition 3.10 (i), corrected for p < ¼"

    def time(self, network: Network, layer: float) -> float:
        return shaping_time(network, layer, 4 * network.exponent)

    def laws(self, network: Network, layers: Sequence[int], observable: str) -> list[Law]:
        phi, gap = network.activation, float(network.gap())
        assert isinstance(phi, Smooth)
        if gap in (0.0, 2.0):
            return [PointMass(1 - gap) for _ in layers]
        rate = float(phi.third) ** 2 / (3 * phi.a**4)
        odds = (1 - gap) ** 2 / (gap * (2 - gap))
        found = [odds * float(np.exp(-rate * self.time(network, layer))) for layer in layers]
        return [PointMass(float(np.sign(1 - gap) * np.sqrt(each / (1 + each)))) for each in found]
