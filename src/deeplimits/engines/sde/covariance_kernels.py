"""The CPU kernel of the covariance SDE, dV = b(V) dt + Σ(V)^{1/2} dB; ``covariance`` describes the scheme and
says why it keeps V positive semi-definite.

A step is a palindrome of flows, each exact or of second order: half a step of the diagonal noise, half of
the noise below the diagonal, the drift (``covariance_drift``), and the same halves backwards. The state is a
lower triangular L with V = L Lᵀ.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from deeplimits.engines.contract.arithmetic import fma, inline, kernel, square_root, u4
from deeplimits.engines.contract.exponential import exponential
from deeplimits.engines.contract.normals import normal_pair
from deeplimits.engines.contract.philox import PURPOSE_PATH, halves, philox, sample_words
from deeplimits.engines.sde.covariance_drift import gaps_of, relu_like, smooth, triangle_of

NO_DRIFT = 0
RELU_LIKE = 1
SMOOTH = 2


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
def _step(
    inputs: Any,
    mode: Any,
    size: Any,
    strength: Any,
    b_term: Any,
    step: Any,
    table: Any,
    noise: Any,
    lower: Any,
    roots: Any,
    gaps: Any,
    work: Any,
    exploded: Any,
) -> None:
    """Advance L by a step of ``size``; ``strength`` is κ / 2, or 3A; ``b_term`` is B."""
    spread = 0.5 * square_root(size)
    half_root = square_root(0.5 * size)
    used = 0
    for i in range(inputs):
        factor = exponential(fma(spread, noise[used], (-0.25 * size) * np.float64(i + 1)))
        used += 1
        for a in range(i, inputs):
            lower[a, i] = lower[a, i] * factor
    for i in range(1, inputs):
        for j in range(i):
            amount = half_root * noise[used]
            used += 1
            for a in range(i, inputs):
                lower[a, j] = fma(amount, lower[a, i], lower[a, j])
    if mode != NO_DRIFT:
        gaps_of(inputs, lower, roots, gaps)
        if mode == RELU_LIKE:
            relu_like(inputs, strength * size, table, gaps)
        else:
            smooth(inputs, strength * size, b_term * size, step, roots, gaps, work, exploded)
        triangle_of(inputs, roots, gaps, lower)
    for i in range(inputs - 1, 0, -1):
        for j in range(i - 1, -1, -1):
            amount = half_root * noise[used]
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
        strength: Any,
        b_term: Any,
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
                        strength,
                        b_term,
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
                gaps_of(inputs, triangle, roots, gaps)
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
