"""The CPU kernel of a network's output, z_out | V_d ~ N(0, V_d), in float64.

Its normals are the products of the readout with an orthonormal basis of the vectors whose Gram matrix is V_d;
the backward pass takes them from here.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from deeplimits.engines.contract.arithmetic import f4, fma, kernel, u4
from deeplimits.engines.contract.exponential import exponential
from deeplimits.engines.contract.normals import normal_pair
from deeplimits.engines.contract.philox import PURPOSE_OUTPUT, philox, sample_words
from deeplimits.engines.mlp.correlations import difference_factor

_FURTHEST = 800.0
"""log √V is kept within this, beyond which √V is zero or infinite in float64 too."""


@kernel
def output_normals(normals: Any, layer: Any, low: Any, high: Any, k0: Any, k1: Any) -> None:
    """Fill ``normals`` [m], four a call of Philox; ``layer`` is the depth."""
    size = normals.shape[0]
    for call in range((size + 3) // 4):
        w0, w1, w2, w3 = philox(u4(call), u4(layer), low, high, k0, k1)
        a, b = normal_pair(w0, w1)
        c, d = normal_pair(w2, w3)
        at = 4 * call
        normals[at] = np.float64(a)
        if at + 1 < size:
            normals[at + 1] = np.float64(b)
        if at + 2 < size:
            normals[at + 2] = np.float64(c)
        if at + 3 < size:
            normals[at + 3] = np.float64(d)


@kernel
def fill_output(
    key: Any,
    first: Any,
    depth: Any,
    log_variance: Any,
    correlation_gap: Any,
    output: Any,
    normals: Any,
    matrices: Any,
) -> None:
    """Fill ``output`` [sample, input] from log V [sample, input] and 1 − ρ [sample, pair] at the last layer;
    zero where V is.
    """
    gaps, rows = matrices[0], matrices[1]
    inputs = normals.shape[0]
    k0, k1 = u4(key & np.uint64(0xFFFFFFFF)), u4(key >> np.uint64(32))
    for row in range(output.shape[0]):
        low, high = sample_words(np.int64(first) + row, PURPOSE_OUTPUT)
        living = -1
        for a in range(inputs):
            gaps[a, a] = 0.0
            if living < 0 and log_variance[row, a] > f4(-np.inf):
                living = a
        pair = 0
        for a in range(inputs):
            for b in range(a + 1, inputs):
                gap = np.float64(correlation_gap[row, pair])
                gaps[a, b], gaps[b, a] = gap, gap
                pair += 1
        for a in range(inputs):
            if not log_variance[row, a] > f4(-np.inf):
                # it has no direction and is carried along with the first that has one
                for b in range(inputs):
                    has = living >= 0 and log_variance[row, b] > f4(-np.inf)
                    gap = gaps[living, b] if has else np.float64(0)
                    gaps[a, b], gaps[b, a] = gap, gap
        difference_factor(gaps, rows)
        output_normals(normals, depth, low, high, k0, k1)
        for a in range(inputs):
            value = (rows[a, 0] + 1.0) * normals[0]
            for column in range(1, a + 1):
                value = fma(rows[a, column], normals[column], value)
            output[row, a] = f4(0)
            if log_variance[row, a] > f4(-np.inf):
                half = min(max(0.5 * np.float64(log_variance[row, a]), -_FURTHEST), _FURTHEST)
                root = exponential(0.0625 * half)
                for _ in range(4):
                    root = root * root
                output[row, a] = f4(value * root)
