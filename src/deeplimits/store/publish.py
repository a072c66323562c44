"""Files of a finished folder, put where others read them: another folder, or an object storage.

What is read first is put last and removed first, so that a reader sees the whole of one export or none, also
where the writer or the server is killed: an object storage renames nothing.
"""

from __future__ import annotations

import errno
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from deeplimits.errors import InputError
from deeplimits.store.atomic import folder_aside
from deeplimits.store.errors import StoreError

MARK = "deeplimits-export.json"
"""Says of a place that it holds an export, before anything else is there."""
FIRST_READ = "zarr.json"
_AT_ONCE = 8
SCHEMES = ("s3", "gs", "az", "abfs", "https", "http", "memory")


def is_folder(target: str) -> bool:
    """Whether a target is a folder of this machine; ``file://`` is one too."""
    return urlsplit(target).scheme in {"", "file"}


def folder_of(target: str) -> Path:
    """The folder that a target names."""
    return Path(urlsplit(target).path if target.startswith("file:") else target)


def staging_place(target: str, results: Path) -> Path:
    """What a folder is made beside, before it is published: the target where that is a folder, else one among
    the results.
    """
    return folder_of(target).absolute() if is_folder(target) else results / "export"


def check_target(target: str, study: str) -> None:
    """Refuse a place that holds anything else than an export of this study, before work is done.

    Raises
    ------
    InputError
        If it does, or if it is no place to write to.
    StoreError
        If it cannot be reached.
    """
    scheme = urlsplit(target).scheme
    if not is_folder(target):
        if scheme not in SCHEMES:
            raise InputError("export", "", target, "a folder, or a URL such as s3://BUCKET/PREFIX")
        _ObjectStore(target).check(study)
        return
    folder = folder_of(target)
    if folder.is_dir() and any(folder.iterdir()):
        mark = folder / MARK
        _check_mark(target, mark.read_text(encoding="utf-8") if mark.is_file() else None, study)
    elif folder.exists() and not folder.is_dir():
        raise InputError("export", "", target, "a folder, which is made, and not a file")


def _check_mark(target: str, text: str | None, study: str) -> None:
    try:
        held = json.loads(text or "")["study"]
    except (ValueError, KeyError, TypeError):
        raise InputError("export", "", target, "an empty place, or one that holds an export") from None
    if held != study:
        raise InputError("export", "", target, f"a place of study {study}; it holds an export of {held}")


def publish(made: Path, target: str, tell: Callable[[int], None]) -> None:
    """Put the files of a folder, which is used up, at a target.

    Parameters
    ----------
    tell
        Is told the bytes of each file that is there.

    Raises
    ------
    StoreError
        If a file cannot be written.
    """
    if not is_folder(target):
        _ObjectStore(target).put_all(made, tell)
        return
    final = folder_of(target).absolute()
    with folder_aside(final) as old:
        _put_in_place(made, final, old / "old")
    tell(sum(path.stat().st_size for path in final.rglob("*") if path.is_file()))


def _put_in_place(made: Path, final: Path, old: Path) -> None:
    """Rename a folder to what may be there already, which becomes ``old``."""
    while True:
        try:
            made.rename(final)
            return
        except OSError as error:
            if error.errno in (errno.ENOTEMPTY, errno.EEXIST) and not old.exists():
                # another export may come between
                with suppress(FileNotFoundError):
                    final.rename(old)
                continue
            if old.exists():
                with suppress(OSError):
                    old.rename(final)
            raise OSError(error.errno, error.strerror, str(final)) from error


class _ObjectStore:
    """A prefix of an object storage, reached with the credentials of the environment."""

    def __init__(self, target: str) -> None:
        try:
            import obstore
            from obstore.store import from_url
        except ImportError:
            expected = "the package obstore; install deeplimits[export]"
            raise InputError("export", "", target, expected) from None
        self._target, self._obstore = target, obstore
        self._absent: Any = (FileNotFoundError, obstore.exceptions.NotFoundError)
        with self._sentences():
            self._store: Any = from_url(target)

    def check(self, study: str) -> None:
        """Refuse a prefix that holds something else."""
        with self._sentences():
            if not any(True for _ in self._names()):
                return
            try:
                mark = bytes(self._obstore.get(self._store, MARK).bytes()).decode(errors="replace")
            except self._absent:
                mark = None
        _check_mark(self._target, mark, study)

    def put_all(self, made: Path, tell: Callable[[int], None]) -> None:
        """The mark, all that is no beginning, and then the beginning."""
        files = {path.relative_to(made).as_posix(): path for path in made.rglob("*") if path.is_file()}

        def put(name: str) -> None:
            self._obstore.put(self._store, name, files[name])
            tell(files[name].stat().st_size)

        with self._sentences():
            put(MARK)
            stray = [name for name in self._names() if name not in files]
            for name in [FIRST_READ, *stray]:
                self._delete(name)
            with ThreadPoolExecutor(_AT_ONCE) as pool:
                list(pool.map(put, sorted(files.keys() - {MARK, FIRST_READ})))
            put(FIRST_READ)

    def _names(self) -> Iterator[str]:
        for part in self._obstore.list(self._store):
            yield from (entry["path"] for entry in part)

    def _delete(self, name: str) -> None:
        with suppress(*self._absent):
            self._obstore.delete(self._store, name)

    @contextmanager
    def _sentences(self) -> Iterator[None]:
        """Errors of the storage in one line."""
        try:
            yield
        except (self._obstore.exceptions.BaseError, OSError, ValueError) as error:
            said = " ".join(str(error).split()).partition(" Debug source:")[0][:300]
            raise StoreError(f"{self._target}: cannot be used: {said}") from error
