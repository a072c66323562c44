"""Digests of files: SHA-256, and the small files beside others that hold theirs, as ``sha256sum`` writes and
checks them.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from pathlib import Path

from deeplimits.store.atomic import write_text
from deeplimits.store.errors import named, read_file

_PIECE = 1 << 22
"""Bytes that are read at once, and told as done."""
_LINE = re.compile(r"([0-9a-f]{64})  ([^\x00-\x1f]+)")


def digest(path: Path, tell: Callable[[float], None] | None = None) -> str:
    """SHA-256 of a file, in hexadecimal; read in pieces, of which ``tell`` takes the bytes."""
    with named(path), path.open("rb") as file:
        if tell is None:
            return hashlib.file_digest(file, "sha256").hexdigest()
        found = hashlib.sha256()
        while piece := file.read(_PIECE):
            found.update(piece)
            tell(len(piece))
        return found.hexdigest()


def digest_once(path: Path) -> str:
    """SHA-256 of a file, computed once in this process for as long as the file is the same by size, inode and
    times: of its content, which anybody can set, and of its last change.
    """
    status = path.stat()
    return _digest(path, status.st_size, status.st_ino, status.st_mtime_ns, status.st_ctime_ns)


@lru_cache(maxsize=256)
def _digest(path: Path, *_of: int) -> str:
    return digest(path)


def write_digests(beside: Path, digests: Mapping[str, str]) -> None:
    """Write a file of digests; names of files are relative to its folder."""
    write_text(beside, _text(digests))


def read_digests(beside: Path) -> dict[str, str] | None:
    """Digests by the names of files; None where the file is not what ``write_digests`` writes.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    try:
        text = read_file(beside).decode("utf-8")
    except UnicodeDecodeError:
        return None
    found = {}
    for line in text.splitlines():
        parts = _LINE.fullmatch(line)
        if parts is None:
            return None
        found[parts[2]] = parts[1]
    return found if text and text == _text(found) else None


def digests_of(beside: Path, files: Iterable[Path]) -> dict[str, str]:
    """The digests of files, by their names as ``beside`` holds them."""
    return {name_beside(beside, file): digest_once(file) for file in files}


def name_beside(beside: Path, file: Path) -> str:
    """The name of a file as a file of digests holds it."""
    return Path(os.path.relpath(file, beside.parent)).as_posix()


def _text(digests: Mapping[str, str]) -> str:
    return "".join(f"{found}  {name}\n" for name, found in sorted(digests.items()))
