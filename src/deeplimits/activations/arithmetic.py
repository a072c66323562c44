"""Functions of formulas in 50 digits and in float64."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import mpmath
import numpy as np

from deeplimits.digits import EXACT
from deeplimits.formula_derivatives import SIGN
from deeplimits.formulas import FUNCTIONS, Formula, Library


class Unknowable(ArithmeticError):
    """A value that hangs on more digits of its argument than can be computed, such as sin(e^(10^9))."""


@cache
def exact() -> Library:
    """Formulas in 50 digits. Beyond 2^±4096 the functions that grow or turn no longer ask mpmath, which would
    compute without end there: they have their limits, overflow, or are unknowable.
    """
    names = {"abs": "fabs"}
    functions = {name: getattr(EXACT, names.get(name, name)) for name in (*FUNCTIONS, SIGN)}
    for name, (low, high) in _FAR.items():
        functions[name] = _bounded(functions[name], low, high)
    return Library(functions, EXACT.mpf, EXACT.mpf(EXACT.pi))


_FAR: dict[str, tuple[int | type[Exception], int | type[Exception]]] = {
    "exp": (0, OverflowError),
    "sinh": (OverflowError, OverflowError),
    "cosh": (OverflowError, OverflowError),
    "tanh": (-1, 1),
    "erf": (-1, 1),
    "erfc": (2, 0),
    "sin": (Unknowable, Unknowable),
    "cos": (Unknowable, Unknowable),
    "tan": (Unknowable, Unknowable),
}
"""What functions are far to the left and to the right."""
_BITS = 4096


def _bounded(
    function: Callable[[Any], Any], low: int | type[Exception], high: int | type[Exception]
) -> Callable[[Any], Any]:
    def within(x: Any) -> Any:
        if not isinstance(x, EXACT.mpf):
            return function(x)
        sign, mantissa, exponent, bits = x._mpf_
        if not mantissa or exponent + bits <= _BITS:
            return function(x)
        far = low if sign else high
        if isinstance(far, int):
            return EXACT.mpf(far)
        raise far("a number that is too large")

    return within


@cache
def numeric() -> Library:
    """Formulas in float64, on arrays."""
    from scipy import special

    names = {"asin": "arcsin", "acos": "arccos", "atan": "arctan", "asinh": "arcsinh", "atanh": "arctanh"}
    functions = {
        name: getattr(special if name in ("erf", "erfc") else np, names.get(name, name))
        for name in (*FUNCTIONS, SIGN)
    }
    return Library(functions, float, float(np.pi))


@cache
def exactly(text: str) -> Callable[[mpmath.mpf], Any]:
    """A formula as a function in 50 digits."""
    formula, library = Formula(text), exact()
    return lambda x: formula(x, library)
