"""Peak memory of whole processes: `deeplimits simulate` with its defaults.

N = 2²⁰ samples at n = 1024, d = 8, all 9 layers recorded, as a batch of blocks into the store and as one
range into one file; and one block of n = 4096, d = 16.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from deeplimits.sweep.blocks import blocks_of
from deeplimits.sweep.plan import Batch
from deeplimits.sweep.points import Point
from engine import network
from measure import BIN, child, keep

WIDTH, DEPTH, SAMPLES = 1024, 8, 1 << 20
POINT = f"""
activation: {{name: relu, c_plus: 0.0, c_minus: -1.0}}
shaping: {{by: width, exponent: 0.5}}
width: {WIDTH}
depth: {DEPTH}
inputs: {{correlation: 0.3}}
record: {{layers: all}}
"""


def of_batch(folder: Path, width: int, depth: int, samples: int) -> tuple[float, float]:
    """Seconds and peak megabytes of one job that writes all samples, block by block, as a sweep does."""
    point = Point(network(width, depth, 2), tuple(range(depth + 1)))
    todo = folder / f"{width}.todo.json"
    todo.write_text(Batch(tuple(blocks_of(point, samples)), 0.0).todo)
    return child([BIN / "deeplimits", "simulate", todo])[:2]


def of_range(folder: Path) -> tuple[float, float]:
    """As ``of_batch``, of all samples at once."""
    (folder / "point.yaml").write_text(POINT)
    out = folder / "range.zarr.zip"
    command = [BIN / "deeplimits", "simulate", folder / "point.yaml", "--out", out]
    return child([*command, "--samples", f"0:{SAMPLES}"])[:2]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        figures = {}
        _, figures["block_n4096_megabytes"] = of_batch(folder, 4096, 16, 8192)
        seconds, megabytes = of_batch(folder, WIDTH, DEPTH, SAMPLES)
        figures |= {"batch_megabytes": megabytes, "batch_seconds": seconds}
        seconds, megabytes = of_range(folder)
        figures |= {"range_megabytes": megabytes, "range_seconds": seconds}
    bars = {"block_n4096_megabytes": 400, "batch_megabytes": 500, "range_megabytes": 500}
    for name, value in figures.items():
        print(f"{name}: {value:.4g}" + (f" (bar <= {bars[name]})" if name in bars else ""))
    keep("memory", figures | {"width": WIDTH, "depth": DEPTH, "samples": SAMPLES})
