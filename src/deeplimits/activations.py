"""Activations and their shaping: one definition for the oracle, the engines and the limits.

A ReLU-like activation is φ_s(x) = s₊ max(x, 0) + s₋ min(x, 0) with s± = 1 + c± n^{-p} (Li, Nica & Roy 2022,
eq. (2.1); Li & Nica 2024, eq. (2.5)); p = 0 with (c₊, c₋) = (0, −1) is the ordinary ReLU. Its normaliser is c
= 1 / E φ_s(g)² = 2 / (s₊² + s₋²), g ~ N(0, 1). Constants are exact rationals of the given floats or 50-digit
numbers, so that every engine rounds the same value once.
"""

from __future__ import annotations

from dataclasses import dataclass

import mpmath
import numpy as np
from numpy.typing import NDArray

DIGITS = 50
"""Decimal digits in which constants are computed before they are rounded once."""

EXACT = mpmath.MPContext()
EXACT.dps = DIGITS


@dataclass(frozen=True, slots=True)
class ReluLike:
    """φ_s(x) = s₊ max(x, 0) + s₋ min(x, 0), with slopes s± = 1 + c± · size^{-p}."""

    c_plus: float = 0.0
    c_minus: float = -1.0


@dataclass(frozen=True, slots=True)
class Identity:
    """φ(x) = x, the linear network."""


Activation = ReluLike | Identity


@dataclass(frozen=True, slots=True)
class Slopes:
    """The two slopes of a piecewise-linear activation, as 50-digit numbers."""

    plus: mpmath.mpf
    minus: mpmath.mpf

    @property
    def normalizer(self) -> mpmath.mpf:
        """c = 1 / E φ_s(g)² = 2 / (s₊² + s₋²)."""
        return 2 / (self.plus**2 + self.minus**2)

    def __call__(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """φ_s(x), elementwise, in float64."""
        return np.where(x > 0, float(self.plus), float(self.minus)) * x


def slopes(activation: Activation, size: int, exponent: float) -> Slopes:
    """Slopes of ``activation`` shaped by ``size`` (the width or the depth) to the power −``exponent``."""
    if isinstance(activation, Identity):
        return Slopes(EXACT.mpf(1), EXACT.mpf(1))
    scale = EXACT.mpf(size) ** -EXACT.mpf(exponent)
    return Slopes(1 + EXACT.mpf(activation.c_plus) * scale, 1 + EXACT.mpf(activation.c_minus) * scale)
