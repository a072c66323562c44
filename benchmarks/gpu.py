"""The CUDA engine on an NVIDIA card: normals per second from narrow to wide, beside the floor of its own
normals alone and cuRAND's fill; PyTorch with explicit weights on that card; the price of small blocks.

Writes ``results/gpu.json`` where there is a card, and says what is missing where there is none. PyTorch is a
peer, not a dependency: it is compared with where this script is given a Python that has it,

    python benchmarks/gpu.py /path/to/python/with/torch
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import small_blocks
from deeplimits.engines import simulate_block
from deeplimits.engines.cuda import devices
from deeplimits.engines.cuda import engine as cuda
from deeplimits.engines.cuda.invocation import Invocation
from deeplimits.engines.cuda.source import ENTRY, library
from deeplimits.engines.forward import forward
from deeplimits.sweep.plan import Batch
from engine import network
from measure import BIN, Peer, child, keep, timed

ROUNDS = 7
SHAPES = {
    "LNR22 figure 1: n = d = 150, N = 2^13": (150, 150, 1 << 13, 2),
    "n = d = 512, N = 2^14": (512, 512, 1 << 14, 2),
    "large: n = d = 512, N = 2^17": (512, 512, 1 << 17, 2),
    "narrow: n = 8, d = 64, N = 2^24": (8, 64, 1 << 24, 2),
    "wide: n = 100,000, d = 8, N = 2^10": (100_000, 8, 1 << 10, 2),
    "one input: n = d = 512, N = 2^14": (512, 512, 1 << 14, 1),
    "three inputs: n = d = 256, N = 2^13": (256, 256, 1 << 13, 3),
    "eight inputs: n = d = 128, N = 2^13": (128, 128, 1 << 13, 8),
}

FLOOR = (
    library("engines.contract.philox", "engines.contract.normals")
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
FILLED = 1 << 28
"""Numbers of cuRAND's fill."""


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
    from deeplimits.engines.cuda.cupy_device import device

    asked = forward(network(width, depth, inputs), [depth], 0, samples)
    launch, _ = device().prepared([cuda.invocation(asked, device().processors)])
    return with_rate(seconds(launch), samples * width * depth * inputs)


def floor() -> dict[str, float]:
    import cupy
    import numpy as np

    from deeplimits.engines.cuda.cupy_device import compiled, device

    module = cupy.cuda.function.Module()
    module.load(compiled(FLOOR, device().architecture))
    function, out, blocks = module.get_function(ENTRY), cupy.empty(THREADS, np.float32), 1000
    taken = seconds(lambda: function((THREADS // BLOCK,), (BLOCK,), (np.int64(blocks), out)))
    return with_rate(taken, 4 * blocks * THREADS)


def curand() -> dict[str, float]:
    import cupy
    import numpy as np

    generator = cupy.random.Generator(cupy.random.Philox4x3210(0))
    out = cupy.empty(FILLED, np.float32)
    taken = seconds(lambda: generator.standard_normal(out.size, np.float32, out=out))
    return with_rate(taken, out.size)


def with_rate(taken: dict[str, float], normals: int) -> dict[str, float]:
    return taken | {"normals": normals, "normals_per_second": normals / taken["seconds"]}


def beside_torch(python: str, width: int, samples: int, chunk: int) -> tuple[dict[str, float], str]:
    """PyTorch with explicit weights over ours at n = d, for a sample, and PyTorch's version: over the kernel
    alone, and over all that ``simulate_block`` does.
    """
    ours, drawn = 8192, network(width, width, 2)
    options = {"width": width, "depth": width, "samples": samples, "chunk": chunk, "device": "cuda"}
    with Peer(python, "explicit_torch", **options) as peer:
        theirs = sorted(peer() for _ in range(ROUNDS))
        mean, version = peer.facts["mean"], peer.facts["versions"]["torch"]
    found = 1 - simulate_block(drawn, [width], 0, ours, engine="cuda")["correlation_gap"]
    error = found.std() / samples**0.5
    assert abs(mean - found.mean()) < 5 * error, (mean, found.mean(), error)
    whole = sorted(
        timed(lambda: simulate_block(drawn, [width], 0, ours, engine="cuda")) for _ in range(ROUNDS)
    )
    kernel = engine(width, width, ours, 2)["seconds"]
    middle = statistics.median(theirs) * ours / samples
    return {
        "torch_seconds": middle,
        "torch_low": theirs[0] * ours / samples,
        "torch_high": theirs[-1] * ours / samples,
        "kernel_seconds": kernel,
        "whole_seconds": statistics.median(whole),
        "over_kernel": middle / kernel,
        "over_whole": middle / statistics.median(whole),
    }, version


def many_small_blocks() -> dict[str, float]:
    """A job of a thousand small blocks: its wall time, and the part that the card computes."""
    from deeplimits.engines.cuda.cupy_device import CupyDevice

    class Timed(CupyDevice):
        """Adds up the time of launches."""

        seconds = 0.0

        def run(self, invocations: Sequence[Invocation]) -> None:
            launch, fetch = self.prepared(invocations)
            self.seconds += seconds(launch)["seconds"]
            fetch()

    todo = small_blocks.blocks()
    tasks = [forward(each.point.network, each.point.layers, each.first, each.count) for each in todo]
    timed_device = Timed()
    cuda.compute(tasks, timed_device)
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary) / "small.todo.json"
        path.write_text(Batch(tuple(todo), 0.0).todo)
        command = [BIN / "deeplimits", "simulate", path, "--engine", "cuda"]
        wall = statistics.median([child(command)[0] for _ in range(4)][1:])
    return {
        "blocks": len(todo),
        "seconds": wall,
        "kernel_seconds": timed_device.seconds,
        "overhead_seconds": wall - timed_device.seconds,
    }


def driver() -> str:
    """Version of the card's driver."""
    asked = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split()[0]


def main(torch_python: str | None) -> None:
    missing = devices.obstacle()
    if missing is not None:
        print(f"nothing measured: needs {missing}")
        return
    from deeplimits.engines.cuda.cupy_device import device

    about = device().description | {"driver": driver()}
    print(about)
    figures: dict[str, Any] = {"floor: normals alone": floor(), "cuRAND: a fill of memory": curand()}
    for name, shape in SHAPES.items():
        figures[name] = engine(*shape)
        print(f"{name}: {figures[name]['normals_per_second']:.3g} normals/s", flush=True)
    figures["1,000 small blocks"] = many_small_blocks()
    versions: dict[str, str] = {}
    if torch_python is not None:
        for width, samples, chunk in ((150, 8192, 2048), (1024, 256, 256)):
            name = f"PyTorch with explicit weights over ours, n = d = {width}"
            figures[name], versions["torch"] = beside_torch(torch_python, width, samples, chunk)
            print(f"{name}: {figures[name]['over_kernel']:.3g}", flush=True)
    keep("gpu", {"device": about, **figures}, versions)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
