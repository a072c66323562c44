"""What one layer does to small deviations of (log V^{aa}, log V^{bb}, y), y = artanh ρ, about the recursion
of infinite width, and the deviations that its own units add.

With f = φ(u) / √E φ(u)² and g likewise, u and v of correlation ρ and ρ' = E f g, a layer of n units has log
V'^{aa} = … + (1/n) Σ (f² − 1) and ρ' + (1/n) Σ [f g − ρ' (f² + g²)/2], each unit on its own; and by Price's
theorem

    ∂ log V'^{aa} / ∂ log V^{aa} = E u f f',    ∂ρ'/∂ρ = σ σ' E f' g',
    ∂ρ'/∂ log V^{aa} = ½ [E u f' g − ρ' E u f f'].

Near ρ' = ± 1 all is written in g ∓ f, so that nothing cancels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deeplimits import gaussian
from deeplimits.activations import Phi, Slopes
from deeplimits.array_types import Array
from deeplimits.gaussian import SLOPE, SQUARE, VALUE, Contrast, Power
from deeplimits.limits.recursion import PairCovariance

TILTED = Power(argument=1, slope=1)
"""u φ'(u)."""
_CUBE, _FOURTH = Power(value=3), Power(value=4)
_GROWTH = Power(argument=1, value=1, slope=1)
_NEAR = 1e-3
"""1 − |ρ'| below which expectations of differences are taken: they cost more, but for piecewise-linear φ."""
_HALF = 0.5
"""1 − |ρ'| from which products of f and g are taken as they are."""


@dataclass(frozen=True)
class Response:
    """The linear map of deviations of (log V^{aa}, log V^{bb}, y), and the covariance of what one unit adds.

    Parameters
    ----------
    growth
        [3, 3]; the row and the column of y are 0 where ρ' or ρ is ± 1.
    noise
        [3, 3], to be divided by the number of units.
    """

    growth: Array
    noise: Array


def alone(phi: Phi, variance: float) -> tuple[float, float]:
    """E u f f' and E f⁴ − 1 of one input: the growth of log V and the variance that a unit adds to it."""
    square, growth, fourth = gaussian.mean(phi, [SQUARE, _GROWTH, _FOURTH], variance)
    return float(growth / square), float(fourth / square**2 - 1)


def of_pair(phi: Phi, pair: PairCovariance, after: PairCovariance) -> Response:
    """The response of one layer that makes ``after`` of ``pair``, up to its normaliser.

    Raises
    ------
    Unreachable
        If float64 does not hold an expectation.
    """
    one, other = alone(phi, pair.first), alone(phi, pair.second)
    fourths = one[1] + 1, other[1] + 1
    growth, noise = np.diag([one[0], other[0], 0.0]), np.diag([one[1], other[1], 0.0])
    sign = 1.0 if after.gap <= 1 else -1.0
    near = after.gap if sign > 0 else 2 - after.gap
    if near == 0:
        # f = ± g at every unit
        noise[0, 1] = noise[1, 0] = one[1]
        return Response(growth, noise)
    found = _contrast(phi, pair, near, fourths, sign)
    noise[0, 1] = noise[1, 0] = found.both - 1
    drifts = found.first_radial + near * one[0], near * other[0] - found.second_radial
    square, cross = _of_product(found, near, fourths)
    # dy' = dρ' / (1 − ρ'²), dρ = (1 − ρ²) dy
    inverse = 1 / (near * (2 - near))
    for index in (0, 1):
        growth[2, index] = sign * drifts[index] / 2 * inverse
        noise[2, index] = noise[index, 2] = sign * cross[index] * inverse
    growth[2, 2] = found.slopes * pair.gap * (2 - pair.gap) * inverse
    noise[2, 2] = square * inverse**2
    return Response(growth, noise)


def _of_product(
    found: Contrast, near: float, fourths: tuple[float, float]
) -> tuple[float, tuple[float, float]]:
    """E P² and (E f² P, E g² P) of P = f g − ρ' (f² + g²)/2 at ρ' = 1 − ``near`` ≥ 0.

    With f g = (f² + g² − D²)/2 nothing cancels near 1. Far from it f g may vanish at every unit, as of ReLU
    at antipodal inputs, which differences of E D² f² and fourth moments would not see.
    """
    parts, both, whole = (found.first, found.second), found.both, sum(fourths) + 2 * found.both
    if near < _HALF:
        square = (near**2 * whole - 2 * near * sum(parts) + found.fourth) / 4
        one, other = (
            (near * (fourth + both) - part) / 2 for fourth, part in zip(fourths, parts, strict=True)
        )
        return max(square, 0.0), (one, other)
    rho = 1 - near
    # E f³ g and E f g³
    cubes = [(both + fourth - part) / 2 for fourth, part in zip(fourths, parts, strict=True)]
    square = both - rho * sum(cubes) + rho**2 / 4 * whole
    if square <= 0:
        return 0.0, (0.0, 0.0)
    one, other = (cube - rho / 2 * (fourth + both) for fourth, cube in zip(fourths, cubes, strict=True))
    return square, (one, other)


def _contrast(
    phi: Phi, pair: PairCovariance, near: float, fourths: tuple[float, float], sign: float
) -> Contrast:
    """Expectations of f, g and g ∓ f."""
    if near < _NEAR or isinstance(phi, Slopes):
        return gaussian.contrast(phi, pair.first, pair.second, pair.gap, sign)
    functions = [VALUE, SQUARE, SLOPE, TILTED, _CUBE]
    matrix = gaussian.correlated(phi, functions, functions, pair.first, pair.second, pair.gap)
    squares = [gaussian.mean(phi, [SQUARE], variance)[0] for variance in (pair.first, pair.second)]
    one, other = np.sqrt(squares)
    both = matrix[1, 1] / (one * other) ** 2
    # moments of f³ g and f g³, g with its sign
    left, right = sign * matrix[4, 0] / (one**3 * other), sign * matrix[0, 4] / (one * other**3)
    growths = [
        gaussian.mean(phi, [_GROWTH], V)[0] / E
        for V, E in zip((pair.first, pair.second), squares, strict=True)
    ]
    return Contrast(
        both=float(both),
        first=float(both - 2 * left + fourths[0]),
        second=float(fourths[1] - 2 * right + both),
        fourth=float(fourths[0] + fourths[1] + 6 * both - 4 * left - 4 * right),
        first_radial=float(sign * matrix[3, 0] / (one * other) - growths[0]),
        second_radial=float(growths[1] - sign * matrix[0, 3] / (one * other)),
        slopes=float(np.sqrt(pair.first * pair.second) * matrix[2, 2] / (one * other)),
    )
