"""Where a formula is not smooth: it is evaluated on intervals, and an interval on which some part of it may
leave the domain of its function, or meet a kink, is halved until it is too short to be halved.

The bounds are those of interval arithmetic without directed rounding: good enough to give a reason, no proof.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from deeplimits.formulas import Formula, Library

_OCTAVES = range(-10, 11)
"""Of the distances from the centre that are looked at."""
_SHORT = 1e-9
"""Length of an interval that is not halved any more, relative to where it is."""
_MOST = 3000
"""Intervals that are looked at."""


class _Singular(Exception):
    """A part of a formula that need not be smooth on an interval."""


@dataclass(frozen=True, slots=True)
class _Interval:
    """Numbers from ``low`` to ``high``."""

    low: float
    high: float

    def __neg__(self) -> _Interval:
        return _Interval(-self.high, -self.low)

    def __add__(self, other: _Interval) -> _Interval:
        low, high = self.low + other.low, self.high + other.high
        return _Interval(-math.inf if math.isnan(low) else low, math.inf if math.isnan(high) else high)

    def __sub__(self, other: _Interval) -> _Interval:
        return self + -other

    def __mul__(self, other: _Interval) -> _Interval:
        ends = [one * two for one in (self.low, self.high) for two in (other.low, other.high)]
        ends = [0.0 if math.isnan(end) else end for end in ends]
        return _Interval(min(ends), max(ends))

    def __truediv__(self, other: _Interval) -> _Interval:
        if other.low <= 0 <= other.high:
            raise _Singular
        return self * _Interval(1 / other.high, 1 / other.low)

    def __pow__(self, exponent: int | _Interval) -> _Interval:
        if isinstance(exponent, _Interval):
            _inside(self, 0.0, math.inf)
            return _increasing(lambda x: math.exp(math.log(x) * abs(exponent.low)))(self) ** (
                1 if exponent.low > 0 else -1
            )
        if exponent < 0:
            return _Interval(1.0, 1.0) / self**-exponent
        ends = [_safely(lambda x: x**exponent, end) for end in (self.low, self.high)]
        if exponent % 2 == 0 and self.low < 0 < self.high:
            return _Interval(0.0, max(ends))
        return _Interval(min(ends), max(ends))


def _safely(function: Callable[[float], float], x: float) -> float:
    """The value, infinite where it overflows."""
    try:
        return function(x)
    except OverflowError:
        return math.copysign(math.inf, x) if function(math.copysign(1.0, x)) < 0 else math.inf


def _increasing(function: Callable[[float], float]) -> Callable[[_Interval], _Interval]:
    return lambda x: _Interval(_safely(function, x.low), _safely(function, x.high))


def _inside(x: _Interval, low: float, high: float) -> None:
    if not (low < x.low and (x.high < high or math.isinf(high))):
        raise _Singular


def _of_domain(function: Callable[[float], float], low: float, high: float) -> Callable[[_Interval], Any]:
    def value(x: _Interval) -> _Interval:
        _inside(x, low, high)
        ends = [function(end) if math.isfinite(end) else end for end in (x.low, x.high)]
        return _Interval(min(ends), max(ends))

    return value


def _abs(x: _Interval) -> _Interval:
    if x.low <= 0 <= x.high:
        raise _Singular
    return x if x.low > 0 else -x


def _sin(x: _Interval, shift: float = 0.0) -> _Interval:
    """sin(x + shift)."""
    low, high = x.low + shift, x.high + shift
    if not high - low < 2 * math.pi or max(abs(low), abs(high)) > 1e15:
        return _Interval(-1.0, 1.0)
    ends = [math.sin(low), math.sin(high)]
    turns = [
        side
        for side in (1.0, -1.0)
        if math.floor((low - side * math.pi / 2) / (2 * math.pi))
        != math.floor((high - side * math.pi / 2) / (2 * math.pi))
    ]
    return _Interval(min([*ends, *turns]), max([*ends, *turns]))


def _tan(x: _Interval) -> _Interval:
    return _sin(x) / _sin(x, math.pi / 2)


def _cosh(x: _Interval) -> _Interval:
    ends = [_safely(math.cosh, abs(end)) for end in (x.low, x.high)]
    return _Interval(1.0 if x.low < 0 < x.high else min(ends), max(ends))


_LIBRARY = Library(
    {
        "exp": _increasing(math.exp),
        "log": _of_domain(math.log, 0.0, math.inf),
        "sqrt": _of_domain(math.sqrt, 0.0, math.inf),
        "abs": _abs,
        "sin": _sin,
        "cos": lambda x: _sin(x, math.pi / 2),
        "tan": _tan,
        "sinh": _increasing(math.sinh),
        "cosh": _cosh,
        "tanh": _increasing(math.tanh),
        "asin": _of_domain(math.asin, -1.0, 1.0),
        "acos": _of_domain(math.acos, -1.0, 1.0),
        "atan": _increasing(math.atan),
        "asinh": _increasing(math.asinh),
        "atanh": _of_domain(math.atanh, -1.0, 1.0),
        "erf": _increasing(math.erf),
        "erfc": lambda x: _Interval(math.erfc(x.high), math.erfc(x.low)),
    },
    lambda number: _Interval(float(number), float(number)),
    _Interval(math.pi, math.pi),
)


def singularity(formula: Formula, center: float = 0.0) -> float | None:
    """A number near ``center``, up to a distance of 2^11, at which the formula need not be smooth; None where
    there is none.
    """
    edges = [0.0, *(2.0**octave for octave in _OCTAVES), 2.0 ** (_OCTAVES[-1] + 1)]
    pairs = list(itertools.pairwise(edges))
    boxes = [(center + side * a, center + side * b) for a, b in reversed(pairs) for side in (1, -1)]
    boxes = [(min(box), max(box)) for box in boxes]
    for _ in range(_MOST):
        if not boxes:
            return None
        low, high = boxes.pop()
        try:
            formula(_Interval(low, high), _LIBRARY)
        except _Singular:
            middle = (low + high) / 2
            if high - low <= _SHORT * max(1.0, abs(middle)):
                return middle
            boxes += [(low, middle), (middle, high)]
    return None
