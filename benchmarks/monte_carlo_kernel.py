"""The Monte-Carlo kernel of neural-tangents beside ours: one ReLU network of n = d = 150, two inputs,
float32, by the sample.

neural-tangents needs an older JAX than other peers, and so a Python of its own (see README.md):

    python benchmarks/monte_carlo_kernel.py /path/to/python/with/neural-tangents

It draws a sample at a time, each of the same cost, so a few are timed. Both use all processors. Its
compilation takes minutes and is not timed.
"""

from __future__ import annotations

import sys
from dataclasses import replace

from deeplimits.engines import simulate_block
from engine import network
from measure import Peer, Ratio, keep, ratio

SIZE = 150
OURS = 8192
THEIRS = 8


def main(python: str) -> None:
    drawn = replace(network(SIZE, SIZE, 2), shaping=None)
    figures: list[Ratio] = []
    versions: dict[str, str] = {}
    for compiled in ("no", "yes"):
        options = {"width": SIZE, "depth": SIZE, "samples": THEIRS, "compiled": compiled}
        with Peer(python, "neural_tangents_kernel", **options) as peer:
            versions = peer.facts["versions"]
            how = "all weights drawn in one call" if compiled == "yes" else "as documented"
            figures.append(
                ratio(
                    f"neural-tangents, {how}, over ours, a sample",
                    peer,
                    lambda: simulate_block(drawn, [SIZE], 0, OURS),
                    ">= 1000",
                    rounds=5,
                    work=OURS / THEIRS,
                )
            )
    keep("monte_carlo_kernel", figures, versions)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
