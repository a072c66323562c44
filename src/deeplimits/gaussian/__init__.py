"""Expectations over Gaussians to a stated accuracy, of functions made of an activation and its derivative.

Every function returns float64 numbers with an error of at most ``TOLERANCE`` √(E f² E g²) for E f(u) g(v), or
raises ``Unreachable``: never a number that overflowed, and never a rule of fixed size that misses where the
activation bends. The square norms themselves and 1 − ρ' have that *relative* accuracy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deeplimits.activations import Phi, Slopes
from deeplimits.array_types import Array
from deeplimits.gaussian import piecewise
from deeplimits.gaussian.curves import unshaped
from deeplimits.gaussian.effort import A_CALL, bounded, spend
from deeplimits.gaussian.pairs import Pair, conditional, rule, series
from deeplimits.gaussian.powers import SLOPE, SQUARE, VALUE, Line, Power
from deeplimits.gaussian.unreachable import Unreachable

Parts = tuple[Array, Array, Array]
"""u, φ(u) and φ'(u)."""
TOLERANCE = 1e-9
"""Largest error of E f(u) g(v) over √(E f² E g²)."""

__all__ = [
    "SLOPE",
    "SQUARE",
    "TOLERANCE",
    "VALUE",
    "Contrast",
    "Image",
    "Power",
    "Unreachable",
    "bounded",
    "contrast",
    "correlated",
    "image",
    "mean",
    "spend",
]


@dataclass(frozen=True, slots=True)
class Image:
    """E φ_s(u)², E φ_s(v)² and 1 − ρ' of φ_s(u) and φ_s(v), ρ' = E φ_s(u) φ_s(v) / √(E φ_s(u)² E φ_s(v)²)."""

    first: float
    second: float
    gap: float


def mean(phi: Phi, functions: Sequence[Power], variance: float, center: float = 0.0) -> Array:
    """E f(u) for u ~ N(center, variance), [function].

    Parameters
    ----------
    phi
        φ_s.
    functions
        Products of powers of u, φ_s(u) and φ_s'(u), such as ``Power(argument=1, slope=1)`` for u φ_s'(u).
    variance
        Not negative.
    center
        E u.

    Returns
    -------
    Expectations, [function].

    Raises
    ------
    Unreachable
        If a function overflows, grows too fast, or bends too often.

    Examples
    --------
    >>> from deeplimits import Network, ReluLike
    >>> relu = Network(ReluLike(), width=8, depth=1, gram=((1.0,),)).phi
    >>> mean(relu, [Power(value=2)], 2.0)
    array([1.])
    """
    if isinstance(phi, Slopes) and center == 0:
        return piecewise.mean(phi, functions, variance)
    spend(A_CALL)
    curve, scale = unshaped(phi)
    factors = np.array([each.scaled(scale) for each in functions])
    if variance == 0:
        u = np.array([center / scale])
        value, slope = (each.value for each in curve.evaluate(u))
        if not np.isfinite([value, slope]).all():
            value, slope = curve.exactly(u, 0), curve.exactly(u, 1)
        return factors * [float(each(u, value, slope)[0]) for each in functions]
    line = Line(float(np.sqrt(variance)) / scale, center / scale)
    found = rule(curve, (line,), tuple(each for each in functions if not _quadratic(each)))
    return factors * [found.expectation(each) for each in functions]


def correlated(
    phi: Phi, firsts: Sequence[Power], seconds: Sequence[Power], first: float, second: float, gap: float
) -> Array:
    """E f(u) g(v) for u ~ N(0, first), v ~ N(0, second) of correlation 1 − gap, [f, g].

    Parameters
    ----------
    phi
        φ_s.
    firsts, seconds
        Functions f of u and g of v.
    first, second
        Variances of u and v, not negative.
    gap
        1 − ρ, from 0 to 2, both of which are exact.

    Returns
    -------
    Expectations, [f, g].

    Raises
    ------
    Unreachable
        As of ``mean``.
    """
    if isinstance(phi, Slopes):
        return piecewise.correlated(phi, firsts, seconds, first, second, gap)
    spend(A_CALL)
    curve, scale = unshaped(phi)
    pair = Pair.of(first / scale**2, second / scale**2, gap)
    factors = np.outer([f.scaled(scale) for f in firsts], [g.scaled(scale) for g in seconds])
    found = series(curve, pair, firsts, seconds)
    if found is not None:
        return factors * ((found.first * found.powers(pair.gap)) @ found.second.T)
    integrands = [lambda u, v, _, f=f, g=g: f(*u) * g(*v) for f in firsts for g in seconds]
    values = conditional(curve, pair, (*firsts, *seconds), integrands)
    return factors * np.array(values).reshape(factors.shape)


def image(phi: Phi, first: float, second: float, gap: float) -> Image:
    """E φ_s(u)², E φ_s(v)² and 1 − ρ' for u ~ N(0, first), v ~ N(0, second) of correlation 1 − gap.

    1 − ρ' has relative precision near 0, and 1 + ρ' near 2: equal inputs stay equal, and antipodal ones
    antipodal where φ_s is odd.

    Parameters
    ----------
    phi
        φ_s.
    first, second
        Variances of u and v, not negative.
    gap
        1 − ρ, from 0 to 2, both of which are exact.

    Returns
    -------
    Mean squares and 1 − ρ' of φ_s(u) and φ_s(v).

    Raises
    ------
    Unreachable
        As of ``mean``.
    """
    spend(A_CALL)
    curve, scale = unshaped(phi)
    pair = Pair.of(first / scale**2, second / scale**2, gap)
    squares = [rule(curve, (Line(sigma),), ()).expectation(SQUARE) for sigma in (pair.first, pair.second)]
    one, other = np.sqrt(squares)
    if pair.gap == 0 and pair.first == pair.second and pair.sign > 0:
        near = 0.0
    else:
        found = series(curve, pair, [VALUE], [VALUE], relative=True)
        if found is not None:
            a, b = found.first[0] / one, pair.sign * found.second[0] / other
            apart = np.where(np.arange(len(a)) == 0, 0.0, -np.expm1(np.arange(len(a)) * _log(pair.gap)))
            near = float(((a - b) ** 2).sum() / 2 + (apart * a * b).sum())
            if found.cut:
                near += max(0.0, 1 - float((a**2).sum() + (b**2).sum()) / 2)
        else:
            tilt = 1 / other - 1 / one
            (near,) = conditional(
                curve, pair, (VALUE,), [lambda u, _, change: (change / other + u[1] * tilt) ** 2 / 2]
            )
    near = min(near, 2.0)
    factor = scale**2
    return Image(factor * squares[0], factor * squares[1], near if pair.sign > 0 else 2 - near)


@dataclass(frozen=True, slots=True)
class Contrast:
    """Expectations of f = φ_s(u) / √E φ_s(u)², g = ± φ_s(v) / √E φ_s(v)² and D = g − f, none of which cancels
    where f and g are nearly equal.

    Parameters
    ----------
    both
        E f² g².
    first, second, fourth
        E D² f², E D² g² and E D⁴.
    first_radial, second_radial
        E u f'(u) D and E v g'(v) D.
    slopes
        ± E f'(u) g'(v) times the standard deviations of u and v.
    """

    both: float
    first: float
    second: float
    fourth: float
    first_radial: float
    second_radial: float
    slopes: float


def contrast(phi: Phi, first: float, second: float, gap: float, sign: float) -> Contrast:
    """How φ_s(u) and ± φ_s(v) differ, for u ~ N(0, first), v ~ N(0, second) of correlation 1 − gap.

    Parameters
    ----------
    phi
        φ_s.
    first, second
        Variances of u and v, not negative.
    gap
        1 − ρ, from 0 to 2, both of which are exact.
    sign
        That of g: where it is that of the correlation, D has full relative precision.

    Returns
    -------
    Expectations of f, g and their difference.

    Raises
    ------
    Unreachable
        As of ``mean``.
    """
    if isinstance(phi, Slopes):
        return Contrast(*piecewise.contrast(phi, gap, sign))
    curve, scale = unshaped(phi)
    pair = Pair.of(first / scale**2, second / scale**2, gap)
    one, other = (
        float(np.sqrt(rule(curve, (Line(sigma),), ()).expectation(SQUARE)))
        for sigma in (pair.first, pair.second)
    )
    tilt = 1 / other - 1 / one

    def apart(u: Parts, v: Parts, change: Array) -> Array:
        return change / other + u[1] * tilt if sign == pair.sign else sign * v[1] / other - u[1] / one

    integrands = [
        lambda u, v, _: (u[1] / one * v[1] / other) ** 2,
        lambda u, v, change: (apart(u, v, change) * u[1] / one) ** 2,
        lambda u, v, change: (apart(u, v, change) * v[1] / other) ** 2,
        lambda u, v, change: apart(u, v, change) ** 4,
        lambda u, v, change: u[0] * u[2] / one * apart(u, v, change),
        lambda u, v, change: sign * v[0] * v[2] / other * apart(u, v, change),
        lambda u, v, _: pair.first * pair.second * u[2] * v[2] / (one * other),
    ]
    functions = (SLOPE, SQUARE, Power(argument=1, slope=1))
    return Contrast(*conditional(curve, pair, functions, integrands))


def _quadratic(function: Power) -> bool:
    """Whether a function is φ, φ' or a product of two of them, which every rule is fine enough for."""
    return function.argument == 0 and function.value + function.slope <= 2


def _log(gap: float) -> float:
    return float(np.log1p(-gap)) if gap < 1 else -800.0
