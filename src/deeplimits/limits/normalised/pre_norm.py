"""The ODE of a pre-normalised residual network as n, d → ∞: V^{aa}_t = V^{aa}_0 + t and dV^{ab}/dt = c K₁(ρ),
at time t = ℓ / d.

A branch has unit mean square whatever the state, so that dρ/dt = (c K₁(ρ) − ρ) / (V₀ + t) where inputs have
one norm: the recursion of a plain perceptron in the time log(1 + t / V₀), slower and slower.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from deeplimits.array_types import Array
from deeplimits.laws import Law
from deeplimits.limits.base import Limit
from deeplimits.limits.coefficients import asymmetry
from deeplimits.limits.ode import solved
from deeplimits.limits.recursion import PairCovariance, next_gap, numbers
from deeplimits.limits.regime import Regime
from deeplimits.networks.network import Network


class PreNormOde(Limit):
    """Variances and correlations, numbers at every time."""

    name = "pre_norm_ode"
    label = "the ODE of pre-normalised residual networks, n, d → ∞"
    equation = "V^{aa} = V₀ + t, dV^{ab}/dt = c K₁(ρ), time ℓ / d"
    observables: ClassVar[tuple[str, ...]] = ("correlation", "covariance", "log_variance", "variance")
    regimes: ClassVar[tuple[Regime, ...]] = (Regime(("linear", "relu_like"), architecture="pre_norm_resnet"),)
    kind = "number"
    precedence: ClassVar[int | None] = 45
    rate_reason = "a number; the error is at most a width term, n^{−½}, and a depth term, 1/d"
    source = "this project: the mean step of a layer, tested against explicit weights"

    def laws(self, network: Network, layers: Sequence[int], observable: str) -> list[Law]:
        found = _solved(network, [self.time(network, layer) for layer in layers])
        return numbers(found, layers, observable)


def _solved(network: Network, times: Sequence[float]) -> list[PairCovariance]:
    """V of the first pair at ``times`` (ascending)."""
    start = PairCovariance.of(network)
    if network.inputs == 1:
        return [PairCovariance(start.first + time, start.second + time, 0.0) for time in times]
    strength = asymmetry(network.slopes)

    def slope(time: float, state: Array) -> Array:
        gap = min(max(float(state[0]), 0.0), 2.0)
        one, other = (start.first + time) ** -0.5, (start.second + time) ** -0.5
        apart = (one - other) ** 2 / 2
        return np.array([apart * (1 - gap) + one * other * (next_gap(gap, strength) - gap)])

    (path,) = solved(slope, [start.gap], times, 1e-11, 1e-14 * min(1.0, max(start.gap, 1e-30)))
    gaps = np.clip(path, 0.0, 2.0).tolist()
    return [
        PairCovariance(start.first + time, start.second + time, gap)
        for time, gap in zip(times, gaps, strict=True)
    ]
