"""The covariance SDE of m inputs, dV = b(V) dt + Σ(V)^{1/2} dB: the joint law of all variances and
correlations.

Li, Nica & Roy 2022, Theorem 3.2 (ReLU-like) and Theorem 3.9 (smooth), p = ½; without drift it is the limit of
a linear network, and of every network with p > ½. It is sampled under the number contract
(``engines.covariance``), positive semi-definite by construction, with a step error of second order that a
second step size removes from means and quantiles.

For one input or one pair of a ReLU-like or linear network there are laws without noise (``variance``,
``smooth_variance``, ``correlation_sde``, ``linear``): take those. This is for what they leave: three inputs
jointly, the covariance V^{ab} itself, and correlations of smooth networks with φ''(0) ≠ 0, whose drift

    A [(1 + 2ρ²) √(V^{aa} V^{bb}) − (3/2) ρ (V^{aa} + V^{bb})],    A = φ''(0)² / 4a²,

depends on the variances.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from deeplimits.activations import ReluLike, Smooth
from deeplimits.array_types import Array
from deeplimits.engines.sde.covariance import Drift, Paths
from deeplimits.laws import EmpiricalLaw, Law, PointMass
from deeplimits.limits.accuracy import (
    correlation_error,
    sampled,
    smooth_correlation_error,
    smooth_variance_error,
)
from deeplimits.limits.base import Limit
from deeplimits.limits.coefficients import asymmetry
from deeplimits.limits.conditions import ALIKE, few_steps, same_in_all_layers
from deeplimits.limits.mlp.correlation import correlation_diffusion
from deeplimits.limits.mlp.covariance_paths import drawn_paths, extrapolated, observed
from deeplimits.limits.mlp.smooth_variance import SmoothVariance
from deeplimits.limits.mlp.variance import log_normal_error
from deeplimits.limits.regime import ABOVE_HALF, HALF, SHAPED, Regime, family
from deeplimits.limits.times import one_value, shaping_size
from deeplimits.networks.network import Network
from deeplimits.observables import parse

SAMPLES, _FEWEST = 1 << 17, 1 << 12
_MOST_STEPS, _MANY_STEPS = 1 << 13, 1 << 8
"""Of a path, and from how many on there are fewer paths, so that a law takes seconds."""
_STEP = 1 / 32
_EXPLOSIVE_STEP = 1 / 64
_PER_STRENGTH = 8
"""Steps in the time that the drift takes."""
_IN_THE_END = 16.0
"""A time by which all has been decided: what has not exploded has V below e^{−16} on the whole."""
_UNTIL_THEN = (1 / 16, 1 << 13)
"""Step and samples on the way there."""


def _ratios(network: Network) -> list[float]:
    """n over what shaping goes by, of a layer of each number of units that occurs, in ascending order."""
    return [units / shaping_size(network, units) for units in network.layer_kinds]


def _strengths(network: Network) -> list[float]:
    """κ = 2 n A, or n / s² where φ is smooth, of a layer of each number of units that occurs, in ascending
    order.
    """
    kinds = network.layer_kinds.items()
    if network.piecewise_linear:
        return [2 * units * asymmetry(layer.slopes) for units, layer in kinds]
    return [float(units / layer.scale**2) for units, layer in kinds]


ONE_RATIO = same_in_all_layers("a ratio of width to the size that shaping goes by", _ratios)
ONE_STRENGTH = same_in_all_layers("a drift", _strengths)
FEW_STEPS = few_steps(lambda network: CovarianceSde().steps(network), _MOST_STEPS)
FEW_OWN_STEPS = few_steps(lambda network: MatchedCovarianceSde().steps(network), _MOST_STEPS)


class CovarianceSde(Limit):
    """The matrix SDE of the limit n → ∞ at p = ½, and of linear networks."""

    name = "covariance_sde"
    label = "the covariance SDE of shaped networks at p = ½, and of linear ones, sampled"
    observables = ("correlation", "covariance", "log_variance", "variance")
    regimes: ClassVar[tuple[Regime, ...]] = (
        Regime(("linear",), uneven=True, conditions=(FEW_STEPS,)),
        Regime(("relu_like", "smooth"), ABOVE_HALF, uneven=True, conditions=(FEW_STEPS,)),
        Regime(("relu_like", "smooth"), HALF, uneven=True, conditions=(ONE_RATIO, FEW_STEPS)),
    )
    kind = "sampled"
    precedence: ClassVar[int | None] = 50
    rate_reason = "sampled: its pairs have the rate of correlation_sde, or 1 if smooth"
    equation = "dV = b(V) dt + Σ(V)^{1/2} dB, sampled"
    source = "Li, Nica & Roy 2022, Theorems 3.2 and 3.9"

    def drift(self, network: Network) -> Drift:
        """b of the limit: none where p > ½, or φ is linear, whatever shaping goes by in its layers."""
        if network.exponent > 0.5 or family(network) == "linear":
            return Drift()
        ratio = one_value(network, _ratios(network), ALIKE)
        assert ratio is not None
        return self._drift(network, ratio)

    def _drift(self, network: Network, ratio: float) -> Drift:
        match network.activation:
            case ReluLike(plus, minus):
                return Drift(kappa=(plus - minus) ** 2 * ratio)
            case Smooth() as phi:
                square = phi.a**2 / ratio
                return Drift(a=float(phi.second) ** 2 / (4 * square), b=float(phi.third) / (2 * square))
        return Drift()

    def paths(
        self,
        network: Network,
        layers: Sequence[int],
        samples: tuple[int, int] | None = None,
        *,
        coarse: bool = False,
    ) -> Paths:
        """Joint paths of all inputs at ``layers`` (ascending), in the variables of a block of the network:
        ``samples``, or as many as a law is made of.
        """
        samples = samples or (0, self.samples(network))
        drift, times = self.drift(network), tuple(self.time(network, layer) for layer in layers)
        return drawn_paths(network, drift, self.step(network), times, samples, coarse)

    def steps(self, network: Network) -> float:
        """The number of steps of a path to the last layer."""
        return self.time(network, network.depth) / self.step(network)

    def samples(self, network: Network) -> int:
        """How many paths a law is made of."""
        few = SAMPLES * _MANY_STEPS / max(self.steps(network), _MANY_STEPS)
        return max(_FEWEST, 1 << int(np.log2(few)))

    def step(self, network: Network) -> float:
        """The step of the finer paths, a power of two."""
        strength = self.drift(network).strength
        explosive = isinstance(network.activation, Smooth) and _growth(self.drift(network)) > 0
        largest = min(_EXPLOSIVE_STEP if explosive else _STEP, 1 / (_PER_STRENGTH * max(strength, 1e-9)))
        return float(2.0 ** np.floor(np.log2(largest)))

    def laws(self, network: Network, layers: Sequence[int], observable: str) -> list[Law]:
        fine, coarse = (self.paths(network, layers, coarse=coarse) for coarse in (False, True))
        pairs = zip(observed(fine, observable).T, observed(coarse, observable).T, strict=True)
        return [extrapolated(one, other, observable) for one, other in pairs]

    def joint_samples(
        self, network: Network, layer: int, observables: Sequence[str]
    ) -> dict[str, Array] | None:
        paths, found = self.paths(network, [layer]), {}
        for name in observables:
            observable = parse(name)
            column = observable.column(network.inputs)
            if observable.kind == "correlation":
                found[name] = 1 - paths.correlation_gap[:, 0, column]
            elif observable.kind == "log_variance":
                found[name] = paths.log_variance[:, 0, column]
            else:
                return None
        return found

    def _error(self, network: Network, layer: int, observable: str, law: Law) -> float:
        """The errors of the laws without noise of its variances and its correlation, and that of a sample."""
        match observable:
            case "correlation":
                found = self._correlation_error(network, layer, law)
            case "log_variance":
                found = self._variance_error(network.of_inputs((0,)), layer, law)
            case "variance":
                assert isinstance(law, EmpiricalLaw)
                with np.errstate(divide="ignore"):
                    logarithms = EmpiricalLaw.of(np.log(law.samples))
                found = self._variance_error(network.of_inputs((0,)), layer, logarithms)
            case _:
                found = self._covariance_error(network, layer)
        # what explodes in the limit has left its law, and finite networks do not explode
        exploded = 0.0
        if observable in ("correlation", "covariance"):
            exploded = self.explosion_probability(network, layer) or 0.0
        return found + exploded + sampled(self.samples(network))

    def _covariance_error(self, network: Network, layer: int) -> float:
        """The errors of the correlation and of both variances, of which the covariance is a product."""
        fine, coarse = (self.paths(network, [layer], coarse=coarse) for coarse in (False, True))
        one, other = (observed(paths, "correlation")[:, 0] for paths in (fine, coarse))
        found = self._correlation_error(network, layer, extrapolated(one, other, "correlation"))
        for a in (0, 1):
            one, other = (paths.log_variance[:, 0, a] for paths in (fine, coarse))
            alone = extrapolated(one, other, "log_variance")
            found += self._variance_error(network.of_inputs((a,)), layer, alone)
        return found

    def _correlation_error(self, network: Network, layer: int, correlations: Law) -> float:
        if isinstance(correlations, PointMass):
            return 0.0
        drift = self.drift(network)
        if network.piecewise_linear:
            own = correlation_diffusion(drift.kappa)
            moved = [lambda rho: own.drift(np.arctanh(rho))] * len(network.layer_kinds)
            return correlation_error(network, layer, correlations, moved)

        def drift_of_rho(rho: float, first: float, second: float) -> float:
            norm = (1 + 2 * rho**2) * np.sqrt(first * second) - 1.5 * rho * (first + second)
            return rho / 2 + drift.a * float(norm) / (1 - rho**2)

        return smooth_correlation_error(
            network, layer, correlations, [drift_of_rho] * len(network.layer_kinds)
        )

    def _variance_error(self, network: Network, layer: int, variances: Law) -> float:
        if isinstance(variances, PointMass):
            return 0.0
        if network.piecewise_linear:
            return log_normal_error(network, layer, variances)
        return smooth_variance_error(network, layer, "log_variance", variances, _growth(self.drift(network)))

    def explosion_probability(self, network: Network, layer: float) -> float | None:
        """Exact for one input; the part of the paths for more, any of whose inputs may explode."""
        return self._exploded(network, layer)

    def explosion_probability_ever(self, network: Network) -> float | None:
        return self._exploded(network, None)

    def _exploded(self, network: Network, layer: float | None) -> float | None:
        if not isinstance(network.activation, Smooth):
            return None
        drift = self.drift(network)
        if _growth(drift) <= 0:
            return 0.0
        if network.inputs == 1:
            single = SmoothVariance()
            if layer is None:
                return single.explosion_probability_ever(network)
            return single.explosion_probability(network, layer)
        if layer is None:
            step, count = min(self.step(network), _UNTIL_THEN[0]), _UNTIL_THEN[1]
            # where the drift is so strong, all has been decided long before
            end = min(_IN_THE_END, _MOST_STEPS * step)
        else:
            end, step, count = self.time(network, layer), self.step(network), self.samples(network)
        paths = drawn_paths(network, drift, step, (end,), (0, count), False)
        return float((paths.explosion_time.min(axis=1) <= end * (1 + 1e-9)).mean())


class MatchedCovarianceSde(CovarianceSde):
    """With the network's own constants: κ = 2 n A, or s² / n in place of a²; it serves every p > 0."""

    name = "matched_covariance_sde"
    label = "the covariance SDE with the network's own constants, at its own n and d, sampled"
    regimes = (
        Regime(("linear",), uneven=True, conditions=(FEW_OWN_STEPS,)),
        Regime(("relu_like", "smooth"), SHAPED, uneven=True, conditions=(ONE_STRENGTH, FEW_OWN_STEPS)),
    )
    precedence = None
    matched_precedence = 30
    rate_reason = "sampled: its pairs have the rate 1 of matched_sde"
    equation = "dV = b(V) dt + Σ(V)^{1/2} dB, b from the network's own constants, sampled"
    source = "Li, Nica & Roy 2022, Theorems 3.2 and 3.9, with the exact one-step drift of the network"

    def drift(self, network: Network) -> Drift:
        """b of the network itself, to order 1/s² where it is smooth."""
        strength = one_value(network, _strengths(network), ALIKE)
        assert strength is not None
        match network.activation:
            case ReluLike():
                return Drift(kappa=strength)
            case Smooth() as phi if strength > 0:
                square = 1 / strength
                return Drift(a=float(phi.second) ** 2 / (4 * square), b=float(phi.third) / (2 * square))
        return Drift()


def _growth(drift: Drift) -> float:
    """β = 3 A + 2 B."""
    return 3 * drift.a + 2 * drift.b
