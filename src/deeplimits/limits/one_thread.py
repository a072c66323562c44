"""Rows of exact kernels in all threads, each with linear algebra of its own: products of small matrices take
a hundred times as long where they are themselves split among threads.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

One = TypeVar("One")
Other = TypeVar("Other")


@contextmanager
def one_thread() -> Iterator[None]:
    """Linear algebra of this process in one thread, where the package that can do so is installed: laws
    alone, without studies, do not ask for it.
    """
    try:
        from threadpoolctl import threadpool_limits
    except ModuleNotFoundError:
        yield
        return
    with threadpool_limits(1, "blas"):
        yield


def in_threads(function: Callable[[One], Other], items: Iterable[One]) -> list[Other]:
    """What ``function`` makes of each, in as many threads as there are processors."""
    with one_thread(), ThreadPoolExecutor(len(os.sched_getaffinity(0))) as threads:
        return list(threads.map(function, items))
