"""The law of the variance of one input of a finite perceptron itself: no limit, no sample.

Piecewise-linear activations: ``variance_factors``, one Fourier integral. Others: ``variance_rows`` has the
one-step kernel, ``variance_chain`` the law after several layers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from deeplimits.activations import ShapedSmooth, Slopes
from deeplimits.laws import Law, PointMass, Transform
from deeplimits.limits.base import Limit
from deeplimits.limits.conditions import narrow, wide
from deeplimits.limits.exact import dear_kernels
from deeplimits.limits.regime import ANY_EXPONENT, Regime
from deeplimits.limits.solvers.compound import mixture
from deeplimits.limits.variance_chain import State, variance_states
from deeplimits.limits.variance_factors import Factors
from deeplimits.networks.network import Network

ERROR, _CLOSED_ERROR = 1e-7, 1e-9
"""Kolmogorov distances that are kept: of laws by kernels, and by a Fourier integral alone."""
_LEAST_UNITS, _MOST_UNITS = 16, 1024
_ATOM, _DEAD = 1e-12, 1e-9
"""Probabilities that are told of a variance beyond reach, and of a dead input."""


class ExactVariance(Limit):
    """V of one input of a perceptron with any activation, any shaping and widths.

    Dead inputs have V = 0. A variance that has grown too far to be followed, by an activation that grows
    faster than its argument, is +∞.
    """

    name = "exact_variance"
    label = "the law of the finite network itself, by the exact step of its variance"
    observables = ("log_variance", "variance")
    regimes: ClassVar[tuple[Regime, ...]] = (
        Regime(("linear", "relu_like"), ANY_EXPONENT, uneven=True),
        Regime(("smooth",), ANY_EXPONENT, uneven=True, conditions=(wide(_LEAST_UNITS), narrow(_MOST_UNITS))),
    )
    finite_precedence = 10
    rate_reason = "it is the law of the network: nothing is left that could fall"
    equation = "the law of the finite network itself, by the exact step of its variance"
    source = "the mean of n independent terms that a layer's variance is"

    def laws(self, network: Network, layers: Sequence[int], observable: str) -> list[Law]:
        logarithmic = observable == "log_variance"
        origin = float(np.log(network.gram[0][0]))
        early: list[Law] = [
            PointMass(origin if logarithmic else network.gram[0][0]) for layer in layers if layer == 0
        ]
        later = [layer for layer in layers if layer > 0]
        if not later:
            return early
        # y is log V/V₀ of factors, log V of states
        known = Transform.linear if logarithmic else Transform.exponential
        transform = known(shift=origin if network.piecewise_linear else 0.0)
        if network.piecewise_linear:
            return early + [_of_factors(network, layer, transform, logarithmic) for layer in later]
        return early + [_of_state(state, transform) for state in _states(network, later)]

    def dear(self, network: Network, layer: int) -> str | None:
        return None if network.piecewise_linear else dear_kernels(network, layer)

    def _error(self, network: Network, layer: int, observable: str, law: Law) -> float:
        if network.piecewise_linear:
            return _CLOSED_ERROR + _DEAD
        (state,) = _states(network, [layer])
        return ERROR + 2 * state.error + state.beyond

    def warning(self, network: Network, layer: int, observable: str) -> str | None:
        if network.piecewise_linear or layer == 0:
            return None
        (state,) = _states(network, [layer])
        if state.beyond < ERROR:
            return None
        return (
            f"a part {state.beyond:.3g} of the networks has a variance too large to be followed, told as +∞"
        )

    def explosion_probability(self, network: Network, layer: float) -> float | None:
        """P(V ≥ s² in one of the first ``layer`` layers, or of the input), of a shaped smooth network."""
        if network.piecewise_linear or network.exponent == 0:
            return None
        first = network.layers[0]
        assert isinstance(first.phi, ShapedSmooth)
        if network.gram[0][0] >= float(first.scale) ** 2:
            return 1.0
        if int(layer) == 0:
            return 0.0
        (state,) = _states(network, [int(layer)])
        return float(np.clip(1 - state.unexploded, 0.0, 1.0))

    def explosion_probability_ever(self, network: Network) -> float | None:
        """The same of all layers that the network has."""
        return self.explosion_probability(network, network.depth)


def _factors(network: Network, layer: int) -> Factors:
    widths = network.widths[:layer]
    kinds = network.layer_kinds
    counts: Counter[tuple[Slopes, int]] = Counter((kinds[units].slopes, units) for units in widths)
    return Factors(tuple((slopes, units, count) for (slopes, units), count in counts.items()))


def _of_factors(network: Network, layer: int, transform: Transform, logarithmic: bool) -> Law:
    found = _factors(network, layer)
    continuous = found.law(transform)
    if 1 - found.alive < _DEAD:
        return continuous
    return mixture([found.alive, 1 - found.alive], [continuous, PointMass(-np.inf if logarithmic else 0.0)])


def _states(network: Network, layers: Sequence[int]) -> list[State]:
    found = [(layer.phi, layer.units) for layer in network.layers]
    kept = [(phi, units) for phi, units in found if isinstance(phi, ShapedSmooth)]
    return variance_states(kept, float(np.log(network.gram[0][0])), layers)


def _of_state(state: State, transform: Transform) -> Law:
    continuous = state.table(transform)
    if state.beyond < _ATOM:
        return continuous
    return mixture([1 - state.beyond, state.beyond], [continuous, PointMass(np.inf)])
