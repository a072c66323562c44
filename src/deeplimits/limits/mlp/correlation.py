"""The correlation of a shaped ReLU-like network at p = ½: dρ = [ν(ρ) − ½ ρ (1 − ρ²)] dt + (1 − ρ²) dB, ν(ρ) =
κ/(2π) (√(1−ρ²) − ρ arccos ρ).

Li, Nica & Roy 2022, Theorem 3.3, with κ = (c₊ − c₋)². In y = artanh ρ the noise is that of a Brownian motion:
dy = [ν(ρ)/(1 − ρ²) + ρ/2] dt + dB, solved by Fokker–Planck.

The *matched* SDE takes κ from the network's own slopes, κ = 2 n (s₊ − s₋)² / (s₊² + s₋²), the exact one-step
drift: it serves every p > 0, and removes the n^{-1/2} error that slopes with c₊ + c₋ ≠ 0 make. The *linear*
network is κ = 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import ClassVar

import numpy as np

from deeplimits.activations import ReluLike
from deeplimits.array_types import Array
from deeplimits.errors import InputError
from deeplimits.laws import Law, PointMass, TabulatedLaw, Transform
from deeplimits.limits.accuracy import correlation_error, smooth_correlation_error
from deeplimits.limits.base import Limit
from deeplimits.limits.coefficients import asymmetry
from deeplimits.limits.conditions import ABOVE_MINUS_ONE, SETTLING, STRAIGHT
from deeplimits.limits.layers import Pieces, in_pieces
from deeplimits.limits.regime import ABOVE_HALF, ANY_EXPONENT, HALF, SHAPED, Exponents, Regime
from deeplimits.limits.solvers.fokker_planck import solve_in_pieces
from deeplimits.limits.solvers.resolvents import Diffusion
from deeplimits.limits.times import shaping_size
from deeplimits.networks.network import Network

_SMALL = 0.3
"""θ below which sin θ − θ cos θ is a series."""


def angle(y: Array) -> Array:
    """arccos(tanh y), accurate at both ends."""
    decay = np.exp(-np.abs(y))
    small = 2 * np.arctan(decay)
    return np.where(y >= 0, small, np.pi - small)


def excess(theta: Array) -> Array:
    """sin θ − θ cos θ, without cancellation at small θ."""
    return _excess(theta, np.sin(theta) - theta * np.cos(theta))


def _excess(theta: Array, plain: Array) -> Array:
    """``plain``, and a series in its place where θ is small."""
    small = theta < _SMALL
    at = theta[small]
    square = at**2
    series = np.zeros_like(at)
    for coefficient in (1 / 3991680, -1 / 45360, 1 / 840, -1 / 30, 1 / 3):
        series = series * square + coefficient
    found = np.array(plain)
    found[small] = at**3 * series
    return found


def correlation_diffusion(kappa: float) -> Diffusion:
    """The diffusion of y = artanh ρ."""

    def coefficients(y: Array) -> tuple[Array, Array]:
        decay = np.exp(-np.minimum(np.abs(y), 300.0))
        square = decay**2
        sine = 2 * decay / (1 + square)
        rho = np.copysign((1 - square) / (1 + square), y)
        if kappa == 0:
            return rho / 2, sine**2 / 2
        theta = angle(y)
        turned = _excess(theta, sine - theta * rho) / sine**2
        factor = kappa / (2 * np.pi)
        return factor * turned + rho / 2, factor * (2 * rho * turned - theta) + sine**2 / 2

    return Diffusion(coefficients)


CORRELATION_TRANSFORM = Transform(
    to_coordinate=lambda rho: np.arctanh(np.clip(rho, -1 + 1e-16, 1 - 1e-16)),
    from_coordinate=np.tanh,
    slope=lambda rho: 1 / np.maximum((1 - rho) * (1 + rho), 1e-300),
    low=-1.0,
    high=1.0,
)


def start_coordinate(network: Network, where: str) -> float:
    """artanh ρ_0 = ½ log((2 − g) / g) with g = 1 − ρ_0."""
    gap = network.gap()
    if gap >= 2:
        raise InputError(
            where, "inputs", -1.0, "a correlation above −1: from −1 the process has no smooth law"
        )
    return 0.5 * float(np.log(float((2 - gap) / gap)))


def _drift(kappa: float) -> Callable[[Array], Array]:
    """ρ ↦ ν(ρ)/(1 − ρ²) + ρ/2, the drift of y = artanh ρ."""
    diffusion = correlation_diffusion(kappa)
    return lambda rho: diffusion.drift(np.arctanh(rho))


def correlation_laws(network: Network, pieces: Pieces, times: Sequence[float], where: str) -> list[Law]:
    """Laws of ρ at ``times`` (ascending, from 0 on).

    Parameters
    ----------
    pieces
        κ in pieces of time: the end of each, ascending, and κ up to there.
    """
    if network.gap() >= 2 and not any(kappa for _, kappa in pieces):
        return [PointMass(-1.0) for _ in times]
    return from_start(network, times, where, partial(solved, correlation_diffusion, tuple(pieces)))


def from_start(
    network: Network,
    times: Sequence[float],
    where: str,
    solve: Callable[[float, tuple[float, ...]], Sequence[Law]],
) -> list[Law]:
    """Laws of ρ at ``times`` (ascending, from 0 on): its start, where equal inputs stay, and what ``solve``
    makes of artanh ρ_0 at later times.
    """
    if network.gap() == 0:
        return [PointMass(1.0) for _ in times]
    early: list[Law] = [PointMass(network.correlation()) for time in times if time == 0]
    later = tuple(time for time in times if time > 0)
    return [*early, *solve(start_coordinate(network, where), later)]


@lru_cache(maxsize=128)
def solved(
    diffusion: Callable[[float], Diffusion],
    pieces: tuple[tuple[float, float], ...],
    start: float,
    times: tuple[float, ...],
) -> list[TabulatedLaw]:
    """Laws of ρ by the ``diffusion`` of y = artanh ρ of one coefficient, given in pieces of time, which
    networks of many exponents, widths and seeds may share.
    """
    diffusions = [(end, diffusion(coefficient)) for end, coefficient in pieces]
    return solve_in_pieces(diffusions, start, times, lambda _: CORRELATION_TRANSFORM)


class CorrelationSde(Limit):
    """The SDE of the limit n → ∞ at p = ½."""

    name = "correlation_sde"
    label = "the correlation SDE of shaped networks at p = ½, n → ∞"
    observables = ("correlation",)
    regimes: ClassVar[tuple[Regime, ...]] = (
        Regime(("relu_like", "linear"), HALF, uneven=True, inputs=2, conditions=(ABOVE_MINUS_ONE,)),
    )
    precedence: ClassVar[int | None] = 30
    rate_reason = "1 where c₊ + c₋ = 0, ½ otherwise: matched_sde has 1 for all slopes"
    equation = "dρ = [ν(ρ) − ½ ρ (1 − ρ²)] dt + (1 − ρ²) dB"
    source = "Li, Nica & Roy 2022, Theorem 3.3"

    def kappas(self, network: Network) -> list[float]:
        """(c₊ − c₋)², times n / d where the shaping goes by depth: of a layer of each number of units that
        occurs, in
        ascending order.
        """
        match network.activation:
            case ReluLike(plus, minus):
                return [
                    (plus - minus) ** 2 * units / shaping_size(network, units)
                    for units in network.layer_kinds
                ]
        return [0.0 for _ in network.layer_kinds]

    def laws(self, network: Network, layers: Sequence[int], observable: str) -> list[Law]:
        times = [self.time(network, layer) for layer in layers]
        return correlation_laws(network, in_pieces(network, self.kappas(network)), times, self.name)

    def _error(self, network: Network, layer: int, observable: str, law: Law) -> float:
        drifts = [_drift(kappa) for kappa in self.kappas(network)]
        if network.piecewise_linear:
            return correlation_error(network, layer, law, drifts)
        straight = [lambda rho, *_: rho / 2 for _ in drifts]
        return smooth_correlation_error(network, layer, law, straight)


class MatchedSde(CorrelationSde):
    """The SDE with the network's own constants: κ = 2 n A of each layer, and time ℓ / n."""

    name = "matched_sde"
    label = "the correlation SDE with the network's own slopes, at its own n and d"
    regimes = (Regime(("relu_like", "linear"), SHAPED, uneven=True, inputs=2, conditions=(ABOVE_MINUS_ONE,)),)
    precedence = None
    matched_precedence = 10
    rate = 1.0
    rate_reason = ""
    equation = "dρ = [ν(ρ) − ½ ρ (1 − ρ²)] dt + (1 − ρ²) dB, κ = 2 n A from the network's own slopes"
    source = "Li, Nica & Roy 2022, Theorem 3.3, with the exact one-step drift of the network"

    def kappas(self, network: Network) -> list[float]:
        return [2 * units * asymmetry(layer.slopes) for units, layer in network.layer_kinds.items()]


class LinearCorrelation(CorrelationSde):
    """A linear network, every network with p > ½, and a smooth one with φ''(0) = 0 at p = ½, or p > ¼ where
    its variance settles: the drift of its correlation is a multiple of φ''(0)².
    """

    name = "linear"
    label = "the correlation SDE of linear networks"
    regimes = (
        Regime(("linear",), ANY_EXPONENT, uneven=True, inputs=2),
        Regime(("relu_like", "smooth"), ABOVE_HALF, uneven=True, inputs=2),
        Regime(("smooth",), HALF, uneven=True, inputs=2, conditions=(STRAIGHT,)),
        Regime(
            ("smooth",),
            Exponents(0.25, with_low=False),
            uneven=True,
            inputs=2,
            conditions=(STRAIGHT, SETTLING),
        ),
    )
    precedence = 10
    matched_precedence = 20
    rate = 1.0
    rate_reason = ""
    equation = "dρ = [ν(ρ) − ½ ρ (1 − ρ²)] dt + (1 − ρ²) dB, κ = 0"
    source = "Li, Nica & Roy 2022, Propositions 3.4 (iii) and 3.10"

    def kappas(self, network: Network) -> list[float]:
        return [0.0 for _ in network.layer_kinds]
