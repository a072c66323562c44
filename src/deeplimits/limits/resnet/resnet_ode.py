"""The ODE of a residual network, branch exponent ½, as n, d → ∞ in any order: dV^{ab}/dt = E φ(u^a) φ(u^b), u
~ N(0, V), at time ℓ / d.

Li & Nica 2024, Theorem 2.2, corrected. For ReLU the right side is ½ f(ρ) √(V^{aa} V^{bb}) = (ν₁(ρ) + ρ/2)
√(V^{aa} V^{bb}), so V^{aa}_t = V^{aa}_0 e^{t/2}, and the correlation alone obeys the ODE of a shaped
perceptron, dρ/dt = ν₁(ρ). The paper says that both networks share the ODE of the *covariance* (eq. (2.14),
Remark 3.1), which would keep V^{aa}: that law is here too, to be refuted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from deeplimits import gaussian
from deeplimits.activations import Slopes
from deeplimits.array_types import Array
from deeplimits.laws import Law, PointMass
from deeplimits.limits.base import Limit
from deeplimits.limits.conditions import ABOVE_MINUS_ONE
from deeplimits.limits.mlp.correlation_ode import flow
from deeplimits.limits.ode import solved
from deeplimits.limits.recursion import PairCovariance, moments, numbers, unreachable
from deeplimits.limits.regime import Regime, residual
from deeplimits.networks.network import Network


class ResnetOde(Limit):
    """Variances and correlations of residual networks, numbers at every time."""

    name = "resnet_ode"
    label = "the covariance ODE of residual networks, n, d → ∞"
    observables: ClassVar[tuple[str, ...]] = (
        "correlation",
        "covariance",
        "log_variance",
        "variance",
        "log_activation",
    )
    regimes: ClassVar[tuple[Regime, ...]] = (
        residual(("linear", "relu_like"), branch_exponents=(0.5,), conditions=(ABOVE_MINUS_ONE,)),
        residual(("smooth", "ornstein_uhlenbeck"), branch_exponents=(0.5,)),
    )
    kind = "number"
    precedence: ClassVar[int | None] = 45
    rate_reason = "a number; the error is at most a width term, n^{−½}, and a depth term, 1/d"
    equation = "dV/dt = E φ(u) φ(u)ᵀ, time ℓ / d"
    source = "Li & Nica 2024, Theorem 2.2, with the right side of eq. (2.12)"

    def laws(self, network: Network, layers: Sequence[int], observable: str) -> list[Law]:
        with np.errstate(over="ignore"):
            found = self.covariances(network, [self.time(network, layer) for layer in layers])
        if observable != "correlation" and not all(np.isfinite([p.first, p.second]).all() for p in found):
            raise ArithmeticError("float64 does not hold V there")
        if observable == "log_activation":
            return [PointMass(float(np.log(moments(network.phi, pair).first))) for pair in found]
        return numbers(found, layers, observable)

    def covariances(self, network: Network, times: Sequence[float]) -> list[PairCovariance]:
        """V of the first pair at ``times`` (ascending)."""
        start = PairCovariance.of(network)
        if not isinstance(network.phi, Slopes):
            return _solved(network, start, times)
        growth = float(1 / network.normalizer)
        kappa = float((network.phi.plus - network.phi.minus) ** 2)
        rhos = [1.0] * len(times) if network.inputs == 1 else flow(network, kappa, times, self.name)
        return [
            PairCovariance(start.first * factor, start.second * factor, 1 - rho)
            for factor, rho in zip(np.exp(growth * np.asarray(times)).tolist(), rhos, strict=True)
        ]


class PrintedEquation214(ResnetOde):
    """As printed, ½ f = ν: the covariance ODE of a shaped perceptron, which keeps V^{aa}; networks do not."""

    name = "ln24_eq_2_14_printed"
    label = "the covariance ODE of residual networks as printed, which networks do not follow"
    regimes = (residual(("linear", "relu_like"), branch_exponents=(0.5,), conditions=(ABOVE_MINUS_ONE,)),)
    precedence = None
    observables = ("covariance", "log_variance", "variance")
    rate_reason = "networks do not approach it"
    equation = "`resnet_ode` with the right side that the paper prints"
    source = "Li & Nica 2024, eq. (2.14) and Remark 3.1, as printed"

    def covariances(self, network: Network, times: Sequence[float]) -> list[PairCovariance]:
        start = PairCovariance.of(network)
        return [
            PairCovariance(start.first, start.second, pair.gap)
            for pair in super().covariances(network, times)
        ]


def _solved(network: Network, start: PairCovariance, times: Sequence[float]) -> list[PairCovariance]:
    """By expectations over Gaussians, for (log V^{aa}, log V^{bb}, 1 − ρ)."""

    def slope(time: float, state: Array) -> Array:
        first, second = np.exp(state[:2])
        gap = min(max(float(state[2]), 0.0), 2.0)
        try:
            image = moments(network.phi, PairCovariance(float(first), float(second), gap))
        except gaussian.Unreachable as error:
            raise unreachable("resnet_ode", round(time * network.depth), float(first), error) from None
        one, other = image.first / first, image.second / second
        apart = (np.sqrt(one) - np.sqrt(other)) ** 2 / 2
        return np.array([one, other, apart * (1 - gap) + np.sqrt(one * other) * (image.gap - gap)])

    origin = [float(np.log(start.first)), float(np.log(start.second)), start.gap]
    # nearly equal inputs keep the digits of 1 − ρ
    path = solved(slope, origin, times, 1e-10, [1e-13, 1e-13, 1e-13 * min(1.0, max(start.gap, 1e-30))])
    roots = zip(*np.exp(path[:2]).tolist(), np.clip(path[2], 0.0, 2.0).tolist(), strict=True)
    return [PairCovariance(first, second, gap) for first, second, gap in roots]
