"""A law as a table, from its density and two derivatives of it at evenly spaced nodes."""

from __future__ import annotations

import numpy as np

from deeplimits.array_types import Array
from deeplimits.laws import TabulatedLaw, Transform

_NOTHING = 1e-13
"""Part of the largest density that ends a table."""


def from_derivatives(nodes: Array, columns: Array, transform: Transform) -> TabulatedLaw:
    """The law with p, p' and p'' (``columns``, [derivative, node]); its integral is made 1.

    Parameters
    ----------
    nodes
        Evenly spaced, ascending.
    transform
        The observable as a function of the coordinate.
    """
    h = float(nodes[1] - nodes[0])
    some = np.flatnonzero(columns[0] > _NOTHING * columns[0].max())
    kept = slice(max(some[0] - 1, 0), some[-1] + 2)
    nodes, (p, slope, curvature) = nodes[kept], columns[:, kept]
    # the rule of Hermite's quintic, whose error is of the eighth derivative
    parts = h / 2 * (p[:-1] + p[1:]) + h**2 / 10 * (slope[:-1] - slope[1:])
    parts += h**3 / 120 * (curvature[:-1] + curvature[1:])
    cumulative = np.concatenate([[0.0], np.cumsum(parts)])
    total = cumulative[-1]
    cumulative = np.clip(np.maximum.accumulate(cumulative / total), 0.0, 1.0)
    return TabulatedLaw(nodes, cumulative, np.maximum(p / total, 0.0), slope / total, transform)
