"""Writing that is whole or absent: aside, flushed to disk, then renamed.

A reader sees the old file, the new one, or none; never half of one. A writer that is killed leaves a file
whose name starts with ``.part-``, which nobody reads and the next writer of the same name removes.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PREFIX = ".part-"


@contextmanager
def written_aside(final: Path) -> Iterator[Path]:
    """A path beside ``final`` to write a file to; on leaving without an exception it becomes ``final``."""
    final.parent.mkdir(parents=True, exist_ok=True)
    remove_leftovers(final)
    aside = final.parent / f"{_PREFIX}{final.name}-{uuid.uuid4().hex[:8]}"
    try:
        yield aside
        _flush(aside)
        aside.replace(final)
        _flush_folder(final.parent)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


def write_text(final: Path, text: str) -> None:
    """Write a text file, whole or not at all."""
    with written_aside(final) as aside:
        aside.write_text(text, encoding="utf-8")


def remove_leftovers(final: Path) -> None:
    """Remove what killed writers of ``final`` left beside it."""
    for path in final.parent.glob(f"{_PREFIX}{final.name}-*"):
        path.unlink(missing_ok=True)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _flush_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError:
        pass  # some file systems cannot flush a folder
    finally:
        os.close(descriptor)
