"""Networks with explicit weights in PyTorch beside ours: n = d = 150, 8,192 samples, two inputs.

PyTorch is a peer, not a dependency: give this script a Python that has it,

    python benchmarks/explicit_weights.py /path/to/python/with/torch

PyTorch's side runs in that interpreter, ours in this one, each on all processors, in turns.
"""

from __future__ import annotations

import subprocess
import sys

from deeplimits.engines import simulate_block
from engine import network
from measure import Ratio, keep, machine, timed

WIDTH = DEPTH = 150
SAMPLES = 8192
ROUNDS = 3
PART = 512
"""Samples that PyTorch draws in a round: its time for all of them is this many times longer."""

TORCH = """
import sys, time, torch
width, depth, samples, chunk = {width}, {depth}, {samples}, 64
plus, minus = 1.0, 1.0 - width**-0.5
scale = (2 / (plus**2 + minus**2) / width) ** 0.5

def draw(count):
    # fresh weights for every sample, as a batch: weights [sample, n, n], preactivations [sample, n, 2]
    z = torch.empty(count, width, 2).normal_()
    z[:, :, 1] = 0.3 * z[:, :, 0] + (1 - 0.09) ** 0.5 * z[:, :, 1]
    weights = torch.empty(count, width, width)
    for _ in range(depth - 1):
        weights.normal_()
        z = scale * torch.bmm(weights, torch.where(z > 0, plus * z, minus * z))
    phi = scale * torch.where(z > 0, plus * z, minus * z)
    return phi.transpose(1, 2) @ phi

with torch.inference_mode():
    draw(chunk)
    for line in sys.stdin:
        start = time.perf_counter()
        for _ in range(samples // chunk):
            draw(chunk)
        print(time.perf_counter() - start, torch.__version__, torch.get_num_threads(), flush=True)
"""


def main(python: str) -> None:
    code = TORCH.format(width=WIDTH, depth=DEPTH, samples=PART)
    peer = subprocess.Popen([python, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert peer.stdin is not None
    assert peer.stdout is not None
    drawn = network(WIDTH, DEPTH, 2)
    simulate_block(drawn, [DEPTH], 0, SAMPLES)
    ratios, theirs, ours = [], [], []
    for _ in range(ROUNDS):
        peer.stdin.write("go\n")
        peer.stdin.flush()
        seconds, version, threads = peer.stdout.readline().split()
        theirs.append(float(seconds) * SAMPLES / PART)
        ours.append(timed(lambda: simulate_block(drawn, [DEPTH], 0, SAMPLES)))
        ratios.append(theirs[-1] / ours[-1])
    peer.stdin.close()
    peer.wait()
    ratios.sort()
    name = f"PyTorch {version} ({threads} threads) over ours ({machine()['processors']} processors)"
    found = Ratio(name, ratios[ROUNDS // 2], ratios[0], ratios[-1], min(theirs), min(ours), ">= 300")
    print(found)
    keep("explicit_weights", [found])


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
