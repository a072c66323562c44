"""The correlation of a smooth network with φ''(0) = 0 at p = ¼ and depth in proportion to the width: a linear
network's, with the extra drift −k ρ (1 − ρ²), k = φ'''(0)² / (6 a⁴).

Li, Nica & Roy 2022, Proposition 3.10 (i), says that nothing moves below p = ½. There the variance is held at
1, and c E φ_s(g) φ_s(ĝ) = ρ − φ'''(0)² / (6 s⁴) ρ (1 − ρ²) + …: per layer the drift is of order n^{−4p}, too
little above p = ¼, where the linear network's SDE remains, and too much below, where ρ → 0. In y = artanh ρ:
dy = (½ − k) tanh y dt + dB.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from deeplimits.activations import Smooth
from deeplimits.laws import Law
from deeplimits.limits.accuracy import smooth_correlation_error
from deeplimits.limits.base import Limit
from deeplimits.limits.conditions import ABOVE_MINUS_ONE, SETTLING, STRAIGHT
from deeplimits.limits.layers import in_pieces
from deeplimits.limits.mlp.correlation import from_start, solved
from deeplimits.limits.regime import Exponents, Regime
from deeplimits.limits.solvers.resolvents import Diffusion
from deeplimits.networks.network import Network


class SmoothQuarter(Limit):
    """Use it at p = ¼ alone, with unit variance at the input: elsewhere V has to come to 1 first."""

    name = "smooth_quarter"
    label = "the correlation SDE of smooth networks with φ''(0) = 0 at p = ¼"
    observables = ("correlation",)
    regimes = (
        Regime(
            ("smooth",),
            Exponents(0.25, 0.25),
            uneven=True,
            inputs=2,
            conditions=(STRAIGHT, SETTLING, ABOVE_MINUS_ONE),
        ),
    )
    precedence = 60
    rate_reason = "none has been established: V leaves 1 by n^{−¼}, and the next order is n^{−½}"
    equation = "dρ = −(½ + k) ρ (1 − ρ²) dt + (1 − ρ²) dB, k = φ'''(0)² / (6 a⁴)"
    source = "Li, Nica & Roy 2022, Proposition 3.10 (i), corrected at p = 1/4"

    def laws(self, network: Network, layers: Sequence[int], observable: str) -> list[Law]:
        times = [self.time(network, layer) for layer in layers]
        strengths = in_pieces(network, self._strengths(network))
        rates = tuple((end, 0.5 - strength) for end, strength in strengths)
        return from_start(network, times, self.name, partial(solved, _diffusion, rates))

    def _error(self, network: Network, layer: int, observable: str, law: Law) -> float:
        drifts = [lambda rho, *_, rate=0.5 - strength: rate * rho for strength in self._strengths(network)]
        return smooth_correlation_error(network, layer, law, drifts)

    @staticmethod
    def _strengths(network: Network) -> list[float]:
        """k n / n_ℓ of a layer of each number of units that occurs, in ascending order."""
        phi = network.activation
        assert isinstance(phi, Smooth)
        return [
            float(phi.third**2 * units / (6 * layer.scale**4)) for units, layer in network.layer_kinds.items()
        ]


def _diffusion(rate: float) -> Diffusion:
    """dy = rate tanh y dt + dB."""
    return Diffusion(lambda y: (rate * np.tanh(y), rate / np.cosh(np.clip(y, -300.0, 300.0)) ** 2))
