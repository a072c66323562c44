"""The Gaussian law of a network of large but finite width about the recursion of infinite width, to order
1/n.

It is Gaussian in log V and in y = artanh ρ, so that variances are positive and correlations lie between −1
and 1: V is log-normal, and ρ the hyperbolic tangent of a Gaussian variable.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from deeplimits.laws import Law, NormalLaw, PointMass, Transform
from deeplimits.laws.mapped import MappedNormal
from deeplimits.limits.base import Limit
from deeplimits.limits.fluctuations import REGIMES, Spread, spreads
from deeplimits.limits.mlp.correlation import CORRELATION_TRANSFORM
from deeplimits.limits.reliability import warning
from deeplimits.limits.responses import alone
from deeplimits.networks.network import Network

_NEXT, _SKEWNESS = 0.46, 0.2
"""Of the Kolmogorov distance of networks of 8 to 64 units: of a standard deviation, and over √n."""
_SMALL = 3.2
"""How many times the noise of log V may exceed that of artanh ρ, as it does in ReLU networks, before that is
small."""
_ANTIPODAL, _COLLINEAR = 6.0, 0.02
"""How much more skewed the first layer is of inputs that are all but collinear, and up to which 1 − |ρ| they
are.
"""
_LATTICE, _FLAT = 0.4, 0.4
"""The distance that steps of ±1 make, over √n, and Var φ² / (E φ²)² from which on units are no such steps."""


class InfiniteWidthFluctuations(Limit):
    """log V and artanh ρ, Gaussian with a covariance of order 1/n."""

    name = "infinite_width_fluctuations"
    label = "Gaussian fluctuations of order n^{−½} about infinite width"
    observables = ("correlation", "rescaled_correlation", "covariance", "variance", "log_variance")
    regimes = REGIMES
    kind = "law"
    precedence = 95
    rate_reason = "n^{−½} at a fixed depth, a fifth of the standard deviation: stated as the error"
    equation = "log V and artanh ρ Gaussian about `infinite_width`, Cov' = J Cov Jᵀ + C/n"
    source = "linearised, from Li & Nica 2024, eq. (4.11), and Price's theorem"

    def laws(self, network: Network, layers: Sequence[int], observable: str) -> list[Law]:
        found = spreads(network, max(layers))
        return [_law(found[layer], layer, observable) for layer in layers]

    def _error(self, network: Network, layer: int, observable: str, law: Law) -> float:
        """In proportion to the standard deviations: the next term of the expansion is their square. And what
        a
        sum over few units has of skewness.
        """
        deviations = np.sqrt(np.diag(spreads(network, layer)[layer].covariance))
        skewness = (_SKEWNESS + _steps(network, layer)) / float(np.sqrt(min(network.widths)))
        if observable in ("variance", "log_variance"):
            return _NEXT * float(deviations[0]) + skewness
        largest = float(deviations.max())
        if observable == "covariance":
            return _NEXT * largest + skewness
        # of antipodal inputs, and wherever artanh ρ has no noise of first order, the second order is left
        against = max(1.0, largest / (_SMALL * float(deviations[2])))
        if layer == 1 and _bends(network):
            skewness *= _ANTIPODAL
        return _NEXT * largest * against + skewness

    def warning(self, network: Network, layer: int, observable: str) -> str | None:
        return warning(network, layer, observable)


def _steps(network: Network, layer: int) -> float:
    """Over √n, how far from Gaussian a sum of n units is that all but have the values ± 1, as those of steep
    activations that saturate.
    """
    if network.residual or network.piecewise_linear or layer == 0:
        return 0.0
    before = spreads(network, layer)[layer - 1].pair
    _, varied = alone(network.layers[layer - 1].phi, before.first)
    return _LATTICE * max(0.0, 1 - varied / _FLAT)


def _bends(network: Network) -> bool:
    """Whether inputs are all but collinear, and the first layer takes them apart by how φ bends alone."""
    gap = float(network.gap())
    if network.piecewise_linear or network.gram[0][0] == network.gram[1][1]:
        return 2 - gap < _COLLINEAR
    return min(gap, 2 - gap) < _COLLINEAR


def _law(spread: Spread, layer: int, observable: str) -> Law:
    pair, covariance = spread.pair, spread.covariance
    if observable in ("log_variance", "variance"):
        std = float(np.sqrt(covariance[0, 0]))
        if std == 0:
            return PointMass(pair.observed(observable, layer))
        return NormalLaw(float(np.log(pair.first)), std, exponential=observable == "variance")
    std, gap = float(np.sqrt(covariance[2, 2])), pair.gap
    if observable == "covariance":
        # δ(ρ √(V V')) = √(V V') [(1 − ρ²) δy + (ρ/2) (δ log V + δ log V')]
        row = np.array([(1 - gap) / 2, (1 - gap) / 2, gap * (2 - gap)])
        std = float(np.sqrt(pair.first * pair.second * max(row @ covariance @ row, 0.0)))
        value = pair.observed(observable, layer)
        return NormalLaw(value, std) if std > 0 else PointMass(value)
    if std == 0 or not 0 < gap < 2 or (layer == 0 and observable == "rescaled_correlation"):
        return PointMass(pair.observed(observable, layer))
    y = 0.5 * float(np.log((2 - gap) / gap))
    return MappedNormal(y, std, CORRELATION_TRANSFORM if observable == "correlation" else _rescaled(layer))


def _rescaled(layer: int) -> Transform:
    """r = log(ℓ² (1 − ρ)) and y: 1 − ρ = 2 / (1 + e^{2y})."""
    shift = 2 * float(np.log(layer))
    return Transform(
        to_coordinate=lambda r: (np.log(2 - np.exp(r - shift)) - (r - shift)) / 2,
        from_coordinate=lambda y: shift + np.log(2.0) - np.logaddexp(0.0, 2 * y),
        slope=lambda r: 1 / (2 - np.exp(r - shift)),
        increasing=False,
        high=shift + float(np.log(2.0)),
    )
