"""What can be wrong with a store: not the user's input, and not a bug."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class StoreError(RuntimeError):
    """The store lacks something, or holds something that cannot be trusted; the message says what, and what
    to do.
    """


class LaterFormat(StoreError):
    """A file of a later version of this package: it is neither read nor replaced."""

    def __init__(self, path: Path, found: int, known: int):
        super().__init__(
            f"{path}: of format {found}, written by a later version of deeplimits; this version reads "
            f"{known}: use the later one, or another folder of results"
        )


class StaleStore(UserWarning):
    """What a store holds of a study is not what the study file and the configuration ask for now, or cannot
    be believed; the message says which, and what mends it.
    """


@contextmanager
def named(path: Path) -> Iterator[None]:
    """Errors of the operating system in reading a file, told of the file: of a descriptor it names none."""
    try:
        yield
    except OSError as error:
        if error.filename is not None or error.errno is None:
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error


def read_file(path: Path) -> bytes:
    """The content of a file; an error of the operating system names it."""
    with named(path):
        return path.read_bytes()
