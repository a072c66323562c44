"""Conditions that several limits ask of a network, beside architecture, activation and shaping (see
``regime``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from deeplimits.activations import Slopes, Smooth
from deeplimits.limits.regime import Condition
from deeplimits.limits.times import one_value
from deeplimits.networks.network import Network

ALIKE = 0.05
"""How far a coefficient may differ between layers of different widths, in parts of the largest, where a limit
knows
it as one number.
"""
_ZERO = 1e-20
"""|φ''(0)| that is nothing but rounding, in fifty digits."""


def curvature(network: Network) -> float:
    """φ''(0) of a smooth activation."""
    assert isinstance(network.activation, Smooth)
    second = network.activation.second
    return 0.0 if abs(second) < _ZERO else float(second)


def third_derivative(network: Network) -> float:
    """φ'''(0) of a smooth activation."""
    assert isinstance(network.activation, Smooth)
    return float(network.activation.third)


def same_in_all_layers(
    wanted: str, coefficients: Callable[[Network], Sequence[float]], spread: float = ALIKE
) -> Condition:
    """The condition that a coefficient per unit of time is the same in all layers, to within ``spread``.

    Parameters
    ----------
    wanted
        The coefficient, in words.
    coefficients
        That of a layer of each number of units that occurs, in ascending order of these.
    """
    return Condition(
        f"{wanted} that is the same in all layers to within {spread:.0%}",
        lambda network: one_value(network, coefficients(network), spread) is not None,
        lambda network: f"{min(coefficients(network)):.4g} to {max(coefficients(network)):.4g}",
    )


def few_steps(steps: Callable[[Network], float], most: int) -> Condition:
    """The condition that sampled paths have no more than so many ``steps``."""
    return Condition(
        f"paths of at most {most:,} steps, which are drawn in seconds",
        lambda network: steps(network) <= most,
        lambda network: f"paths of {steps(network):,.0f} steps",
    )


def wide(least: int) -> Condition:
    """The condition that every layer has ``least`` units or more."""
    return Condition(
        f"{least} units or more in every layer",
        lambda network: min(network.layer_kinds) >= least,
        lambda network: f"{min(network.layer_kinds)}",
    )


def narrow(most: int) -> Condition:
    """The condition that no layer has more than ``most`` units."""
    return Condition(
        f"{most:,} units or fewer in every layer",
        lambda network: max(network.layer_kinds) <= most,
        lambda network: f"{max(network.layer_kinds):,}",
    )


ABOVE_MINUS_ONE = Condition(
    "a correlation ρ₀ above −1, from which a diffusion can start",
    lambda network: network.inputs < 2 or network.gap() < 2,
    "ρ₀ = −1",
)
STRAIGHT = Condition(
    "φ''(0) = 0",
    lambda network: curvature(network) == 0,
    lambda network: f"φ''(0) = {curvature(network):.4g}",
)
SETTLING = Condition(
    "φ'''(0) < 0, for which the variance settles at 1",
    lambda network: third_derivative(network) < 0,
    lambda network: f"φ'''(0) = {third_derivative(network):.4g}",
)
DIFFERENT_SLOPES = Condition(
    "two different slopes",
    lambda network: network.slopes.plus != network.slopes.minus,
    lambda network: f"slopes {float(network.slopes.plus):g} and {float(network.slopes.minus):g}",
)
ONE_SIDED = Condition(
    "the slopes 1 and 0 of ReLU, up to a factor",
    lambda network: network.slopes.minus == 0,
    lambda network: f"slopes {float(network.slopes.plus):g} and {float(network.slopes.minus):g}",
)
RELU = Condition(
    "the slopes 1 and 0 of ReLU",
    lambda network: network.slopes == Slopes(1, 0),
    lambda network: f"slopes {float(network.slopes.plus):g} and {float(network.slopes.minus):g}",
)
ONE_UNIT = Condition(
    "one unit in each layer",
    lambda network: network.units == 1,
    lambda network: f"{network.units} units",
)
