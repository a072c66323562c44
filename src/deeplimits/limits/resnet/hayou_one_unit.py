"""Residual networks of one unit and infinite depth, dX = φ(X) dB: closed forms (Hayou 2022, section 3).

*ReLU-like*: X keeps its sign and is a geometric Brownian motion with the slope s of its side, X_t = X_0
exp(s B_t − s² t / 2); with s = 0 it is constant (Proposition 3). *Affine* φ(y) = α y + β: α X + β is such a
motion (Proposition 2).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from deeplimits.laws import Law
from deeplimits.limits.accuracy import depth_error
from deeplimits.limits.conditions import ONE_UNIT
from deeplimits.limits.regime import Condition, residual
from deeplimits.limits.resnet.hayou import ResidualLimit, from_start, normal
from deeplimits.limits.solvers.compound import mixture
from deeplimits.networks.network import Network


def _side_slopes(network: Network) -> list[float]:
    """Slopes on the sides where X_0 may be; both are as likely where both are possible."""
    plus, minus = float(network.slopes.plus), float(network.slopes.minus)
    if network.start is None:
        return [plus] if plus == minus else [plus, minus]
    return [plus if network.start > 0 else minus]


MOVING = Condition(
    "a slope other than 0 on a side where layer 0 may be",
    lambda network: any(_side_slopes(network)),
    "a slope of 0 there",
)


class HayouReluN1(ResidualLimit):
    """One unit, ReLU-like: each side of 0 is a geometric Brownian motion, or stays where it is.

    ``log_activation`` and ``log_growth`` are given that the network is alive, ``log_variance`` is of all
    networks.
    """

    name = "hayou_relu_n1"
    label = "the geometric Brownian motions of a residual network of one unit, d → ∞"
    observables = ("log_activation", "log_variance", "log_growth")
    regimes = (
        residual(
            ("linear", "relu_like"), branch_exponents=(0.5,), from_number=True, conditions=(ONE_UNIT, MOVING)
        ),
    )
    precedence = 20
    rate = 1.0
    equation = "X_t = X_0 exp(s B_t − s² t/2), s the slope on the side of X_0"
    source = "Hayou 2022, Proposition 3"

    def laws(self, network: Network, layers: Sequence[int], observable: str) -> list[Law]:
        sides = [slope for slope in _side_slopes(network) if slope or observable == "log_variance"]
        weights = [1 / len(sides)] * len(sides)
        return [
            mixture(weights, [self._law(network, slope, layer, observable) for slope in sides])
            for layer in layers
        ]

    def _error(self, network: Network, layer: int, observable: str, law: Law) -> float:
        slope = max(map(abs, _side_slopes(network)))
        factor = 2.0 if observable == "log_growth" else 1.0
        spread = (
            law.std if observable == "log_growth" else 2 * slope * float(np.sqrt(self.time(network, layer)))
        )
        return depth_error(network, layer, slope, factor * spread)

    def _law(self, network: Network, slope: float, layer: int, observable: str) -> Law:
        time = slope**2 * self.time(network, layer)
        if observable == "log_growth":
            return normal(-time / 2, float(np.sqrt(time)))
        extra = 2 * float(np.log(abs(slope))) if observable == "log_activation" else 0.0
        return from_start(network, extra - time, 2 * float(np.sqrt(time)))
