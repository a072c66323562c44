"""The correlation of a smooth network with φ''(0) = 0 at p = ¼ and depth in proportion to the width: a linear
network's, with the extra drift −k ρ (1 − ρ²), k = φ'''(0)² / (6 a⁴).

Li, Nica & Roy 2022, Proposition 3.10 (i), says that nothing moves below p = ½. There the variance is held at
1, and c E φ_s(g) φ_s(ĝ) = ρ − φ'''(0)² / (6 s⁴) ρ (1 − ρ²) + …: per layer the drift is of order n^{−4p}, too
little above p = ¼, where the linear network's SDE remains, and too much below, where ρ → 0. In y = artanh ρ:
dy = (½ − k) tanh y dt + dB.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from deeplimits.activations import Smooth
from deeplimits.laws import Law, PointMass
from deeplimits.limits.base import Limit, layers_per_time
from deeplimits.limits.correlation import CORRELATION_CHART, Array, start_coordinate
from deeplimits.limits.fokker_planck import Diffusion, Start, solve
from deeplimits.networks.network import Network

_ZERO = 1e-20
"""|φ''(0)| that is nothing but rounding, in fifty digits."""


class SmoothQuarter(Limit):
    """Use it at p = ¼ alone, with unit variance at the input: elsewhere V has to come to 1 first."""

    name = "smooth_quarter"
    observables = ("correlation",)
    rate_reason = "none has been established: V leaves 1 by n^{−¼}, and the next order is n^{−½}"
    source = "Li, Nica & Roy 2022, Proposition 3.10 (i), corrected at p = 1/4"

    def applies(self, network: Network) -> bool:
        phi = network.activation
        return (
            not network.residual
            and network.inputs > 1
            and isinstance(phi, Smooth)
            and network.exponent == 0.25
            and abs(phi.second) < _ZERO
            and phi.third < 0
        )

    def laws(self, network: Network, layers: Sequence[int], observable: str) -> list[Law]:
        phi = network.activation
        assert isinstance(phi, Smooth)
        if network.gap() == 0:
            return [PointMass(1.0) for _ in layers]
        pull = 0.5 - float(phi.third**2 * layers_per_time(network) / (6 * network.scale**4))

        def drift(y: Array) -> Array:
            return pull * np.tanh(y)

        def drift_slope(y: Array) -> Array:
            return pull / np.cosh(np.clip(y, -300.0, 300.0)) ** 2

        times = [self.time(network, layer) for layer in layers]
        early: list[Law] = [PointMass(network.correlation()) for time in times if time == 0]
        start = Start(0.0, start_coordinate(network, self.name), 0.0)
        later = [time for time in times if time > 0]
        return early + list(solve(Diffusion(drift, drift_slope), start, later, lambda _: CORRELATION_CHART))
