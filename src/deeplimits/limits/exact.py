"""The law of the correlation of a finite ReLU-like network itself, by its exact one-step kernel: no limit, no
sample. ``transition`` has the kernel, ``exact_chain`` the law after several layers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from deeplimits.array_types import Array
from deeplimits.laws import Law, PointMass, Transform
from deeplimits.limits.base import Limit
from deeplimits.limits.chain_grid import Grid, tabulated
from deeplimits.limits.coefficients import is_odd
from deeplimits.limits.conditions import ABOVE_MINUS_ONE, narrow, wide
from deeplimits.limits.exact_chain import Layers, State, states
from deeplimits.limits.mlp.correlation import start_coordinate
from deeplimits.limits.regime import ANY_EXPONENT, Regime
from deeplimits.limits.solvers.compound import mixture
from deeplimits.networks.network import Network

ERROR = 1e-7
"""Kolmogorov distance that is kept, of laws between the nodes of their tables as well."""
_LEAST_UNITS, _LEAST_LINEAR, _MOST_UNITS = 8, 4, 1024


class Exact(Limit):
    """ρ of two inputs of a perceptron with piecewise-linear activations, any shaping and widths.

    It is the law of networks whose inputs both live, as all that is stored of correlations is.
    """

    name = "exact"
    label = "the law of the finite network itself, by its exact one-step kernel"
    observables = ("correlation", "rescaled_correlation")
    regimes: ClassVar[tuple[Regime, ...]] = (
        Regime(
            ("linear",),
            ANY_EXPONENT,
            uneven=True,
            inputs=2,
            conditions=(wide(_LEAST_LINEAR), narrow(_MOST_UNITS)),
        ),
        Regime(
            ("relu_like",),
            ANY_EXPONENT,
            uneven=True,
            inputs=2,
            conditions=(wide(_LEAST_UNITS), narrow(_MOST_UNITS), ABOVE_MINUS_ONE),
        ),
    )
    finite_precedence = 10
    rate_reason = "it is the law of the network: nothing is left that could fall"
    equation = "the law of the finite network itself, by its one-step kernel"
    source = "the one-step kernel of a ReLU-like layer, in closed form up to a Fourier integral"

    def laws(self, network: Network, layers: Sequence[int], observable: str) -> list[Law]:
        rescaled = observable == "rescaled_correlation"
        if network.gap() == 0 or (network.gap() >= 2 and is_odd(network)):
            end = 1.0 if network.gap() == 0 else -1.0
            return [PointMass(_value(end, layer) if rescaled else end) for layer in layers]
        early = [
            PointMass(_value(network.correlation(), 0) if rescaled else network.correlation())
            for layer in layers
            if layer == 0
        ]
        later = [layer for layer in layers if layer > 0]
        if not later:
            return list(early)
        found = states(layers_of(network), start_coordinate(network, self.name), later)
        return [*early, *(law_of(state, layer, rescaled) for state, layer in zip(found, later, strict=True))]

    def dear(self, network: Network, layer: int) -> str | None:
        for each in network.layers[:layer]:
            slopes = sorted((abs(each.slopes.plus), abs(each.slopes.minus)))
            if each.units < _QUICK_UNITS and 0 < slopes[0] < _QUICK_RATIO * slopes[1]:
                return f"a layer of {each.units} units with a slope of nearly 0 takes ten seconds or more"
        return dear_kernels(network, layer)

    def _error(self, network: Network, layer: int, observable: str, law: Law) -> float:
        (state,) = states(layers_of(network), start_coordinate(network, self.name), [layer])
        return ERROR + 2 * state.lost

    def warning(self, network: Network, layer: int, observable: str) -> str | None:
        dead = 1.0
        for each in network.layers[:layer]:
            dead *= 1 - 0.5 ** (each.units - 1) if each.slopes.plus * each.slopes.minus == 0 else 1.0
        if 1 - dead < _TOLD:
            return None
        return (
            f"it is the law of networks in which both inputs live: up to {1 - dead:.3g} of all have a layer "
            "whose units are all negative"
        )


def dear_kernels(network: Network, layer: int) -> str | None:
    """Why one-step kernels of a network take more than seconds, or None."""
    if layer == 0:
        return None
    kinds = set(network.widths[:layer])
    if len(kinds) > _QUICK_KINDS:
        return f"layers of {len(kinds)} widths need a kernel each, a second or two"
    if layer > _QUICK_LAYERS:
        return f"{layer:,} layers take long; up to {_QUICK_LAYERS:,} take seconds"
    return None


_QUICK_KINDS, _QUICK_LAYERS = 2, 4096
"""Widths and layers up to which kernels take seconds, of any number of units."""
_QUICK_UNITS, _QUICK_RATIO = 24, 0.1
"""Units from which on, and ratio of slopes, at which they do; a slope of 0 itself takes no longer."""
_TOLD = 1e-4
"""Probability of a dead input that is told."""


def layers_of(network: Network) -> Layers:
    """Slopes and units of each layer."""
    return [(layer.slopes, layer.units) for layer in network.layers]


def _value(rho: float, layer: int) -> float:
    """log ℓ² (1 − ρ)."""
    with np.errstate(divide="ignore"):
        return float(np.log(float(layer) ** 2 * (1 - np.float64(rho))))


def law_of(state: State, layer: int, rescaled: bool) -> Law:
    """The law of ρ, or of log ℓ² (1 − ρ), given that both inputs live."""
    transform = _rescaled_transform(state.grid, layer) if rescaled else _transform(state.grid)
    parts: list[tuple[float, Law]] = []
    if (mass := float(state.masses.sum())) > _ATOM * state.alive:
        parts.append((mass, tabulated(state.grid, state.first, state.masses / state.grid.step, transform)))
    for mass, rho in ((state.apart, 0.0), (state.equal, 1.0)):
        if mass > _ATOM * state.alive:
            parts.append((mass, PointMass(_value(rho, layer) if rescaled else rho)))
    total = sum(mass for mass, _ in parts)
    return mixture([mass / total for mass, _ in parts], [law for _, law in parts])


_ATOM = 1e-12


def _transform(grid: Grid) -> Transform:
    low = -1.0 if grid.smoothing == 0 else 0.0

    def to_coordinate(rho: Array) -> Array:
        y = np.arctanh(np.clip(rho, -1 + 1e-16, 1 - 1e-16))
        return grid.back(y if grid.smoothing == 0 else np.maximum(y, 1e-300))

    def slope(rho: Array) -> Array:
        inside = np.maximum((1 - rho) * (1 + rho), 1e-300)
        return 1 / inside / np.maximum(grid.slope(to_coordinate(rho)), 1e-300)

    return Transform(to_coordinate, lambda z: np.tanh(grid.y(z)), slope, low=low, high=1.0)


def _rescaled_transform(grid: Grid, layer: int) -> Transform:
    """r = log ℓ² + log 2 − log(1 + e^{2y})."""
    shift = 2 * float(np.log(layer)) + float(np.log(2))
    high = shift if grid.smoothing == 0 else shift - float(np.log(2))

    def to_coordinate(r: Array) -> Array:
        over = np.maximum(shift - r, 0.0)
        # log(e^x − 1) / 2
        y = (over + np.log(-np.expm1(-np.maximum(over, 1e-300)))) / 2
        return grid.back(y if grid.smoothing == 0 else np.maximum(y, 1e-300))

    def slope(r: Array) -> Array:
        z = to_coordinate(r)
        return (1 + np.exp(-2 * np.abs(grid.y(z)))) / 2 * _larger(grid.y(z)) / grid.slope(z)

    return Transform(
        to_coordinate,
        lambda z: shift - np.logaddexp(0.0, 2 * grid.y(z)),
        slope,
        increasing=False,
        high=high,
    )


def _larger(y: Array) -> Array:
    """(1 + e^{−2y}) / (1 + e^{−2|y|})."""
    return np.where(y >= 0, 1.0, np.exp(-2 * np.minimum(y, 0.0)))
