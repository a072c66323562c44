"""The pipeline's own price: start-up of a job, planning, a dry run: run this file."""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from measure import keep, timed

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent
POINT = "activation: {name: relu}\nwidth: 8\ndepth: 4\ninputs: {correlation: 0.3}\n"
LARGE = """
title: A hundred thousand points
networks:
  - activation: {{name: relu, c_plus: [{slopes}], c_minus: -1.0}}
    shaping: {{by: width, exponent: 0.5}}
grid:
  width: [32, 48, 64, 96, 128]
  depth: {{times_width: 1.0}}
  correlation: [{correlations}]
  seed: [{seeds}]
samples: 8192
compare: [{{observable: correlation, limit: correlation_sde}}]
"""


def start_up(folder: Path) -> float:
    """Seconds of ``deeplimits simulate`` for a trivial point, the whole process, caches warm; median of 9."""
    (folder / "point.yaml").write_text(POINT)
    command = [BIN / "deeplimits", "simulate", "point.yaml", "--out", "x.zarr.zip", "--samples", "0:10"]
    times = [timed(lambda: subprocess.run(command, cwd=folder, check=True)) for _ in range(10)]
    return statistics.median(times[1:])


def large_study(folder: Path) -> int:
    """Write a study of 10⁵ points; returns their number."""
    (folder / "config/studies").mkdir(parents=True)
    text = LARGE.format(
        slopes=", ".join(str(i / 10) for i in range(20)),
        correlations=", ".join(str(i / 64) for i in range(50)),
        seeds=", ".join(map(str, range(20))),
    )
    (folder / "config/studies/large.yaml").write_text(text)
    (folder / "config/config.yaml").write_text("studies: all\n")
    for name in ("Snakefile", "workflow", "environment.yml"):
        (folder / name).symlink_to(ROOT / name)
    return 20 * 50 * 20 * 5


def measured(command: list[str | Path], folder: Path) -> tuple[float, float, str]:
    """Wall seconds, peak MB and output of a command."""
    code = (
        "import resource, subprocess, sys;"
        "done = subprocess.run(sys.argv[1:], capture_output=True, text=True, check=True);"
        "print(done.stdout + done.stderr);"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)"
    )
    output = ""

    def run() -> None:
        nonlocal output
        arguments = [sys.executable, "-c", code, *map(str, command)]
        output = subprocess.run(arguments, cwd=folder, capture_output=True, text=True, check=True).stdout

    seconds = timed(run)
    *lines, memory = output.strip().splitlines()
    return seconds, float(memory), "\n".join(lines)


if __name__ == "__main__":
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        figures["simulate_start_up_seconds"] = start_up(folder)
        figures["points"] = large_study(folder)
        seconds, memory, text = measured([BIN / "deeplimits", "plan", "--json"], folder)
        (row,) = json.loads(text)
        assert row["points"] == figures["points"]
        figures |= {"plan_seconds": seconds, "plan_megabytes": memory, "plan_jobs": row["jobs"]}
        seconds, memory, text = measured([BIN / "snakemake", "-n"], folder)
        found = re.search(r"^simulate +(\d+)$", text, re.MULTILINE)
        figures |= {"dry_run_seconds": seconds, "dry_run_megabytes": memory}
        figures["dry_run_simulate_jobs"] = int(found[1]) if found else -1
    bars = {
        "simulate_start_up_seconds": 1.2,
        "plan_seconds": 20,
        "plan_megabytes": 1000,
        "plan_jobs": 1000,
        "dry_run_seconds": 30,
    }
    for name, value in figures.items():
        print(f"{name}: {value:.4g}" + (f" (bar <= {bars[name]})" if name in bars else ""))
    keep("pipeline", figures)
