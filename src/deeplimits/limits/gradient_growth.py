"""The mean growth of the squared gradient through the layers, E ‖∂z_out/∂z_ℓ‖², at infinite width.

Each layer multiplies the mean by c E φ_s'(u)², u ~ N(0, V): 1 exactly for a ReLU-like perceptron at any
width, 1 + [(φ''² + φ''') V − ¾ φ''² − φ'''] / s² + … for a smooth one; and by 1 + d^{−2b} E φ'(u)² in a
residual network (Hayou 2022, Figure 8): (1 + 1/(2d))^d → e^{1/2} for ReLU with b = ½, (3/2)^d with b = 0. At
finite width a residual or smooth network adds O(1/n).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from deeplimits import gaussian
from deeplimits.activations import Phi, Slopes
from deeplimits.errors import InputError
from deeplimits.laws import Law, PointMass
from deeplimits.limits.base import Limit
from deeplimits.limits.recursion import covariances, unreachable
from deeplimits.limits.regime import Regime, residual
from deeplimits.limits.reliability import warning
from deeplimits.networks.network import Network


def mean_growth(network: Network, layers: Sequence[int]) -> list[float]:
    """log E ‖∂z_out/∂z_ℓ‖² at ``layers``, for a Gaussian readout.

    Raises
    ------
    InputError
        If a layer is the input of a perceptron, where there is no z, or an expectation cannot be had.
    """
    if 0 in layers and not network.residual:
        expected = "layer 1 or a later one: layer 0 of a perceptron is its input, and has no preactivation"
        raise InputError("limit", "layer", 0, expected, "1")
    # of a piecewise-linear network E φ_s'² is the same at every V, however large that grows
    variances = [1.0] * (network.depth + 1)
    if not network.piecewise_linear:
        variances = [pair.first for pair in covariances(network.of_inputs((0,)), network.depth)]
    branch = float(network.depth) ** (-2 * network.branch_exponent)
    growth = np.zeros(network.depth + 1)
    last = network.depth
    # a logarithm, for 1,000 layers may multiply the mean beyond float64
    for layer in range(last - 1 if network.residual else last, min(layers) - 1, -1):
        if network.residual:
            step = np.log1p(branch * slope_square(network.phi, variances[layer], layer))
        else:
            here = network.layers[layer - 1]
            square = slope_square(here.phi, variances[layer - 1], layer)
            step = 0.0 if network.piecewise_linear else np.log(float(here.normalizer) * square)
        growth[layer] = step + (growth[layer + 1] if layer < last else 0.0)
    return [float(growth[layer]) for layer in layers]


def slope_square(phi: Phi, variance: float, layer: int) -> float:
    """E φ_s'(√v g)², at a layer."""
    if isinstance(phi, Slopes):
        return float(phi.plus**2 + phi.minus**2) / 2
    try:
        return float(gaussian.mean(phi, [gaussian.Power(slope=2)], variance)[0])
    except gaussian.Unreachable as error:
        raise unreachable("gradient_growth", layer, variance, error) from None


class GradientGrowth(Limit):
    """log E ‖∂z_out/∂z_ℓ‖², a number: what the logarithm of the gradient's square tends to as n → ∞ at a
    fixed depth. At d/n = T it is the logarithm of the mean of ReLU-like perceptrons still, but the gradient
    itself is spread about it; where infinite width is unstable it is neither.
    """

    name = "gradient_growth"
    label = "the mean growth of squared gradients at infinite width"
    observables = ("gradient_log_norm",)
    regimes = (
        Regime(("linear", "relu_like", "smooth"), uneven=True),
        residual(("linear", "relu_like", "smooth")),
    )
    kind = "number"
    precedence = 10
    rate_reason = "a number; the gradient fluctuates by √(d/n) about it"
    equation = "log E ‖∂z_out/∂z_ℓ‖² at infinite width"
    source = "Hayou 2022, Figure 8, as a mean over weights"

    def laws(self, network: Network, layers: Sequence[int], observable: str) -> list[Law]:
        return [PointMass(value) for value in mean_growth(network, layers)]

    def warning(self, network: Network, layer: int, observable: str) -> str | None:
        # a gradient has been through all layers, forward and back
        return warning(network, network.depth, observable)
