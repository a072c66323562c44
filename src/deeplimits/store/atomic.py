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
import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
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
    with _begun(final, _new_file, _discard) as (aside, descriptor), _named(aside, final):
        yield aside
        if flush:
            os.fsync(descriptor)
        aside.replace(final)
        if flush:
            _flush_folder_of(final)


@contextmanager
def folder_aside(final: Path) -> Iterator[Path]:
    """An empty folder beside ``final`` to make a folder in, which goes in the end unless it was renamed.

    Raises
    ------
    OSError
        If something in it cannot be written; it names what that is below ``final``.
    """
    with (
        _begun(final, _new_folder, partial(shutil.rmtree, ignore_errors=True)) as (aside, _),
        _named(aside, final),
    ):
        try:
            yield aside
        finally:
            shutil.rmtree(aside, ignore_errors=True)


@contextmanager
def _named(aside: Path, final: Path) -> Iterator[None]:
    """Errors in writing told of what a path is to become, and those that name nothing of ``final``."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            if error.errno not in _OF_STORAGE:
                raise
            name = final
        elif Path(os.fsdecode(error.filename)).is_relative_to(aside):
            name = final / Path(os.fsdecode(error.filename)).relative_to(aside)
        else:
            raise
        raise OSError(error.errno, error.strerror, str(name)) from error


def write_text(final: Path, text: str, flush: bool = True) -> None:
    """Write a text file, whole or not at all; after a loss of power that holds only for what was flushed."""
    with written_aside(final, flush) as aside:
        aside.write_text(text, encoding="utf-8")


def remove_leftovers(final: Path) -> None:
    """Remove what killed writers of ``final`` left beside it, as far as it can be removed."""
    for path in final.parent.glob(f"{_PREFIX}{glob.escape(final.name)}-*"):
        with suppress(OSError):
            _remove_abandoned(path)


def remove_abandoned(folder: Path) -> tuple[list[Path], list[Path]]:
    """Remove what killed writers left anywhere below a folder.

    Returns
    -------
    What was removed, and what is still there: live writers are at it, or it cannot be removed.
    """
    removed: list[Path] = []
    left: list[Path] = []
    for place, folders, names in os.walk(folder):
        begun = [name for name in (*folders, *names) if name.startswith(_PREFIX)]
        folders[:] = [name for name in folders if name not in begun]
        for name in sorted(begun):
            path = Path(place, name)
            try:
                gone = _remove_abandoned(path)
            except OSError:
                gone = False
            (removed if gone else left).append(path)
    return removed, left


def _remove_abandoned(path: Path) -> bool:
    """Remove a file or a folder that a writer began, unless one is still at it; whether it is gone."""
    is_folder = path.is_dir() and not path.is_symlink()
    try:
        descriptor = os.open(path, os.O_RDONLY if is_folder else os.O_RDWR)
    except OSError:
        return not path.exists()  # another removed it, or it is another user's
    try:
        locked = _locked(descriptor)
        gone = locked or (locked is None and time.time() - os.fstat(descriptor).st_mtime > _ABANDONED)
        if gone and is_folder:
            shutil.rmtree(path)
        elif gone:
            path.unlink(missing_ok=True)
        return gone
    finally:
        os.close(descriptor)


def _discard(aside: Path) -> None:
    """Remove a file that was not finished; what cannot be removed is left to the next writer."""
    with suppress(OSError):
        aside.unlink(missing_ok=True)


@contextmanager
def _begun(
    final: Path, new: Callable[[Path], int], discard: Callable[[Path], None]
) -> Iterator[tuple[Path, int]]:
    """Something new beside ``final``, and the descriptor that holds it locked; gone where anything is raised,
    be it Control-C as it is made.
    """
    final.parent.mkdir(parents=True, exist_ok=True)
    remove_leftovers(final)
    while True:
        aside, descriptor = final.parent / f"{_PREFIX}{final.name}-{uuid.uuid4().hex[:8]}", None
        try:
            try:
                descriptor = new(aside)
            except OSError as error:
                if error.errno == errno.ENOENT and final.parent.is_dir():
                    continue  # one that removes leftovers came between
                raise OSError(error.errno, error.strerror, str(final)) from error
            if _locked(descriptor) is not False and aside.exists():
                yield aside, descriptor
                return
            discard(aside)  # the same
        except BaseException:
            discard(aside)
            raise
        finally:
            if descriptor is not None:
                os.close(descriptor)


def _new_file(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)


def _new_folder(path: Path) -> int:
    path.mkdir()
    return os.open(path, os.O_RDONLY)


def _locked(descriptor: int) -> bool | None:
    """Whether an open file could be locked, held by nobody else; None where a file system has no locks."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def _flush_folder_of(path: Path) -> None:
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # some file systems cannot flush a folder
        if error.errno in _OF_STORAGE:
            raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        os.close(descriptor)
