"""The correlation of a shaped ReLU-like network at p = ½: dρ = [ν(ρ) − ½ ρ (1 − ρ²)] dt + (1 − ρ²) dB, ν(ρ) =
κ/(2π) (√(1−ρ²) − ρ arccos ρ).

Li, Nica & Roy 2022, Theorem 3.3, with κ = (c₊ − c₋)². In y = artanh ρ the noise is that of a Brownian motion:
dy = [ν(ρ)/(1 − ρ²) + ρ/2] dt + dB, solved by Fokker–Planck.

The *matched* SDE takes κ from the network's own slopes, κ = 2 n (s₊ − s₋)² / (s₊² + s₋²), the exact one-step
drift: it serves every p > 0, and removes the n^{-1/2} error that slopes with c₊ + c₋ ≠ 0 make. The *linear*
network is κ = 0.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from deeplimits.activations import ReluLike, Smooth
from deeplimits.errors import InputError
from deeplimits.laws import Chart, Law, PointMass
from deeplimits.limits.base import Limit, asymmetry, is_linear, layers_per_time, shaping_size
from deeplimits.limits.fokker_planck import Diffusion, Start, solve
from deeplimits.networks.network import Network

Array = NDArray[np.float64]


def angle(y: Array) -> Array:
    """arccos(tanh y), accurate at both ends."""
    decay = np.exp(-np.abs(y))
    small = 2 * np.arctan(decay)
    return np.where(y >= 0, small, np.pi - small)


def excess(theta: Array) -> Array:
    """sin θ − θ cos θ, without cancellation at small θ."""
    square = theta**2
    series = np.zeros_like(theta)
    for coefficient in (1 / 3991680, -1 / 45360, 1 / 840, -1 / 30, 1 / 3):
        series = series * square + coefficient
    return np.where(theta < 0.3, theta**3 * series, np.sin(theta) - theta * np.cos(theta))


def correlation_diffusion(kappa: float) -> Diffusion:
    """The diffusion of y = artanh ρ."""

    def normalised(y: Array) -> tuple[Array, Array, Array]:
        clipped = np.clip(y, -300.0, 300.0)
        theta = angle(clipped)
        sine = 1 / np.cosh(clipped)
        return theta, sine, excess(theta) / sine**2

    def drift(y: Array) -> Array:
        return kappa / (2 * np.pi) * normalised(y)[2] + np.tanh(y) / 2

    def drift_slope(y: Array) -> Array:
        theta, sine, excess = normalised(y)
        return -kappa / (2 * np.pi) * (theta - 2 * np.tanh(y) * excess) + sine**2 / 2

    return Diffusion(drift, drift_slope)


CORRELATION_CHART = Chart(
    to_coordinate=lambda rho: np.arctanh(np.clip(rho, -1 + 1e-16, 1 - 1e-16)),
    from_coordinate=np.tanh,
    slope=lambda rho: 1 / np.maximum((1 - rho) * (1 + rho), 1e-300),
)


def start_coordinate(network: Network, where: str) -> float:
    """artanh ρ_0 = ½ log((2 − g) / g) with g = 1 − ρ_0."""
    gap = network.gap()
    if gap >= 2:
        raise InputError(
            where, "inputs", -1.0, "a correlation above −1: from −1 the process has no smooth law"
        )
    return 0.5 * float(np.log(float((2 - gap) / gap)))


def correlation_laws(network: Network, kappa: float, times: Sequence[float], where: str) -> list[Law]:
    """Laws of ρ at ``times`` (ascending, from 0 on)."""
    if network.inputs < 2:
        raise InputError(where, "inputs", network.inputs, "two inputs or more: one has no correlation")
    if network.gap() == 0:
        return [PointMass(1.0) for _ in times]
    y0 = start_coordinate(network, where)
    early: list[Law] = [PointMass(network.correlation()) for time in times if time == 0]
    later = [time for time in times if time > 0]
    diffusion = correlation_diffusion(kappa)
    return early + list(solve(diffusion, Start(0.0, y0, 0.0), later, lambda _: CORRELATION_CHART))


class CorrelationSde(Limit):
    """The SDE of the limit n → ∞ at p = ½."""

    name = "correlation_sde"
    observables = ("correlation",)
    rate_reason = "1 where c₊ + c₋ = 0, ½ otherwise: matched_sde has 1 for all slopes"
    source = "Li, Nica & Roy 2022, Theorem 3.3"

    def applies(self, network: Network) -> bool:
        return network.inputs > 1 and isinstance(network.activation, ReluLike) and network.exponent == 0.5

    def kappa(self, network: Network) -> float:
        """(c₊ − c₋)², times n / d where the shaping goes by depth."""
        assert isinstance(network.activation, ReluLike)
        return (
            (network.activation.c_plus - network.activation.c_minus) ** 2
            * layers_per_time(network)
            / shaping_size(network)
        )

    def laws(self, network: Network, layers: Sequence[int], observable: str) -> list[Law]:
        return correlation_laws(
            network, self.kappa(network), [self.time(network, layer) for layer in layers], self.name
        )


class MatchedSde(CorrelationSde):
    """The SDE with the network's own constants: κ = 2 n A and time ℓ / n, averaged over layers where their
    widths differ.
    """

    name = "matched_sde"
    rate = 1.0
    rate_reason = ""
    source = "Li, Nica & Roy 2022, Theorem 3.3, with the exact one-step drift of the network"

    def applies(self, network: Network) -> bool:
        return network.inputs > 1 and isinstance(network.activation, ReluLike) and network.exponent > 0

    def kappa(self, network: Network) -> float:
        return 2 * layers_per_time(network) * asymmetry(network)


class LinearCorrelation(CorrelationSde):
    """A linear network, every network with p > ½, and a smooth one with φ''(0) = 0 at p = ½, or p > ¼ where
    its variance settles: the drift of its correlation is a multiple of φ''(0)².
    """

    name = "linear"
    rate = 1.0
    rate_reason = ""
    source = "Li, Nica & Roy 2022, Propositions 3.4 (iii) and 3.10"

    def applies(self, network: Network) -> bool:
        if network.inputs < 2 or network.residual:
            return False
        if isinstance(network.activation, Smooth):
            straight = abs(network.activation.second) < 1e-20
            settles = straight and network.activation.third < 0
            return network.exponent > (0.25 if settles else 0.5) or (straight and network.exponent == 0.5)
        return is_linear(network) or network.exponent > 0.5

    def kappa(self, network: Network) -> float:
        return 0.0
