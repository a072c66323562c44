"""What is no activation, or another one than a file says."""

from __future__ import annotations

import math
from pathlib import Path

from deeplimits.activations import OrnsteinUhlenbeck, ShapedSmooth, Slopes, Smooth
from deeplimits.errors import InputError, Typed
from deeplimits.formulas import Formula
from deeplimits.networks.network import Network
from deeplimits.singularities import singularity
from deeplimits.sweep.activation_models import LeakyReluModel, SmoothModel, activation
from deeplimits.sweep.network_models import NetworkModel
from deeplimits.sweep.tabulated import check_table, described, has_table

_REACH = 2.0**60
"""Of the numbers of an activation that grows faster than a line."""
_LONGEST = 24
"""Of its sum of squared branch factors: unscaled branches of 24 layers stay within 2^100."""
_NOTHING = 1e-12
"""What f(center) and the difference of f'(center) from 1 are taken for 0 up to, relative to f'(center)."""
_INSTEAD = "`centered: true` asks for (f(center + u) − f(center)) / f'(center) in its place"


def check_meant(model: NetworkModel, where: Path, prefix: str) -> None:
    """Refuse an activation that would be another function than the file says, unless the file asks for it.

    A network has φ(u) = (f(center + u) − f(center)) / f'(center) of a smooth f. Where f(center) = 0, that is
    f over a number. The normaliser of a perceptron takes out such a factor, its weights the sign; the branch
    of a residual network keeps the factor.

    Raises
    ------
    InputError
        For an expression without ``centered: true``, or a name with ``centered: false``, if f(center) is not
        0, or f'(center) in a residual network neither 1 nor −1; and for a shaped leaky_relu.
    """
    given, shaping = model.activation, model.shape
    if isinstance(given, LeakyReluModel) and shaping and shaping.exponent != 0:
        expected = "relu with c_plus and c_minus, whose shaped slope below 0 is 1 + c_minus · size^-p"
        raise InputError(where, f"{prefix}activation.name", given.name, expected)
    phi = activation(given, where, f"{prefix}activation")
    if not (isinstance(given, SmoothModel) and isinstance(phi, Smooth)) or given.is_centered or phi.problem():
        return
    key = f"{prefix}activation." + ("expression" if given.name == "expression" else "name")
    found = Typed(given.function)
    at = f"x = {given.center:.6g}"
    value, slope = float(phi.origin), float(phi.scale_of_slope)
    if abs(value) > _NOTHING * abs(slope):
        expected = f"a function that is 0 at {at}, where it is {value:.6g}; networks with φ(0) ≠ 0 are not "
        raise InputError(where, key, found, f"{expected}supported: {_INSTEAD}")
    if not model.kind.normalising and abs(abs(slope) - 1) > _NOTHING:
        expected = (
            f"a function with a slope of 1 at {at}, where it has a slope of {slope:.6g}; other branches of a "
        )
        raise InputError(where, key, found, f"{expected}residual network are not supported: {_INSTEAD}")


def check_activation(network: Network, where: Path | str, key: str, *, simulated: bool = True) -> None:
    """Refuse what is no activation: zero everywhere, not smooth or flat at its centre, too steep far away for
    a Gaussian, or shaped so little that it cannot be normalised; and, where it is to be ``simulated``, what
    the engines have no table of; and networks out of the reach of the engines of their architecture.
    """
    problem = network.kind.problem(network)
    if problem is not None:
        raise InputError(where, "", *problem)
    smooth: list[tuple[int, ShapedSmooth]] = []
    for units, layer in network.layer_kinds.items():
        phi = layer.phi
        if isinstance(phi, Slopes) and phi.plus == 0 and phi.minus == 0:
            expected = "an activation that is not zero everywhere"
            raise InputError(where, key, "<slopes 0 and 0>", expected)
        if isinstance(phi, ShapedSmooth):
            smooth.append((units, phi))
    if smooth:
        # the others are nearer to the identity
        units, phi = min(smooth, key=lambda each: each[1].scale)
        _check_smooth(network.at_width(units), phi, where, key, simulated)
    if isinstance(network.activation, OrnsteinUhlenbeck):
        _check_exotic(network, network.activation, where, key)


def _check_smooth(network: Network, phi: ShapedSmooth, where: Path | str, key: str, simulated: bool) -> None:
    function = phi.activation
    problem = function.problem() or function.far_problem()
    if problem is None:
        bent = singularity(Formula(function.formula), function.center)
        if bent is not None and not has_table(function):
            problem = f"a function that is smooth on the whole line, as it is not at x = {bent:.6g}"
    if problem:
        raise InputError(where, key, described(function), problem)
    try:
        if simulated:
            check_table(network, phi, where, key)
        if network.kind.normalising:
            float(phi.normalizer)
    except ArithmeticError as error:
        expected = f"a larger one: the mean of φ_s(g)² of {function.formula}, g ~ N(0, 1), is not found"
        raise InputError(where, f"{key}.a", function.a, f"{expected} ({error})") from None


def _check_exotic(network: Network, phi: OrnsteinUhlenbeck, where: Path | str, key: str) -> None:
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
