"""Sampled limits: the discrete schemes whose pictures the papers show, as laws of 2¹⁶ paths drawn under the
number contract.

Use the deterministic limits for anything but these pictures: a sample has a noise floor, and an Euler scheme
a step error.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

import numpy as np

from deeplimits.array_types import Array
from deeplimits.engines.sde.paths import chain_gaps, correlation_gaps, rescaled_correlations
from deeplimits.laws import EmpiricalLaw, Law, PointMass
from deeplimits.limits.accuracy import apart, sampled
from deeplimits.limits.base import Limit
from deeplimits.limits.conditions import (
    ABOVE_MINUS_ONE,
    ALIKE,
    DIFFERENT_SLOPES,
    ONE_SIDED,
    few_steps,
    same_in_all_layers,
)
from deeplimits.limits.mlp.correlation import CorrelationSde
from deeplimits.limits.mlp.unshaped import Unshaped, left_out
from deeplimits.limits.regime import HALF, UNSHAPED, Regime
from deeplimits.limits.times import network_time, one_value
from deeplimits.networks.network import Network

SAMPLES = 1 << 16
_FIRST, _NEAR_ONE, _LATER = 1.0, 0.65, 1.55
"""Kolmogorov distances of the chain from unshaped ReLU networks of 16 to 96 units and as many layers, over
n^{−½}: of the first step, of a start near ρ = 1, and for each layer over n."""


def _observed(gaps: Array, layers: Sequence[int], observable: str) -> list[Law]:
    if observable == "correlation":
        return [EmpiricalLaw.of(1 - column, bounded=True) for column in gaps.T]
    with np.errstate(divide="ignore"):
        return [
            EmpiricalLaw.of(np.log(layer**2 * column)) for layer, column in zip(layers, gaps.T, strict=True)
        ]


_MOST_STEPS = 1 << 12
_STEP = 0.01
"""Of the schemes that the papers draw."""


def _relu(steps: Callable[[Network], float]) -> Regime:
    """Unshaped ReLU networks, by paths of so many steps."""
    conditions = DIFFERENT_SLOPES, ONE_SIDED, few_steps(steps, _MOST_STEPS)
    return Regime(("relu_like",), UNSHAPED, inputs=2, conditions=conditions)


def _steps(network: Network) -> float:
    """The number of steps of a scheme up to the last layer."""
    return network_time(network, network.depth) / _STEP


class MarkovChain(Limit):
    """The chain (2.10): the network's correlation to order 1/n in mean and variance, with Gaussian noise.

    The noise leaves [−1, 1] now and then and is projected back; ``engines.paths.chain_gaps`` counts how
    often.
    """

    name = "markov_chain"
    label = "the Markov chain of the correlation with Gaussian noise"
    observables = ("correlation", "rescaled_correlation")
    regimes = (_relu(lambda network: network.depth),)
    kind = "sampled"
    rate_reason = "sampled; it carries the 1/n terms of mean and variance"
    equation = "one Gaussian step a layer with the network's mean and variance to order 1/n"
    source = "Li, Nica & Roy 2022, eq. (2.10)"

    def laws(self, network: Network, layers: Sequence[int], observable: str) -> list[Law]:
        gaps, _ = chain_gaps(float(network.gap()), network.units, list(layers), 0, SAMPLES, network.seed)
        return _observed(gaps, layers, observable)

    def _error(self, network: Network, layer: int, observable: str, law: Law) -> float:
        """What Gaussian noise of each step leaves out, its skewness: at the start, and summed over layers."""
        gap = float(network.gap())
        if gap == 2 and layer == 1:
            return 1.0  # networks are at 0 exactly, and the chain to rounding
        width = network.units
        start = _FIRST if layer == 1 else _NEAR_ONE * max(1 - gap, 0.0)
        skewness = (start + _LATER * layer / width) / float(np.sqrt(width))
        return left_out(network, layer) + skewness + sampled(SAMPLES)


class CorrelationSdeEuler(CorrelationSde):
    """Euler's scheme for the correlation SDE, step 10⁻², as in the paper's figure; times are rounded to whole
    steps.
    """

    name = "correlation_sde_euler"
    label = "Euler's scheme for the correlation SDE, as the paper draws it"
    regimes = (
        Regime(
            ("relu_like", "linear"),
            HALF,
            uneven=True,
            inputs=2,
            conditions=(
                ABOVE_MINUS_ONE,
                same_in_all_layers("a drift", CorrelationSde().kappas),
                few_steps(_steps, _MOST_STEPS),
            ),
        ),
    )
    kind = "sampled"
    precedence = None
    rate_reason = "a scheme, whose step error does not fall with n"
    equation = "Euler's scheme for `correlation_sde`, step 0.01: the paper's picture"
    source = "Li, Nica & Roy 2022, Figure 1"
    step: ClassVar[float] = _STEP

    def laws(self, network: Network, layers: Sequence[int], observable: str) -> list[Law]:
        steps = [round(self.time(network, layer) / self.step) for layer in layers]
        unique = sorted(set(steps))
        kappa = one_value(network, self.kappas(network), ALIKE)
        assert kappa is not None
        gaps, _ = correlation_gaps(float(network.gap()), kappa, self.step, unique, 0, SAMPLES, network.seed)
        return _observed(gaps[:, [unique.index(step) for step in steps]], layers, observable)

    def _error(self, network: Network, layer: int, observable: str, law: Law) -> float:
        exact = CorrelationSde()
        solved = exact.laws(network, [layer], observable)[0]
        return apart(law, solved) + exact.error(network, layer, observable, solved) + sampled(SAMPLES)


class UnshapedEuler(Limit):
    """The scheme (4.9) of Li & Nica 2024, step 10⁻², r_0 = log(1 − ρ_0); its step error is large: see
    ``unshaped`` for the law itself.
    """

    name = "unshaped_euler"
    label = "Euler's scheme for the rescaled correlation, as the paper draws it"
    observables = ("rescaled_correlation",)
    regimes = (_relu(_steps),)
    kind = "sampled"
    rate_reason = "a scheme, whose step error does not fall with n"
    equation = "Euler's scheme for `unshaped`, step 0.01: the paper's picture"
    source = "Li & Nica 2024, eq. (4.9) and Figure 1"
    step: ClassVar[float] = _STEP

    def laws(self, network: Network, layers: Sequence[int], observable: str) -> list[Law]:
        if network.gap() == 0:
            return [PointMass(-np.inf) for _ in layers]
        steps = [round(self.time(network, layer) / self.step) for layer in layers]
        unique = sorted(set(steps))
        paths = rescaled_correlations(
            float(np.log(float(network.gap()))), self.step, unique, 0, SAMPLES, network.seed
        )
        return [EmpiricalLaw.of(paths[:, unique.index(step)]) for step in steps]

    def _error(self, network: Network, layer: int, observable: str, law: Law) -> float:
        exact = Unshaped()
        solved = exact.laws(network, [layer], observable)[0]
        return apart(law, solved) + exact.error(network, layer, observable, solved) + sampled(SAMPLES)
