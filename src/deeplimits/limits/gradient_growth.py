"""The mean growth of the squared gradient through the layers, E ‖∂z_out/∂z_ℓ‖², at infinite width.

Each layer multiplies the mean by c E φ_s'(u)², u ~ N(0, V): 1 exactly for a ReLU-like perceptron at any
width, 1 + [(φ''² + φ''') V − ¾ φ''² − φ'''] / s² + … for a smooth one; and by 1 + d^{−2b} E φ'(u)² in a
residual network (Hayou 2022, Figure 8): (1 + 1/(2d))^d → e^{1/2} for ReLU with b = ½, (3/2)^d with b = 0. At
finite width a residual or smooth network adds O(1/n).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from deeplimits.activations import OrnsteinUhlenbeck, Phi, Slopes
from deeplimits.laws import Law, PointMass
from deeplimits.limits.base import Limit
from deeplimits.limits.infinite_width import gaussian_mean, matrices
from deeplimits.limits.regime import Regime
from deeplimits.networks.network import Network


def mean_growth(network: Network, layers: Sequence[int]) -> list[float]:
    """E ‖∂z_out/∂z_ℓ‖² at ``layers``, for a Gaussian readout; not a number at the input of a perceptron."""
    variances = [pair.first for pair in matrices(network.of_inputs((0,)), network.depth)]
    branch = float(network.depth) ** (-2 * network.branch_exponent)
    growth = np.ones(network.depth + 2)
    for layer in range(network.depth, -1, -1):
        if network.residual:
            factor = (
                1.0 if layer == network.depth else 1 + branch * slope_square(network.phi, variances[layer])
            )
        elif network.piecewise_linear or layer in (0, network.depth + 1):
            factor = 1.0
        else:
            here = network.layers[layer - 1]
            factor = float(here.normalizer) * slope_square(here.phi, variances[layer - 1])
        growth[layer] = growth[layer + 1] * factor
    return [float(growth[layer]) if layer or network.residual else float("nan") for layer in layers]


def slope_square(phi: Phi, variance: float) -> float:
    """E φ_s'(√v g)²."""
    assert not isinstance(phi, OrnsteinUhlenbeck)
    if isinstance(phi, Slopes):
        return float(phi.plus**2 + phi.minus**2) / 2
    return gaussian_mean(lambda x: phi.slope(x) ** 2, variance)


class GradientGrowth(Limit):
    """log E ‖∂z_out/∂z_ℓ‖², a number: what the logarithm of the gradient's square tends to as n → ∞ at a
    fixed depth. At d/n = T it is the logarithm of the mean still, but the gradient itself is spread about it.
    """

    name = "gradient_growth"
    label = "the mean growth of squared gradients at infinite width"
    observables = ("gradient_log_norm",)
    regimes = (
        Regime("mlp", ("linear", "relu_like", "smooth"), uneven=True),
        Regime("resnet", ("linear", "relu_like", "smooth")),
    )
    kind = "number"
    precedence = 10
    rate_reason = "a number; the gradient fluctuates by √(d/n) about it"
    source = "Hayou 2022, Figure 8, as a mean over weights"

    def laws(self, network: Network, layers: Sequence[int], observable: str) -> list[Law]:
        return [PointMass(float(np.log(value))) for value in mean_growth(network, layers)]
