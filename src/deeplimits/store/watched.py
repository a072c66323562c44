"""How far a long piece of work is, told while it is done: a bar in a terminal, a line now and then in a log
that is a file, and nothing where a program reads.
"""

from __future__ import annotations

import os
import stat
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import TextIO

from deeplimits.sweep.amounts import about

SILENT = 5.0
"""Seconds of work of which a log says nothing."""
SOON = 1.0
"""Seconds of work of which a terminal shows nothing."""
EVERY = 30.0
"""Seconds between two lines of a log."""

Told = Callable[[float], None]
"""Takes how much more is done."""
Watch = Callable[[float, str], AbstractContextManager[Told]]
"""Such as ``watched`` and ``unwatched``: how much there is to do, and of what."""


@contextmanager
def watched(total: float, unit: str, stream: TextIO | None = None) -> Iterator[Told]:
    """Tells of work as it is done, on standard error.

    Parameters
    ----------
    total
        How much there is to do, in ``unit``, a plural such as ``blocks``.

    Yields
    ------
    A function that takes how much more of it is done.
    """
    stream = sys.stderr if stream is None else stream
    if stream.isatty():
        with _bar(total, unit, stream) as tell:
            yield tell
    elif _is_file(stream):
        yield _lines(total, unit, stream)
    else:
        yield _nothing


@contextmanager
def unwatched(_total: float, _unit: str) -> Iterator[Told]:
    """Tells nothing."""
    yield _nothing


def _nothing(_amount: float) -> None:
    """Tells nobody."""


def _is_file(stream: TextIO) -> bool:
    try:
        return stat.S_ISREG(os.fstat(stream.fileno()).st_mode)
    except (OSError, ValueError):
        return False


def _lines(total: float, unit: str, stream: TextIO) -> Told:
    begun = told = time.monotonic()
    done = 0.0
    since: tuple[float, float] | None = None

    def tell(amount: float) -> None:
        nonlocal done, told, since
        done += amount
        now = time.monotonic()
        if since is None:
            # what comes before, such as compiling a kernel, has another pace
            since = now, done
        elif now - begun >= SILENT and done < total and now - told >= min(EVERY, now - begun):
            told = now
            left = (now - since[0]) * (total - done) / (done - since[1])
            stream.write(f"{_amount(done, total)} of {_amount(total, total)} {unit}, {about(left)} left\n")
            stream.flush()

    return tell


def _amount(amount: float, total: float) -> str:
    """Whole, unless the total is so small that nothing would be left of it."""
    return f"{amount:,.0f}" if total >= 10 or float(total).is_integer() else f"{amount:.2g}"


@contextmanager
def _bar(total: float, unit: str, stream: TextIO) -> Iterator[Told]:
    start, done = time.monotonic(), 0.0
    with ExitStack() as stack:
        show: Told | None = None

        def tell(amount: float) -> None:
            nonlocal done, show
            done += amount
            if show is None and time.monotonic() - start >= SOON:
                show = stack.enter_context(_shown(total, unit, stream))
            if show is not None:
                show(done)

        yield tell


@contextmanager
def _shown(total: float, unit: str, stream: TextIO) -> Iterator[Told]:
    """A bar that takes how much is done."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (BarColumn(), MofNCompleteColumn(), TextColumn(unit), TimeRemainingColumn())
    with Progress(*columns, console=Console(file=stream), transient=True) as progress:
        task = progress.add_task(unit, total=total)
        yield lambda done: progress.update(task, completed=done)
