"""The CPU kernels of sampled paths; ``paths`` describes the processes and prepares their tables.

A step waits for the one before, so sixteen paths are followed side by side, in the lanes of vectors
(``lanewise``). Those beyond the last are drawn with the others and not stored.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from deeplimits.engines.contract.arithmetic import fma, inline, kernel, square_root, u4
from deeplimits.engines.contract.lanewise import Coefficients, Vector, lanewise
from deeplimits.engines.contract.normals import normal_pair
from deeplimits.engines.contract.philox import PURPOSE_PATH, halves, philox, sample_words
from deeplimits.engines.contract.shape import DEGREE, LANES


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


def several(table: Coefficients, indices: range, gap: Vector) -> list[Vector]:
    """As ``tabulated``, functions of the table at every lane's gap; for functions of ``lanewise``."""
    near = gap <= 1.0
    s = near.then(gap, 2.0 - gap).root()
    found = []
    for index in indices:
        value = near.then(table[0, index, DEGREE], table[1, index, DEGREE])
        for power in range(DEGREE - 1, -1, -1):
            value = value.fma(s, near.then(table[0, index, power], table[1, index, power]))
        found.append(near.then(value * gap, value))
    return found


def projected(gap: Vector, outside: Vector) -> dict[str, Vector]:
    """1 − ρ brought back into [0, 2], and the projections counted."""
    low, high = gap < 0.0, gap > 2.0
    return {
        "gap": high.then(2.0, low.then(0.0, gap)),
        "outside": (low | high).then(outside + 1.0, outside),
    }


@lanewise
def chain_step(
    gap: Vector, noise: Vector, inverse_width: Vector, root: Vector, table: Coefficients, outside: Vector
) -> dict[str, Vector]:
    """A layer of the Markov chain."""
    mean, drift, spread = several(table, range(3), gap)
    drift = drift.fma(inverse_width, mean)
    return projected(gap - (drift + (spread * root) * noise.wide()), outside)


@lanewise
def correlation_step(
    gap: Vector,
    noise: Vector,
    half_kappa: Vector,
    size: Vector,
    root: Vector,
    table: Coefficients,
    outside: Vector,
) -> dict[str, Vector]:
    """A step of Euler's scheme for the correlation SDE."""
    shape = gap * (2.0 - gap)
    (excess,) = several(table, range(1), gap)
    drift = half_kappa.fma(excess, (-0.5 * (1.0 - gap)) * shape)
    return projected(gap - drift.fma(size, (shape * root) * noise.wide()), outside)


@lanewise
def rescaled_step(
    r: Vector, noise: Vector, kappa: Vector, size: Vector, root: Vector, next_time: Vector
) -> dict[str, Vector]:
    """A step of the scheme (4.9)."""
    half = 0.5 * r
    half = (half < -60.0).then(-60.0, half)
    factor = 1.0 - kappa * exponential((half > 60.0).then(60.0, half))
    drift = factor / next_time - 1.0
    return {"r": (2.0 * drift).fma(size, root.fma(noise.wide(), r))}


def exponential(x: Vector) -> Vector:
    """e^x in float64 for |x| ≤ 60, to 1e-15: 2^k, k found by rounding, times a Taylor polynomial; for
    functions of ``lanewise``.
    """
    turns = (x * 1.4426950408889634 + (x >= 0.0).then(x.like(0.5), -0.5)).whole()
    negative = (0 - turns).real()
    r = negative.fma(1.9082149292705877e-10, negative.fma(0.6931471803691238, x))
    value = r.like(1.0)
    for order in range(14, 0, -1):
        value = value.fma(r / float(order), 1.0)
    return value * ((turns + 127) << 23).bits().wide()


@inline
def _draw(step: Any, first: Any, k0: Any, k1: Any, noise: Any) -> None:
    """Fill ``noise`` [step, path] for steps 4j … 4j + 3, j = ``step`` // 4; paths from ``first`` on."""
    for path in range(LANES):
        low, high = sample_words(first + path, PURPOSE_PATH)
        w0, w1, w2, w3 = philox(u4(step // 4), u4(0), low, high, k0, k1)
        noise[0, path], noise[1, path] = normal_pair(w0, w1)
        noise[2, path], noise[3, path] = normal_pair(w2, w3)


@inline
def _store(states: Any, start: Any, record: Any, out: Any) -> None:
    """Write the states of the paths from row ``start`` on."""
    for row in range(start, min(start + LANES, out.shape[0])):
        out[row, record] = states[row - start]


@inline
def _count(outside: Any, start: Any, left: Any) -> None:
    """Add the projections of the paths from row ``start`` on."""
    for row in range(start, min(start + LANES, left.shape[0])):
        left[row] += np.int64(outside[row - start])


def following(advance: Callable[..., Any]) -> Callable[..., Any]:
    """A function that follows the paths from row ``start`` of ``out`` [sample, record] on, from ``states``
    [path], and stores them after ``steps`` steps of ``advance``. ``noise`` [4, path] is scratch.
    """

    @kernel
    def run(
        key: Any, first: Any, start: Any, constants: Any, steps: Any, out: Any, states: Any, noise: Any
    ) -> None:
        k0, k1 = halves(key)
        record = 0
        for step in range(steps[-1] + 1):
            if steps[record] == step:
                _store(states, start, record, out)
                record += 1
            if record == len(steps):
                break
            if step % 4 == 0:
                _draw(step, np.int64(first) + start, k0, k1, noise)
            advance(states, noise[step % 4], step, constants)

    return run


@inline
def _chain(gaps: Any, noise: Any, step: Any, constants: Any) -> None:
    inverse_width, root, table, outside = constants
    chain_step(gaps, noise, inverse_width, root, table, outside)


@inline
def _correlation(gaps: Any, noise: Any, step: Any, constants: Any) -> None:
    half_kappa, size, root, table, outside = constants
    correlation_step(gaps, noise, half_kappa, size, root, table, outside)


@inline
def _rescaled(r: Any, noise: Any, step: Any, constants: Any) -> None:
    kappa, size, root = constants
    rescaled_step(r, noise, kappa, size, root, np.float64(step + 1) * size)


_follow_chain, _follow_correlation, _follow_rescaled = map(following, (_chain, _correlation, _rescaled))


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
    gaps: Any,
    noise: Any,
    outside: Any,
) -> None:
    """Fill ``out`` [sample, record] with 1 − ρ after ``steps`` layers of the Markov chain; ``left`` [sample]
    counts the projections. ``gaps`` and ``outside`` [path], ``noise`` [4, path] are scratch.
    """
    for start in range(0, out.shape[0], LANES):
        gaps[:] = gap_0
        outside[:] = 0.0
        _follow_chain(key, first, start, (inverse_width, root, table, outside), steps, out, gaps, noise)
        _count(outside, start, left)


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
    gaps: Any,
    noise: Any,
    outside: Any,
) -> None:
    """Fill ``out`` [sample, record] with 1 − ρ after ``steps`` steps of Euler's scheme; see ``chain``."""
    for start in range(0, out.shape[0], LANES):
        gaps[:] = gap_0
        outside[:] = 0.0
        constants = (half_kappa, size, root, table, outside)
        _follow_correlation(key, first, start, constants, steps, out, gaps, noise)
        _count(outside, start, left)


@kernel
def rescaled(
    key: Any,
    first: Any,
    start_0: Any,
    kappa: Any,
    size: Any,
    root: Any,
    steps: Any,
    out: Any,
    states: Any,
    noise: Any,
) -> None:
    """Fill ``out`` [sample, record] with r after ``steps`` steps of the scheme (4.9); see ``chain``."""
    for start in range(0, out.shape[0], LANES):
        states[:] = start_0
        _follow_rescaled(key, first, start, (kappa, size, root), steps, out, states, noise)
