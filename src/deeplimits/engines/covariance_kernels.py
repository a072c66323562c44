"""The CPU kernel of the covariance SDE, dV = b(V) dt + Σ(V)^{1/2} dB; ``covariance`` describes the scheme and
says why it keeps V positive semi-definite.

A step is a palindrome of flows, each exact or of second order: half a step of the diagonal noise, half of the
noise below the diagonal, the drift, and the same halves backwards. The state is a lower triangular L with V =
L Lᵀ; the drift works on (V^{aa}, 1 − ρ^{ab}), of which L is made anew without cancellation.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from deeplimits.engines.arithmetic import fma, inline, kernel, square_root, u4
from deeplimits.engines.exponential import exponential
from deeplimits.engines.normals import normal_pair
from deeplimits.engines.path_kernels import halves, tabulated
from deeplimits.engines.philox import PURPOSE_PATH, philox, sample_words

NO_DRIFT = 0
RELU_LIKE = 1
SMOOTH = 2

EXPLODED = 1e12
"""V^{aa} at which a path has exploded: what is left of its time is below 1e-12 / β."""
_SINGULAR = 1e-13
"""A pivot below this part of its diagonal is the rounding of a singular matrix."""


@inline
def _normals(step: Any, count: Any, low: Any, high: Any, k0: Any, k1: Any, noise: Any) -> None:
    """Add ``count`` normals of a step, in groups of four: counter (step, group)."""
    for group in range((count + 3) // 4):
        w0, w1, w2, w3 = philox(u4(step), u4(group), low, high, k0, k1)
        a, b = normal_pair(w0, w1)
        c, d = normal_pair(w2, w3)
        noise[4 * group] += np.float64(a)
        noise[4 * group + 1] += np.float64(b)
        noise[4 * group + 2] += np.float64(c)
        noise[4 * group + 3] += np.float64(d)


@inline
def _gaps(inputs: Any, lower: Any, roots: Any, gaps: Any) -> None:
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
def _triangle(inputs: Any, roots: Any, gaps: Any, lower: Any) -> None:
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
def _relu_like(inputs: Any, strength: Any, table: Any, gaps: Any) -> None:
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
def _smooth(
    inputs: Any, part: Any, lean: Any, step: Any, roots: Any, gaps: Any, work: Any, exploded: Any
) -> None:
    """The drift of a smooth activation; ``part`` = 3Ah, ``lean`` = Bh.

    Correlations move by ½ [V + Φ(Φ(V))] from the middle of the flow of B, variances by the exact flow of both
    terms. What explodes starts again at 1, as a ghost that is not recorded. ``work`` [3 + inputs, inputs].
    """
    before, after, final, old = work[0], work[1], work[2], work[3:]
    half, whole = exponential(lean), exponential(fma(2.0, lean, part))
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


@inline
def _step(
    inputs: Any,
    mode: Any,
    size: Any,
    bend: Any,
    lean: Any,
    step: Any,
    table: Any,
    noise: Any,
    lower: Any,
    roots: Any,
    gaps: Any,
    work: Any,
    exploded: Any,
) -> None:
    """Advance L by a step of ``size``; ``bend`` is κ / 2, or 3A; ``lean`` is B."""
    spread = 0.5 * square_root(size)
    slant = square_root(0.5 * size)
    used = 0
    for i in range(inputs):
        factor = exponential(fma(spread, noise[used], (-0.25 * size) * np.float64(i + 1)))
        used += 1
        for a in range(i, inputs):
            lower[a, i] = lower[a, i] * factor
    for i in range(1, inputs):
        for j in range(i):
            amount = slant * noise[used]
            used += 1
            for a in range(i, inputs):
                lower[a, j] = fma(amount, lower[a, i], lower[a, j])
    if mode != NO_DRIFT:
        _gaps(inputs, lower, roots, gaps)
        if mode == RELU_LIKE:
            _relu_like(inputs, bend * size, table, gaps)
        else:
            _smooth(inputs, bend * size, lean * size, step, roots, gaps, work, exploded)
        _triangle(inputs, roots, gaps, lower)
    for i in range(inputs - 1, 0, -1):
        for j in range(i - 1, -1, -1):
            amount = slant * noise[used]
            used += 1
            for a in range(i, inputs):
                lower[a, j] = fma(amount, lower[a, i], lower[a, j])
    for i in range(inputs):
        factor = exponential(fma(spread, noise[used], (-0.25 * size) * np.float64(i + 1)))
        used += 1
        for a in range(i, inputs):
            lower[a, i] = lower[a, i] * factor


def covariance(inputs: int) -> Any:
    """The kernel for so many inputs."""
    count = inputs * (inputs + 1)

    @kernel
    def many(
        key: Any,
        first: Any,
        start: Any,
        mode: Any,
        size: Any,
        bend: Any,
        lean: Any,
        pairs: Any,
        table: Any,
        steps: Any,
        rest: Any,
        variance: Any,
        gap: Any,
        exploded: Any,
        triangles: Any,
        noise: Any,
        roots: Any,
        work: Any,
    ) -> None:
        """Fill ``variance`` [sample, record, input] and ``gap`` [sample, record, pair] after ``steps`` whole
        steps and a part of ``rest``, and ``exploded`` [sample, input] with the step of explosion or −1.

        With ``pairs`` = 1 a step takes the sums of the normals of two steps of half its size, so that paths
        of both sizes stay together. ``triangles`` [3, inputs, inputs], ``noise`` [inputs (inputs + 1) + 4],
        ``roots`` [inputs] and ``work`` [3 + inputs, inputs] are scratch.
        """
        k0, k1 = halves(key)
        lower, gaps = triangles[0], triangles[2]
        half = square_root(0.5)
        for row in range(variance.shape[0]):
            low, high = sample_words(np.int64(first) + row, PURPOSE_PATH)
            fresh = True
            for a in range(inputs):
                exploded[row, a] = -1
                for i in range(inputs):
                    lower[a, i] = start[a, i]
            step, record = np.int64(0), 0
            while True:
                if fresh:
                    for i in range(count):
                        noise[i] = 0.0
                    for part in range(1 + pairs):
                        _normals((1 + pairs) * step + part, count, low, high, k0, k1, noise)
                    if pairs:
                        for i in range(count):
                            noise[i] = half * noise[i]
                # a record within a step, or at its start, is a shorter step of a copy
                aside = steps[record] == step
                triangle = triangles[1] if aside else triangles[0]
                length = rest[record] if aside else size
                if aside:
                    for a in range(inputs):
                        for i in range(inputs):
                            triangle[a, i] = lower[a, i]
                if length > 0.0:
                    _step(
                        inputs,
                        mode,
                        length,
                        bend,
                        lean,
                        step,
                        table,
                        noise,
                        triangle,
                        roots,
                        gaps,
                        work,
                        exploded[row],
                    )
                fresh = not aside
                if not aside:
                    step += 1
                    continue
                _gaps(inputs, triangle, roots, gaps)
                pair = 0
                for a in range(inputs):
                    gone = exploded[row, a] >= 0
                    variance[row, record, a] = np.inf if gone else roots[a] * roots[a]
                    for b in range(a + 1, inputs):
                        gone_too = gone or exploded[row, b] >= 0
                        gap[row, record, pair] = np.nan if gone_too else gaps[a, b]
                        pair += 1
                record += 1
                if record == len(steps):
                    break

    return many
