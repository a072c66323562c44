"""Reductions that stand still in the middle of a point, so that their processes can be killed just there."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from deeplimits.analysis import point, spread

_REDUCE = spread.reduce_points
_LONG = 60.0
"""Seconds after which nobody will come."""


def _reduce_points(folder: Path, times: int, here: int, reduction: Any, points: Any) -> Any:
    """``reduce_points``, but the first ``times`` processes that come to it stop between the two passes over the
    blocks of a point, and write their number in ``folder``.
    """
    if os.getpid() == here:
        return _REDUCE(reduction, points)
    between = point.Powers

    def stopped(*arguments: Any) -> Any:
        for number in range(times):
            try:
                descriptor = os.open(folder / str(number), os.O_CREAT | os.O_EXCL | os.O_WRONLY)
            except FileExistsError:
                continue
            os.write(descriptor, f"{os.getpid()}\n".encode())
            os.close(descriptor)
            time.sleep(_LONG)
            raise AssertionError("nobody killed this process")
        return between(*arguments)

    with patch.object(point, "Powers", stopped):
        return _REDUCE(reduction, points)


@contextmanager
def killed_in_mid_reduction(
    folder: Path, monkeypatch: pytest.MonkeyPatch, times: int = 1
) -> Iterator[list[int]]:
    """Processes other than this one that reduce points are killed as they do so, the first ``times`` of them; the
    numbers of those that were.
    """
    folder.mkdir()
    killed: list[int] = []
    over = threading.Event()

    def kill() -> None:
        while len(killed) < times and not over.wait(0.01):
            said = folder / str(len(killed))
            if said.is_file() and said.read_text().endswith("\n"):
                killed.append(int(said.read_text()))
                # its pool may have ended it, as it does where another was killed
                with suppress(ProcessLookupError):
                    os.kill(killed[-1], signal.SIGKILL)

    thread = threading.Thread(target=kill, daemon=True)
    monkeypatch.setattr(
        spread, "reduce_points", partial(_reduce_points, folder.absolute(), times, os.getpid())
    )
    thread.start()
    try:
        yield killed
    finally:
        over.set()
        thread.join()
        monkeypatch.setattr(spread, "reduce_points", _REDUCE)
