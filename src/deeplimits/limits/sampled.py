"""Sampled limits: the discrete schemes whose pictures the papers show, as laws of 2¹⁶ paths drawn under the
number contract.

Use the deterministic limits for anything but these pictures: a sample has a noise floor, and an Euler scheme
a step error.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from deeplimits.activations import ReluLike
from deeplimits.engines.paths import chain_gaps, correlation_gaps, rescaled_correlations
from deeplimits.laws import EmpiricalLaw, Law
from deeplimits.limits.base import Limit
from deeplimits.limits.correlation import Array, CorrelationSde
from deeplimits.networks.network import Network

SAMPLES = 1 << 16


def _observed(gaps: Array, layers: Sequence[int], observable: str) -> list[Law]:
    if observable == "correlation":
        return [EmpiricalLaw.of(1 - column, bounded=True) for column in gaps.T]
    with np.errstate(divide="ignore"):
        return [
            EmpiricalLaw.of(np.log(layer**2 * column)) for layer, column in zip(layers, gaps.T, strict=True)
        ]


def _is_relu(network: Network) -> bool:
    return (
        network.inputs > 1
        and network.layer_widths is None
        and isinstance(network.activation, ReluLike)
        and network.exponent == 0
        and not network.residual
        and network.slopes.minus == 0
    )


class MarkovChain(Limit):
    """The chain (2.10): the network's correlation to order 1/n in mean and variance, with Gaussian noise.

    The noise leaves [−1, 1] now and then and is projected back; ``engines.paths.chain_gaps`` counts how
    often.
    """

    name = "markov_chain"
    observables = ("correlation", "rescaled_correlation")
    deterministic = False
    rate_reason = "sampled; it carries the 1/n terms of mean and variance"
    source = "Li, Nica & Roy 2022, eq. (2.10)"

    def applies(self, network: Network) -> bool:
        return _is_relu(network)

    def laws(self, network: Network, layers: Sequence[int], observable: str) -> list[Law]:
        gaps, _ = chain_gaps(float(network.gap()), network.width, list(layers), 0, SAMPLES, network.seed)
        return _observed(gaps, layers, observable)


class CorrelationSdeEuler(CorrelationSde):
    """Euler's scheme for the correlation SDE, step 10⁻², as in the paper's figure; times are rounded to whole
    steps.
    """

    name = "correlation_sde_euler"
    deterministic = False
    rate_reason = "a scheme, whose step error does not fall with n"
    source = "Li, Nica & Roy 2022, Figure 1"
    step: ClassVar[float] = 0.01

    def laws(self, network: Network, layers: Sequence[int], observable: str) -> list[Law]:
        steps = [round(self.time(network, layer) / self.step) for layer in layers]
        unique = sorted(set(steps))
        gaps, _ = correlation_gaps(
            float(network.gap()), self.kappa(network), self.step, unique, 0, SAMPLES, network.seed
        )
        return _observed(gaps[:, [unique.index(step) for step in steps]], layers, observable)


class UnshapedEuler(Limit):
    """The scheme (4.9) of Li & Nica 2024, step 10⁻², r_0 = log(1 − ρ_0); its step error is large: see
    ``unshaped`` for the law itself.
    """

    name = "unshaped_euler"
    observables = ("rescaled_correlation",)
    deterministic = False
    rate_reason = "a scheme, whose step error does not fall with n"
    source = "Li & Nica 2024, eq. (4.9) and Figure 1"
    step: ClassVar[float] = 0.01

    def applies(self, network: Network) -> bool:
        return _is_relu(network)

    def laws(self, network: Network, layers: Sequence[int], observable: str) -> list[Law]:
        steps = [round(self.time(network, layer) / self.step) for layer in layers]
        unique = sorted(set(steps))
        paths = rescaled_correlations(
            float(np.log(float(network.gap()))), self.step, unique, 0, SAMPLES, network.seed
        )
        return [EmpiricalLaw.of(paths[:, unique.index(step)]) for step in steps]
