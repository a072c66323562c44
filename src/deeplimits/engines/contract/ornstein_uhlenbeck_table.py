"""The activation of the Ornstein–Uhlenbeck process as a table: E(v) = exp(h⁻¹(v)²), h = erfi (Hayou 2022,
Proposition 4).

E is even, 1 at 0, and grows like |v| √(π log |v|). The first row holds |v| < 2^-5, as a cubic in |v|; from
there each octave, up to the end of float32, has 2^k equal cells, whose rows hold E(v) / |v| as a cubic in the
part of |v| / 2^e that lies within the cell. E is found by Newton's iteration at the Chebyshev nodes of an
octave, and between them by their polynomial; pieces go through the Chebyshev nodes of their cells; all in 30
digits, rounded once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache, partial, reduce

import mpmath
import numpy as np
from numpy.typing import NDArray

from deeplimits.digits import ThreadedContext
from deeplimits.engines.contract.activation_tables import LOWEST, kept, through

BITS = 5
"""k."""
_HIGHEST = 128
_NODES = 16
"""Chebyshev nodes of an octave."""
_ERROR = 2e-8
"""Largest relative error of a piece before rounding."""

_DIGITS = ThreadedContext(30)


@lru_cache(maxsize=1)
def rows() -> NDArray[np.float32]:
    """[piece, power], lowest first; from disk where it is kept."""
    return kept("ornstein_uhlenbeck", _made).reshape(-1, 4)


def _made() -> NDArray[np.float32]:
    cell, half = _DIGITS.mpf(1) / (1 << BITS), _DIGITS.mpf(1) / 2
    pieces = [_piece(ornstein_uhlenbeck, _DIGITS.mpf(0), _DIGITS.mpf(2) ** LOWEST)]
    nodes = [half * (1 + _DIGITS.cos(_DIGITS.pi * (2 * i + 1) / (2 * _NODES))) for i in range(_NODES)]
    for octave in range(LOWEST, _HIGHEST):
        values = [(1 + node) * _DIGITS.mpf(2) ** octave for node in nodes]
        powers = through(nodes, [ornstein_uhlenbeck(v) / v for v in values])
        pieces += [_piece(partial(_sum, powers), i * cell, cell) for i in range(1 << BITS)]
    return np.array(pieces, np.float32)


def _sum(powers: Sequence[mpmath.mpf], at: mpmath.mpf) -> mpmath.mpf:
    return reduce(lambda total, power: total * at + power, reversed(powers))


def _piece(function: Callable[[mpmath.mpf], mpmath.mpf], low: mpmath.mpf, size: mpmath.mpf) -> list[float]:
    """Powers of x − low of the cubic through the four Chebyshev nodes of [low, low + size]."""
    nodes = [size / 2 * (1 + _DIGITS.cos(_DIGITS.pi * (2 * i + 1) / 8)) for i in range(4)]
    powers = through(nodes, [function(low + node) for node in nodes])
    for at in (_DIGITS.mpf(0), size / 2, size):
        exact = function(low + at)
        assert abs(_sum(powers, at) - exact) <= _ERROR * exact, low
    return [float(power) for power in powers]


def ornstein_uhlenbeck(v: mpmath.mpf) -> mpmath.mpf:
    """E(v) in 30 digits, for v ≥ 0: Newton's iteration on log h."""
    if v == 0:
        return _DIGITS.mpf(1)
    root = _DIGITS.sqrt(_DIGITS.pi)
    x = min(v * root / 2, _DIGITS.sqrt(_DIGITS.log(1 + v)))
    while True:
        height = _DIGITS.erfi(x)
        # d log h / dx = 2 exp(x²) / (√π h)
        step = _DIGITS.log(height / v) * height * root / (2 * _DIGITS.exp(x * x))
        x -= step
        if abs(step) < 1e-13 * x:
            return _DIGITS.exp(x * x)
