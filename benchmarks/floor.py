"""The CPU engine over its floor: the same normals from the same words, added up and put to no other use.

One core, n = d = 512. What the engine does beyond that is what a network costs.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from deeplimits.engines import simulate_block
from deeplimits.engines.contract.arithmetic import f4, kernel, u4
from deeplimits.engines.contract.normals import normal_pair
from deeplimits.engines.contract.philox import PURPOSE_FORWARD, philox, sample_words
from engine import network
from measure import Ratio, keep, ratio

LANES = 16
SIZE = 512
SAMPLES = 128


@kernel
def normals_alone(k0: Any, k1: Any, layers: Any, calls: Any, lanes: Any, sums: Any) -> None:
    """Add up the normals of ``calls`` calls of Philox a layer, 16 side by side, into ``sums`` [sample]."""
    for sample in range(len(sums)):
        low, high = sample_words(np.int64(sample), PURPOSE_FORWARD)
        lanes[:] = f4(0)
        for layer in range(layers):
            for start in range(0, calls, LANES):
                for lane in range(LANES):
                    w0, w1, w2, w3 = philox(u4(start + lane), u4(layer), low, high, k0, k1)
                    a, b = normal_pair(w0, w1)
                    c, d = normal_pair(w2, w3)
                    lanes[lane] += (a + b) + (c + d)
        sums[sample] = lanes.sum()


def over_the_floor(inputs: int, bar: str) -> Ratio:
    drawn = network(SIZE, SIZE, inputs)
    lanes, sums = np.empty(LANES, np.float32), np.empty(SAMPLES, np.float32)
    k0, k1 = np.uint32(drawn.key & 0xFFFFFFFF), np.uint32(drawn.key >> 32)
    calls = SIZE * inputs // 4
    return ratio(
        f"m = {inputs}: the engine over its normals alone",
        lambda: simulate_block(drawn, [SIZE], 0, SAMPLES, threads=1),
        lambda: normals_alone(k0, k1, SIZE, calls, lanes, sums),
        bar,
    )


if __name__ == "__main__":
    keep("floor", [over_the_floor(1, "none"), over_the_floor(2, "<= 1.6")])
