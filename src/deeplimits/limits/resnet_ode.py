"""A residual network where both width and depth are large, in any order: dV^{ab}/dt = E φ(u^a) φ(u^b), (u^a,
u^b) ~ N(0, V), t = ℓ / d.

Li & Nica 2024, eq. (2.12). For slopes s± of the branch, V^{aa} = V^{aa}_0 e^{(s₊² + s₋²) t / 2}, and dρ/dt =
ν(ρ) with κ = (s₊ − s₋)²: the correlation is that of a shaped perceptron with p < ½, the variance is not. The
paper prints one ODE for both covariances (2.14, Remark 3.1).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from deeplimits.laws import Law, PointMass
from deeplimits.limits.base import Limit
from deeplimits.limits.ode import correlation_path
from deeplimits.networks.network import Network


class ResnetOde(Limit):
    """Variance and correlation of a residual network with b = ½: numbers at every time."""

    name = "resnet_ode"
    observables = ("correlation", "covariance", "log_variance", "variance")
    certain = True
    source = "Li & Nica 2024, eq. (2.12)"

    def applies(self, network: Network) -> bool:
        return network.residual and network.piecewise_linear and network.branch_exponent == 0.5

    def time(self, network: Network, layer: float) -> float:
        return layer / network.depth

    def laws(self, network: Network, layers: Sequence[int], observable: str) -> list[Law]:
        times = np.array([self.time(network, layer) for layer in layers])
        plus, minus = float(network.slopes.plus), float(network.slopes.minus)
        growth = (plus**2 + minus**2) / 2 * times
        if observable in ("log_variance", "variance"):
            values = float(np.log(network.gram[0][0])) + growth
            return [PointMass(float(value)) for value in (values if observable[0] == "l" else np.exp(values))]
        rho = correlation_path(network, (plus - minus) ** 2, times, self.name)
        if observable == "covariance":
            rho = rho * np.sqrt(network.gram[0][0] * network.gram[1][1]) * np.exp(growth)
        return [PointMass(float(value)) for value in rho]
