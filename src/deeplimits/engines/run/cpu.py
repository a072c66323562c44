"""The CPU engine: kernels in machine code, samples shared among threads.

A sample's bits depend on its own index alone, so how samples are shared out changes nothing but the time.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from deeplimits.engines.calls import Task

_SHARES_PER_THREAD = 4
"""Pieces handed to each thread: enough to even out their speeds, few enough to cost nothing."""


def available_threads() -> int:
    """Processors that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not Linux
        return os.cpu_count() or 1


def compute(task: Task, threads: int | None = None) -> None:
    """Fill what is recorded of a task."""
    in_threads(lambda rows: task.call.kernel(*task.arguments(rows), *task.scratch()), task.count, threads)
    task.call.complete()


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
