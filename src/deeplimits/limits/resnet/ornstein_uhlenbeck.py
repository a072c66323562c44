"""The residual network of one unit with the branch φ(y) = exp(h⁻¹(α y + β)²), h = erfi: U = h⁻¹(α X + β) is
an Ornstein–Uhlenbeck process, dU = −(π α² / 4) U dt + (α √π / 2) dB (Hayou 2022, Proposition 4).

U_t ~ N(U_0 e^{−π α² t / 4}, ½ (1 − e^{−π α² t / 2})), and φ² = e^{2 U²}. Networks store log X² and log φ²,
which do not tell the sign of X or U: laws here are of |U|, of 2 U² and of log X².
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from deeplimits.activations import OrnsteinUhlenbeck
from deeplimits.array_types import Array
from deeplimits.laws import Law, NormalLaw, PointMass
from deeplimits.limits.conditions import ONE_UNIT
from deeplimits.limits.regime import Condition, residual
from deeplimits.limits.resnet.hayou import ResidualLimit
from deeplimits.limits.solvers.compound import Density, FoldedLaw, convolved
from deeplimits.networks.network import Network

_REACH = 8.0
"""Standard deviations of a Gaussian X_0 that are kept."""
_TURN = 2 / np.sqrt(np.pi)
"""erfi'(0)."""


def _alpha(network: Network) -> float:
    return network.activation.alpha if isinstance(network.activation, OrnsteinUhlenbeck) else 0.0


TURNING = Condition("α other than 0", lambda network: _alpha(network) != 0, "α = 0")


class OrnsteinUhlenbeckLimit(ResidualLimit):
    """|U|, ``ou_coordinate``, and the two observables that are functions of U."""

    name = "ornstein_uhlenbeck"
    label = "the Ornstein–Uhlenbeck process of a residual network of one unit, d → ∞"
    observables = ("ou_coordinate", "log_activation", "log_variance")
    regimes = (
        residual(
            ("ornstein_uhlenbeck",), branch_exponents=(0.5,), from_number=True, conditions=(ONE_UNIT, TURNING)
        ),
    )
    precedence = 30
    rate = 1.0
    equation = "U_t ~ N(U_0 e^{−πα²t/4}, ½ (1 − e^{−πα²t/2}))"
    source = "Hayou 2022, Proposition 4"

    def laws(self, network: Network, layers: Sequence[int], observable: str) -> list[Law]:
        phi = network.activation
        assert isinstance(phi, OrnsteinUhlenbeck)
        folded = {"ou_coordinate": _absolute, "log_activation": _twice_square, "log_variance": _log_square}
        fold, branches, slopes = folded[observable](phi)
        laws: list[Law] = []
        for layer in layers:
            law = coordinate_law(network, self.time(network, layer))
            if isinstance(law, PointMass):
                laws.append(PointMass(float(fold(np.array(law.value)))))
            else:
                laws.append(FoldedLaw(law, fold, branches, slopes))
        return laws

    def _error(self, network: Network, layer: int, observable: str, law: Law) -> float:
        alpha, depth = abs(_alpha(network)), network.depth
        skewed = _SKEWNESS if network.start is not None else _SKEWNESS / 3
        return skewed * alpha / float(np.sqrt(depth * layer)) + _STEPS * alpha**2 / depth + 5e-4


_SKEWNESS, _STEPS = 0.45, 1.3
"""Of the distance at finite depth: measured on networks of 4 to 113 layers."""


def coordinate_law(network: Network, time: float) -> Law:
    """The law of U_t."""
    phi = network.activation
    assert isinstance(phi, OrnsteinUhlenbeck)
    decay = float(np.exp(-np.pi * phi.alpha**2 * time / 4))
    spread = float(np.sqrt((1 - decay**2) / 2))
    if network.start is None:
        return convolved(_gaussian_start(phi, network.gram[0][0]), decay, 0.0, spread)
    origin = float(phi.inverse(np.array(phi.alpha * network.start + phi.beta)))
    return NormalLaw(origin * decay, spread) if time > 0 else PointMass(origin)


def _gaussian_start(phi: OrnsteinUhlenbeck, variance: float) -> Density:
    """U_0 = h⁻¹(α X_0 + β) for X_0 ~ N(0, ``variance``)."""
    from scipy.special import erfi, ndtr

    scale = abs(phi.alpha) * float(np.sqrt(variance))
    low, high = phi.inverse(phi.beta + scale * _REACH * np.array([-1.0, 1.0]))

    def parts(u: Array) -> tuple[Array, Array, Array]:
        clipped = np.clip(u, low, high)
        speed = _TURN * np.exp(clipped**2) / scale
        normal = (erfi(clipped) - phi.beta) / scale
        density = np.exp(-(normal**2) / 2) / np.sqrt(2 * np.pi) * speed
        inside = (u >= low) & (u <= high)
        return ndtr(normal), np.where(inside, density, 0.0), 2 * clipped - normal * speed

    return Density(
        cdf=lambda u: parts(u)[0],
        density=lambda u: parts(u)[1],
        slope=lambda u: parts(u)[1] * parts(u)[2],
        low=float(low),
        high=float(high),
        # the density is steepest at its ends
        length=float(scale * np.exp(-(max(abs(low), abs(high)) ** 2)) / _TURN),
    )


_Pair = tuple[Array, Array]
_Folding = tuple[Callable[[Array], Array], Callable[[Array], _Pair], Callable[[Array], _Pair]]


def _absolute(phi: OrnsteinUhlenbeck) -> _Folding:
    def slopes(x: Array) -> _Pair:
        slope = np.where(x >= 0, 1.0, 0.0)
        return slope, slope

    return np.abs, lambda x: (-x, x), slopes


def _twice_square(phi: OrnsteinUhlenbeck) -> _Folding:
    def root(x: Array) -> Array:
        return np.sqrt(np.maximum(x, 0.0) / 2)

    def slopes(x: Array) -> _Pair:
        with np.errstate(divide="ignore"):
            slope = np.where(x > 0, 1 / (4 * root(x)), 0.0)
        return slope, slope

    return lambda u: 2 * u**2, lambda x: (-root(x), root(x)), slopes


def _log_square(phi: OrnsteinUhlenbeck) -> _Folding:
    """X = (h(U) − β) / α, so that X² ≤ e^x between h⁻¹(β ± |α| e^{x/2})."""
    from scipy.special import erfi

    def fold(u: Array) -> Array:
        with np.errstate(divide="ignore"):
            return np.log(((erfi(u) - phi.beta) / phi.alpha) ** 2)

    def branches(x: Array) -> _Pair:
        # beyond e^300 lies nothing
        reach = abs(phi.alpha) * np.exp(np.minimum(x / 2, 300.0))
        return phi.inverse(phi.beta - reach), phi.inverse(phi.beta + reach)

    def slopes(x: Array) -> _Pair:
        speed = abs(phi.alpha) * np.exp(np.minimum(x / 2, 300.0)) / (2 * _TURN)
        low, high = branches(x)
        return speed * np.exp(-(low**2)), speed * np.exp(-(high**2))

    return fold, branches, slopes
