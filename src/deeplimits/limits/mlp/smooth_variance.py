"""The variance of a smooth network at p = ½: dV = β V (V − 1) dt + √2 V dB, β = (¾ φ''(0)² + φ'''(0)) n / s².

Li, Nica & Roy 2022, Proposition 3.7 and Theorem 3.9. v = 1 / V solves the linear SDE dv = [−β + (β + 2) v] dt
− √2 v dB. For β < 0 it never reaches 0 and is solved as it is. For β > 0 it reaches 0 with positive
probability: V explodes. What has not is solved in log V, up to where the drift takes all that comes to
infinity at once; above, F is a series in 1 / V. P(V_T ≤ x) = P(v_T ≥ 1/x, no explosion) = P(v*_T ≤ 1/V_0),
where v* is the dual process (Siegmund 1976) dv* = β (1 − v*) dt + √2 v* dB from 1/x, which does not explode;
from 0 it gives the probability of none by T. In the end P(explosion ever) = P(Γ(β + 1) ≤ β V_0).

The paper prints that softplus centred at x_0 is stable from x_0 = log 5/4 on (Example 4.2); β changes its
sign at log 7/4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from deeplimits.activations import Smooth
from deeplimits.array_types import Array
from deeplimits.laws import Law, NormalLaw, PointMass, TabulatedLaw, Transform
from deeplimits.limits.accuracy import smooth_variance_error
from deeplimits.limits.base import Limit
from deeplimits.limits.conditions import ALIKE, same_in_all_layers
from deeplimits.limits.regime import HALF, Regime
from deeplimits.limits.solvers.compound import bisected
from deeplimits.limits.solvers.fokker_planck import escaping, tabulated
from deeplimits.limits.solvers.linear_sde import LinearSde
from deeplimits.limits.solvers.resolvents import Diffusion
from deeplimits.limits.times import one_value
from deeplimits.networks.network import Network

_ROOT = np.sqrt(2.0)
"""Noise of log V: y = log V / √2 has unit noise, and so has y = −log v / √2."""
_SOON = 0.01
"""Above where the drift takes V to infinity in this part of the time, F is a series in 1 / V."""
_FAST = 30.0
"""β V there, at least."""
_NONE = 1e-9
"""Probability of no explosion that counts as none."""
_STRAIGHT = 1e-9
"""β below which V is a geometric Brownian motion."""


def stabilities(network: Network) -> list[float]:
    """β = (¾ φ''(0)² + φ'''(0)) n / s² of a layer of each number of units that occurs, in ascending order."""
    phi = network.activation
    assert isinstance(phi, Smooth)
    factor = 0.75 * phi.second**2 + phi.third
    return [float(factor * units / layer.scale**2) for units, layer in network.layer_kinds.items()]


ONE_STABILITY = same_in_all_layers("β = (¾ φ''(0)² + φ'''(0)) n / s²", stabilities)


def stability(network: Network) -> float:
    """β = (¾ φ''(0)² + φ'''(0)) n / s², averaged over time where widths differ: explosion is possible iff it
    is
    positive.

    Raises
    ------
    ValueError
        If it differs between layers.
    """
    beta = one_value(network, stabilities(network), ALIKE)
    if beta is None:
        raise ValueError(f"β is not the same in all layers: {stabilities(network)}")
    return beta


def survival(beta: float, variance: float, time: float, x: float = np.inf) -> float:
    """P(V_T ≤ x, no explosion by T) for β > 0 and T > 0."""
    dual = LinearSde(beta, -beta, 2.0)
    return float(dual.laws(1 / x, [time], lambda _: Transform.exponential(_ROOT))[0].cdf(1 / variance))


@dataclass(frozen=True, repr=False)
class ExplosiveLaw(Law):
    """V_T or log V_T for β > 0, +∞ after an explosion: the distribution function tends to the probability of
    none.
    """

    beta: float
    variance: float
    time: float
    logarithmic: bool

    def solve(self) -> None:
        """Solve for it now, not where it is first asked for; raises ArithmeticError where that fails."""
        if self._survival >= _NONE:
            self._inside  # noqa: B018

    @property
    def explosion_probability(self) -> float:
        """P(explosion by T)."""
        return 1 - self._survival

    @property
    def atoms(self) -> tuple[tuple[float, float], ...]:
        return ((np.inf, self.explosion_probability),)

    def _cdf(self, x: Array) -> Array:
        if self._survival < _NONE:
            return np.zeros(x.shape)
        u = self._log(x)
        inside = np.minimum(self._inside.cdf(u), self._survival)
        return np.asarray(np.where(u > self._high, self._survival - self._beyond(u, 0), inside))

    def _density(self, x: Array) -> Array:
        if self._survival < _NONE:
            return np.zeros(x.shape)
        u = self._log(x)
        slope = np.where(u > self._high, self._beyond(u, 1), self._inside.density(np.minimum(u, self._high)))
        return slope if self.logarithmic else slope / np.where(x > 0, x, np.inf)

    def _quantile(self, levels: Array) -> Array:
        if self._survival < _NONE:
            return np.full(levels.shape, np.inf)
        last = float(self._inside.cumulative[-1])
        found = np.asarray(self._inside.quantile(np.minimum(levels, last * (1 - 1e-15))))
        some = (levels > last) & (levels < self._survival)
        if some.any():
            ends = np.full(some.sum(), self._high), np.full(some.sum(), self._high + 700.0)
            found[some] = bisected(lambda u: self._survival - self._beyond(u, 0), levels[some], *ends)
        found = np.where(levels >= self._survival, np.inf, found)
        with np.errstate(over="ignore"):
            return found if self.logarithmic else np.exp(found)

    @property
    def mean(self) -> float:
        """Infinite: explosion has positive probability."""
        return float("inf")

    @property
    def std(self) -> float:
        """Infinite, as the mean is."""
        return float("inf")

    def _beyond(self, u: Array, derivative: int) -> Array:
        """What F still lacks above the table, or the slope of F there."""
        decay = np.exp(-np.maximum(u - self._high, 0.0))
        powers = np.stack([decay, decay**2, decay**3])
        factors = self._series * np.array([1.0, 2.0, 3.0]) ** derivative
        return np.asarray(np.maximum(np.tensordot(factors, powers, 1), 0.0))

    def _log(self, x: Array) -> Array:
        if self.logarithmic:
            return x
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(np.maximum(x, 0.0)))

    @cached_property
    def _survival(self) -> float:
        return min(1.0, survival(self.beta, self.variance, self.time))

    @cached_property
    def _inside(self) -> TabulatedLaw:
        """F in log V, as far up as it is tabulated."""

        def coefficients(y: Array) -> tuple[Array, Array]:
            pushed = self.beta * np.exp(_ROOT * np.minimum(y, 100.0))
            return (pushed - self.beta - 1) / _ROOT, pushed

        start = float(np.log(self.variance))
        fast = max(1 / (_SOON * self.beta * self.time), 1 + _FAST / self.beta)
        ceiling = max(float(np.log(fast)), start + 1.0) / _ROOT
        found = escaping(Diffusion(coefficients), start / _ROOT, self.time, ceiling)
        return tabulated(found, Transform.linear(_ROOT))

    @cached_property
    def _high(self) -> float:
        return float(self._inside.nodes[-1] * _ROOT)

    @cached_property
    def _series(self) -> Array:
        """What F lacks at the end of the table, by powers of 1 / V: as F, its slope and its curvature say."""
        table = self._inside
        left = max(self._survival - float(table.cumulative[-1]), 0.0)
        lacks = left, table.density_[-1] / _ROOT, -table.slope[-1] / 2
        powers = np.array([[1.0, 1.0, 1.0], [1.0, 2.0, 3.0], [1.0, 4.0, 9.0]])
        series = np.asarray(np.linalg.solve(powers, np.array(lacks)))
        # what is as small as the error of F is no more than its first power
        return np.array([left, 0.0, 0.0]) if 2 * np.abs(series[1:]).sum() > series[0] else series


class SmoothVariance(Limit):
    """V^{aa} of the first input."""

    name = "smooth_variance"
    label = "the variance SDE of smooth networks at p = ½, n → ∞"
    observables = ("log_variance", "variance")
    regimes = (Regime(("smooth",), HALF, uneven=True, conditions=(ONE_STABILITY,)),)
    precedence = 20
    rate = 1.0
    equation = "dV = β V (V − 1) dt + √2 V dB, β = (¾ φ''² + φ''')/a², explosion where β > 0"
    source = "Li, Nica & Roy 2022, Theorem 3.9 and Proposition 3.7"

    def laws(self, network: Network, layers: Sequence[int], observable: str) -> list[Law]:
        beta, origin = stability(network), network.gram[0][0]
        logarithmic = observable == "log_variance"
        times = [self.time(network, layer) for layer in layers]
        later = [time for time in times if time > 0]
        start: list[Law] = [PointMass(float(np.log(origin)) if logarithmic else origin)] * (
            len(times) - len(later)
        )
        if abs(beta) < _STRAIGHT:
            location = float(np.log(origin))
            return start + [
                NormalLaw(location - time, float(_ROOT * np.sqrt(time)), exponential=not logarithmic)
                for time in later
            ]
        if beta > 0:
            laws = [ExplosiveLaw(beta, origin, time, logarithmic) for time in later]
            for law in laws:
                law.solve()
            return [*start, *laws]
        transform = Transform.linear(-_ROOT) if logarithmic else Transform.exponential(-_ROOT)
        return start + list(LinearSde(-beta, beta + 2, 2.0).laws(1 / origin, later, lambda _: transform))

    def _error(self, network: Network, layer: int, observable: str, law: Law) -> float:
        return smooth_variance_error(network, layer, observable, law, stability(network))

    def explosion_probability(self, network: Network, layer: float) -> float:
        """P(explosion by the time of ``layer``)."""
        beta, time = stability(network), self.time(network, layer)
        return 1 - survival(beta, network.gram[0][0], time) if beta > _STRAIGHT and time > 0 else 0.0

    def explosion_probability_ever(self, network: Network) -> float:
        """P(explosion) = P_Γ(β + 1, β V_0), the regularised lower incomplete gamma function."""
        from scipy.special import gammainc

        beta = stability(network)
        return float(gammainc(beta + 1, beta * network.gram[0][0])) if beta > 0 else 0.0
