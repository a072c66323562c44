"""What one layer of a ReLU-like network does to y = artanh ρ: the step of infinite width, and its mean and
variance to the order 1/n, without cancellation from ρ = −1 to 1 − 1e-16.

Of a unit, X = c φ_s(u)², Y = c φ_s(v)² and P = c φ_s(u) φ_s(v), E X = E Y = 1, E P = R = c K₁(ρ). In terms of
T = X + Y, E = X − Y and D = T − 2P, all means over units,

    y' = ½ log (√(T² − E²) + T − D) / (√(T² − E²) − T + D),

whose expansion about T = 2, E = 0, D = 2 (1 − R) asks for variances of T, E and D alone: those of E and D are
small with 1 − ρ by themselves, and are closed forms in θ = arccos ρ.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import factorial

import numpy as np
from numpy.typing import NDArray

from deeplimits.activations import Slopes
from deeplimits.limits.coefficients import asymmetry

Array = NDArray[np.float64]

_SMALL = 0.7
"""θ below which functions of it are series."""
_ORDERS = 14


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


def step(slopes: Slopes, y: Array) -> Step:
    """The step of a layer with these slopes, c = 2 / (s₊² + s₋²), from coordinates y."""
    plus, minus = float(slopes.plus), float(slopes.minus)
    square, fourth, kernel = plus**2 + minus**2, plus**4 + minus**4, asymmetry(slopes)
    c = 2 / square
    both, mixed = (plus * minus) ** 2, plus * minus * square
    decay = np.exp(-np.abs(y))
    far = decay**2 / (1 + decay**2)
    # (1 − ρ)/2 and (1 + ρ)/2
    less, more = np.where(y >= 0, far, 1 - far), np.where(y >= 0, 1 - far, far)
    sine = 2 * decay / (1 + decay**2)
    theta = np.where(y >= 0, 2 * np.arctan(decay), np.pi - 2 * np.arctan(decay))
    cosine = more - less
    lost = kernel / np.pi * _trigonometric("excess", theta, sine, cosine)
    gap, sum_ = 2 * less - lost, 2 * more + lost  # 1 − R, 1 + R
    straight, curved = (_trigonometric(name, theta, sine, cosine) for name in ("fourth", "third"))
    turn = 1 / (2 * np.pi)
    of_difference = 2 * c**2 * (fourth * sine**2 + (fourth - 2 * both) * straight * turn)
    squared = c**2 * (
        6 * fourth * (2 * less) ** 2
        + ((12 * both - 6 * fourth) * straight + 8 * (mixed - fourth) * curved) * turn
    )
    of_gap = squared - 4 * gap**2
    of_both = c**2 * (
        2 * fourth * 2 * less * (1 + 2 * less)
        + ((4 * both - 2 * fourth) * straight + 4 * (mixed - fourth) * curved) * turn
    )
    together = of_both - 4 * gap
    # Var X + Cov(X, Y) = 2 Var X − Var(E)/2
    of_sum = 4 * (1.5 * c**2 * fourth - 1) - of_difference
    numerator = 4 * of_sum - 4 * together + of_gap
    shift = of_difference * (1 - gap) / gap / sum_ / 8 - numerator / sum_**2 / 16 + of_gap / gap**2 / 16
    spread = numerator / sum_**2 / 16 + of_gap / gap**2 / 16 - (2 * together - of_gap) / gap / sum_ / 8
    moved = (np.log1p(lost / (2 * more)) - np.log1p(-lost / (2 * less))) / 2
    slope = sine**2 * (1 - kernel * theta / np.pi) / (gap * sum_) - 1
    return Step(moved, slope, shift, spread, of_difference / 4)


def _trigonometric(name: str, theta: Array, sine: Array, cosine: Array) -> Array:
    """``excess``: sin θ − θ cos θ; ``fourth``: (2 + cos 2θ) θ − (3/2) sin 2θ = 2π E u²v² of u > 0 > v;
    ``third``: sin θ (2 + cos² θ) − 3 θ cos θ = −2π E u³v likewise. All are small with θ.
    """
    match name:
        case "excess":
            value = sine - theta * cosine
        case "fourth":
            value = (1 + 2 * cosine**2) * theta - 3 * sine * cosine
        case _:
            value = sine * (2 + cosine**2) - 3 * theta * cosine
    squared = np.minimum(theta, _SMALL) ** 2
    first, coefficients = _series(name)
    series = np.zeros_like(theta)
    for coefficient in coefficients[::-1]:
        series = series * squared + coefficient
    return np.where(theta < _SMALL, series * np.minimum(theta, _SMALL) ** first, value)


@lru_cache
def _series(name: str) -> tuple[int, list[float]]:
    """The first power of θ that has a coefficient, and those of every other power from there on: exact."""
    # coefficients of sin kθ and of θ cos kθ, by k
    sines, cosines = {
        "excess": ({1: Fraction(1)}, {1: Fraction(-1)}),
        "fourth": ({2: Fraction(-3, 2)}, {0: Fraction(2), 2: Fraction(1)}),
        # sin cos² = (sin θ + sin 3θ)/4
        "third": ({1: Fraction(9, 4), 3: Fraction(1, 4)}, {1: Fraction(-3)}),
    }[name]
    found = []
    for half in range(_ORDERS + 4):
        power, sign = 2 * half + 1, (-1) ** half
        total = sum(a * sign * Fraction(k) ** power / factorial(power) for k, a in sines.items())
        total += sum(
            a * sign * (Fraction(k) ** (power - 1) if power > 1 or k else 1) / factorial(power - 1)
            for k, a in cosines.items()
        )
        found.append(total)
    first = next(place for place, value in enumerate(found) if value)
    return 2 * first + 1, [float(value) for value in found[first:]]
