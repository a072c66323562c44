"""One run of the workflow at a time in a folder of results, wherever it was started.

Snakemake's locks are of its working folder. Two runs in one folder, or of two folders on the same results,
would remove each other's files before they make them anew: the second waits until the first has ended. That
one holds a file in the results locked, and the kernel frees the lock of a process that is gone. On a file
system without locks nobody waits.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shlex
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from deeplimits.errors import one_line
from deeplimits.store.errors import StoreError

NAME = ".run"
"""The file, which is there as long as a run is at work, or was killed."""
_LOOK = 0.2
"""Seconds between two looks at whether the other has ended."""
_held: dict[Path, Turn] = {}


class Turn:
    """The turn of this process on some results, which it has until it ends it or is gone."""

    def __init__(self, results: Path, descriptor: int) -> None:
        self._path, self._descriptor, self._process = results / NAME, descriptor, os.getpid()

    def end(self) -> None:
        """Let another run begin."""
        if self._descriptor < 0 or os.getpid() != self._process:
            return
        with suppress(OSError):
            self._path.unlink(missing_ok=True)
            # where nothing was made after all
            self._path.parent.rmdir()
        os.close(self._descriptor)
        self._descriptor = -1
        _held.pop(self._path.parent, None)


def take_turn(results: Path, command: Sequence[str], tell: Callable[[str], None] | None) -> Turn | None:
    """Wait until no other run is at work on these results; None where this process has its turn already, or
    where there are no locks, or nothing can be written.

    Parameters
    ----------
    command
        What others are told of this run.
    tell
        Takes a sentence about the run that is waited for. Where it is None, nobody waits.

    Raises
    ------
    StoreError
        If another run is at work and nobody waits.
    OSError
        If nothing can be written there.
    """
    results = results.resolve()
    if results in _held:
        return None
    results.mkdir(parents=True, exist_ok=True)
    while True:
        descriptor = _opened(results / NAME)
        if descriptor is None:
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            whose = _holder(descriptor)
            os.close(descriptor)
            if tell is None:
                raise StoreError(f"another run is at work on {results}: {whose}") from None
            tell(f"waiting for another run on {results}: {whose}")
            _wait(results)
            continue
        except OSError:
            os.close(descriptor)
            return None
        if _is(descriptor, results / NAME):
            break
        os.close(descriptor)  # the run before removed it
    here, since = f"process {os.getpid()} on {os.uname().nodename}", time.strftime("%Y-%m-%d %H:%M:%S")
    with suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{here}, since {since}, in {Path.cwd()}: {shlex.join(command)}\n".encode())
    _held[results] = turn = Turn(results, descriptor)
    return turn


@contextmanager
def turn_on(
    results: Path, command: Sequence[str], tell: Callable[[str], None] | None = None
) -> Iterator[None]:
    """The turn on some results, as ``take_turn`` takes it."""
    turn = take_turn(results, command, tell)
    try:
        yield
    finally:
        if turn is not None:
            turn.end()


def _opened(path: Path) -> int | None:
    """The file, to be locked; None where it is not there and cannot be made."""
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise
    try:
        return os.open(path, os.O_RDONLY)  # another user's
    except OSError:
        return None


def _wait(results: Path) -> None:
    """Until the file is locked no more, or is gone."""
    while True:
        time.sleep(_LOOK)
        try:
            descriptor = os.open(results / NAME, os.O_RDONLY)
        except OSError:
            return
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        except OSError:
            return
        else:
            return
        finally:
            os.close(descriptor)


def _is(descriptor: int, path: Path) -> bool:
    """Whether a path is still that of an open file."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except OSError:
        return False


def _holder(descriptor: int) -> str:
    try:
        text = os.pread(descriptor, 1 << 12, 0).decode(errors="replace").strip()
    except OSError as error:
        return one_line(error)
    return "".join(letter if letter.isprintable() else " " for letter in text) or "it has not said which"
