"""The CPU kernel of Euler schemes of dX = n^{-1/2} ‖φ(X)‖ dB, which are residual networks;
``residual_paths`` describes them and prepares the arguments.

Samples are computed sixteen at a time, one a lane, and a sample's bits depend on its own index alone. Every
level sees the same Brownian motion: a level with ``pack`` = 4 takes the sum of four normals of the finest
level as one. Units are added one after another.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from deeplimits.engines.contract.arithmetic import f4, fma, i4, kernel, square_root, u4
from deeplimits.engines.contract.normals import logarithm, normal_pair
from deeplimits.engines.contract.philox import PURPOSE_PATH, philox, sample_words
from deeplimits.engines.contract.shape import LANES

COLUMNS = 5
"""What is recorded: log ‖φ(X)‖², log ‖X‖², the control variate, the number of positive units, X_1."""


@kernel
def residual(
    key: Any,
    first: Any,
    width: Any,
    depth: Any,
    root: Any,
    start: Any,
    plus: Any,
    minus: Any,
    packs: Any,
    steps: Any,
    out: Any,
    state: Any,
    noise: Any,
    sums: Any,
    normals: Any,
) -> None:
    """Fill ``out`` [sample, level, record, column] after ``steps`` steps of the finest level, multiples of
    every one of ``packs`` [level].

    X_0 = ``root`` ξ + ``start`` in every unit. Scratch: ``state`` and ``noise`` [level, unit, lane], ``sums``
    [level, row, lane], ``normals`` [4, lane].
    """
    k0, k1 = u4(key & np.uint64(0xFFFFFFFF)), u4(key >> np.uint64(32))
    levels = len(packs)
    for group in range(0, out.shape[0], LANES):
        for level in range(levels):
            sums[level, 0] = 0.0
            sums[level, 1] = 0.0
        record = 0
        for step in range(steps[-1] + 1):
            for block in range(0, width, 4):
                for lane in range(LANES):
                    low, high = sample_words(np.int64(first) + group + lane, PURPOSE_PATH)
                    w0, w1, w2, w3 = philox(u4(block // 4), u4(step), low, high, k0, k1)
                    a, b = normal_pair(w0, w1)
                    c, d = normal_pair(w2, w3)
                    normals[0, lane] = a
                    normals[1, lane] = b
                    normals[2, lane] = c
                    normals[3, lane] = d
                for unit in range(block, min(block + 4, width)):
                    for level in range(levels):
                        if step == 0:
                            for lane in range(LANES):
                                x = fma(root, np.float64(normals[unit - block, lane]), start)
                                phi = x * (plus if x > 0.0 else minus)
                                state[level, unit, lane] = x
                                noise[level, unit, lane] = 0.0
                                sums[level, 0, lane] = fma(phi, phi, sums[level, 0, lane])
                        else:
                            for lane in range(LANES):
                                noise[level, unit, lane] = noise[level, unit, lane] + np.float64(
                                    normals[unit - block, lane]
                                )
            for level in range(levels):
                if step > 0 and step % packs[level] == 0:
                    move(packs[level], width, depth, plus, minus, state[level], noise[level], sums[level])
            if steps[record] == step:
                for level in range(levels):
                    for lane in range(min(LANES, out.shape[0] - group)):
                        square = 0.0
                        positive = 0.0
                        for unit in range(width):
                            x = state[level, unit, lane]
                            square = fma(x, x, square)
                            positive += 1.0 if x > 0.0 else 0.0
                        row = out[group + lane, level, record]
                        row[0] = _log(sums[level, 0, lane])
                        row[1] = _log(square)
                        row[2] = sums[level, 1, lane]
                        row[3] = positive
                        row[4] = state[level, 0, lane]
                record += 1


@kernel
def _log(value: Any) -> Any:
    """To float32; −∞ at 0."""
    return np.float64(logarithm(f4(value), i4(0))) if value > 0.0 else -np.inf


@kernel
def move(pack: Any, width: Any, depth: Any, plus: Any, minus: Any, x: Any, noise: Any, sums: Any) -> None:
    """One Euler step of one level: ``x``, ``noise`` [unit, lane], ``sums`` [row, lane].

    Rows of ``sums``: ‖φ‖², the control variate, and four for scratch. With u = φ / ‖φ‖, s = φ'(X) and ε =
    √(h/n), log ‖φ‖² grows by 2ε Σ u s ξ + ε² [Σ s² ξ² − 2 (Σ u s ξ)²] + O(ε³) as long as no unit changes its
    sign; the control variate is this less its mean given the past.
    """
    scale = 1.0 / square_root(np.float64(pack))
    variance = np.float64(pack) / (np.float64(width) * np.float64(depth))
    epsilon = square_root(variance)
    for row in range(2, 6):
        sums[row] = 0.0
    for lane in range(LANES):
        sums[5, lane] = epsilon * square_root(sums[0, lane])
    for unit in range(width):
        for lane in range(LANES):
            value = x[unit, lane]
            slope = plus if value > 0.0 else minus
            normal = scale * noise[unit, lane]
            steep = (value * slope) * slope
            sums[2, lane] = fma(steep, normal, sums[2, lane])
            sums[3, lane] = fma(slope * slope, fma(normal, normal, -1.0), sums[3, lane])
            sums[4, lane] = fma(steep, steep, sums[4, lane])
            x[unit, lane] = fma(sums[5, lane], normal, value)
            noise[unit, lane] = 0.0
    for lane in range(LANES):
        inverse = 1.0 / sums[0, lane] if sums[0, lane] > 0.0 else 0.0
        inner = sums[2, lane]
        second = fma(-2.0 * inverse, fma(inner, inner, -sums[4, lane]), sums[3, lane])
        control = fma(2.0 * epsilon * square_root(inverse), inner, variance * second)
        sums[1, lane] = sums[1, lane] + (control if sums[0, lane] > 0.0 else 0.0)
        sums[0, lane] = 0.0
    for unit in range(width):
        for lane in range(LANES):
            value = x[unit, lane]
            phi = value * (plus if value > 0.0 else minus)
            sums[0, lane] = fma(phi, phi, sums[0, lane])
