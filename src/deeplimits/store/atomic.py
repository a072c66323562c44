"""Writing that is whole or absent: aside, flushed to disk, then renamed.

A reader sees the old file, the new one, or none; never half of one. A writer that is killed leaves a file
whose name starts with ``.part-``, which nobody reads and the next writer of the same name removes. A writer
holds its file locked, and the kernel frees the lock of one that is gone: what another is still writing stays.
"""

from __future__ import annotations

import errno
import fcntl
import glob
import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_PREFIX = ".part-"
_OF_STORAGE = {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EFBIG, errno.ESTALE}
"""Errors of a file system, which the operating system tells of a descriptor without a name."""
_ABANDONED = 86400.0
"""Age in seconds at which a file is taken for left behind, on a file system that has no locks."""


@contextmanager
def written_aside(final: Path, flush: bool = True) -> Iterator[Path]:
    """A path beside ``final`` to write a file to; on leaving without an exception it becomes ``final``.

    Of two that write the same file at once, each writes one of its own, and the last to finish is kept.

    Raises
    ------
    OSError
        If it cannot be written; it names ``final``.
    """
    final.parent.mkdir(parents=True, exist_ok=True)
    remove_leftovers(final)
    try:
        aside, descriptor = _begun(final)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(final)) from error
    try:
        yield aside
        if flush:
            os.fsync(descriptor)
        aside.replace(final)
        if flush:
            _flush_folder(final.parent)
    except OSError as error:
        _discard(aside)
        if error.filename == str(aside) or (error.filename is None and error.errno in _OF_STORAGE):
            raise OSError(error.errno, error.strerror, str(final)) from error
        raise
    except BaseException:
        _discard(aside)
        raise
    finally:
        os.close(descriptor)


def write_text(final: Path, text: str, flush: bool = True) -> None:
    """Write a text file, whole or not at all; after a loss of power that holds only for what was flushed."""
    with written_aside(final, flush) as aside:
        aside.write_text(text, encoding="utf-8")


def remove_leftovers(final: Path) -> None:
    """Remove what killed writers of ``final`` left beside it."""
    for path in final.parent.glob(f"{_PREFIX}{glob.escape(final.name)}-*"):
        _remove_abandoned(path)


def remove_abandoned(folder: Path) -> tuple[list[Path], list[Path]]:
    """Remove what killed writers left anywhere below a folder.

    Returns
    -------
    What was removed, and what is still there: live writers are at it, or it cannot be removed.
    """
    removed: list[Path] = []
    left: list[Path] = []
    for place, _, names in os.walk(folder):
        for name in sorted(name for name in names if name.startswith(_PREFIX)):
            path = Path(place, name)
            try:
                gone = _remove_abandoned(path)
            except OSError:
                gone = False
            (removed if gone else left).append(path)
    return removed, left


def _remove_abandoned(path: Path) -> bool:
    """Remove a file that a writer began, unless one is still at it; whether it is gone."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except OSError:
        return not path.exists()  # another removed it, or it is another user's
    try:
        locked = _locked(descriptor)
        gone = locked or (locked is None and time.time() - os.fstat(descriptor).st_mtime > _ABANDONED)
        if gone:
            path.unlink(missing_ok=True)
        return gone
    finally:
        os.close(descriptor)


def _discard(aside: Path) -> None:
    """Remove what was not finished; what cannot be removed is left to the next writer."""
    with suppress(OSError):
        aside.unlink(missing_ok=True)


def _begun(final: Path) -> tuple[Path, int]:
    """A new file, and the descriptor that holds it locked."""
    while True:
        aside = final.parent / f"{_PREFIX}{final.name}-{uuid.uuid4().hex[:8]}"
        descriptor = os.open(aside, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        if _locked(descriptor) is not False and aside.exists():
            return aside, descriptor
        os.close(descriptor)  # one that removes leftovers came between
        aside.unlink(missing_ok=True)


def _locked(descriptor: int) -> bool | None:
    """Whether an open file could be locked, held by nobody else; None where a file system has no locks."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def _flush_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # some file systems cannot flush a folder
        if error.errno in _OF_STORAGE:
            raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        os.close(descriptor)
