"""The CPU engine: kernels in machine code, samples shared among threads.

A sample's bits depend on its own index alone, so how samples are shared out changes nothing but the time.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import mpmath
import numpy as np
from mpmath.libmp import mpf_pos, round_nearest
from numpy.typing import NDArray

from deeplimits.activations import EXACT, Slopes
from deeplimits.engines import MAX_INPUTS
from deeplimits.engines.native import Kernel
from deeplimits.networks.network import Network

LANES = 16
"""Partial sums of a layer, as the kernels have them."""

_NETWORK = "u8 i8 i8 i8 i4[1] f4 f4 f4 f4[1] i4[1]"
_SINGLE = Kernel("mlp_kernels", "single_input", f"{_NETWORK} f4[3] f4[2]")
_TWO = Kernel("mlp_kernels", "two_inputs", f"{_NETWORK} f4[1] f4[3] f4[3] f4[2]")
_MANY = {
    inputs: Kernel(
        "mlp_general",
        "many_inputs",
        f"{_NETWORK} f8[1] f4[3] f4[3] f4[2] f4[2] f4[1] i4[1] f8[2]",
        inputs,
    )
    for inputs in range(3, MAX_INPUTS + 1)
}

_SMOOTH = {
    inputs: Kernel(
        "smooth_kernels",
        "smooth_inputs",
        "u8 i8 i8 i8 i4[1] f4 f4 f4[1] i4[1] f8[1] i4 f4 f4[2] f4[3] f4[3] i4[2] "
        "f4[2] f4[2] f4[1] i4[1] f8[2]",
        inputs,
    )
    for inputs in range(1, MAX_INPUTS + 1)
}

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
) -> dict[str, NDArray[Any]]:
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
    mantissas = np.array([rounded(2 * scale[0]) for scale in scales], np.float32)
    exponents = np.array([scale[1] - 1 for scale in scales], np.int32)
    depth, records = int(layers[-1]), np.array(layers, np.int32)
    normalizer = rounded(network.normalizer / network.width)
    recorded: dict[str, NDArray[Any]] = {"log_variance": log_variance, "correlation_gap": gap}
    outputs: tuple[NDArray[Any], ...]
    constants: tuple[Any, ...]
    if isinstance(network.phi, Slopes):
        kernel = {1: _SINGLE, 2: _TWO}.get(inputs) or _MANY[inputs]
        slopes = (rounded(network.phi.plus), rounded(network.phi.minus))
        constants = (depth, records, *slopes, normalizer, mantissas, exponents)
        if inputs == 2:
            constants += (np.array([rounded(value) for value in gaps], np.float32),)
        elif inputs > 2:
            constants += (np.array([float(value) for value in gaps]),)
        outputs, working = (log_variance, gap)[: 1 if inputs == 1 else 2], scratch
    else:
        from deeplimits.engines.tables import table

        kernel, held = _SMOOTH[inputs], table(network.phi.activation)
        recorded["exploded_at"] = np.empty((count, inputs), np.int32)
        constants = (depth, records, rounded(1 / network.phi.scale), normalizer, mantissas, exponents)
        constants += (np.array([float(value) for value in gaps]),)
        constants += (held.bits, np.float32(2.0**held.highest), held.coefficients)
        outputs, working = (log_variance, gap, recorded["exploded_at"]), smooth_scratch

    def share(rows: slice) -> None:
        parts = (output[rows] for output in outputs)
        kernel(network.key, first + rows.start, network.width, *constants, *parts, *working(inputs))

    in_threads(share, count, threads)
    return recorded


def scratch(inputs: int) -> list[NDArray[Any]]:
    """What a kernel needs to write in, for one thread."""
    if inputs < 3:
        return [np.empty((1 if inputs == 1 else 5, LANES), np.float32)]
    pairs, calls = inputs * (inputs - 1) // 2, (inputs + 3) // 4
    reduced = inputs + 3 * pairs
    return [
        np.empty((4 * calls + 1 + 2 * inputs + reduced, LANES), np.float32),
        np.empty((inputs + pairs, inputs), np.float32),
        np.empty(reduced + inputs, np.float32),
        np.empty(inputs, np.int32),
        np.empty((2 * inputs, inputs)),
    ]


def smooth_scratch(inputs: int) -> list[NDArray[Any]]:
    """As ``scratch``, for a smooth activation."""
    pairs, calls = inputs * (inputs - 1) // 2, (inputs + 3) // 4
    reduced = inputs + 3 * pairs
    return [
        np.empty((4 * calls + 1 + 3 * inputs + reduced, LANES), np.float32),
        np.empty((inputs + pairs, inputs), np.float32),
        np.empty(reduced + 2 * inputs, np.float32),
        np.empty(inputs, np.int32),
        np.empty((2 * inputs, inputs)),
    ]


def rounded(value: mpmath.mpf) -> np.float32:
    """The float32 nearest to a 50-digit number, rounded once (through float64 it would be rounded twice)."""
    return np.float32(float(EXACT.make_mpf(mpf_pos(value._mpf_, 24, round_nearest))))


def in_threads(share: Callable[[slice], None], count: int, threads: int | None = None) -> None:
    """Call ``share`` on consecutive slices that cover ``count`` rows, on all processors by default."""
    threads = threads or available_threads()
    if threads == 1 or count == 1:
        share(slice(0, count))
        return
    step = max(1, -(-count // (threads * _SHARES_PER_THREAD)))
    slices = [slice(start, min(start + step, count)) for start in range(0, count, step)]
    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(share, slices):
            pass
