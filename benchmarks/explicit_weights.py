"""Networks with explicit weights in NumPy, PyTorch and JAX beside ours: two inputs, float32, weights drawn
anew for every sample.

PyTorch and JAX are peers, not dependencies: give this script a Python that has them (see README.md),

    python benchmarks/explicit_weights.py /path/to/python/with/peers

A peer runs in that interpreter, ours in this one, each on all processors, in turns. Peers draw few samples,
and their time is scaled to as many as ours: each of their samples costs the same.
"""

from __future__ import annotations

import sys
from typing import Any

from deeplimits.engines import simulate_block
from deeplimits.networks.network import Network
from engine import network
from measure import Peer, Ratio, keep, ratio

PEERS = {"NumPy": "explicit_numpy", "PyTorch": "explicit_torch", "JAX": "explicit_jax"}
SQUARE = 150
SAMPLES = 8192
DEPTH = 16
WIDTHS = {64: (8192, 512, 64), 256: (8192, 64, 16), 1024: (2048, 8, 2)}
"""Samples of ours, of a peer, and how many of them a peer has in memory at a time."""


def beside(name: str, python: str, width: int, depth: int, samples: tuple[int, int, int], bar: str) -> Any:
    """The ratio of a peer's time over ours, versions, and the peer's peak memory in MB."""
    ours, theirs, chunk = samples
    drawn = network(width, depth, 2)
    options = {"width": width, "depth": depth, "samples": theirs, "chunk": chunk}
    with Peer(python, PEERS[name], **options) as peer:
        version = peer.facts["versions"][name.lower().replace("pytorch", "torch")]
        found = ratio(
            f"{name} {version} over ours, n = {width}, d = {depth}, N = {ours:,}",
            peer,
            lambda: simulate_block(drawn, [depth], 0, ours),
            bar,
            rounds=3,
            work=ours / theirs,
        )
        check(name, peer.facts["mean"], drawn, theirs)
        return found, peer.facts["versions"], peer.megabytes


def check(name: str, mean: float, drawn: Network, count: int) -> None:
    """That a peer draws the same networks: mean correlations within five standard errors."""
    ours = 1 - simulate_block(drawn, [drawn.depth], 0, 4096)["correlation_gap"]
    error = ours.std() / count**0.5
    assert abs(mean - ours.mean()) < 5 * error, (name, mean, ours.mean(), error)


def main(python: str) -> None:
    figures: list[Ratio] = []
    versions: dict[str, str] = {}
    megabytes: dict[str, float] = {}
    for name in PEERS:
        bar = ">= 300" if name == "PyTorch" else "none"
        found, known, _ = beside(name, python, SQUARE, SQUARE, (SAMPLES, 64, 64), bar)
        figures.append(found)
        versions |= known
        for width, samples in WIDTHS.items():
            found, _, memory = beside(name, python, width, DEPTH, samples, "none")
            figures.append(found)
            megabytes[f"{name}, n = {width}, {samples[2]} samples at a time, megabytes"] = memory
    keep("explicit_weights", figures, versions)
    keep("explicit_weights_memory", megabytes, versions)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
