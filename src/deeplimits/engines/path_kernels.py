"""The CPU kernels of sampled paths; ``paths`` describes the processes and prepares their tables."""

from __future__ import annotations

from typing import Any

import numpy as np

from deeplimits.engines.arithmetic import fma, inline, kernel, square_root, u4
from deeplimits.engines.normals import normal_pair
from deeplimits.engines.philox import PURPOSE_PATH, philox, sample_words

DEGREE = 17
"""Of the polynomials in the tables; their error is below 1e-12."""


@inline
def _polynomial(coefficients: Any, s: Any) -> Any:
    value = coefficients[DEGREE]
    for power in range(DEGREE - 1, -1, -1):
        value = fma(value, s, coefficients[power])
    return value


@inline
def tabulated(table: Any, index: Any, gap: Any) -> Any:
    """A tabulated function at ρ = 1 − gap."""
    if gap <= 1.0:
        return _polynomial(table[0, index], square_root(gap)) * gap
    return _polynomial(table[1, index], square_root(2.0 - gap))


@inline
def _noise(step: Any, low: Any, high: Any, k0: Any, k1: Any) -> Any:
    """Four normals for steps 4j … 4j + 3, j = ``step`` // 4."""
    w0, w1, w2, w3 = philox(u4(step // 4), u4(0), low, high, k0, k1)
    a, b = normal_pair(w0, w1)
    c, d = normal_pair(w2, w3)
    return np.float64(a), np.float64(b), np.float64(c), np.float64(d)


@inline
def halves(key: Any) -> Any:
    """The two words of a key."""
    return u4(key & np.uint64(0xFFFFFFFF)), u4(key >> np.uint64(32))


@kernel
def chain(
    key: Any,
    first: Any,
    gap_0: Any,
    inverse_width: Any,
    root: Any,
    table: Any,
    steps: Any,
    out: Any,
    left: Any,
) -> None:
    """Fill ``out`` [sample, record] with 1 − ρ after ``steps`` layers of the Markov chain; ``left`` [sample]
    counts the projections.
    """
    k0, k1 = halves(key)
    for row in range(out.shape[0]):
        low, high = sample_words(np.int64(first) + row, PURPOSE_PATH)
        gap = gap_0
        record = 0
        noise = (0.0, 0.0, 0.0, 0.0)
        for step in range(steps[-1] + 1):
            if steps[record] == step:
                out[row, record] = gap
                record += 1
            if record == len(steps):
                break
            if step % 4 == 0:
                noise = _noise(step, low, high, k0, k1)
            drift = fma(tabulated(table, 1, gap), inverse_width, tabulated(table, 0, gap))
            spread = (tabulated(table, 2, gap) * root) * noise[step % 4]
            gap = gap - (drift + spread)
            if gap < 0.0 or gap > 2.0:
                left[row] += 1
                gap = min(max(gap, 0.0), 2.0)


@kernel
def correlation(
    key: Any,
    first: Any,
    gap_0: Any,
    half_kappa: Any,
    size: Any,
    root: Any,
    table: Any,
    steps: Any,
    out: Any,
    left: Any,
) -> None:
    """Fill ``out`` [sample, record] with 1 − ρ after ``steps`` steps of Euler's scheme; see ``chain``."""
    k0, k1 = halves(key)
    for row in range(out.shape[0]):
        low, high = sample_words(np.int64(first) + row, PURPOSE_PATH)
        gap = gap_0
        record = 0
        noise = (0.0, 0.0, 0.0, 0.0)
        for step in range(steps[-1] + 1):
            if steps[record] == step:
                out[row, record] = gap
                record += 1
            if record == len(steps):
                break
            if step % 4 == 0:
                noise = _noise(step, low, high, k0, k1)
            shape = gap * (2.0 - gap)
            drift = fma(half_kappa, tabulated(table, 0, gap), (-0.5 * (1.0 - gap)) * shape)
            gap = gap - fma(drift, size, (shape * root) * noise[step % 4])
            if gap < 0.0 or gap > 2.0:
                left[row] += 1
                gap = min(max(gap, 0.0), 2.0)


@inline
def _exponential(x: Any) -> Any:
    """e^x in float64 for |x| ≤ 60, to 1e-15: 2^k times a Taylor polynomial, k found by rounding, the power by
    repeated squaring of exact factors.
    """
    turns = np.int64(x * 1.4426950408889634 + (0.5 if x >= 0.0 else -0.5))
    r = fma(np.float64(-turns), 1.9082149292705877e-10, fma(np.float64(-turns), 0.6931471803691238, x))
    value = 1.0
    for order in range(14, 0, -1):
        value = fma(value, r / np.float64(order), 1.0)
    factor = 2.0 if turns > 0 else 0.5
    for _ in range(abs(turns)):
        value = value * factor
    return value


@kernel
def rescaled(
    key: Any, first: Any, start: Any, kappa: Any, size: Any, root: Any, steps: Any, out: Any
) -> None:
    """Fill ``out`` [sample, record] with r after ``steps`` steps of the scheme (4.9)."""
    k0, k1 = halves(key)
    for row in range(out.shape[0]):
        low, high = sample_words(np.int64(first) + row, PURPOSE_PATH)
        r = start
        record = 0
        noise = (0.0, 0.0, 0.0, 0.0)
        for step in range(steps[-1] + 1):
            if steps[record] == step:
                out[row, record] = r
                record += 1
            if record == len(steps):
                break
            if step % 4 == 0:
                noise = _noise(step, low, high, k0, k1)
            next_time = np.float64(step + 1) * size
            pull = 1.0 - kappa * _exponential(min(max(0.5 * r, -60.0), 60.0))
            drift = pull / next_time - 1.0
            r = fma(2.0 * drift, size, fma(root, noise[step % 4], r))
