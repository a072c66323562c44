"""The correlation of a finite ReLU-like network to second order in 1/n: an SDE again, whose drift and noise
have terms of order 1/n.

In y = artanh ρ the third cumulant of a layer's step vanishes to the order that matters, so that a diffusion
can match the network's step in mean and variance to the next order and leave out O(n⁻²) of its law. With m(y)
= artanh c K₁(ρ) − y, mean shift e/n and variance a/n of a step (``step_moments``), a step of length 1/n of

    dy = [n m / (1 + m'/2) + e + 3ρ/4n − (m (1 − ρ²) + ρ m' + m'')/4] dt + (a + 3/2n − m')^{1/2} dB

has them; the denominator sums what a flow along a steep m adds up to, which the plain expansion − n m m'/2
does not bear near ρ = −1. A linear network has m = 0, a = 1, e = ρ/2 to leading order: the same SDE as in the
limit, at a time longer by 1 + 3/2n, which T = d / (n − 3/2) is.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, partial
from typing import ClassVar

import numpy as np

from deeplimits.activations import Slopes
from deeplimits.array_types import Array
from deeplimits.laws import Law, Transform
from deeplimits.limits.base import Limit
from deeplimits.limits.coefficients import asymmetry
from deeplimits.limits.conditions import ABOVE_MINUS_ONE, wide
from deeplimits.limits.mlp.correlation import correlation_laws, from_start, start_coordinate
from deeplimits.limits.regime import ANY_EXPONENT, Exponents, Regime
from deeplimits.limits.solvers.fokker_planck import solve
from deeplimits.limits.solvers.unit_noise import UnitNoise
from deeplimits.limits.step_moments import step
from deeplimits.limits.times import summed_time
from deeplimits.networks.network import Network

HALF_OR_MORE = Exponents(0.5)
_STEP = 1e-4
"""By which m' is differenced."""
_SHIFT = 1.5
"""By how much a linear network's width is less than its number of units."""
_NEAREST = 1e-300


class SecondOrderSde(Limit):
    """ρ of two inputs of a network of one width, slopes close to each other."""

    name = "second_order_sde"
    label = "the correlation SDE with the terms of order 1/n of drift and noise"
    observables = ("correlation",)
    regimes: ClassVar[tuple[Regime, ...]] = (
        Regime(("relu_like",), HALF_OR_MORE, inputs=2, conditions=(wide(8), ABOVE_MINUS_ONE)),
    )
    finite_precedence = 20
    rate = 2.0
    equation = "dρ = [ν(ρ) − ½ ρ (1 − ρ²)] dt + (1 − ρ²) dB, with the terms of order 1/n of drift and noise"
    source = "the network's own step to second order in 1/n, after Li, Nica & Roy 2022, Theorem 3.3"

    def laws(self, network: Network, layers: Sequence[int], observable: str) -> list[Law]:
        times = [self.time(network, layer) for layer in layers]
        solve = partial(_solved, network.slopes, network.units)
        return from_start(network, times, self.name, solve)

    def _error(self, network: Network, layer: int, observable: str, law: Law) -> float:
        return second_order_error(network, layer)


class LinearSecondOrder(Limit):
    """A linear network: the SDE of the limit at T = Σ 1 / (n_ℓ − 3/2)."""

    name = "linear_second_order"
    label = "the correlation SDE of linear networks at the time d / (n − 3/2)"
    observables = ("correlation",)
    regimes: ClassVar[tuple[Regime, ...]] = (
        Regime(("linear",), ANY_EXPONENT, uneven=True, inputs=2, conditions=(wide(4),)),
    )
    finite_precedence = 20
    rate = 2.0
    equation = "`linear` at the time Σ 1/(n_ℓ − 3/2)"
    source = "Fisher's law of a correlation to second order in 1/n, after Li, Nica & Roy 2022, Theorem 3.3"

    def laws(self, network: Network, layers: Sequence[int], observable: str) -> list[Law]:
        times = [self.time(network, layer) for layer in layers]
        return correlation_laws(network, [(float("inf"), 0.0)], times, self.name)

    def time(self, network: Network, layer: float) -> float:
        return summed_time(network, layer, [units - _SHIFT for units in network.layer_kinds])

    def _error(self, network: Network, layer: int, observable: str, law: Law) -> float:
        return second_order_error(network, layer)


def second_order_error(network: Network, layer: int) -> float:
    """Error of laws right to second order: C/n², C measured on networks of 8 to 128 units with the exact law;
    the fourth cumulant of few steps; and steps that are long from where a network starts.
    """
    widths = np.asarray(network.widths[:layer], float)
    rate = float((1 / widths).sum())
    square = float((1 / widths**3).sum()) / rate
    kernel = asymmetry(network.slopes) if not network.uneven else 0.0
    fourth = (1 + 2 * kernel) ** 2 * float((1 / widths**3).sum()) / rate**2
    shaped = kernel * network.units if kernel else 0.0
    start = np.array([start_coordinate(network, "") if network.gap() < 2 else -20.0])
    steep = float(np.abs(step(network.slopes, start).slope[0])) if kernel else 0.0
    narrow = 1 + _NARROW * rate / float(len(widths))
    return narrow * (
        (_EVERYWHERE + _SHAPED * shaped) * square * (1 + rate) / 2 + _FOURTH * fourth + _STEEP * steep**2
    )


_EVERYWHERE, _SHAPED, _FOURTH, _STEEP, _NARROW = 0.2, 0.25, 0.1, 1.0, 4.0


@lru_cache(maxsize=64)
def _solved(slopes: Slopes, width: int, start: float, times: tuple[float, ...]) -> list[Law]:
    unit = UnitNoise(lambda y: coefficients(slopes, width, y))
    transform = Transform(
        to_coordinate=lambda rho: unit.to_unit(np.arctanh(np.clip(rho, -1 + 1e-16, 1 - 1e-16))),
        from_coordinate=lambda x: np.tanh(unit.from_unit(x)),
        slope=lambda rho: (
            1
            / np.maximum((1 - rho) * (1 + rho), _NEAREST)
            / unit.spread(np.arctanh(np.clip(rho, -1 + 1e-16, 1 - 1e-16)))
        ),
        low=-1.0,
        high=1.0,
    )
    at = float(unit.to_unit(np.array([start]))[0])
    return list(solve(unit.diffusion, at, times, lambda _: transform))


def coefficients(slopes: Slopes, width: int, y: Array) -> tuple[Array, Array]:
    """Drift and squared noise of the second-order SDE in y = artanh ρ."""
    here = step(slopes, y)
    rho = np.tanh(y)
    square = 1 / np.cosh(y) ** 2
    # m'' from m', in closed form, by four points
    near = [step(slopes, y + k * _STEP * 100).slope for k in (-2, -1, 1, 2)]
    curvature = (8 * (near[2] - near[1]) - (near[3] - near[0])) / (1200 * _STEP)
    m, slope = here.moved, here.slope
    drift = width * m / (1 + slope / 2) + here.shift + 0.75 * rho / width
    drift = drift - (m * square + rho * slope + curvature) / 4
    return drift, here.spread + _SHIFT / width - slope
