"""Calls that are computed by either engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from deeplimits.engines import cuda
from deeplimits.engines.calls import Call
from deeplimits.engines.cpu import in_threads


def fill(
    call: Call,
    key: int | np.uint64,
    first: int,
    width: int,
    engine: str,
    threads: int | None = None,
    scratch: Callable[[], Sequence[Any]] = tuple,
) -> None:
    """Fill the outputs of a call for the samples from ``first`` on.

    Parameters
    ----------
    width
        Largest width of a network; 1 for a path.
    engine
        ``cpu`` or ``cuda``.
    scratch
        What the CPU kernel needs to write in, for one thread.
    """
    if engine == "cuda":
        cuda.compute(call, key, first, width)
        return

    def share(rows: slice) -> None:
        parts = (output[rows] for output in call.outputs)
        call.kernel(key, first + rows.start, *call.constants, *parts, *scratch())

    in_threads(share, len(call.outputs[0]), threads)
