"""Ratios of times in one run: workloads take turns, so that whatever else the machine does hits both.

A peer that is no dependency runs in an interpreter of its own, as a ``Peer``.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Any, Self

RESULTS = Path(__file__).parent / "results"
BIN = Path(sys.executable).parent
"""Where the commands of this environment are."""


class Peer:
    """A program of the folder ``peers`` in another interpreter, to be used in a ``with`` statement.

    It warms up, says what it is, and then works once for every call.

    Attributes
    ----------
    facts
        What it said at first: ``versions``, a mapping; ``threads``; ``mean``, of what it drew.
    megabytes
        Peak resident memory of its process so far.
    """

    def __init__(self, python: str, program: str, **options: object):
        arguments = [f"{name}={value}" for name, value in options.items()]
        # whatever finds this package must not change what the peer finds
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        self._process = subprocess.Popen(
            [python, str(Path(__file__).parent / "peers" / f"{program}.py"), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        self.facts: dict[str, Any] = self._answer()
        self.megabytes = 0.0

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{' '.join(map(str, self._process.args[1:2]))} ended early; see above")
        found: dict[str, Any] = json.loads(line)
        return found

    def __call__(self) -> float:
        """Seconds that it took, by its own clock."""
        assert self._process.stdin is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()
        answer = self._answer()
        self.megabytes = answer["megabytes"]
        return float(answer["seconds"])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


@dataclass(frozen=True)
class Ratio:
    """Median and quartiles of ``over`` / ``under`` over the rounds; the best time of each in seconds."""

    name: str
    median: float
    low: float
    high: float
    over: float
    under: float
    bar: str

    def __str__(self) -> str:
        return (
            f"{self.name}: {self.median:.3g} [{self.low:.3g}, {self.high:.3g}] (bar {self.bar}); "
            f"{self.over:.4g} s over {self.under:.4g} s"
        )


def ratio(
    name: str,
    over: Callable[[], object],
    under: Callable[[], object],
    bar: str,
    rounds: int = 7,
    work: float = 1.0,
) -> Ratio:
    """Time ``over`` and ``under`` in turns; ``work`` is how much more work ``under`` does."""
    timed(over), timed(under)
    overs, unders = [], []
    for _ in range(rounds):
        overs.append(timed(over))
        unders.append(timed(under))
    ratios = sorted(work * a / b for a, b in zip(overs, unders, strict=True))
    low, _, high = statistics.quantiles(ratios, n=4)
    found = Ratio(name, statistics.median(ratios), low, high, min(overs), min(unders), bar)
    print(found, flush=True)
    return found


def timed(function: Callable[[], object]) -> float:
    """Wall time of one call, in seconds; that of a peer by its own clock."""
    if isinstance(function, Peer):
        return function()
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def machine() -> dict[str, Any]:
    """What the figures were measured on and with."""
    model = platform.processor()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    packages = {name: version(name) for name in ("deeplimits", "numba", "numpy")}
    return {
        "date": time.strftime("%Y-%m-%d"),
        "processor": model,
        "processors": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        **packages,
    }


def keep(
    name: str, figures: Sequence[Ratio] | dict[str, Any], versions: dict[str, str] | None = None
) -> None:
    """Write figures to ``results/NAME.json``, with the versions of peers."""
    content = figures if isinstance(figures, dict) else [asdict(figure) for figure in figures]
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    about = machine() | ({"peers": versions} if versions else {})
    path.write_text(json.dumps({"machine": about, "figures": content}, indent=2) + "\n")
    print(f"-> {path}")


def child(command: Sequence[str | Path], folder: Path | None = None) -> tuple[float, float, str]:
    """Wall seconds, peak megabytes and output of a command, the whole process."""
    code = (
        "import resource, subprocess, sys, time;"
        "start = time.perf_counter();"
        "done = subprocess.run(sys.argv[1:], capture_output=True, text=True);"
        "seconds = time.perf_counter() - start;"
        "print(done.stdout + done.stderr);"
        "print(seconds, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024);"
        "sys.exit(done.returncode)"
    )
    arguments = [sys.executable, "-c", code, *map(str, command)]
    done = subprocess.run(arguments, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stdout)
    *lines, numbers = done.stdout.strip().splitlines()
    seconds, megabytes = map(float, numbers.split())
    return seconds, megabytes, "\n".join(lines)
