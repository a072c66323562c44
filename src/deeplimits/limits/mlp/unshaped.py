"""The unshaped network: r_t = log(ℓ² (1 − ρ_ℓ)), t = ℓ / n, follows dr = [2 (1 − A κ e^{r/2}) / t − M] dt + 2
√M dB, κ = √2 / (3π).

Li & Nica 2024, Theorem 4.1 and eq. (4.8), for ReLU (A = 1, M = 2); A = (s₊ − s₋)² / (s₊² + s₋²) and M = 2
(s₊⁴ + s₋⁴) / (s₊² + s₋²)² serve any slopes. The time singularity is one of the coordinate: w = t e^{−r/2} = 1
/ (n √(1 − ρ)) solves dw = (A κ + M w) dt − √M w dB, linear and time-homogeneous, from w_0 = 1 / (n √(1 −
ρ_0)), or from w_0 = 0 where n → ∞ at fixed ρ_0; ``linear_sde`` solves it.

Theorem 4.1 is printed with the drift 2q [(1 − κ√q)/t − 1] dt, whose sign slips between the paper's (4.18) and
(4.19); it reads + 1. The law as printed is here too, to be refuted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from deeplimits.laws import Law, NormalLaw, PointMass, Transform
from deeplimits.limits.accuracy import apart, death
from deeplimits.limits.base import Limit
from deeplimits.limits.coefficients import asymmetry, square_variance
from deeplimits.limits.conditions import DIFFERENT_SLOPES, ONE_SIDED
from deeplimits.limits.regime import UNSHAPED, Regime
from deeplimits.limits.solvers.linear_sde import LinearSde
from deeplimits.limits.step_moments import step
from deeplimits.networks.network import Network

KAPPA = float(np.sqrt(2) / (3 * np.pi))
"""Half the coefficient of (1 − ρ)^{3/2} in c K₁(ρ) − ρ for ReLU."""


class Unshaped(Limit):
    """The corrected law, from the network's own start."""

    name = "unshaped"
    label = "the SDE of the rescaled correlation of unshaped networks, from the network's own start"
    observables = ("rescaled_correlation", "correlation")
    regimes: ClassVar[tuple[Regime, ...]] = (
        Regime(("relu_like",), UNSHAPED, inputs=2, conditions=(DIFFERENT_SLOPES,)),
    )
    precedence: ClassVar[int | None] = 20
    matched_precedence: ClassVar[int | None] = 40
    rate_reason = "log n / n, which is no power"
    equation = "dr = [2 (1 − A κ e^{r/2}) / t − M] dt + 2 √M dB"
    source = "Li & Nica 2024, Theorem 4.1 with the sign of eq. (4.8)"
    growth: ClassVar[float] = 1.0
    """Drift of w over M w: 1, and 2 in the law as printed."""
    first_order: ClassVar[float] = 0.0
    """Weight of the leading 1/n term of the drift."""
    from_entrance: ClassVar[bool] = False

    def laws(self, network: Network, layers: Sequence[int], observable: str) -> list[Law]:
        width = network.units
        if network.gap() == 0:
            return [PointMass(1.0 if observable == "correlation" else -np.inf) for _ in layers]
        level = (square_variance(network.slopes) + 1) / 3  # M
        attraction = asymmetry(network.slopes) * KAPPA  # A κ
        correction = self.first_order * 3 * attraction**2 / (2 * width)
        sde = LinearSde(attraction, self.growth * level, level, correction)
        w0 = 0.0 if self.from_entrance else 1 / (width * float(np.sqrt(float(network.gap()))))

        def transform(time: float) -> Transform:
            return (
                _rescaled_transform(time, sde.scale)
                if observable == "rescaled_correlation"
                else _correlation_transform(width, sde.scale)
            )

        early = [
            PointMass(network.correlation() if observable == "correlation" else -np.inf)
            for layer in layers
            if layer == 0
        ]
        return [
            *early,
            *sde.laws(w0, [self.time(network, layer) for layer in layers if layer > 0], transform),
        ]

    def _error(self, network: Network, layer: int, observable: str, law: Law) -> float:
        """Log w of the network and of the law, both to first order about their paths without noise; and what
        is left out
        at every step.
        """
        level = (square_variance(network.slopes) + 1) / 3
        ours = _law_path(network, layer, level, self.first_order)
        return _between(_network_path(network, layer), ours) + left_out(network, layer)


def left_out(network: Network, layer: int) -> float:
    """What each step of an unshaped network has besides the mean and variance of its correlation to leading
    order, as a distance; and networks that die.
    """
    width, time = network.units, layer / network.units
    level = (square_variance(network.slopes) + 1) / 3
    steps = _STEPS + _GROWTH * level**2 * float(np.sqrt(time)) + _SKEWNESS * level / float(np.sqrt(time))
    return steps / width * (1 + _NARROW / width) + death(network, layer)


def _law_path(network: Network, layer: int, level: float, first_order: float) -> tuple[float, float]:
    """Mean and variance of log(n w) at a layer, to first order in the noise."""
    width, attraction = network.units, asymmetry(network.slopes) * KAPPA
    mean, variance = -0.5 * float(np.log(float(network.gap()))), 0.0
    for _ in range(layer):
        speed = attraction * float(np.exp(-mean))
        # dw has 3 (A κ)² / (2 n w) dt and a layer lasts 1/n: so much of log w
        correction = first_order * 1.5 * speed**2
        variance = (1 - speed) ** 2 * variance + level / width
        mean += float(np.log1p(speed)) + correction + (level / 2) / width
    return mean, variance


def _network_path(network: Network, layer: int) -> tuple[float, float]:
    """The same of a network: by the exact step of y = artanh ρ and its terms of order 1/n, until 1 − ρ is
    small, where
    both agree.
    """
    width, slopes = network.units, network.slopes
    level, attraction = (square_variance(slopes) + 1) / 3, asymmetry(slopes) * KAPPA
    mean, variance = -0.5 * float(np.log(float(network.gap()))), 0.0
    for _ in range(layer):
        if mean > _NEAR:
            speed = attraction * float(np.exp(-mean))
            variance = (1 - speed) ** 2 * variance + level / width
            mean += float(np.log1p(speed)) + level / 2 / width
            continue
        gap = min(float(np.exp(-2 * mean)), 2 - 1e-9)
        y = 0.5 * np.log((2 - gap) / gap) + np.array([0.0, -1e-4, 1e-4])
        found = step(slopes, y)
        after = y + found.moved + found.shift / width
        # d log w / dy = (1 + ρ) / 2
        before, later = (2 - gap) / 2, (1 + float(np.tanh(after[0]))) / 2
        slope = float(after[2] - after[1]) / 2e-4 * later / before
        variance = slope**2 * variance + float(found.spread[0]) * later**2 / width
        mean = -0.5 * float(np.log(max(1 - np.tanh(after[0]), 1e-300)))
    return mean, variance


def _between(one: tuple[float, float], other: tuple[float, float]) -> float:
    """The Kolmogorov distance of two normal laws."""
    first, second = (NormalLaw(mean, max(variance, 1e-300) ** 0.5) for mean, variance in (one, other))
    return apart(first, second)


_STEPS, _GROWTH, _SKEWNESS, _NARROW = 0.25, 0.35, 0.06, 6.0
"""Of what a step leaves out, over 1/n: constants measured on networks of 8 to 96 units."""
_NEAR = 5.0
"""log(n w) from which a step of the network is that of the law."""


class UnshapedCorrected(Unshaped):
    """With the leading 1/n term of the network's drift, 3 κ² / (2 n w) dt in dw; it explains most of the mean
    error at finite n.
    """

    name = "unshaped_corrected"
    label = "the same with the leading 1/n term of the drift"
    regimes = (Regime(("relu_like",), UNSHAPED, inputs=2, conditions=(DIFFERENT_SLOPES, ONE_SIDED)),)
    precedence = None
    matched_precedence = None
    rate_reason = (
        "1/n, but only from some thousand units on: n^(−0.72) at 64 to 128, n^(−0.89) at 512 to 1,024"
    )
    equation = "`unshaped` with the leading 1/n term of the drift"
    source = "Li & Nica 2024, eq. (4.16), next order in 1/n"
    first_order = 1.0


class UnshapedEntrance(Unshaped):
    """From w_0 = 0: the limit n → ∞ at fixed ρ_0, the initial condition that the paper leaves open."""

    name = "unshaped_entrance"
    label = "the SDE of the rescaled correlation of unshaped networks, n → ∞ at fixed ρ₀"
    precedence = None
    matched_precedence = None
    rate_reason = "log n / n, which is no power"
    equation = "`unshaped` from n → ∞ at fixed ρ₀: it forgets where it started"
    source = "Li & Nica 2024, Theorem 4.1 with the sign of eq. (4.8), entrance law"
    from_entrance = True

    def _error(self, network: Network, layer: int, observable: str, law: Law) -> float:
        own = Unshaped()
        from_start = own.laws(network, [layer], observable)[0]
        return apart(law, from_start) + own._error(network, layer, observable, from_start)  # noqa: SLF001


class PrintedTheorem41(Unshaped):
    """The law that Theorem 4.1, eqs. (4.20) and (4.21) print; networks do not follow it."""

    name = "ln24_theorem_4_1_printed"
    label = "Theorem 4.1 as printed, which networks do not follow"
    precedence = None
    matched_precedence = None
    rate_reason = "networks do not approach it"
    equation = "`unshaped` with the sign that the paper prints"
    source = "Li & Nica 2024, Theorem 4.1 as printed"
    growth = 2.0

    def _error(self, network: Network, layer: int, observable: str, law: Law) -> float:
        return 1.0


def _rescaled_transform(time: float, scale: float) -> Transform:
    """r = 2 (log t − log w)."""
    log_time = float(np.log(time))
    return Transform(
        to_coordinate=lambda r: (log_time - r / 2) / scale,
        from_coordinate=lambda y: 2 * (log_time - scale * y),
        slope=lambda r: np.full_like(r, 0.5 / scale),
        increasing=False,
    )


def _correlation_transform(width: int, scale: float) -> Transform:
    """ρ = 1 − 1 / (n w)²."""
    return Transform(
        to_coordinate=lambda rho: -(np.log(np.maximum(1 - rho, 1e-300)) / 2 + np.log(width)) / scale,
        # as a limit it does not know that 1 − ρ is at most 2
        from_coordinate=lambda y: np.maximum(1 - np.exp(-2 * (scale * y + np.log(width))), -1.0),
        slope=lambda rho: 0.5 / (scale * np.maximum(1 - rho, 1e-300)),
        low=-1.0,
        high=1.0,
    )
