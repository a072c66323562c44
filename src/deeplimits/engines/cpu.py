"""The CPU engine: kernels in machine code, samples shared among threads.

A sample's bits depend on its own index alone, so how samples are shared out changes nothing but the time.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deeplimits.engines.calls import Task, call
from deeplimits.networks.network import Network

LANES = 16
"""Partial sums of a layer, as the kernels have them."""

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
    task = forward(network, layers, first, count)
    compute(task, threads)
    return task.call.recorded


def forward(network: Network, layers: Sequence[int], first: int, count: int) -> Task:
    """The forward pass of samples [first, first + count) of ``network``."""
    width = network.widest
    return Task(call(network, layers, count), network.key, first, width, lambda: working(network))


def compute(task: Task, threads: int | None = None) -> None:
    """Fill what is recorded of a task."""
    in_threads(lambda rows: task.call.kernel(*task.arguments(rows), *task.scratch()), task.count, threads)
    task.call.complete()


def working(network: Network) -> list[NDArray[Any]]:
    """What the kernel of a network needs to write in, for one thread."""
    if network.residual:
        from deeplimits.engines import resnet

        return resnet.scratch(network)
    return (scratch if network.piecewise_linear else smooth_scratch)(network.inputs)


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
