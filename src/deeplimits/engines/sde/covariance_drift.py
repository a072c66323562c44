"""The drift b(V) of the covariance SDE, a step of it at a time; ``covariance`` says why it keeps V positive
semi-definite.

It works on (√V^{aa}, 1 − ρ^{ab}), which are found from L, V = L Lᵀ, and turned into L again, both without
cancellation.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from deeplimits.engines.contract.arithmetic import fma, inline, square_root
from deeplimits.engines.contract.exponential import exponential
from deeplimits.engines.sde.path_kernels import tabulated

EXPLODED = 1e12
"""V^{aa} at which a path has exploded: what is left of its time is below 1e-12 / β."""
_SINGULAR = 1e-13
"""A pivot below this part of its diagonal is the rounding of a singular matrix."""


@inline
def gaps_of(inputs: Any, lower: Any, roots: Any, gaps: Any) -> None:
    """√V^{aa} and 1 − ρ^{ab} = ½ |l^a / |l^a| − l^b / |l^b||² of the rows l of L."""
    for a in range(inputs):
        square = 0.0
        for i in range(a + 1):
            square = fma(lower[a, i], lower[a, i], square)
        roots[a] = square_root(square)
    for a in range(inputs):
        for b in range(a + 1, inputs):
            total = 0.0
            for i in range(b + 1):
                first = lower[a, i] / roots[a] if i <= a else 0.0
                difference = first - lower[b, i] / roots[b]
                total = fma(difference, difference, total)
            gaps[a, b] = 0.5 * total


@inline
def triangle_of(inputs: Any, roots: Any, gaps: Any, lower: Any) -> None:
    """L of √V^{aa} and 1 − ρ^{ab}: rows are (1 − g^{0a}, and a Cholesky factor of g^{0a} + g^{0b} − g^{ab} −
    g^{0a} g^{0b}), which stays accurate where all inputs are nearly parallel.
    """
    lower[0, 0] = 1.0
    for a in range(1, inputs):
        lower[a, 0] = 1.0 - gaps[0, a]
    for i in range(1, inputs):
        whole = gaps[0, i] * (2.0 - gaps[0, i])
        pivot = whole
        for k in range(1, i):
            pivot = fma(-lower[i, k], lower[i, k], pivot)
        regular = pivot > _SINGULAR * whole
        root = square_root(pivot) if regular else 0.0
        lower[i, i] = root
        for a in range(i + 1, inputs):
            entry = (gaps[0, i] + gaps[0, a]) - gaps[i, a]
            entry = fma(-gaps[0, i], gaps[0, a], entry)
            for k in range(1, i):
                entry = fma(-lower[i, k], lower[a, k], entry)
            lower[a, i] = entry / root if regular else 0.0
    for a in range(inputs):
        for i in range(a + 1):
            lower[a, i] = lower[a, i] * roots[a]


@inline
def relu_like(inputs: Any, strength: Any, table: Any, gaps: Any) -> None:
    """ρ' = ½ [ρ + Φ(Φ(ρ))], Φ(ρ) = ρ + h ν(ρ); ``strength`` = h κ / 2."""
    for a in range(inputs):
        for b in range(a + 1, inputs):
            gap = gaps[a, b]
            for _ in range(2):
                gap = max(fma(-strength, tabulated(table, 0, gap), gap), 0.0)
            gaps[a, b] = 0.5 * (gaps[a, b] + gap)


@inline
def _logistic(variance: Any, growth: Any) -> Any:
    """V' = V / [V − (V − 1) e^{β t}], the flow of dV = β V (V − 1) dt with ``growth`` = e^{β t}; +∞ from its
    explosion on.
    """
    below = fma(-variance, growth - 1.0, growth)
    fresh = variance / below if below > 0.0 else np.inf
    return fresh if fresh < EXPLODED else np.inf


@inline
def _euler(inputs: Any, part: Any, variances: Any, gaps: Any) -> None:
    """V' = (1 − e) V + (e/3) (v vᵀ + 2 V ∘ V), v the diagonal, e = ``part``, on (v, 1 − ρ): a sum of terms
    that are not negative.
    """
    rest = 1.0 - part
    for a in range(inputs):
        for b in range(a + 1, inputs):
            gap = gaps[a, b]
            between = square_root(variances[a] * variances[b])
            factor = square_root(fma(part, variances[a], rest) * fma(part, variances[b], rest))
            apart = square_root(variances[a]) - square_root(variances[b])
            top = (rest * part) * (apart * apart) / (factor + fma(part, between, rest))
            top = fma(rest, gap, top)
            top = fma((part / 3.0) * between, gap * fma(-2.0, gap, 4.0), top)
            gaps[a, b] = top / factor
    for a in range(inputs):
        variances[a] = variances[a] * fma(part, variances[a], rest)


@inline
def smooth(
    inputs: Any, part: Any, b_term: Any, step: Any, roots: Any, gaps: Any, work: Any, exploded: Any
) -> None:
    """The drift of a smooth activation; ``part`` = 3Ah, ``b_term`` = Bh.

    Correlations move by ½ [V + Φ(Φ(V))] from the middle of the flow of B, variances by the exact flow of both
    terms. What explodes starts again at 1, as a ghost that is not recorded. ``work`` [3 + inputs, inputs].
    """
    before, after, final, old = work[0], work[1], work[2], work[3:]
    half, whole = exponential(b_term), exponential(fma(2.0, b_term, part))
    for a in range(inputs):
        square = roots[a] * roots[a]
        before[a], final[a] = _logistic(square, half), _logistic(square, whole)
        if final[a] == np.inf or before[a] == np.inf:
            if exploded[a] < 0:
                exploded[a] = step
            before[a], final[a] = 1.0, 1.0
        after[a] = before[a]
        for b in range(a + 1, inputs):
            old[a, b] = gaps[a, b]
    for _ in range(2):
        _euler(inputs, part, after, gaps)
    for a in range(inputs):
        for b in range(a + 1, inputs):
            # 1 − ρ of the mean of two matrices, without cancellation
            one = square_root(before[a] * before[b])
            other = square_root(after[a] * after[b])
            root = 0.5 * square_root((before[a] + after[a]) * (before[b] + after[b]))
            apart = square_root(before[a] * after[b]) - square_root(after[a] * before[b])
            top = 0.25 * (apart * apart) / (root + 0.5 * (one + other))
            top = top + 0.5 * fma(one, old[a, b], other * gaps[a, b])
            gaps[a, b] = top / root
    for a in range(inputs):
        roots[a] = square_root(final[a])
