"""Time against width at fixed depth and number of samples, ours beside explicit weights in NumPy, and its
picture.

Ours takes n·d normals a sample and input, explicit weights n²·d. The exponent of ours is fitted by least
squares to the logarithms, once a round; the interval is Student's, 95 %. The picture goes to docs/images,
with the times of PyTorch and JAX where ``explicit_weights.py`` has left them.
"""

from __future__ import annotations

import json
import statistics
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import t as student

from deeplimits.engines import simulate_block
from engine import network
from explicit_weights import DEPTH
from measure import RESULTS, keep, timed

WIDTHS = [1 << power for power in range(6, 15)]
SAMPLES = 1024
ROUNDS = 7
WEIGHTS = [64, 128, 256, 512, 1024, 2048]
"""Widths of explicit weights: a sample of 2,048 takes a second."""
PICTURE = Path(__file__).parent.parent / "docs/images/cost_against_width.svg"


def ours() -> list[list[float]]:
    """Seconds of ``SAMPLES`` samples on one core, of each round and width."""

    def draw(width: int) -> None:
        simulate_block(network(width, DEPTH, 2), [DEPTH], 0, SAMPLES, threads=1)

    draw(64)
    return [[timed(lambda width=width: draw(width)) for width in WIDTHS] for _ in range(ROUNDS)]


def explicit(width: int) -> float:
    """Seconds of ``SAMPLES`` samples with weights, in this process; few are drawn."""
    generator = np.random.default_rng(0)
    weights = np.empty((width, width), np.float32)
    count = max(1, min(64, (1 << 22) // (width * width)))

    def draw() -> None:
        for _ in range(count):
            z = generator.standard_normal((width, 2), np.float32)
            for _ in range(DEPTH - 1):
                generator.standard_normal(dtype=np.float32, out=weights)
                z = np.float32((2 / width) ** 0.5) * (weights @ np.maximum(z, 0))

    draw()
    return min(timed(draw) for _ in range(2)) * SAMPLES / count


def exponent(name: str, rounds: list[list[float]], first: int) -> dict[str, float]:
    """Slope of log time in log width from a width on: mean of the rounds and the ends of its interval."""
    start = WIDTHS.index(first)
    widths = np.log(WIDTHS[start:])
    slopes = [float(np.polyfit(widths, np.log(times[start:]), 1)[0]) for times in rounds]
    mean = statistics.mean(slopes)
    half = float(student.ppf(0.975, len(slopes) - 1)) * statistics.stdev(slopes) / len(slopes) ** 0.5
    return {name: mean, f"{name}_low": mean - half, f"{name}_high": mean + half}


def of_peers() -> dict[str, dict[int, float]]:
    """Seconds of ``SAMPLES`` samples by peer and width, as ``explicit_weights.py`` found them."""
    path = RESULTS / "explicit_weights.json"
    found: dict[str, dict[int, float]] = {}
    for figure in json.loads(path.read_text())["figures"] if path.exists() else ():
        name, _, shape = figure["name"].partition(" over ours, n = ")
        if f"d = {DEPTH}," in shape and not name.startswith("NumPy"):
            width, samples = int(shape.split(",")[0]), int(shape.split("N = ")[1].replace(",", ""))
            seconds = figure["median"] * figure["under"] * SAMPLES / samples
            found.setdefault(name, {})[width] = seconds
    return found


def draw(figures: dict[str, Any]) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    mpl.rcParams.update({"svg.hashsalt": "deeplimits", "font.size": 9})
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
    times = {int(width): seconds for width, seconds in figures["seconds"].items()}
    axes.loglog(list(times), list(times.values()), "o-", label="deeplimits, one core")
    weights = {int(width): seconds for width, seconds in figures["explicit_weights_seconds"].items()}
    axes.loglog(list(weights), list(weights.values()), "s-", label="weights in NumPy")
    for marker, (name, known) in zip("^v", of_peers().items(), strict=False):
        axes.loglog(list(known), list(known.values()), marker, label=f"weights in {name}, two cores")
    for power, known in ((1, times), (2, weights)):
        width, seconds = max(known.items())
        ends = np.array([min(known), width])
        axes.loglog(ends, seconds * (ends / width) ** power, ":", color="grey", linewidth=1)
        axes.annotate(f"∝ n{'²' * (power == 2)}", (width, seconds), (4, -8), textcoords="offset points")
    axes.set_xlim(right=2.2 * WIDTHS[-1])
    axes.set_xlabel("width n")
    axes.set_ylabel(f"seconds for {SAMPLES:,} networks, d = {DEPTH}")
    axes.legend(frameon=False)
    PICTURE.parent.mkdir(exist_ok=True)
    figure.savefig(PICTURE, metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    print(f"-> {PICTURE}")


if __name__ == "__main__":
    rounds = ours()
    found: dict[str, Any] = exponent("exponent", rounds, WIDTHS[0])
    found |= exponent("exponent_from_1024", rounds, 1024)
    print({name: round(value, 4) for name, value in found.items()}, "(bar <= 1.02)")
    best = [min(times) for times in zip(*rounds, strict=True)]
    found["seconds"] = dict(zip(map(str, WIDTHS), best, strict=True))
    found["explicit_weights_seconds"] = {str(width): explicit(width) for width in WEIGHTS}
    found |= {"samples": SAMPLES, "depth": DEPTH}
    keep("scaling", found)
    draw(found)
