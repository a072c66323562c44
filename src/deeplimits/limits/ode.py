"""Deterministic limits: the correlation ODE dρ/dt = ν(ρ) for 0 < p < ½, and the infinite-width recursion ρ' =
c K₁(ρ).

ODE: Li & Nica 2024, Proposition 3.4, time ℓ / n^{2p}. In y = artanh ρ it is dy/dt = ν / (1 − ρ²), without a
singularity. Recursion: c K₁(ρ) = ρ + A (q − ρ arccos ρ) / π exactly, for any slopes (Cho & Saul 2009),
carried as 1 − ρ.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.integrate import solve_ivp

from deeplimits.activations import ReluLike
from deeplimits.laws import Law, PointMass
from deeplimits.limits.base import Limit, asymmetry, shaping_size
from deeplimits.limits.correlation import Array, angle, excess, start_coordinate
from deeplimits.networks.network import Network


def _excess_ratio(theta: Array) -> Array:
    """(sin θ − θ cos θ) / sin² θ."""
    return excess(theta) / np.sin(theta) ** 2


class CorrelationOde(Limit):
    """The correlation where drift dominates noise: a number at every time."""

    name = "correlation_ode"
    observables = ("correlation",)
    certain = True
    source = "Li & Nica 2024, Proposition 3.4 and eq. (2.14)"

    def applies(self, network: Network) -> bool:
        return network.inputs > 1 and isinstance(network.activation, ReluLike) and 0 < network.exponent <= 0.5

    def time(self, network: Network, layer: float) -> float:
        return layer / float(shaping_size(network)) ** (2 * network.exponent)

    def laws(self, network: Network, layers: Sequence[int], observable: str) -> list[Law]:
        assert isinstance(network.activation, ReluLike)
        kappa = (network.activation.c_plus - network.activation.c_minus) ** 2
        times = np.array([self.time(network, layer) for layer in layers])
        return [PointMass(float(value)) for value in correlation_path(network, kappa, times, self.name)]


def correlation_path(network: Network, kappa: float, times: Array, where: str) -> Array:
    """ρ at ``times`` (ascending, from 0 on) by dρ/dt = ν(ρ), ν with this κ, from the network's ρ_0.

    Raises
    ------
    InputError
        If ρ_0 = −1, which has no coordinate y.
    """
    if network.gap() == 0:
        return np.ones(len(times))
    y0 = start_coordinate(network, where)

    def velocity(t: float, y: Array) -> Array:
        return kappa / (2 * np.pi) * _excess_ratio(angle(y))

    path = solve_ivp(
        velocity, (0, max(times[-1], 1e-12)), [y0], t_eval=times, method="DOP853", rtol=1e-12, atol=1e-13
    )
    return np.asarray(np.tanh(path.y[0]))


class InfiniteWidth(Limit):
    """The correlation of a network of infinite width and finite depth."""

    name = "infinite_width"
    observables = ("correlation", "rescaled_correlation")
    certain = True
    source = "Li & Nica 2024, eq. (4.11), c K₁; Cho & Saul 2009"

    def applies(self, network: Network) -> bool:
        return network.inputs > 1 and network.piecewise_linear and not network.residual

    def laws(self, network: Network, layers: Sequence[int], observable: str) -> list[Law]:
        gap, strength = float(network.gap()), asymmetry(network)
        gaps = {0: gap}
        for layer in range(1, max(layers) + 1):
            gap = next_gap(gap, strength)
            gaps[layer] = gap
        if observable == "correlation":
            return [PointMass(1 - gaps[layer]) for layer in layers]
        with np.errstate(divide="ignore"):
            return [PointMass(float(np.log(layer**2 * gaps[layer]))) for layer in layers]


def next_gap(gap: float, strength: float) -> float:
    """1 − c K₁(ρ) from 1 − ρ, with A = ``strength``."""
    theta = np.asarray(2 * np.arcsin(np.sqrt(min(gap, 2.0) / 2)))
    return max(0.0, gap - strength * float(excess(theta)) / np.pi)
