"""Standard streams as other programs treat them."""

from __future__ import annotations

import os
import signal
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def as_programs_do() -> None:
    """End in silence, by SIGPIPE, when whoever reads the output has seen enough (``| head -1``), and print
    nowhere where there is no standard output.
    """
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - to the end


def flush() -> None:
    """Write out what has been printed.

    Raises
    ------
    OSError
        If that fails, and then of standard output.
    """
    try:
        sys.stdout.flush()
    except OSError as error:
        raise OSError(error.errno, error.strerror, "standard output") from None


def given_up() -> bool:
    """Leave what cannot be written to standard output, which would be tried again at the end and fail with
    words of its own; whether there was such a thing.
    """
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return True
    return False


@contextmanager
def own_warnings() -> Iterator[None]:
    """Show this package's own warnings as one line, without the place in the code."""

    def show(message: Warning | str, category: type[Warning], *more: Any, **others: Any) -> None:
        from deeplimits.errors import NotCompared, NotKept, visible
        from deeplimits.store.errors import StaleStore

        if issubclass(category, StaleStore | NotKept | NotCompared):
            print(f"deeplimits: warning: {visible(str(message))}", file=sys.stderr)
        else:
            otherwise(message, category, *more, **others)

    with warnings.catch_warnings():
        otherwise, warnings.showwarning = warnings.showwarning, show
        yield
