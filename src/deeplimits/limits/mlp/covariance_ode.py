"""The covariance ODE dV/dt = b(V) where drift dominates noise, 0 < p < ½, at time ℓ / n^{2p}: a number at
every time, up to fluctuations of size n^{p−½}.

Li & Nica 2024, Proposition 3.4 (ReLU-like): V^{aa} stays and dρ/dt = ν(ρ). Smooth: dV^{aa}/dt = β V^{aa}
(V^{aa} − 1), so V^{aa} = [1 − (1 − 1/V_0) e^{β t}]^{−1}, which explodes at (1/β) log(V_0 / (V_0 − 1)) if β >
0 and V_0 > 1, and

    dρ/dt = A [(1 + 2ρ²) √(V^{aa} V^{bb}) − (3/2) ρ (V^{aa} + V^{bb})],    A = φ''(0)² / 4a²,

solved for 1 − ρ along V^{aa} and V^{bb}.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

import numpy as np

from deeplimits.activations import Smooth
from deeplimits.array_types import Array
from deeplimits.laws import Law
from deeplimits.limits.base import Limit
from deeplimits.limits.conditions import ABOVE_MINUS_ONE
from deeplimits.limits.mlp.correlation_ode import flow, slope_difference
from deeplimits.limits.ode import solved
from deeplimits.limits.recursion import PairCovariance, numbers
from deeplimits.limits.regime import UP_TO_HALF, Regime
from deeplimits.limits.times import shaping_time
from deeplimits.networks.network import Network

_MOST_CALLS = 20_000
"""Of the right side of the ODE: a second or two."""


class CovarianceOde(Limit):
    """V of the limit n → ∞ at d = n^{2p}."""

    name = "covariance_ode"
    label = "the covariance ODE of shaped networks with p below ½, where drift dominates noise"
    observables = ("correlation", "covariance", "log_variance", "variance")
    regimes = (
        Regime(("relu_like", "linear"), UP_TO_HALF, uneven=True, conditions=(ABOVE_MINUS_ONE,)),
        Regime(("smooth",), UP_TO_HALF, uneven=True),
    )
    kind = "number"
    precedence = 80
    rate_reason = "the error is the network's fluctuation, n^{p−½}: it has the rate ½ − p"
    equation = "dV/dt = b(V), time ℓ / n^{2p}"
    source = "Li & Nica 2024, Proposition 3.4; Li, Nica & Roy 2022, Proposition 3.10"

    def time(self, network: Network, layer: float) -> float:
        return shaping_time(network, layer, 2 * network.exponent)

    def laws(self, network: Network, layers: Sequence[int], observable: str) -> list[Law]:
        times = [self.time(network, layer) for layer in layers]
        with np.errstate(over="ignore"):
            found = self.covariances(network, times)
        if not all(pair.first > 0 and pair.second > 0 for pair in found):
            raise ArithmeticError("float64 does not hold V there")
        return numbers(found, layers, observable)

    def covariances(self, network: Network, times: Sequence[float]) -> list[PairCovariance]:
        """V of the first pair at ``times`` (ascending); +∞ after an explosion, and ρ not a number."""
        start = PairCovariance.of(network)
        if not isinstance(network.activation, Smooth):
            kappa = slope_difference(network) ** 2
            if network.inputs == 1:
                return [start for _ in times]
            return [
                PairCovariance(start.first, start.second, 1 - rho)
                for rho in flow(network, kappa, times, self.name)
            ]
        return _smooth(network, start, times)

    def explosion_probability(self, network: Network, layer: float) -> float | None:
        """0 or 1."""
        if not isinstance(network.activation, Smooth):
            return None
        return float(self.time(network, layer) >= explosion_time(network))

    def explosion_probability_ever(self, network: Network) -> float | None:
        if not isinstance(network.activation, Smooth):
            return None
        return float(np.isfinite(explosion_time(network)))


def constants(network: Network) -> tuple[float, float]:
    """A and β of a smooth network."""
    phi = network.activation
    assert isinstance(phi, Smooth)
    quarter = float(phi.second) ** 2 / (4 * phi.a**2)
    return quarter, 3 * quarter + float(phi.third) / phi.a**2


def explosion_time(network: Network) -> float:
    """(1/β) log(V_0 / (V_0 − 1)) of the input that explodes first, or ∞."""
    largest = max(network.gram[a][a] for a in range(network.inputs))
    growth = constants(network)[1]
    if growth <= 0 or largest <= 1:
        return float("inf")
    return float(-np.log1p(-1 / largest) / growth)


def variance(start: float, growth: float, time: float) -> float:
    """[1 − (1 − 1/V_0) e^{β t}]^{−1}."""
    if start == 1:
        return 1.0
    below = 1 - (1 - 1 / start) * float(np.exp(growth * time))
    return 1 / below if below > 0 else float("inf")


def _smooth(network: Network, start: PairCovariance, times: Sequence[float]) -> list[PairCovariance]:
    quarter, growth = constants(network)
    end = explosion_time(network)

    if start.gap == 0 and start.first == start.second:
        alone = [variance(start.first, growth, time) for time in times]
        return [PairCovariance(each, each, 0.0) for each in alone]
    calls = count()

    def slope(time: float, gap: Array) -> Array:
        if next(calls) > _MOST_CALLS:
            raise ArithmeticError("the ODE of the correlation changes too fast to be solved")
        first, second = (variance(each, growth, time) for each in (start.first, start.second))
        between = float(np.sqrt(first * second))
        apart = float(np.sqrt(first) - np.sqrt(second)) ** 2
        return quarter * (between * gap * (1 - 2 * gap) + 1.5 * (1 - gap) * apart)

    gaps: list[float] = [start.gap for time in times if time == 0]
    before = [time for time in times if 0 < time < end]
    if before:
        (path,) = solved(slope, [start.gap], before, 1e-11, 1e-14 * min(1.0, max(start.gap, 1e-30)))
        gaps += np.clip(path, 0.0, 2.0).tolist()
    gaps += [float("nan")] * (len(times) - len(gaps))
    return [
        PairCovariance(variance(start.first, growth, time), variance(start.second, growth, time), gap)
        for time, gap in zip(times, gaps, strict=True)
    ]
