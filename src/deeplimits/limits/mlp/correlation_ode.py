"""The correlation ODE dρ/dt = ν(ρ) of a ReLU-like network with 0 < p < ½.

Li & Nica 2024, Proposition 3.4, time ℓ / n^{2p}. In y = artanh ρ it is dy/dt = ν / (1 − ρ²), without a
singularity.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np

from deeplimits.activations import ReluLike
from deeplimits.array_types import Array
from deeplimits.laws import Law, PointMass
from deeplimits.limits.base import Limit
from deeplimits.limits.conditions import ABOVE_MINUS_ONE
from deeplimits.limits.mlp.correlation import angle, excess, start_coordinate
from deeplimits.limits.regime import UP_TO_HALF, Regime
from deeplimits.limits.times import shaping_time
from deeplimits.networks.network import Network


def _excess_ratio(theta: Array) -> Array:
    """(sin θ − θ cos θ) / sin² θ."""
    return excess(theta) / np.sin(theta) ** 2


def slope_difference(network: Network) -> float:
    """c₊ − c₋ of a piecewise-linear activation."""
    match network.activation:
        case ReluLike(plus, minus):
            return plus - minus
    return 0.0


def flow(network: Network, kappa: float, times: Sequence[float], where: str) -> list[float]:
    """ρ at ``times`` by dρ/dt = ν(ρ) from the first pair of inputs: a function of κ t and of the start alone,
    whatever else is asked for.

    Raises
    ------
    InputError
        From ρ_0 = −1, which has no coordinate.
    """
    if network.gap() == 0:
        return [1.0 for _ in times]
    y0 = start_coordinate(network, where)
    return [float(np.tanh(_coordinate(y0, kappa * time))) for time in times]


def _coordinate(y0: float, time: float) -> float:
    """y at a time of κ = 1."""
    if time <= 0:
        return y0
    return float(_path(y0, max(0, math.ceil(math.log2(time))))(time)[0])


@lru_cache(maxsize=256)
def _path(y0: float, doublings: int) -> Callable[[float], Array]:
    """y up to the time 2^doublings of κ = 1, solved once for all networks of a sweep that start there."""
    from scipy.integrate import solve_ivp

    def velocity(t: float, y: Array) -> Array:
        return _excess_ratio(angle(y)) / (2 * np.pi)

    solved = solve_ivp(
        velocity, (0, 2.0**doublings), [y0], method="DOP853", rtol=1e-12, atol=1e-13, dense_output=True
    )
    assert solved.sol is not None
    return solved.sol


class CorrelationOde(Limit):
    """The correlation where drift dominates noise: a number at every time."""

    name = "correlation_ode"
    label = "the correlation ODE of shaped networks with p below ½, where drift dominates noise"
    observables = ("correlation",)
    regimes = (
        Regime(("relu_like", "linear"), UP_TO_HALF, uneven=True, inputs=2, conditions=(ABOVE_MINUS_ONE,)),
    )
    kind = "number"
    precedence = 40
    rate_reason = "a number; the error is the fluctuation of the network, of the rate ½ − p"
    equation = "dρ/dt = ν(ρ), time ℓ / n^{2p}"
    source = "Li & Nica 2024, Proposition 3.4 and eq. (2.14)"

    def time(self, network: Network, layer: float) -> float:
        return shaping_time(network, layer, 2 * network.exponent)

    def laws(self, network: Network, layers: Sequence[int], observable: str) -> list[Law]:
        kappa = slope_difference(network) ** 2
        times = [self.time(network, layer) for layer in layers]
        return [PointMass(value) for value in flow(network, kappa, times, self.name)]
