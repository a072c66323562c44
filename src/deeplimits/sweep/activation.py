"""The activation that a file describes, and what is no activation."""

from __future__ import annotations

import math
from pathlib import Path

from deeplimits.activations import (
    Activation,
    Identity,
    OrnsteinUhlenbeck,
    ReluLike,
    ShapedSmooth,
    Slopes,
    Smooth,
)
from deeplimits.engines.tables import NoTable, table
from deeplimits.errors import InputError, nearest_name
from deeplimits.formulas import FormulaError
from deeplimits.networks.network import Network
from deeplimits.sweep.models import ActivationModel

_REACH = 2.0**60
"""Of the numbers of an activation that grows faster than a line."""


_LONGEST = 24
"""Of its sum of squared branch factors: unscaled branches of 24 layers stay within 2^100."""


def activation(model: ActivationModel, where: Path, key: str) -> Activation:
    """The activation that a file describes.

    Raises
    ------
    InputError
        If a formula cannot be read.
    """
    if model.name == "identity":
        return Identity()
    if model.name == "relu":
        return ReluLike(model.c_plus, model.c_minus)
    if model.name == "ornstein_uhlenbeck":
        if model.alpha == 0:
            raise InputError(where, f"{key}.alpha", model.alpha, "a number other than 0")
        return OrnsteinUhlenbeck(model.alpha, model.beta)
    try:
        return Smooth.of(model.expression or model.name, model.a, model.center)
    except FormulaError as error:
        nearest = nearest_name(error.found, error.names)
        raise InputError(where, f"{key}.expression", error.found, error.expected, nearest) from None


def check_activation(network: Network, where: Path, key: str) -> None:
    """Refuse what is no activation: zero everywhere, not smooth or flat at its centre, steeper than a line
    far away, or shaped so little that it cannot be normalised.
    """
    for phi in (layer.phi for layer in network.layer_kinds.values()):
        if isinstance(phi, Slopes) and phi.plus == 0 and phi.minus == 0:
            raise InputError(where, key, "slopes 0 and 0", "an activation that is not zero everywhere")
        if isinstance(phi, ShapedSmooth):
            _check_smooth(network, phi, where, key)
    if isinstance(network.activation, OrnsteinUhlenbeck):
        _check_exotic(network, network.activation, where, key)


def _check_exotic(network: Network, phi: OrnsteinUhlenbeck, where: Path, key: str) -> None:
    """Refuse numbers that would leave the engine's range, |α z + β| < 2^127: φ grows faster than a line."""
    roots = [math.sqrt(network.gram[a][a]) for a in range(network.inputs)]
    if not all(1 / _REACH <= size <= _REACH for size in (abs(phi.alpha), abs(phi.alpha) * max(roots))):
        expected = "an α that is, and that makes of the largest input, a number between 2^-60 and 2^60"
        raise InputError(where, f"{key}.alpha", phi.alpha, expected)
    if abs(phi.beta) > _REACH:
        raise InputError(where, f"{key}.beta", phi.beta, "a number up to 2^60")
    if not all(1 / _REACH <= root <= _REACH for root in roots):
        raise InputError(where, "inputs", f"<square norms from {min(roots) ** 2:g}>", "norms within 2^±60")
    time = network.depth ** (1 - 2 * network.branch_exponent)
    if time > _LONGEST:
        expected = f"a larger one: d^(1 − 2b), {time:.4g}, is at most {_LONGEST} for an activation that grows"
        raise InputError(where, "branch_exponent", network.branch_exponent, f"{expected} faster than a line")


def _check_smooth(network: Network, phi: ShapedSmooth, where: Path, key: str) -> None:
    function = phi.activation
    found = f"<{function.formula} at center {function.center:g}>"
    problem = function.problem()
    if problem:
        raise InputError(where, key, found, problem)
    try:
        held = table(function)
        # a branch adds at most d^{1-b} times its largest activation to the first preactivation
        gain = (
            network.depth ** (1 - network.branch_exponent)
            if network.residual
            else math.sqrt(float(phi.normalizer))
        )
    except NoTable as error:
        raise InputError(where, key, found, str(error)) from None
    except ArithmeticError:
        raise InputError(
            where, f"{key}.a", function.a, "a larger one: φ_s² cannot be integrated against a Gaussian"
        ) from None
    start = math.sqrt(max(network.gram[a][a] for a in range(network.inputs))) / float(phi.scale)
    if not held.holds(start, gain, added=network.residual):
        raise InputError(
            where,
            f"{key}.a",
            function.a,
            f"a larger one: with s = {float(phi.scale):.6g} the network leaves |z| ≤ {held.limit:g} s, "
            f"beyond which {function.formula} has no table, for it approaches no line",
        )
