"""The variance of one input: a geometric Brownian motion, log V_T − log V_0 ~ N(−v T / 2, v T), v = Var(c
φ(g)²).

v = 2 in every shaped or linear limit (Li, Nica & Roy 2022, after Theorem 3.2), 5 for ordinary ReLU (eq.
(2.6)).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from deeplimits.laws import Law, NormalLaw, PointMass
from deeplimits.limits.accuracy import Moments, apart, death, log_mean_error, smooth_variance_error
from deeplimits.limits.base import Limit
from deeplimits.limits.coefficients import square_variance
from deeplimits.limits.regime import ABOVE_HALF, Regime
from deeplimits.limits.times import summed_time
from deeplimits.networks.network import Network


class Variance(Limit):
    """log V^{aa} of the first input."""

    name = "variance"
    label = "the geometric Brownian motion of the variance"
    observables = ("log_variance", "variance")
    regimes = (
        Regime(("linear", "relu_like"), uneven=True),
        Regime(("smooth",), ABOVE_HALF, uneven=True),
    )
    precedence = 30
    rate = 1.0
    equation = "log V_t − log V_0 ~ N(−v t / 2, v t)"
    source = "Li, Nica & Roy 2022, eq. (2.6) and Theorem 3.2"

    def laws(self, network: Network, layers: Sequence[int], observable: str) -> list[Law]:
        rate = 2.0 if network.exponent > 0 else square_variance(network.slopes)
        return log_normal(network, [rate * self.time(network, layer) for layer in layers], observable)

    def _error(self, network: Network, layer: int, observable: str, law: Law) -> float:
        if network.piecewise_linear:
            return log_normal_error(network, layer, law)
        return smooth_variance_error(network, layer, observable, law, 0.0)


def log_normal_error(network: Network, layer: int, law: Law) -> float:
    """The distance of V_ℓ of a piecewise-linear network from a log-normal law: what its independent factors
    leave of the
    normal law of their own variance, that law's distance from ``law``, and a network that dies.
    """
    own = log_normal(network, [own_variance(network, layer)], "log_variance")[0]
    given = (
        law if not (isinstance(law, NormalLaw) and law.exponential) else NormalLaw(law.location, law.scale)
    )
    factors = log_mean_error(network, layer, lambda units: Moments.of(network.layer_kinds[units].slopes))
    return _MARGIN * factors + apart(own, given) + death(network, layer)


def own_variance(network: Network, layer: int) -> float:
    """Σ v / n up to ``layer``, v = Var(c φ_s(g)²) of each layer of a piecewise-linear network."""
    lasting = [units / square_variance(layer.slopes) for units, layer in network.layer_kinds.items()]
    return summed_time(network, layer, lasting)


_MARGIN = 1.3


def log_normal(network: Network, variances: Sequence[float], observable: str) -> list[Law]:
    """log V ~ N(log V_0 − v / 2, v) for each v of ``variances``, or V itself."""
    origin, logarithmic = float(np.log(network.gram[0][0])), observable == "log_variance"
    laws: list[Law] = []
    for variance in variances:
        if variance == 0:
            laws.append(PointMass(origin if logarithmic else network.gram[0][0]))
            continue
        std = float(np.sqrt(variance))
        laws.append(NormalLaw(origin - variance / 2, std, exponential=not logarithmic))
    return laws
