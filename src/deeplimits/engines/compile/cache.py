"""What is made once on a machine and kept in a folder of the user's own: machine code, and tables."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

from deeplimits.errors import NotKept

ENTRY = "deeplimits_kernel"
"""Name of the only symbol that an object file of a kernel offers."""
LONGEST = 300.0
"""Seconds to wait for another process that makes a file, before it is made here as well."""
_DIGEST = 32


def made_once(path: Path, make: Callable[[], bytes]) -> bytes:
    """What is kept in ``path``, made where that is not there or is damaged; made by one process where several
    want it, for which the others wait.
    """
    content = kept(path)
    if content is None:
        with claim(path, LONGEST):
            content = kept(path)
            if content is None:
                content = make()
                keep(path, content)
    return content


def made_ahead(path: Path, make: Callable[[], bytes]) -> None:
    """Make what ``path`` is to keep, where it is not there and no other process is at it."""
    if not path.exists():
        with claim(path) as mine:
            if mine and not path.exists():
                keep(path, make())


def kept(path: Path) -> bytes | None:
    """What is kept in ``path``; None where that is nothing, cannot be read, is not whole, or not by this
    user.
    """
    try:
        with path.open("rb") as file:
            # a folder may be open to a group: what others put there is never run
            own, content = os.fstat(file.fileno()).st_uid == os.getuid(), file.read()
    except OSError:
        return None
    whole = hashlib.sha256(content[_DIGEST:]).digest() == content[:_DIGEST]
    return content[_DIGEST:] if own and whole else None


def keep(path: Path, content: bytes) -> None:
    """Keep something, whole or not at all, with its digest.

    Where the disk is full or fails nothing is lost but time: it is made again by every process that wants it,
    and a warning says so.
    """
    try:
        written(path, hashlib.sha256(content).digest() + content)
    except OSError as error:
        said = (
            f"{path.parent}: machine code and tables cannot be kept: {error.strerror or error}; every process"
        )
        warnings.warn(f"{said} makes them anew, which takes seconds", NotKept, stacklevel=2)


def written(path: Path, content: bytes) -> None:
    """Write a file, whole or not at all.

    Raises
    ------
    OSError
        If it cannot be written; it names the file, and nothing is left beside it.
    """
    aside = path.with_name(f".part-{path.name}-{os.getpid()}")
    try:
        aside.write_bytes(content)
        aside.replace(path)
    except BaseException as error:
        with suppress(OSError):
            aside.unlink()
        if isinstance(error, OSError):
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise


@contextmanager
def claim(path: Path, patience: float = 0.0) -> Iterator[bool]:
    """Keep other processes from making a file that this one makes, for as long as this lasts or this process
    lives; whether none of them does, after so many seconds.

    It saves work and nothing depends on it: where the file system has no locks, every process has its claim.
    """
    import fcntl

    beside = path.with_name(f".claim-{path.name}")
    end = time.monotonic() + patience
    with ExitStack() as held:
        mine = True
        try:
            file = held.enter_context(beside.open("w"))
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    mine = time.monotonic() < end
                    if not mine:
                        break
                    time.sleep(0.05)
        except OSError:
            pass
        try:
            yield mine
        finally:
            if mine:
                with suppress(OSError):
                    beside.unlink()


@lru_cache
def cache_folder() -> Path:
    """A folder of object files, named by the digest of what they all depend on: the compiler and the
    processor. The digest of its sources is in the name of each.
    """
    import llvmlite.binding as llvm

    digest = hashlib.sha256()
    for part in (version("numba"), version("llvmlite"), llvm.get_process_triple(), *target()):
        digest.update(part.encode() + b"\0")
    name = f"kernels-{digest.hexdigest()[:16]}"
    try:
        base = os.environ.get("NUMBA_CACHE_DIR") or os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        folder = Path(base) / "deeplimits" / name
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            raise PermissionError(folder)
    except (OSError, RuntimeError):  # there may be no home
        folder = Path(tempfile.gettempdir()) / f"deeplimits-{os.getuid()}-{name}"
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
        if found.st_uid != os.getuid() or not stat.S_ISDIR(found.st_mode) or found.st_mode & 0o022:
            expected = "no folder of this user that nobody else can write to; set XDG_CACHE_HOME"
            raise PermissionError(errno.EACCES, expected, str(folder)) from None
    return folder


def target() -> tuple[str, str]:
    """Name and features of the processor to compile for: this one, or what Numba's variables name."""
    import llvmlite.binding as llvm

    name = os.environ.get("NUMBA_CPU_NAME")
    if name is not None:
        return name, os.environ.get("NUMBA_CPU_FEATURES", "")
    features = llvm.get_host_cpu_features().flatten()
    # LLVM would use half the width of AVX-512 for the sake of older processors, at 2.5 times the time
    return llvm.get_host_cpu_name(), features + ",-prefer-256-bit" * ("+avx512f" in features)
