"""Start-up of `deeplimits simulate` with CuPy installed and no graphics card, over that without CuPy.

CuPy is an extra: give this script a Python that has it, and this package (see README.md),

    python benchmarks/start_up.py /path/to/python/with/cupy

Both run a trivial point, in turns, from their first line to their last, with caches warm.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from measure import keep, timed
from pipeline import POINT

ROUNDS = 15


def main(python: str) -> None:
    has = "import cupy, sys; sys.exit(cupy.cuda.runtime.runtimeGetVersion() <= 0)"
    subprocess.run([python, "-c", has], check=True)
    times: dict[str, list[float]] = {"without": [], "with": []}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "point.yaml").write_text(POINT)
        command = ["-m", "deeplimits", "simulate", "point.yaml", "--out", "x.zarr.zip", "--samples", "0:10"]
        for _ in range(ROUNDS + 1):
            for name, interpreter in (("without", sys.executable), ("with", python)):
                arguments = [interpreter, *command]
                times[name].append(timed(lambda a=arguments: subprocess.run(a, cwd=folder, check=True)))
    differences = sorted(b - a for a, b in zip(times["without"][1:], times["with"][1:], strict=True))
    low, _, high = statistics.quantiles(differences, n=4)
    figures = {
        "without_cupy_seconds": statistics.median(times["without"][1:]),
        "with_cupy_seconds": statistics.median(times["with"][1:]),
        "difference_seconds": statistics.median(differences),
        "difference_seconds_low": low,
        "difference_seconds_high": high,
    }
    print({name: round(value, 4) for name, value in figures.items()}, "(bar: difference <= 0.1)")
    keep("start_up", figures)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
