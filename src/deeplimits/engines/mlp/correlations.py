"""The directions of a sample's inputs, carried as 1 − ρ of every pair: what a layer's units need to know of
them, and what the sums over these make of them.

Sums come as S_a = Σ φ_a² of every input, then D = Σ (φ_a − φ_b)², E = Σ (φ_a² − φ_b²) and C = Σ φ_a φ_b of
every pair, one after another; see ``one_or_two_inputs``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from deeplimits.engines.contract.arithmetic import f4, fma, inline, part, square_root
from deeplimits.engines.contract.normals import logarithm
from deeplimits.engines.contract.totals import DEAD, NAN


@inline
def first_gaps(gap_0: Any, gaps: Any) -> None:
    """Fill ``gaps`` [m, m] with 1 − ρ_0, zero on the diagonal."""
    pair = 0
    for a in range(gaps.shape[0]):
        gaps[a, a] = 0.0
        for b in range(a + 1, gaps.shape[0]):
            gaps[a, b], gaps[b, a] = gap_0[pair], gap_0[pair]
            pair += 1


@inline
def difference_factor(gaps: Any, rows: Any) -> Any:
    """Fill ``rows`` [m, m] so that row a holds the coefficients of u_a − u_0 (a ≥ 1); lower triangular beyond
    column 0.

    ``gaps`` [m, m] holds 1 − ρ in float64, zero on the diagonal. Every row keeps its square norm 2 g_0a: no
    entry exceeds what the row has left, however little rounding leaves of a pivot.
    """
    inputs = gaps.shape[0]
    rows[0, :] = 0.0
    for a in range(1, inputs):
        rows[a, :] = 0.0
        rows[a, 0] = -gaps[0, a]
        left = fma(-gaps[0, a], gaps[0, a], 2.0 * gaps[0, a])
        for b in range(1, a):
            if rows[b, b] > 0.0:
                value = (gaps[0, a] + gaps[0, b]) - gaps[a, b]
                for column in range(b):
                    value = value - rows[a, column] * rows[b, column]
                bound = square_root(max(left, 0.0))
                rows[a, b] = min(max(value / rows[b, b], -bound), bound)
                left = fma(-rows[a, b], rows[a, b], left)
        rows[a, a] = square_root(max(left, 0.0))


@part
def coefficients(gaps: Any, rows: Any, factor: Any, differences: Any) -> None:
    """Fill ``factor`` [m, m] with the coefficients of each input's preactivations in the normals and
    ``differences`` [pair, m] with those of their differences; ``rows`` [m, m] is scratch.
    """
    inputs = gaps.shape[0]
    difference_factor(gaps, rows)
    pair = 0
    for a in range(inputs):
        for column in range(inputs):
            factor[a, column] = f4(rows[a, column] + (1.0 if column == 0 else 0.0))
        for b in range(a + 1, inputs):
            for column in range(inputs):
                differences[pair, column] = f4(rows[a, column] - rows[b, column])
            pair += 1


@inline
def gaps_after(sums: Any, inputs: Any, gaps: Any) -> Any:
    """Update ``gaps`` from the reduced sums: S_a for every input, then D, E and C for every pair.

    A dead input has no direction; it is carried along with the first one that lives, which leaves the others
    as they are.
    """
    living = -1
    for a in range(inputs):
        if living < 0 and sums[a] > f4(0):
            living = a
    pair = inputs
    pairs = inputs * (inputs - 1) // 2
    for a in range(inputs):
        for b in range(a + 1, inputs):
            gap = 0.0
            if sums[a] > f4(0) and sums[b] > f4(0):
                norm_a = square_root(np.float64(sums[a]))
                norm_b = square_root(np.float64(sums[b]))
                product = norm_a * norm_b
                square = np.float64(sums[pair])
                if square < product:
                    shift = np.float64(sums[pair + pairs]) / (norm_a + norm_b)
                    gap = fma(-shift, shift, square) / (2.0 * product)
                else:
                    gap = (product - np.float64(sums[pair + 2 * pairs])) / product
                gap = min(max(gap, 0.0), 2.0)
            gaps[a, b] = gap
            gaps[b, a] = gap
            pair += 1
    if living >= 0:
        for a in range(inputs):
            if not sums[a] > f4(0):
                for b in range(inputs):
                    gap = gaps[living, b] if sums[b] > f4(0) else 0.0
                    gaps[a, b] = gap
                    gaps[b, a] = gap


@part
def record_layer(mantissa: Any, exponent: Any, gaps: Any, log_variance: Any, correlation_gap: Any) -> None:
    """Fill ``log_variance`` [input] and ``correlation_gap`` [pair] of a layer of a perceptron."""
    pair = 0
    for a in range(gaps.shape[0]):
        alive = mantissa[a] > f4(0)
        log_variance[a] = logarithm(mantissa[a], exponent[a]) if alive else DEAD
        for b in range(a + 1, gaps.shape[0]):
            both = alive and mantissa[b] > f4(0)
            correlation_gap[pair] = f4(gaps[a, b]) if both else NAN
            pair += 1
