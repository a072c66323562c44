"""Expectations of a piecewise-linear φ_s over Gaussian pairs, which need no adaptive rule.

With u = r cos ψ and v = r cos(ψ − θ), θ the angle of the two inputs, r is independent of ψ, which is uniform.
On each of the four sectors where u and v keep their signs a product of powers of u, v, φ_s and φ_s' is r to
its degree times a trigonometric polynomial of ψ, which Gauss' rule integrates to the last digit (Cho & Saul
2009 have the first of them in closed form).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from math import asin, gamma, pi, sqrt

import numpy as np

from deeplimits.activations import Slopes
from deeplimits.array_types import Array
from deeplimits.gaussian.powers import Power

_NODES = 24


def mean(slopes: Slopes, functions: Sequence[Power], variance: float) -> Array:
    """E f(u) for u ~ N(0, variance), [function]."""
    found = []
    for each in functions:
        degree, bends = each.argument + each.value, each.value + each.slope
        half = 2 ** (degree / 2 - 1) * gamma((degree + 1) / 2) / sqrt(pi) * variance ** (degree / 2)
        found.append(half * (float(slopes.plus) ** bends + (-1) ** degree * float(slopes.minus) ** bends))
    return np.array(found)


def correlated(
    slopes: Slopes, firsts: Sequence[Power], seconds: Sequence[Power], first: float, second: float, gap: float
) -> Array:
    """E f(u) g(v) for u ~ N(0, first), v ~ N(0, second) of correlation 1 − gap, [f, g]."""
    found = np.zeros((len(firsts), len(seconds)))
    for alpha, beta, chi, weights in _sectors(slopes, gap):
        u, v = _coordinates(chi, gap)
        u, v = u * sqrt(first), v * sqrt(second)
        one = np.array([u ** (f.argument + f.value) * alpha ** (f.value + f.slope) for f in firsts])
        other = np.array([v ** (g.argument + g.value) * beta ** (g.value + g.slope) for g in seconds])
        found += (one * weights) @ other.T
    degrees = np.add.outer([f.argument + f.value for f in firsts], [g.argument + g.value for g in seconds])
    return found * np.vectorize(_radius)(degrees)


def contrast(slopes: Slopes, gap: float, sign: float) -> tuple[float, ...]:
    """As ``gaussian.contrast``, its numbers in their order: all of them are the same at any variances."""
    norm = sqrt(float(slopes.plus) ** 2 / 2 + float(slopes.minus) ** 2 / 2)
    # in w = ± v: a reflection exchanges the slopes of g
    turned = gap if sign > 0 else 2 - gap
    found = np.zeros(6)
    for alpha, beta, chi, weights in _sectors(slopes, turned, reflected=sign < 0):
        u, w = _coordinates(chi, turned)
        f, g = alpha / norm * u, beta / norm * w
        half = _half_angle(turned)
        # g − f, whose two terms are small one by one
        apart = (beta - alpha) / norm * np.cos(chi) * np.cos(half)
        apart += (alpha + beta) / norm * np.sin(chi) * np.sin(half)
        found += [
            weights @ values
            for values in (
                (f * g) ** 2,
                (apart * f) ** 2,
                (apart * g) ** 2,
                apart**4,
                apart**2,
                np.full_like(f, alpha * beta / norm**2),
            )
        ]
    degrees = (4, 4, 4, 4, 2, 0)
    *fourths, square, tilts = (value * _radius(each) for value, each in zip(found, degrees, strict=True))
    # u f'(u) = f, and E f D = ½ E (g² − f²) − ½ E D²
    return *fourths, -square / 2, square / 2, tilts


def _radius(degree: int) -> float:
    """E r^degree of two independent normals."""
    return float(2 ** (degree / 2) * gamma(1 + degree / 2))


def _half_angle(gap: float) -> float:
    """Half of arccos(1 − gap)."""
    return asin(sqrt(gap / 2)) if gap <= 1 else pi / 2 - asin(sqrt((2 - gap) / 2))


def _coordinates(chi: Array, gap: float) -> tuple[Array, Array]:
    """u / r and v / r at χ = ψ − θ/2."""
    half = _half_angle(gap)
    return np.cos(chi + half), np.cos(chi - half)


def _sectors(
    slopes: Slopes, gap: float, *, reflected: bool = False
) -> Iterator[tuple[float, float, Array, Array]]:
    """The slopes of u and of v, nodes χ and weights of each sector, which are parts of the circle; with
    ``reflected`` those of v exchanged.
    """
    plus, minus = float(slopes.plus), float(slopes.minus)
    up, down = (minus, plus) if reflected else (plus, minus)
    half = _half_angle(gap)
    nodes, weights = _legendre()
    both, apart = pi / 2 - half, half
    for turn, one, same, other in ((0.0, plus, up, down), (pi, minus, down, up)):
        yield one, same, turn + both * nodes, both * weights / (2 * pi)
        yield one, other, turn - pi / 2 + apart * nodes, apart * weights / (2 * pi)


@lru_cache(maxsize=1)
def _legendre() -> tuple[Array, Array]:
    return np.polynomial.legendre.leggauss(_NODES)
