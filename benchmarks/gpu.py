"""The CUDA engine on an NVIDIA card: normals per second from narrow to wide, beside the floor of its own
normals alone and cuRAND's fill, and the price of small blocks.

Writes ``results/gpu.json`` where there is a card, and says what is missing where there is none.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable
from typing import Any

from deeplimits.engines import devices, simulate_block
from deeplimits.engines.calls import call
from deeplimits.engines.crews import fitting, instance
from deeplimits.engines.cuda_source import ENTRY, library
from engine import network
from measure import keep, timed

ROUNDS = 7
SHAPES = {
    "LNR22 figure 1: n = d = 150, N = 2^13": (150, 150, 1 << 13, 2),
    "n = d = 512, N = 2^14": (512, 512, 1 << 14, 2),
    "narrow: n = 8, d = 64, N = 2^24": (8, 64, 1 << 24, 2),
    "wide: n = 100,000, d = 8, N = 2^10": (100_000, 8, 1 << 10, 2),
    "one input: n = d = 512, N = 2^14": (512, 512, 1 << 14, 1),
    "three inputs: n = d = 256, N = 2^13": (256, 256, 1 << 13, 3),
    "eight inputs: n = d = 128, N = 2^13": (128, 128, 1 << 13, 8),
}

FLOOR = (
    library("philox", "normals")
    + f"""
extern "C" __global__ void {ENTRY}(long long blocks, float *out) {{
    using namespace deeplimits;
    const Key key(0x0123456789ABCDEFull);
    const u4 thread = blockIdx.x * blockDim.x + threadIdx.x;
    f4 sum = 0.0f;
    for (i8 block = 0; block < blocks; ++block) {{
        const Words words = philox(u4(block), 0, thread, 0, key);
        const Pair one = normal_pair(words.w0, words.w1), two = normal_pair(words.w2, words.w3);
        sum = sum + (one.first + one.second + (two.first + two.second));
    }}
    out[thread] = sum.value;
}}
"""
)
"""Nothing but normals: Philox and Box-Muller, four a call, added up so that none is left out."""
THREADS, BLOCK = 1 << 20, 256


def seconds(launch: Callable[[], Any]) -> dict[str, float]:
    """Median and quartiles of the time that the card takes, by its own clock."""
    import cupy

    launch()
    taken = []
    for _ in range(ROUNDS):
        start, stop = cupy.cuda.Event(), cupy.cuda.Event()
        start.record()
        launch()
        stop.record()
        stop.synchronize()
        taken.append(cupy.cuda.get_elapsed_time(start, stop) / 1000)
    low, middle, high = statistics.quantiles(taken, n=4)
    return {"seconds": middle, "seconds_low": low, "seconds_high": high}


def engine(width: int, depth: int, samples: int, inputs: int) -> dict[str, float]:
    """The kernel alone, its results on the card."""
    from deeplimits.engines.cupy_device import device

    drawn = network(width, depth, inputs)
    made = call(drawn, [depth], samples)
    crew = fitting(made.kernel, width, samples, device().processors)
    launch, _ = device().prepared(instance(made, crew), crew, [drawn.key, 0, *made.constants, *made.outputs])
    return with_rate(seconds(launch), samples * width * depth * inputs)


def floor() -> dict[str, float]:
    import cupy
    import numpy as np

    from deeplimits.engines.cupy_device import compiled, device

    module = cupy.cuda.function.Module()
    module.load(compiled(FLOOR, device().architecture))
    function, out, blocks = module.get_function(ENTRY), cupy.empty(THREADS, np.float32), 1000
    taken = seconds(lambda: function((THREADS // BLOCK,), (BLOCK,), (np.int64(blocks), out)))
    return with_rate(taken, 4 * blocks * THREADS)


def curand() -> dict[str, float]:
    import cupy
    import numpy as np

    generator = cupy.random.Generator(cupy.random.Philox4x3210(0))
    out = cupy.empty(1 << 28, np.float32)
    taken = seconds(lambda: generator.standard_normal(out.size, np.float32, out=out))
    return with_rate(taken, out.size)


def with_rate(taken: dict[str, float], normals: int) -> dict[str, float]:
    return taken | {"normals": normals, "normals_per_second": normals / taken["seconds"]}


def small_blocks(count: int = 1000) -> dict[str, float]:
    """Wall time of many blocks of 64 samples at n = d = 16, every one a launch of its own."""
    drawn = network(16, 16, 2)
    simulate_block(drawn, [16], 0, 64, engine="cuda")
    total = timed(lambda: [simulate_block(drawn, [16], 64 * at, 64, engine="cuda") for at in range(count)])
    return {"blocks": count, "seconds": total}


def main() -> None:
    missing = devices.obstacle()
    if missing is not None:
        print(f"nothing measured: needs {missing}")
        return
    from deeplimits.engines.cupy_device import device

    print(device().description)
    figures: dict[str, Any] = {"floor: normals alone": floor(), "cuRAND: a fill of memory": curand()}
    for name, shape in SHAPES.items():
        figures[name] = engine(*shape)
        print(f"{name}: {figures[name]['normals_per_second']:.3g} normals/s", flush=True)
    figures["1,000 blocks of 64 samples"] = small_blocks()
    keep("gpu", {"device": device().description, **figures})


if __name__ == "__main__":
    sys.exit(main())
