"""A function of the layer that varies smoothly from one to the next: had at a few layers and interpolated
between.

A deep network changes little a layer, and what a layer does, in expectations over Gaussians, takes a
millisecond.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from deeplimits.array_types import Array

_DIRECT = 64
"""Layers of which each is evaluated."""
_NODES = 15
_NOTHING = 1e-12
_AGREEMENT = 1e-8
"""Of the interpolant with the function between its nodes, in parts of the largest value of a component."""


def along(function: Callable[[int], Array], count: int) -> Array:
    """``function``, an array of one dimension, at 0 … ``count`` − 1, [layer, component]."""
    known: dict[int, Array] = {}

    def at(layers: NDArray[np.intp]) -> Array:
        for layer in layers.tolist():
            if layer not in known:
                known[layer] = function(layer)
        return np.array([known[layer] for layer in layers.tolist()])

    def between(low: int, high: int) -> Array:
        """At low … high − 1."""
        layers = np.arange(low, high)
        if high - low <= _DIRECT:
            return at(layers)
        found = _interpolated(at, layers)
        if found is not None:
            return found
        middle = (low + high) // 2
        return np.concatenate([between(low, middle), between(middle, high)])

    return between(0, count)


def _interpolated(at: Callable[[NDArray[np.intp]], Array], layers: NDArray[np.intp]) -> Array | None:
    """By a polynomial through values at nearly Chebyshev's nodes, or None where it misses the function."""
    from scipy.interpolate import BarycentricInterpolator

    middle, half = (layers[0] + layers[-1]) / 2, (layers[-1] - layers[0]) / 2
    nodes = np.rint(middle - half * np.cos(np.pi * np.arange(_NODES) / (_NODES - 1))).astype(int)
    values = at(nodes)
    if not np.isfinite(values).all():
        return None
    polynomial = BarycentricInterpolator((nodes - middle) / half, values)
    asked = (nodes[[0, 3, _NODES // 2, -3]] + nodes[[1, 4, _NODES // 2 + 1, -2]]) // 2
    apart = np.abs(polynomial((asked - middle) / half) - at(asked)).max(axis=0)
    largest = np.abs(values).max(axis=0)
    # beside others a component may be nothing but rounding
    if (apart > _AGREEMENT * largest + _NOTHING * largest.max()).any():
        return None
    return np.asarray(polynomial((layers - middle) / half))
