"""Which smooth activations the engines can draw: those with a table, over all that can be asked of it. What
has none is told why, and how the same network is written so that it has one.
"""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

from deeplimits.activations import SMOOTH, ShapedSmooth, Smooth, Unknowable, smooth_name
from deeplimits.engines.contract.activation_tables import NoTable, table
from deeplimits.errors import InputError
from deeplimits.formulas import Formula
from deeplimits.networks.network import Network
from deeplimits.sweep.steepness import steepness, stretched

_LIMIT = "`deeplimits limit` needs no table"
_FLATTER = "a function that bends less, of which the engines have a table"
_FURTHEST = 2.0**60
"""√V₀ / s up to which the engines have all digits of φ(z) / √V."""
_TRIED = 2
"""Ways to write a steep formula that are looked at."""
_DOUBLINGS = 20


def described(function: Smooth) -> str:
    """The formula, and its centre unless that is 0."""
    at = f" at center {function.center:g}" if function.center else ""
    return f"<{function.formula}{at}>"


def has_table(function: Smooth) -> bool:
    """Whether the engines have a table of this function."""
    try:
        table(function)
    except NoTable:
        return False
    return True


def check_table(network: Network, phi: ShapedSmooth, where: Path | str, key: str) -> None:
    """Refuse what the engines cannot draw: no table of φ, or one that the preactivations may leave.

    Raises
    ------
    InputError
        With the reason, and the same network in other words or the smallest ``a`` where there is one.
    ArithmeticError
        If φ cannot be normalised.
    """
    function = phi.activation
    _check_inputs(network, phi, where)
    try:
        fits = _holds(network, phi)
        known = not network.kind.normalising or phi.has_all_digits
    except NoTable as error:
        raise InputError(where, key, described(function), _reason(network, function, error)) from None
    if fits and not known:
        expected = f"{_FLATTER}, or a larger a, of which c is known to 25 digits; {_LIMIT}"
        raise InputError(where, key, described(function), expected)
    if not fits:
        limit = table(function).limit
        least = _least_scale(network, function)
        expected = f"at least {least:.2g}" if least else "another activation (no a will do)"
        raise InputError(
            where,
            f"{key}.a",
            function.a,
            f"{expected}: preactivations may be larger than {limit * float(phi.scale):.3g}, beyond which the "
            f"engines have no table of this function, for it approaches no line; {_LIMIT}",
        )


def _check_inputs(network: Network, phi: ShapedSmooth, where: Path | str) -> None:
    """Refuse inputs so large that the squares of φ(z) / √V, of a φ that is bounded on a side, are no
    float32.
    """
    largest = max(network.gram[a][a] for a in range(network.inputs))
    reach = _FURTHEST * float(phi.scale)
    if math.sqrt(largest) > reach:
        expected = (
            f"up to {reach**2:.3g}, as √V₀ is at most 2^60 times the scale s, beyond which engines lose φ"
        )
        raise InputError(where, "inputs", f"<square norms up to {largest:g}>", expected)


def _holds(network: Network, phi: ShapedSmooth) -> bool:
    held = table(phi.activation)
    if math.isinf(held.limit):
        return True
    start = math.sqrt(max(network.gram[a][a] for a in range(network.inputs))) / float(phi.scale)
    if not held.holds(start, 0.0, added=network.residual):
        return False
    # a branch adds at most d^{1-b} times its largest activation to the first preactivation
    gain = (
        network.depth ** (1 - network.branch_exponent)
        if network.residual
        else math.sqrt(float(phi.normalizer))
    )
    return held.holds(start, gain, added=network.residual)


def _of(network: Network, function: Smooth) -> bool:
    """Whether the engines can draw the network with another activation."""
    changed = replace(network, activation=function)
    assert isinstance(changed.phi, ShapedSmooth)
    try:
        return _holds(changed, changed.phi)
    except (NoTable, ArithmeticError):
        return False


def _least_scale(network: Network, function: Smooth) -> float | None:
    """About the smallest ``a`` with which the engines can draw the network, rounded up; None where none is
    found.
    """
    low = high = function.a
    for _ in range(_DOUBLINGS):
        low, high = high, 2 * high
        if _of(network, replace(function, a=high)):
            break
    else:
        return None
    for _ in range(3):
        middle = (low + high) / 2
        low, high = (low, middle) if _of(network, replace(function, a=middle)) else (middle, high)
    unit = 10.0 ** (math.floor(math.log10(high)) - 1)
    return float(f"{math.ceil(high / unit) * unit:.2g}")


def _reason(network: Network, function: Smooth, error: NoTable) -> str:
    """Why there is no table, and what to do."""
    if isinstance(error.__cause__, Unknowable):
        return f"a function that does not turn ever faster, of which the engines have no table; {_LIMIT}"
    if type(error) is NoTable:
        return f"{error}; {_LIMIT}"
    formula = Formula(function.formula)
    for factor in steepness(formula)[:_TRIED]:
        flatter = Smooth(stretched(formula, factor).text, function.a / factor, function.center * factor)
        if factor <= 1 or not has_table(flatter):
            continue
        if _of(network, flatter):
            return f"{_FLATTER}; the same network is {_spelt(network, flatter)}; {_LIMIT}"
        least = _least_scale(network, flatter)
        if least:
            allowed = replace(flatter, a=least)
            return (
                f"{_FLATTER}: with its scale, a, at least "
                f"{least * factor:.2g}, and written as {_spelt(network, allowed)}; {_LIMIT}"
            )
    return f"{_FLATTER}; {_LIMIT}"


def _spelt(network: Network, function: Smooth) -> str:
    """An activation as it is written in a file."""
    name = smooth_name(function.formula)
    parts = [f"name: {name}" if name in SMOOTH else f"name: expression, expression: '{name}'"]
    parts.append(f"a: {function.a!r}")
    if function.center:
        parts.append(f"center: {function.center!r}")
    if function.origin != 0 or (network.residual and abs(function.scale_of_slope) != 1):
        parts.append("centered: true")
    return "{" + ", ".join(parts) + "}"
