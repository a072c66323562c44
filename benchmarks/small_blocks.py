"""A thousand small blocks in one job: what `deeplimits simulate TODO.json` takes beyond its kernels.

Every block is a network of its own, n = 8, d = 4, of 20 slopes, 10 correlations and 5 seeds, with 8,192
samples and three recorded layers: little for the kernels, so that start-up, constants, containers and
receipts count.
"""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

from deeplimits.activations import ReluLike
from deeplimits.engines.mlp.call import call, scratch
from deeplimits.networks.network import Network, Shaping
from deeplimits.sweep.blocks import Block
from deeplimits.sweep.plan import Batch
from deeplimits.sweep.points import Point
from measure import BIN, child, keep, timed

COUNT, WIDTH, DEPTH, ROUNDS = 1000, 8, 4, 5


def blocks() -> list[Block]:
    """Blocks of as many networks: 20 slopes, 10 correlations, 5 seeds."""
    found = []
    for index in range(COUNT):
        slope, correlation, seed = index % 20 / 10, index // 20 % 10 / 16, index // 200
        gram = ((1.0, correlation), (correlation, 1.0))
        drawn = Network(ReluLike(slope, -1.0), WIDTH, DEPTH, gram, shaping=Shaping("width", 0.5), seed=seed)
        found.append(Block(Point(drawn, (0, DEPTH // 2, DEPTH)), 0))
    return found


def kernels(todo: list[Block]) -> float:
    """Seconds in the kernels alone, on one core."""
    total = 0.0
    for block in todo:
        drawn = block.point.network
        made, written = call(drawn, block.point.layers, block.count), scratch(drawn)
        total += timed(
            lambda made=made, drawn=drawn, written=written: made.kernel(
                drawn.key, 0, *made.constants, *made.outputs, *written
            )
        )
    return total


if __name__ == "__main__":
    todo = blocks()
    computing = min(kernels(todo) for _ in range(2))
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary) / "small.todo.json"
        path.write_text(Batch(tuple(todo), 0.0).todo)
        command = [BIN / "deeplimits", "simulate", path, "--threads", "1"]
        times = [child(command)[0] for _ in range(ROUNDS + 1)][1:]
    beyond = statistics.median(times) - computing
    figures = {
        "blocks": COUNT,
        "samples_of_a_block": todo[0].count,
        "seconds": statistics.median(times),
        "seconds_low": min(times),
        "seconds_high": max(times),
        "kernel_seconds": computing,
        "overhead_seconds": beyond,
    }
    print(f"{COUNT} blocks: {beyond:.3g} s beyond {computing:.3g} s of kernels (bar <= 3)")
    keep("small_blocks", figures)
