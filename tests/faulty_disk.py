"""Verbs on a disk that fails at a chosen call, or killed in it, each in a process of its own.

``FaultyDisk`` compiles ``faulty_disk.c`` and starts this file as a program with it: a process that has all modules of
the verbs loaded and makes a child of itself for each verb, so that one costs what it does and not the start of Python.
"""

from __future__ import annotations

import atexit
import ctypes
import gc
import json
import os
import pkgutil
import shutil
import signal
import subprocess
import sys
import traceback
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

SOURCE = Path(__file__).with_suffix(".c")
KINDS = {
    "open": 1,
    "write": 2,
    "fsync": 4,
    "rename": 8,
    "mkdir": 16,
    "unlink": 32,
    "read": 64,
    "utimensat": 128,
}
"""Kinds of calls: files opened to be changed, written, flushed, renamed and removed, folders made; files read; dates."""
WRITES = ("open", "write", "fsync", "rename", "mkdir")
CHANGES = (*WRITES, "unlink")


@dataclass(frozen=True)
class Fault:
    """What goes wrong: of all calls of some kinds, from 1, the ``first`` to the ``last`` fail with ``error``, or the
    process is sent ``signal`` in the first.
    """

    first: int = 0
    last: int = 0
    error: int = 0
    signal: int = 0
    kinds: tuple[str, ...] = WRITES


NONE = Fault()


@dataclass(frozen=True)
class Done:
    """How a verb ended.

    Attributes
    ----------
    code
        Exit code; negative the signal that ended it.
    calls
        Calls of the kinds in question, and what failed was ``which``; empty where nothing did.
    """

    code: int
    out: str
    err: str
    calls: int
    which: str


class FaultyDisk:
    """The process that makes children.

    Parameters
    ----------
    work
        A folder for what is compiled and printed.
    """

    def __init__(self, work: Path) -> None:
        work.mkdir(parents=True, exist_ok=True)
        library = work / "faulty_disk.so"
        compiler = os.environ.get("CC") or shutil.which("cc") or "gcc"
        command = [compiler, "-O1", "-shared", "-fPIC", "-o", str(library), str(SOURCE), "-ldl"]
        subprocess.run(command, check=True)
        environment = {**os.environ, "LD_PRELOAD": str(library), "OPENBLAS_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            [sys.executable, __file__, str(library), str(work)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            text=True,
        )

    def run(self, folder: Path, words: list[str], fault: Fault = NONE) -> Done:
        """A verb in a folder; ``plan`` alone is what the workflow does before its jobs."""
        assert self._process.stdin is not None and self._process.stdout is not None
        asked = {"folder": str(folder.resolve()), "words": words, "fault": asdict(fault)}
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        return Done(**json.loads(self._process.stdout.readline()))

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


def _load() -> None:
    """All that verbs import when they run."""
    import deeplimits

    for module in pkgutil.walk_packages(deeplimits.__path__, "deeplimits."):
        if not module.name.endswith(("__main__", "cupy_device", "jobs.slurm")):
            import_module(module.name)
    for name in ("agg", "pdf", "svg"):
        import_module(f"matplotlib.backends.backend_{name}")
    import_module("dask.array")


def _verb(words: list[str]) -> None:
    if words == ["plan"]:
        # as the Snakefile does
        from deeplimits.errors import InputError, one_line
        from deeplimits.jobs.workflow import prepare
        from deeplimits.store.errors import StoreError

        try:
            prepare(Path("config/config.yaml"))
        except (InputError, StoreError, OSError) as error:
            sys.exit(f"deeplimits: {one_line(error)}")
        return
    from deeplimits.cli import main

    sys.argv = ["deeplimits", *words]
    main()


def _to_the_end(words: list[str]) -> NoReturn:
    """The verb, and the end of its process without the clearing up of all modules, which takes longer."""
    code: object = None
    try:
        _verb(words)
    except SystemExit as asked:
        code = asked.code
    except BaseException:  # noqa: BLE001 - as the interpreter does
        traceback.print_exc()
        code = 1
    if isinstance(code, str):
        sys.stderr.write(f"{code}\n")
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else 1 if code else 0)


def _serve(disk: Any, work: Path) -> None:
    """Answer until there is nothing more to do."""
    while line := sys.stdin.readline():
        asked = json.loads(line)
        fault = Fault(**asked["fault"])
        kinds = sum(KINDS[kind] for kind in fault.kinds)
        child = os.fork()
        if child == 0:
            # what a shell starts in the background ignores it, and so would all that is forked from that
            signal.signal(signal.SIGINT, signal.default_int_handler)
            for number, name in ((1, "out"), (2, "err")):
                file = os.open(work / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
                os.dup2(file, number)
                os.close(file)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.chdir(asked["folder"])
            disk.faulty_arm(
                asked["folder"].encode(), kinds, fault.first, fault.last, fault.error, fault.signal
            )
            _to_the_end(asked["words"])
        _, status = os.waitpid(child, 0)
        said = {name: (work / name).read_text(errors="replace") for name in ("out", "err")}
        which = disk.faulty_which().decode()
        done = Done(os.waitstatus_to_exitcode(status), said["out"], said["err"], disk.faulty_calls(), which)
        sys.stdout.write(json.dumps(asdict(done)) + "\n")
        sys.stdout.flush()


def _main() -> None:
    disk = ctypes.CDLL(sys.argv[1])
    disk.faulty_arm.argtypes = [
        ctypes.c_char_p,
        ctypes.c_int,
        ctypes.c_long,
        ctypes.c_long,
        ctypes.c_int,
        ctypes.c_int,
    ]
    disk.faulty_calls.restype = ctypes.c_long
    disk.faulty_which.restype = ctypes.c_char_p
    _load()
    # children share what is loaded for as long as they do not look through it
    gc.freeze()
    _serve(disk, Path(sys.argv[2]))
    os._exit(0)


if __name__ == "__main__":
    _main()
