"""The variance of one input: a geometric Brownian motion, log V_T − log V_0 ~ N(−v T / 2, v T), v = Var(c
φ(g)²).

v = 2 in every shaped or linear limit (Li, Nica & Roy 2022, after Theorem 3.2), 5 for ordinary ReLU (eq.
(2.6)).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from deeplimits.laws import Law, NormalLaw, PointMass
from deeplimits.limits.base import Limit, square_variance
from deeplimits.networks.network import Network


class Variance(Limit):
    """log V^{aa} of the first input."""

    name = "variance"
    observables = ("log_variance", "variance")
    source = "Li, Nica & Roy 2022, eq. (2.6) and Theorem 3.2"

    def applies(self, network: Network) -> bool:
        return (network.piecewise_linear or network.exponent > 0.5) and not network.residual

    def laws(self, network: Network, layers: Sequence[int], observable: str) -> list[Law]:
        rate = 2.0 if network.exponent > 0 else square_variance(network)
        origin = float(np.log(network.gram[0][0]))
        laws: list[Law] = []
        for layer in layers:
            time = self.time(network, layer)
            if time == 0:
                laws.append(PointMass(origin if observable == "log_variance" else network.gram[0][0]))
                continue
            laws.append(
                NormalLaw(
                    origin - rate * time / 2,
                    float(np.sqrt(rate * time)),
                    exponential=observable == "variance",
                )
            )
        return laws
