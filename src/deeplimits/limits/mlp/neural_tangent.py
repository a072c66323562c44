"""The tangent kernel of shaped ReLU-like networks, K^{ab} = ⟨∂z_out(a)/∂θ, ∂z_out(b)/∂θ⟩, of one input and of
two: K_T^{ab} = n ∫ V_s^{ab} G_s^{ab} ds, V of the covariance SDE and G of gradients going backward along it.

Forward and backward are not independent, though each layer alone ties them by 1/n² at most: what comes back
through a layer has the part z_out(a)² / V of its square norm along what went in, which the backward equation
has as a drift (``neural_tangent_paths``, where it is derived). Without it the second moment of ∫ V G ds of
one input would be e^{2T} (2T − 1 + e^{−2T}) / 2 in place of T² e^{2T} [1/3 + (4/3) (3T − 1 + e^{−3T}) /
(3T)²], which networks have.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import ClassVar

import numpy as np

from deeplimits.laws import EmpiricalLaw, Law
from deeplimits.limits.accuracy import correlation_error, death, edgeworth, sampled
from deeplimits.limits.base import Limit
from deeplimits.limits.coefficients import square_variance
from deeplimits.limits.conditions import few_steps
from deeplimits.limits.mlp.correlation import CorrelationSde, correlation_diffusion, correlation_laws
from deeplimits.limits.mlp.neural_tangent_paths import KernelPaths, kernel_paths
from deeplimits.limits.regime import ABOVE_HALF, HALF, Condition, Regime
from deeplimits.limits.times import network_time
from deeplimits.networks.network import Network

SAMPLES, _FEWEST = 1 << 16, 1 << 12
_MOST_STEPS, _MANY_STEPS = 1 << 11, 1 << 7
"""Of a path, and from how many on there are fewer paths, so that a law takes seconds."""
_PER_TIME, _PER_STRENGTH, _FEWEST_STEPS = 32, 4, 32
"""Steps in a unit of time and in 1/κ of it, and at least."""
_NEAREST = 1e-6
_STEPS, _ENDS, _MARGIN = 0.12, 0.36, 0.75
"""n times the Kolmogorov distance of linear networks of 16 and 64 units over 1 + T, √T d times what the term
of the last layer makes (E K = (d + 1) V_0), and a margin for what the variance of a factor makes more."""


def _apart(network: Network) -> bool:
    return network.inputs < 2 or _NEAREST <= network.gap() <= 2 - _NEAREST


TWO_DIRECTIONS = Condition(
    f"two inputs that are {_NEAREST:g} or more apart in 1 − |ρ|",
    _apart,
    lambda network: f"1 − ρ = {float(network.gap()):g}",
)


def kappa(network: Network) -> float:
    """(c₊ − c₋)² of a ReLU-like network at p = ½, 0 above and where both slopes are one."""
    if network.exponent > 0.5 or not network.piecewise_linear:
        return 0.0
    return CorrelationSde().kappas(network)[0]


def path_steps(network: Network) -> int:
    """The number of steps of a path to the last layer."""
    pace = max(_PER_TIME, _PER_STRENGTH * kappa(network))
    return max(_FEWEST_STEPS, int(np.ceil(network_time(network, network.depth) * pace)))


_CONDITIONS = (TWO_DIRECTIONS, few_steps(path_steps, _MOST_STEPS))


class NeuralTangentSde(Limit):
    """The limit n → ∞ at d/n → T of shaped networks with p ≥ ½, and of linear ones."""

    name = "neural_tangent_sde"
    label = "the neural tangent SDE of shaped networks with p ≥ ½, and of linear ones, sampled"
    equation = "K = n ∫ V ∘ G ds, dG = [C' V⁻¹ C − m G + ν'(ρ) ∘ G] ds + Σ(G)^{1/2} dB̃ backward, sampled"
    observables = ("log_ntk", "ntk_cross", "ntk_alignment", "ntk_condition")
    regimes = (
        Regime(("linear",), conditions=_CONDITIONS),
        Regime(("relu_like",), ABOVE_HALF, conditions=_CONDITIONS),
        Regime(("relu_like",), HALF, conditions=_CONDITIONS),
    )
    kind = "sampled"
    precedence: ClassVar[int | None] = 30
    rate_reason = "sampled, so that its own noise hides a rate"
    source = "this project: W of a layer given its preactivations, tested against explicit weights"

    def paths(self, network: Network, count: int | None = None) -> KernelPaths:
        """∫ V G ds of the one or two inputs of a network: of as many paths as a law is made of, if no
        ``count`` is given.
        """
        steps = path_steps(network)
        if count is None:
            few = SAMPLES * _MANY_STEPS / max(steps, _MANY_STEPS)
            count = max(_FEWEST, 1 << int(np.log2(few)))
        variances = tuple(network.gram[a][a] for a in range(network.inputs))
        gap = float(network.gap()) if network.inputs > 1 else None
        time = self.time(network, network.depth)
        return _paths(variances, gap, kappa(network), time, steps, count, network.seed)

    def laws(self, network: Network, layers: Sequence[int], observable: str) -> list[Law]:
        found, width = self.paths(network), network.units
        if observable == "log_ntk":
            law = EmpiricalLaw.of(np.log(width * found.first))
        elif observable == "ntk_cross":
            law = EmpiricalLaw.of(width * found.cross)
        elif observable == "ntk_alignment":
            cosine = found.cross / np.sqrt(found.first * found.second)
            law = EmpiricalLaw.of(np.clip(cosine, -1.0, 1.0), bounded=True)
        else:
            half = (found.first + found.second) / 2
            largest = half + np.hypot((found.first - found.second) / 2, found.cross)
            law = EmpiricalLaw.of(largest**2 / (found.first * found.second - found.cross**2))
        return [law for _ in layers]

    def _error(self, network: Network, layer: int, observable: str, law: Law) -> float:
        """What finite steps leave out and the layers that are one more than steps, as measured of linear
        networks; that a factor has a variance of more than 2/n; and the sample.
        """
        assert isinstance(law, EmpiricalLaw)
        time = self.time(network, layer)
        more = (square_variance(network.slopes) - 2) / 2
        found = _MARGIN * edgeworth(more * float(np.sqrt(time)), more, 0.0)
        found += _STEPS * (1 + time) / network.units
        if observable in ("log_ntk", "ntk_cross"):
            found += _ENDS / (layer * float(np.sqrt(time)))
        if network.inputs > 1:
            found = max(found, _pair_error(network, layer))
        return min(1.0, found + death(network, layer) + sampled(len(law.samples)))


def _pair_error(network: Network, layer: int) -> float:
    """The error of the correlation; and where few units tell two inputs apart by their signs, which the noise
    of C^{ba} takes for many.
    """
    strength, time = kappa(network), network_time(network, layer)
    law = correlation_laws(network, [(time, strength)], [time], NeuralTangentSde.name)[0]
    diffusion = correlation_diffusion(strength)
    found = correlation_error(network, layer, law, [lambda rho: diffusion.drift(np.arctanh(rho))])
    if strength:
        angles = np.arccos([network.correlation(), float(law.quantile(0.5))])
        between = float(np.mean(np.minimum(angles, np.pi - angles))) / np.pi
        found += 1 / (1 + network.units * layer * between)
    return found


_paths = lru_cache(maxsize=4)(kernel_paths)
"""Observables of one pair share their paths."""
