"""What every program here does: warm up, say what it is, then work once for each line that it reads.

Programs run in an interpreter that need not have this package: nothing but the standard library is used here.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path


def options() -> dict[str, str]:
    """The arguments NAME=VALUE of the command line."""
    return dict(argument.split("=", 1) for argument in sys.argv[1:])


def serve(work: Callable[[], float], packages: list[str], threads: int | str) -> None:
    """Answer every line with the seconds of one call of ``work`` and the peak memory so far.

    ``work`` returns a mean of what it drew, by which it can be told that it is the same work.
    """
    mean = work()
    versions = {name: version(name) for name in packages}
    print(json.dumps({"versions": versions, "threads": threads, "mean": mean}), flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        work()
        seconds = time.perf_counter() - start
        print(json.dumps({"seconds": seconds, "megabytes": peak()}), flush=True)


def peak() -> float:
    """Peak resident memory in MB; of this program alone, where ``getrusage`` counts what started it too."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024
