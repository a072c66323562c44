"""The CPU engine: kernels compiled by Numba, samples shared among threads.

A sample's bits depend on its own index alone, so how samples are shared out changes nothing but the time.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import mpmath
import numpy as np
from mpmath.libmp import mpf_pos, round_nearest
from numpy.typing import NDArray

from deeplimits.activations import EXACT
from deeplimits.engines.mlp_general import many_inputs
from deeplimits.engines.mlp_kernels import single_input, two_inputs
from deeplimits.networks.network import Network

_SHARES_PER_THREAD = 4
"""Pieces handed to each thread: enough to even out their speeds, few enough to cost nothing."""


def available_threads() -> int:
    """Processors that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not Linux
        return os.cpu_count() or 1


def simulate(
    network: Network, layers: Sequence[int], first: int, count: int, threads: int | None = None
) -> dict[str, NDArray[np.float32]]:
    """Samples [first, first + count) of ``network``, recorded at ``layers`` (ascending, 0 = input); see
    ``simulate_block``.
    """
    inputs = network.inputs
    log_variance = np.empty((count, len(layers), inputs), np.float32)
    gap = np.empty((count, len(layers), inputs * (inputs - 1) // 2), np.float32)
    variances = [EXACT.mpf(network.gram[a][a]) for a in range(inputs)]
    gaps = [network.gap(a, b) for a in range(inputs) for b in range(a + 1, inputs)]
    if layers[0] == 0:
        log_variance[:, 0] = [rounded(EXACT.log(variance)) for variance in variances]
        gap[:, 0] = [rounded(value) for value in gaps]
    scales = [EXACT.frexp(variance) for variance in variances]
    start = {
        "key": np.uint64(network.key),
        "width": network.width,
        "depth": int(layers[-1]),
        "layers": np.array(layers, np.int32),
        "slope_plus": rounded(network.slopes.plus),
        "slope_minus": rounded(network.slopes.minus),
        "normalizer": rounded(network.normalizer / network.width),
        "mantissa_0": np.array([rounded(2 * scale[0]) for scale in scales], np.float32),
        "exponent_0": np.array([scale[1] - 1 for scale in scales], np.int32),
    }
    if inputs == 2:
        start["gap_0"] = np.array([rounded(value) for value in gaps], np.float32)
    elif inputs > 2:
        start["gap_0"] = np.array([float(value) for value in gaps])
    run = {1: single_input, 2: two_inputs}.get(inputs) or many_inputs(inputs)

    def share(rows: slice) -> None:
        outputs = {"log_variance": log_variance[rows]} | (
            {"correlation_gap": gap[rows]} if inputs > 1 else {}
        )
        run(first=np.int64(first + rows.start), **start, **outputs)

    in_threads(share, count, threads or available_threads())
    return {"log_variance": log_variance, "correlation_gap": gap}


def rounded(value: mpmath.mpf) -> np.float32:
    """The float32 nearest to a 50-digit number, rounded once (through float64 it would be rounded twice)."""
    return np.float32(float(EXACT.make_mpf(mpf_pos(value._mpf_, 24, round_nearest))))


def in_threads(share: Callable[[slice], None], count: int, threads: int) -> None:
    """Call ``share`` on consecutive slices that cover ``count`` rows."""
    if threads == 1 or count == 1:
        share(slice(0, count))
        return
    step = max(1, -(-count // (threads * _SHARES_PER_THREAD)))
    slices = [slice(start, min(start + step, count)) for start in range(0, count, step)]
    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(share, slices):
            pass
