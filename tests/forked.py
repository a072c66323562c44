"""The command line in a process of its own that begins where Python has read its modules: a clean server, which
runs nothing else, forks one for every call. A call costs what its verb does, and not the second that a start takes.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import tempfile
from pathlib import Path
from subprocess import CompletedProcess
from typing import IO, Any

PRELOADED = [
    "deeplimits.cli",
    "deeplimits.cli.progress",
    "deeplimits.store.place",
    "duckdb",
    "numpy",
    "pandas",
    "pydantic",
    "rich.table",
    "scipy.integrate",
    "scipy.interpolate",
    "scipy.linalg",
    "scipy.sparse.linalg",
    "scipy.special",
    "scipy.stats",
]
"""What verbs read that is not theirs; without xarray, which some of them let take dask for missing."""
_server = multiprocessing.get_context("forkserver")
_server.set_forkserver_preload(PRELOADED)


def deeplimits(*arguments: str, cwd: str | Path | None = None) -> CompletedProcess[str]:
    """What ``python -m deeplimits`` does with these arguments."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        where = str(cwd or Path.cwd())
        process = _server.Process(
            target=_run, args=(arguments, where, dict(os.environ), _Sent(out), _Sent(err))
        )
        process.start()
        process.join()
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read())
        return CompletedProcess(["deeplimits", *arguments], process.exitcode or 0, *texts)


class _Sent:
    """An open file, for another process."""

    def __init__(self, file: IO[str]):
        self.file = file

    def __reduce__(self) -> tuple[Any, ...]:
        from multiprocessing.reduction import DupFd

        return _received, (DupFd(self.file.fileno()),)


def _received(sent: Any) -> int:
    return sent.detach()


def _run(arguments: tuple[str, ...], cwd: str, environment: dict[str, str], out: int, err: int) -> None:
    for descriptor, target in ((out, 1), (err, 2)):
        os.dup2(descriptor, target)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(cwd)
    sys.argv = ["deeplimits", *arguments]
    from deeplimits.cli import main

    main()
