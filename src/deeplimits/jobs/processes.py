"""Which process a record speaks of, and whether it still lives."""

from __future__ import annotations

import ctypes
import os
import platform
import signal
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

_PR_SET_PDEATHSIG = 1
"""prctl(2): the signal that a process gets when its parent dies."""


@dataclass(frozen=True)
class Process:
    """A process, told from every other: a number that is free again is given to the next."""

    host: str
    machine: str
    """What the machine calls itself over restarts; empty where it does not say."""
    boot: str
    """What the kernel calls the time since it started; empty where there is no /proc."""
    namespace: str
    """Where its number is valid: containers number their processes by themselves."""
    pid: int
    started: int | None
    """When it began, in clock ticks after the kernel."""

    def state(self) -> Literal["alive", "gone", "unknown"]:
        """Whether it lives, as far as this process can see; what was killed and nobody has waited for is
        gone.
        """
        here = this_process()
        if self.boot != here.boot or not self.boot:
            same_machine = self.host == here.host and self.machine == here.machine
            if self.boot and here.boot:
                # the machine was started again since
                return "gone" if same_machine and self.machine else "unknown"
            return "unknown" if not same_machine or _exists(self.pid) else "gone"
        if self.namespace != here.namespace:
            return "unknown"
        found = _stat(self.pid)
        if found is None:
            return "alive" if _exists(self.pid) else "gone"
        state, started = found
        return "alive" if started == self.started and state not in "ZX" else "gone"


def this_process() -> Process:
    """The process that asks."""
    found = _stat(os.getpid())
    try:
        namespace = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        namespace = ""
    return Process(
        platform.node(),
        _text("/etc/machine-id"),
        _text("/proc/sys/kernel/random/boot_id"),
        namespace,
        os.getpid(),
        found[1] if found else None,
    )


def die_with(parent: int) -> bool:
    """Have this process killed when ``parent`` is, if that is its parent; false where it is gone already.

    Only Linux does so; elsewhere this process lives on.
    """
    if os.getppid() == parent:
        try:
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        except (OSError, AttributeError):
            return True
        return os.getppid() == parent
    found = _stat(parent)
    return found[0] not in "ZX" if found else _exists(parent)


def handle_in_a_thread(number: signal.Signals) -> None:
    """Have a signal handled as it is handled now, by a thread of its own.

    A handler runs in the main thread, between two of its instructions, and one that takes a lock that this
    thread holds waits for itself: Snakemake's does, told to end as it puts away a failed job, or told twice.
    """
    handler = signal.getsignal(number)
    if callable(handler):
        signal.signal(number, lambda *told: threading.Thread(target=handler, args=told, daemon=True).start())


def _stat(pid: int) -> tuple[str, int] | None:
    """State and start of a process, from /proc; None where it shows none."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
        return fields[0], int(fields[19])
    except (OSError, ValueError, IndexError):
        return None


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass  # another user's
    return True


def _text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""
