"""On an NVIDIA card: the bits of the CPU engine from every kernel instance, through CuPy. Run by ``make gpu``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from deeplimits.engines import simulate_block
from deeplimits.engines.cuda import devices
from deeplimits.engines.cuda.invocation import Invocation
from deeplimits.engines.cuda.thread_groups import instance, thread_groups
from deeplimits.engines.forward import simulate
from deeplimits.engines.gradients import call as backward
from deeplimits.engines.requests import Request, simulate_requests
from deeplimits.engines.sde import covariance, paths
from deeplimits.jobs.simulate import simulate_batch
from deeplimits.sweep.blocks import Block, blocks_of
from deeplimits.sweep.config import load_config
from deeplimits.sweep.points import Point
from sampled_paths import PATHS
from without_gpu.cases import FAMILIES, Case, networks
from without_gpu.device import drawn

MISSING = devices.obstacle()
pytestmark = pytest.mark.skipif(MISSING is not None, reason=f"needs {MISSING}")

KERNELS = [(family, inputs) for family in FAMILIES for inputs in range(1, 9)]


@pytest.mark.parametrize(("family", "inputs"), KERNELS)
def test_bits_of_the_cpu_engine(family: str, inputs: int) -> None:
    """From every group, on more samples than a card computes at a time."""
    from deeplimits.engines.cuda.cupy_device import device

    cases = list(networks(family, inputs))
    cases += [replace(cases[0], count=10_000), replace(cases[2], count=300)]
    for case in cases:
        want = simulate(case.network, case.layers, case.first, case.count)
        for group in thread_groups(case.call().kernel):
            call = case.call()
            device().run([Invocation(instance(call, group), group, case.arguments(call))])
            call.complete()
            same = {name: want[name].tobytes() == call.recorded[name].tobytes() for name in want}
            assert all(same.values()), (group, case, same)


@pytest.mark.parametrize("width", [8, 150, 5000])
def test_whole_blocks(width: int) -> None:
    case = next(networks("slopes", 2))
    network = replace(case.network, width=width, depth=30)
    drawn = simulate_block(network, [0, 15, 30], 0, 8192, engine="cuda")
    want = simulate_block(network, [0, 15, 30], 0, 8192, engine="cpu")
    assert {name: array.tobytes() for name, array in drawn.items()} == {
        name: array.tobytes() for name, array in want.items()
    }


@pytest.mark.parametrize("inputs", range(1, 9))
@pytest.mark.parametrize("family", ["slopes", "smooth", "residual slopes", "residual smooth"])
def test_gradients(family: str, inputs: int) -> None:
    for case in networks(family, inputs):
        want = backward.gradients(case.network, case.layers, case.first, case.count)
        drawn = backward.gradients(case.network, case.layers, case.first, case.count, engine="cuda")
        assert all(want[name].tobytes() == drawn[name].tobytes() for name in want), case


@pytest.mark.parametrize("name", PATHS)
def test_paths(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for engine in ("cpu", "cuda"):
        for module in (paths, covariance):
            monkeypatch.setattr(module, "resolve", lambda _, engine=engine: engine)
        found.append([np.asarray(array).tobytes() for array in PATHS[name]()])
    assert found[0] == found[1]


def test_chunks_of_any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """A card that seems to have little memory is used in more launches, with the same bits."""
    from deeplimits.engines.cuda.cupy_device import CupyDevice, device

    case = Case(next(networks("residual slopes", 3)).network, (0, 9), 0, 1000)
    want = simulate(case.network, case.layers, case.first, case.count)
    monkeypatch.setattr(CupyDevice, "free", lambda _: 1 << 17)
    found = drawn(case, device())
    assert all(want[name].tobytes() == found[name].tobytes() for name in want)


CONFIG = load_config(Path(__file__).parent.parent / "config" / "config.yaml")


@pytest.mark.parametrize("study", CONFIG.study_names)
def test_whole_studies(study: str) -> None:
    """Every block of the default build; small ones share launches."""
    asked = CONFIG.study(study)
    blocks = [block for point in asked.points for block in blocks_of(point, asked.samples)]
    requests = [
        Request(
            block.point.network,
            block.point.layers,
            block.first,
            block.count,
            block.point.gradients,
            block.point.output,
        )
        for block in blocks
    ]
    answered = [simulate_requests(requests, engine, None) for engine in ("cpu", "cuda")]
    for block, want, found in zip(blocks, *answered, strict=True):
        same = {name: want[name].tobytes() == found[name].tobytes() for name in want}
        assert all(same.values()), (block.point, block.index, same)


def test_containers_are_those_of_the_cpu_engine(tmp_path: Path) -> None:
    block = Block(Point(next(networks("smooth", 2)).network, (0, 5)), 0)
    for engine in ("cuda", "cpu"):
        simulate_batch([block], tmp_path / f"{engine}.zarr.zip", tmp_path / f"{engine}.json", engine)
    assert (tmp_path / "cuda.zarr.zip").read_bytes() == (tmp_path / "cpu.zarr.zip").read_bytes()
