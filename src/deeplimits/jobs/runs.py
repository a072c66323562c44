"""Runs of the workflow in one folder: whose the locks are, and what becomes of those of a killed run.

Snakemake locks the files of a run in ``.snakemake/locks`` and does not say who locked them. Each run leaves a
record of its process in ``.snakemake/deeplimits`` before it takes its locks. Locks of a process that is gone
are removed by the next run; those of one that lives, or that cannot be seen from here, stay, and Snakemake
refuses what they cover.
"""

from __future__ import annotations

import atexit
import fcntl
import json
import os
import re
import shlex
import sys
import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from deeplimits.jobs.processes import Process, this_process
from deeplimits.store.atomic import write_text

_LOCK = re.compile(r"(\d+)\.(input|output)\.lock")
Lock = tuple[str, int, int]
"""A lock file: its name, its inode and the time of its last change in ns, which tell it from a later one."""


@dataclass(frozen=True)
class Run:
    """A run of the workflow, as its record describes it."""

    process: Process
    since: str
    command: str
    results: str | None
    """Folder that holds all that it makes; None where it is part of another workflow."""
    before: tuple[Lock, ...] = ()
    """Locks that were there before its own."""
    locks: tuple[Lock, ...] | None = None
    """Its locks; None until it has told which they are."""

    def __str__(self) -> str:
        return f"process {self.process.pid} on {self.process.host}, since {self.since}: {self.command}"


def tell(text: str) -> None:
    """Say something to who started the run."""
    sys.stderr.write(f"deeplimits: {text}\n")


LockAndRun = tuple[Lock, Run | None]
"""A lock and the run that holds it, or None."""


@dataclass
class RunFolder:
    """What is known of the runs in a working folder.

    Parameters
    ----------
    folder
        Snakemake's folder ``.snakemake``.
    tell
        Takes messages, one sentence each.
    """

    folder: Path
    tell: Callable[[str], None] = tell

    def __post_init__(self) -> None:
        self._records = self.folder / "deeplimits"
        self._own: tuple[Path, Run] | None = None
        self._guard: int | None = None

    def begin(self, results: str | None, command: Sequence[str]) -> None:
        """Remove the locks of runs that are gone, say which others there are, and record this run.

        No other run begins until this one has called ``locked``, or is gone.
        """
        self._records.mkdir(parents=True, exist_ok=True)
        self._hold_guard()
        runs = self._runs()
        free, held = self._sorted_locks(runs)
        for owner in _distinct(free):
            self.tell(f"taking over the locks of a run that is gone: {owner}")
        for lock, _ in free:
            self._remove(lock)
        self._tell_of(held)
        for path, run in runs.items():
            if self._is_over(run):
                path.unlink(missing_ok=True)
        for path in self._records.glob(".part-*"):
            path.unlink(missing_ok=True)
        run = Run(
            this_process(),
            time.strftime("%Y-%m-%d %H:%M:%S"),
            shlex.join(command),
            results,
            tuple(self._locks()),
        )
        path = self._records / f"{uuid.uuid4().hex}.json"
        _write(path, run)
        self._own = path, run
        atexit.register(self._end, os.getpid())

    def locked(self) -> None:
        """Say that Snakemake has taken this run's locks, and let other runs begin."""
        if self._own is not None:
            path, run = self._own
            run = replace(run, locks=tuple(self._owned(run)))
            with suppress(OSError):
                _write(path, run)
            self._own = path, run
        self.free_guard()

    def free_guard(self) -> None:
        """Let other runs begin."""
        if self._guard is not None:
            os.close(self._guard)
            self._guard = None

    def look(self) -> None:
        """Say which runs hold locks, and whose locks the next run takes over, and change nothing."""
        free, held = self._sorted_locks(self._runs())
        for owner in _distinct(free):
            self.tell(f"the next run takes over the locks of a run that is gone: {owner}")
        self._tell_of(held)

    def running(self) -> list[Run]:
        """Runs that are at work, or may be: those that cannot be seen from here count as well."""
        return [run for run in self._runs().values() if run.process.state() != "gone"]

    def unlock(self) -> Run | None:
        """Forget runs that are gone or cannot be seen from here, for Snakemake is about to remove all locks;
        or the run that stands against that, which lives on this machine and holds locks.
        """
        runs = self._runs()
        _, held = self._sorted_locks(runs)
        for run in _distinct(held):
            if run is not None and run.process.state() == "alive":
                return run
        for path, run in runs.items():
            if run.process.state() != "alive":
                path.unlink(missing_ok=True)
        return None

    def _hold_guard(self) -> None:
        descriptor = os.open(self._records / "beginning", os.O_RDWR | os.O_CREAT, 0o666)
        since, told = time.monotonic(), False
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not told and time.monotonic() - since > 1:
                    beginning = [str(run) for run in self._runs().values() if run.locks is None]
                    self.tell(f"waiting for another run to have its locks: {'; '.join(beginning)}")
                    told = True
                time.sleep(0.05)
            except OSError:
                break  # a file system without locks
        self._guard = descriptor

    def _end(self, pid: int) -> None:
        if self._own is not None and os.getpid() == pid:
            self._own[0].unlink(missing_ok=True)
            self._own = None
        self.free_guard()

    def _runs(self) -> dict[Path, Run]:
        runs = {}
        for path in sorted(self._records.glob("*.json")):
            with suppress(FileNotFoundError):
                runs[path] = _read(path)
        return runs

    def _locks(self) -> list[Lock]:
        locks = []
        with suppress(FileNotFoundError):
            for entry in sorted(os.scandir(self.folder / "locks"), key=lambda entry: entry.name):
                if _LOCK.fullmatch(entry.name):
                    with suppress(FileNotFoundError):
                        stat = Path(entry).stat()
                        locks.append((entry.name, stat.st_ino, stat.st_mtime_ns))
        return locks

    def _is_over(self, run: Run) -> bool:
        """Whether a record says nothing any more: its locks are removed, and its process is gone or cannot be
        seen from here.
        """
        state = run.process.state()
        return not self._owned(run) and (state == "gone" or (state == "unknown" and bool(run.locks)))

    def _sorted_locks(self, runs: dict[Path, Run]) -> tuple[list[LockAndRun], list[LockAndRun]]:
        """Locks that are free to take, and those that are not, each with its run where that is known."""
        free: list[LockAndRun] = []
        held: list[LockAndRun] = []
        for lock in self._locks():
            owners = [run for run in runs.values() if run.locks is not None and lock in run.locks]
            owners = owners or [
                run for run in runs.values() if run.locks is None and lock in self._owned(run)
            ]
            living = [run for run in owners if run.process.state() != "gone"]
            if owners and not living:
                free.append((lock, owners[0]))
            elif living:
                held += [(lock, run) for run in living]
            else:
                held.append((lock, None))
        return free, held

    def _owned(self, run: Run) -> list[Lock]:
        """The locks of a run; until it has told, those that came after it and are on its results."""
        if run.locks is not None:
            return [lock for lock in self._locks() if lock in run.locks]
        return [
            lock
            for lock in self._locks()
            if lock not in run.before and (run.results is None or self._is_on(_number(lock), run.results))
        ]

    def _is_on(self, number: int, results: str) -> bool:
        """Whether a lock is on files below ``results``; one cut short in writing, as far as it goes."""
        for kind, every in (("output", True), ("input", False)):
            with suppress(OSError):
                text = (self.folder / "locks" / f"{number}.{kind}.lock").read_text(errors="replace")
                lines = text.split("\n")[:-1]
                inside = [line.startswith(f"{results}/") for line in lines]
                return not inside or (all(inside) if every else any(inside))
        return True

    def _remove(self, lock: Lock) -> None:
        if lock in self._locks():
            (self.folder / "locks" / lock[0]).unlink(missing_ok=True)

    def _tell_of(self, held: Iterable[LockAndRun]) -> None:
        for run in _distinct(held):
            if run is None:
                self.tell(
                    f"locks in {self.folder / 'locks'} are of a run that left no record; "
                    "if it is no more, `snakemake --unlock` removes them"
                )
            elif run.process.state() == "alive":
                self.tell(f"another run holds locks in this folder: {run}")
            else:
                self.tell(
                    f"another run, which cannot be seen from here, holds locks in this folder: {run}; "
                    "if it is no more, `snakemake --unlock` removes them"
                )


def _distinct(held: Iterable[LockAndRun]) -> list[Run | None]:
    return list(dict.fromkeys(run for _, run in held))


def _number(lock: Lock) -> int:
    return int(lock[0].partition(".")[0])


def _write(path: Path, run: Run) -> None:
    write_text(path, json.dumps(asdict(run), indent=1) + "\n")


def _read(path: Path) -> Run:
    """The run of a record; of one that cannot be read, a run of which nothing is known."""
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
        locks = body.pop("locks")
        before = body.pop("before")
        process = Process(**body.pop("process"))
        return Run(
            process,
            before=tuple(map(_lock, before)),
            locks=None if locks is None else tuple(map(_lock, locks)),
            **body,
        )
    except FileNotFoundError:
        raise
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return Run(Process("a host that is not known", "", "", "", 0, None), "?", f"<{path}>", None)


def _lock(fields: Sequence[object]) -> Lock:
    name, inode, changed = fields
    return str(name), int(str(inode)), int(str(changed))
