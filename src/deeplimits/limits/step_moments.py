"""What one layer of a ReLU-like network does to y = artanh ρ: the step of infinite width, and its mean and
variance to the order 1/n, from ρ = −1 to 1 without cancellation.

Of a unit, a = φ_s(u) and b = φ_s(v), D = c (a − b)² and F = c (a + b)², whose means over units are D̄ and F̄:
E D̄ = 2 (1 − R) and E F̄ = 2 (1 + R) with R = c K₁(ρ), and D F = c² (a² − b²)². An expansion of

    y' = artanh (F̄ − D̄) / √((F̄ + D̄)² − 4 Ē²),  Ē the mean of c (a² − b²),

about what is expected asks for E D², E F² and E D F alone. With δ = u − v and σ = u + v, independent, D is
s₊² δ² or s₋² δ² where u and v have one sign, and (q δ ± e σ)² where they have not, q = (s₊ + s₋)/2 and e =
(s₊ − s₋)/2; F likewise with δ and σ exchanged. Where ρ < 0, v is taken as its negative: D and F change
places, and so do the two kinds of signs. So every moment is a sum of positive terms.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deeplimits.activations import Slopes
from deeplimits.array_types import Array
from deeplimits.limits.coefficients import asymmetry

_POINTS, _WEIGHTS = np.polynomial.legendre.leggauss(10)
"""Gauss' rule, to the last digit of a trigonometric polynomial of fourth degree over an eighth of a turn."""


@dataclass(frozen=True)
class Step:
    """A layer's step from y, each [place].

    Parameters
    ----------
    moved
        m = artanh c K₁(ρ) − y, of infinite width.
    slope
        dm/dy.
    shift, spread
        The mean of y' is y + m + shift / n + O(n⁻²), its variance spread / n + O(n⁻²).
    sway
        n times the variance of ½ log (V^{aa} / V^{bb}) after the layer, likewise.
    """

    moved: Array
    slope: Array
    shift: Array
    spread: Array
    sway: Array


@dataclass(frozen=True)
class _Products:
    """Means of powers of δ and σ over one half of the signs of a kind that u and v have, each [place]."""

    d2: Array
    s2: Array
    d4: Array
    d2s2: Array
    s4: Array


def step(slopes: Slopes, y: Array) -> Step:
    """The step of a layer with these slopes, c = 2 / (s₊² + s₋²), from coordinates y."""
    plus, minus = float(slopes.plus), float(slopes.minus)
    square, fourth, kernel = plus**2 + minus**2, plus**4 + minus**4, asymmetry(slopes)
    c = 2 / square
    q2, e2 = ((plus + minus) / 2) ** 2, ((plus - minus) / 2) ** 2
    mirrored = y < 0
    decay = np.exp(-np.abs(y))
    theta = 2 * np.arctan(decay)  # arccos |ρ|
    less = decay**2 / (1 + decay**2)  # (1 − |ρ|)/2
    one, other = _one_sign(theta, less), _two_signs(theta, less)
    pure, mixed = _chosen(mirrored, other, one), _chosen(mirrored, one, other)
    # G is what is small with δ, H what is large with σ: D and F, or F and D where v is mirrored
    g = c * (square * pure.d2 + 2 * (q2 * mixed.d2 + e2 * mixed.s2)) / 2
    h = c * (square * pure.s2 + 2 * (q2 * mixed.s2 + e2 * mixed.d2)) / 2
    cross = 6 * q2 * e2 * mixed.d2s2
    of_g = c**2 * (fourth * pure.d4 + 2 * (q2**2 * mixed.d4 + cross + e2**2 * mixed.s4)) - 4 * g**2
    of_h = c**2 * (fourth * pure.s4 + 2 * (q2**2 * mixed.s4 + cross + e2**2 * mixed.d4)) - 4 * h**2
    turned = (q2 + e2) ** 2 * mixed.d2s2 + q2 * e2 * (mixed.d4 + 2 * mixed.d2s2 + mixed.s4)
    of_difference = c**2 * (fourth * pure.d2s2 + 2 * turned)
    together = of_difference - 4 * g * h
    shift = of_difference * (h - g) / (g * h) / 16 + (of_g / g**2 - of_h / h**2) / 16
    spread = of_h / h**2 / 16 + of_g / g**2 / 16 - together / (g * h) / 8
    sign = np.where(mirrored, -1.0, 1.0)
    # R − ρ
    excess = _excess(theta) + np.where(mirrored, np.pi * (1 - 2 * less), 0.0)
    gained = sign * kernel / np.pi * excess
    moved = sign * (_ratio(h, 2 * (1 - less), gained) - _ratio(g, 2 * less, -gained)) / 2
    steep = 1 - kernel * np.where(mirrored, np.pi - theta, theta) / np.pi
    slope = 4 * less * (1 - less) * steep / (g * h) - 1
    return Step(moved, slope, sign * shift, spread, of_difference / 4)


def _ratio(value: Array, of: Array, change: Array) -> Array:
    """log(value / of), where value is ``of + change``."""
    small = np.abs(change) < of / 2
    return np.where(small, np.log1p(np.where(small, change, 0.0) / of), np.log(value / of))


def _chosen(which: NDArray[np.bool_], a: _Products, b: _Products) -> _Products:
    return _Products(
        *(np.where(which, x, y) for x, y in zip(vars(a).values(), vars(b).values(), strict=True))
    )


def _one_sign(theta: Array, less: Array) -> _Products:
    """Where both are positive: the angle of (σ / 2 cos ½θ, δ / 2 sin ½θ) is within ± (π − θ)/2."""
    end = (np.pi - theta) / 2
    once, twice = np.sin(theta), np.sin(2 * theta)  # sin 2·end, −sin 4·end
    return _products(
        less,
        (end - once / 2, end + once / 2),
        (
            (12 * end - 8 * once - twice) / 16,
            (4 * end + twice) / 16,
            (12 * end + 8 * once - twice) / 16,
        ),
    )


def _two_signs(theta: Array, less: Array) -> _Products:
    """Where u is positive and v negative: the same angle is within ½ θ of a right one."""
    points = theta[..., None] / 4 * (_POINTS + 1)
    weights = theta[..., None] / 2 * _WEIGHTS
    sine2 = np.sin(points) ** 2
    cosine2 = 1 - sine2

    def integral(values: Array) -> Array:
        return np.asarray((weights * values).sum(axis=-1))

    return _products(
        less,
        (integral(cosine2), integral(sine2)),
        (integral(cosine2**2), integral(cosine2 * sine2), integral(sine2**2)),
    )


def _products(less: Array, second: tuple[Array, Array], third: tuple[Array, Array, Array]) -> _Products:
    """From integrals over the angle: of δ², σ², and of δ⁴, δ² σ², σ⁴."""
    d, s = 4 * less, 4 * (1 - less)  # variances of δ and σ
    (d2, s2), (d4, d2s2, s4) = second, third
    return _Products(
        d * d2 / np.pi, s * s2 / np.pi, 4 * d**2 * d4 / np.pi, 4 * d * s * d2s2 / np.pi, 4 * s**2 * s4 / np.pi
    )


def _excess(theta: Array) -> Array:
    """sin θ − θ cos θ = ∫₀^θ t sin t dt."""
    points = theta[..., None] / 2 * (_POINTS + 1)
    return np.asarray((theta[..., None] / 2 * _WEIGHTS * points * np.sin(points)).sum(axis=-1))
