"""Ratios of times in one run: workloads take turns, so that whatever else the machine does hits both."""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


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
    over(), under()
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
    """Wall time of one call, in seconds."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def machine() -> dict[str, str | int]:
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


def keep(name: str, figures: list[Ratio] | dict[str, float]) -> None:
    """Write figures to ``results/NAME.json``."""
    content = figures if isinstance(figures, dict) else [asdict(figure) for figure in figures]
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps({"machine": machine(), "figures": content}, indent=2) + "\n")
    print(f"-> {path}")
