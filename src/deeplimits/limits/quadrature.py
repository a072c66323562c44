"""Chebyshev's nodes and Gauss' points, made once."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from deeplimits.array_types import Array


@lru_cache(maxsize=64)
def nodes(count: int) -> Array:
    """Chebyshev's nodes."""
    return -np.cos(np.pi * (np.arange(count) + 0.5) / count)


@lru_cache(maxsize=64)
def interpolating(count: int) -> Array:
    """From values at Chebyshev's nodes to coefficients."""
    angles = np.pi * (np.arange(count) + 0.5) / count
    matrix = np.cos(np.outer(np.arange(count), np.pi - angles)) * (2 / count)
    matrix[0] /= 2
    return np.asarray(matrix)


@lru_cache(maxsize=32)
def gauss(count: int) -> tuple[Array, Array]:
    """Gauss' points and weights on [0, 1]."""
    points, weights = np.polynomial.legendre.leggauss(count)
    return (points + 1) / 2, weights / 2
