"""Float64 arrays that carry a bound of their own rounding error, to first order.

A formula evaluated on them tells where its float64 value can be trusted: where two large numbers cancel or an
intermediate result overflows, the bound is large or not a number, and the value has to be had otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from deeplimits.activations import numeric
from deeplimits.formulas import Library

UNIT = 2.0**-53
_PI_ERROR = 1.2246467991473532e-16


class Running:
    """Values and bounds of their absolute errors, elementwise.

    Parameters
    ----------
    value, error
        Arrays of one shape, or numbers.
    """

    __slots__ = ("error", "value")

    def __init__(self, value: Any, error: Any = 0.0):
        self.value, self.error = value, error

    def __neg__(self) -> Running:
        return Running(-self.value, self.error)

    def __add__(self, other: Any) -> Running:
        other = _running(other)
        value = self.value + other.value
        return Running(value, self.error + other.error + UNIT * np.abs(value))

    def __sub__(self, other: Any) -> Running:
        return self + -_running(other)

    def __mul__(self, other: Any) -> Running:
        other = _running(other)
        value = self.value * other.value
        error = np.abs(self.value) * other.error + (np.abs(other.value) + other.error) * self.error
        return Running(value, error + UNIT * np.abs(value))

    def __truediv__(self, other: Any) -> Running:
        other = _running(other)
        value = self.value / other.value
        error = (self.error + np.abs(value) * other.error) / np.abs(other.value) + UNIT * np.abs(value)
        # a finite number over one that overflowed is below 1e-300
        tiny = np.isinf(other.value) & np.isfinite(self.value) & np.isfinite(self.error)
        return Running(value, np.where(tiny, 0.0, error))

    def __pow__(self, exponent: float) -> Running:
        value = self.value**exponent
        slope = np.abs(exponent * self.value ** (exponent - 1)) if exponent else 0.0
        error = np.where(self.error == 0, 0.0, slope * self.error)
        return Running(value, error + (abs(exponent) + 1) * UNIT * np.abs(value))

    __radd__ = __add__
    __rmul__ = __mul__

    def __rsub__(self, other: Any) -> Running:
        return -self + other

    def __rtruediv__(self, other: Any) -> Running:
        return _running(other) / self


def _running(value: Any) -> Running:
    return value if isinstance(value, Running) else Running(value)


_SLOPES: dict[str, Callable[[Any, Any], Any]] = {
    "exp": lambda x, y: y,
    "log": lambda x, y: 1 / x,
    "sqrt": lambda x, y: 0.5 / y,
    "abs": lambda x, y: 1.0,
    "sign": lambda x, y: 0.0,
    "sin": lambda x, y: np.cos(x),
    "cos": lambda x, y: np.sin(x),
    "tan": lambda x, y: 1 + y * y,
    "sinh": lambda x, y: 1 + np.abs(y),
    "cosh": lambda x, y: y,
    "tanh": lambda x, y: 1 - y * y,
    "asin": lambda x, y: 1 / np.sqrt(1 - x * x),
    "acos": lambda x, y: 1 / np.sqrt(1 - x * x),
    "atan": lambda x, y: 1 / (1 + x * x),
    "asinh": lambda x, y: 1 / np.sqrt(1 + x * x),
    "atanh": lambda x, y: 1 / (1 - x * x),
    "erf": lambda x, y: 1.13 * np.exp(-x * x),
    "erfc": lambda x, y: 1.13 * np.exp(-x * x),
}
"""|F'(x)| from x and F(x), or a little more."""


def _function(name: str, plain: Callable[[Any], Any]) -> Callable[[Any], Running]:
    slope = _SLOPES[name]

    def evaluated(x: Any) -> Running:
        x = _running(x)
        value = plain(x.value)
        error = np.where(x.error == 0, 0.0, np.abs(slope(x.value, value)) * x.error)
        return Running(value, error + 2 * UNIT * np.abs(value))

    return evaluated


@cache
def running() -> Library:
    """Formulas in float64 with bounds of their rounding errors."""
    plain = numeric()
    functions = {name: _function(name, plain.functions[name]) for name in plain.functions}
    return Library(functions, float, Running(plain.pi, _PI_ERROR))
