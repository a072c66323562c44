"""Activations and their shaping: one definition for the oracle, the engines and the limits.

A ReLU-like activation is φ_s(x) = s₊ max(x, 0) + s₋ min(x, 0) with s± = 1 + c± n^{-p} (Li, Nica & Roy 2022,
eq. (2.1); Li & Nica 2024, eq. (2.5)); p = 0 with (c₊, c₋) = (0, −1) is the ordinary ReLU. Its normaliser is c
= 1 / E φ_s(g)² = 2 / (s₊² + s₋²), g ~ N(0, 1).

A smooth activation is φ_s(x) = s φ(x / s) with s = a n^p (Li, Nica & Roy 2022, Definition 3.8), where φ(u) =
(f(x₀ + u) − f(x₀)) / f'(x₀) is a function f centred at x₀, so that φ(0) = 0 and φ'(0) = 1.

The Ornstein–Uhlenbeck activation of Hayou 2022 (Proposition 4) is φ(y) = exp(h⁻¹(α y + β)²), h = erfi,
under which a residual network of one unit is an Ornstein–Uhlenbeck process as its depth grows.

Constants are exact rationals of the given floats or 50-digit numbers, so that every engine rounds the same
value once.
"""

from __future__ import annotations

from functools import lru_cache

from deeplimits.activations.arithmetic import Unknowable, exact, numeric
from deeplimits.activations.ornstein_uhlenbeck import OrnsteinUhlenbeck
from deeplimits.activations.piecewise import Identity, ReluLike, Slopes
from deeplimits.activations.shaped_smooth import KEPT, ShapedSmooth
from deeplimits.activations.smooth import SMOOTH, Core, Smooth, smooth_name
from deeplimits.digits import EXACT

__all__ = [
    "SMOOTH",
    "Activation",
    "Core",
    "Identity",
    "OrnsteinUhlenbeck",
    "Phi",
    "ReluLike",
    "ShapedSmooth",
    "Slopes",
    "Smooth",
    "Unknowable",
    "exact",
    "numeric",
    "shaped",
    "smooth_name",
]

Activation = ReluLike | Identity | Smooth | OrnsteinUhlenbeck

Phi = Slopes | ShapedSmooth | OrnsteinUhlenbeck
"""φ_s at one width and depth."""


@lru_cache(maxsize=KEPT)
def shaped(activation: Activation, size: int, exponent: float) -> Phi:
    """``activation`` shaped by ``size`` (the width or the depth) to the power ``exponent``; that of the
    Ornstein–Uhlenbeck process has no shape.
    """
    if isinstance(activation, OrnsteinUhlenbeck):
        return activation
    if isinstance(activation, Identity):
        return Slopes(EXACT.mpf(1), EXACT.mpf(1))
    scale = EXACT.mpf(size) ** EXACT.mpf(exponent)
    if isinstance(activation, Smooth):
        return ShapedSmooth(activation, EXACT.mpf(activation.a) * scale)
    return Slopes(1 + EXACT.mpf(activation.c_plus) / scale, 1 + EXACT.mpf(activation.c_minus) / scale)
