"""The host side of the CUDA engine on a card that is not there: chunks, memory, failures, what CuPy is asked for, and
what stands between a machine and its card."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from deeplimits.engines import resolve
from deeplimits.engines.calls import Task
from deeplimits.engines.cuda import devices, thread_groups
from deeplimits.engines.cuda import engine as cuda
from deeplimits.engines.cuda.thread_groups import NARROW, PATH, PLAIN, WIDE
from deeplimits.engines.forward import forward, simulate
from deeplimits.engines.mlp.call import KERNELS
from deeplimits.engines.run import cpu
from deeplimits.errors import DeviceError, InputError
from deeplimits.jobs.simulate import simulate_batch
from deeplimits.sweep.blocks import Block
from deeplimits.sweep.points import Point
from forked import deeplimits
from without_gpu.cases import networks
from without_gpu.device import EmulatedDevice, drawn

CASE = next(networks("slopes", 2))
BYTES = 4 * len(CASE.layers) * 3
"""Of one sample's results."""


def computed(device: EmulatedDevice) -> dict[str, np.ndarray]:
    return drawn(CASE, device)


def same_bits(found: dict[str, np.ndarray]) -> bool:
    want = simulate(CASE.network, CASE.layers, CASE.first, CASE.count)
    return {name: array.tobytes() for name, array in found.items()} == {
        name: array.tobytes() for name, array in want.items()
    }


@pytest.mark.slow
def test_chunks_are_as_large_as_memory_allows() -> None:
    """Half of what is free, less the constants: three samples at a time, and the last ones."""
    held = sum(constant.nbytes for constant in CASE.call().constants if isinstance(constant, np.ndarray))
    device = EmulatedDevice(free=2 * (3 * BYTES + held))
    assert same_bits(computed(device))
    assert [samples for _, samples in device.launches] == [3, 3, 3, 2]


def test_a_chunk_without_room_is_halved() -> None:
    device = EmulatedDevice(room=4)
    assert same_bits(computed(device))
    assert [samples for _, samples in device.launches] == [2, 2, 2, 2, 2, 1]


def tasks(family: str, inputs: int) -> list[Task]:
    """Of networks that differ in width, depth, layers and samples."""
    return [
        forward(case.network, case.layers, case.first, case.count + 20 * at)
        for at, case in enumerate(networks(family, inputs))
        if max(case.network.widths) < 1024
    ]


def bits(found: list[Task]) -> list[dict[str, bytes]]:
    return [{name: array.tobytes() for name, array in task.call.recorded.items()} for task in found]


@pytest.mark.slow
def test_small_tasks_share_launches_by_kernel() -> None:
    asked = tasks("slopes", 2) + tasks("residual slopes", 1)
    want = [*tasks("slopes", 2), *tasks("residual slopes", 1)]
    for task in want:
        cpu.compute(task)
    device = EmulatedDevice(processors=4)
    cuda.compute(asked, device)
    assert bits(asked) == bits(want)
    # the group of narrow networks has launches of its own
    assert sum(device.calls) == len(asked)
    assert len(device.calls) == 4
    assert {name for name, _ in device.launches} == {
        *("two_inputs<16, 1>", "two_inputs<4, 1>"),
        *("residual_inputs<3, 16, 1>", "residual_inputs<3, 4, 1>"),
    }


def test_a_task_that_fills_the_card_has_it_to_itself() -> None:
    asked = [forward(CASE.network, CASE.layers, 0, count) for count in (2048 // 16, 3, 5, 0)]
    want = [forward(CASE.network, CASE.layers, 0, count) for count in (2048 // 16, 3, 5, 0)]
    for task in want:
        cpu.compute(task)
    device = EmulatedDevice()
    cuda.compute(asked, device)
    assert [samples for _, samples in device.launches] == [128, 8]
    assert bits(asked) == bits(want)


@pytest.mark.slow
def test_kernels_whose_registers_are_full_share_nothing() -> None:
    network = next(networks("slopes", 7)).network
    asked = [forward(network, (2,), first, 2) for first in range(2)]
    device = EmulatedDevice(processors=4)
    cuda.compute(asked, device)
    assert device.calls == [1, 1]


def test_tasks_share_as_far_as_memory_goes() -> None:
    """What is asked for at once fits into half of what is free; what the card refuses all the same goes one by one."""
    want = [forward(CASE.network, CASE.layers, first, 4) for first in range(6)]
    for task in want:
        cpu.compute(task)
    held = sum(constant.nbytes for constant in CASE.call().constants if isinstance(constant, np.ndarray))
    for device, calls in (
        (EmulatedDevice(free=2 * 4 * (4 * BYTES + held)), [4, 2]),
        (EmulatedDevice(room=4), [1] * 6),
        (EmulatedDevice(room=3), [1] * 12),
    ):
        asked = [forward(CASE.network, CASE.layers, first, 4) for first in range(6)]
        cuda.compute(asked, device)
        assert device.calls == calls
        assert bits(asked) == bits(want)


def test_no_room_for_one_sample_is_said() -> None:
    with pytest.raises(DeviceError, match=r"no room for one sample of two_inputs<16, 1>.*--engine cpu"):
        computed(EmulatedDevice(room=0))


def test_a_thread_group_fits_network_and_card() -> None:
    single, two, smooth_8 = KERNELS[0], KERNELS[1], KERNELS[-1]
    assert thread_groups.fitting(two, 8, 1 << 24, 132) == NARROW
    assert thread_groups.fitting(two, 8, 100, 132) == NARROW
    assert thread_groups.fitting(two, 150, 1 << 13, 132) == PLAIN
    assert thread_groups.fitting(two, 150, 1 << 16, 132) == NARROW
    assert thread_groups.fitting(single, 100_000, 1 << 10, 132) == WIDE
    assert thread_groups.fitting(single, 100_000, 1 << 14, 132) == PLAIN
    assert thread_groups.fitting(smooth_8, 8, 1 << 24, 132) == PLAIN
    assert [group.samples for group in (NARROW, PLAIN, WIDE, PATH)] == [32, 8, 1, 128]


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch):
    """Make this machine's card an emulated one."""

    def use(device: EmulatedDevice) -> EmulatedDevice:
        monkeypatch.setattr(cuda, "_device", lambda: device)
        monkeypatch.setattr(devices, "obstacle", lambda: None)
        return device

    return use


BLOCK = Block(Point(CASE.network, (0, 5)), 0)


@pytest.mark.slow
def test_a_container_tells_nothing_of_its_engine(card, tmp_path: Path) -> None:
    device = card(EmulatedDevice(processors=1000))
    simulate_batch([BLOCK], tmp_path / "a.zarr.zip", tmp_path / "a.json")
    assert device.launches == [("two_inputs<16, 1>", BLOCK.count)]
    simulate_batch([BLOCK], tmp_path / "b.zarr.zip", tmp_path / "b.json", engine="cpu")
    assert (tmp_path / "a.zarr.zip").read_bytes() == (tmp_path / "b.zarr.zip").read_bytes()
    receipt = (tmp_path / "a.json").read_text()
    assert '"engine":"cuda"' in receipt
    assert '"device":"emulated"' in receipt


@pytest.mark.slow
def test_small_blocks_of_a_batch_share_launches(card, tmp_path: Path) -> None:
    """Outputs and gradients too, in a container with the bytes of the CPU engine's."""
    blocks = [
        Block(Point(replace(CASE.network, width=width, depth=4), (1, 3), gradients=asked, output=asked), 0)
        for width, asked in ((20, False), (24, True), (31, True))
    ]
    device = card(EmulatedDevice(processors=1000))
    for engine in ("cuda", "cpu"):
        simulate_batch(blocks, tmp_path / f"{engine}.zarr.zip", tmp_path / f"{engine}.json", engine)
    assert (tmp_path / "cuda.zarr.zip").read_bytes() == (tmp_path / "cpu.zarr.zip").read_bytes()
    assert [name for name, _ in device.launches] == ["two_inputs<16, 1>", "piecewise_linear<2, 16, 1>"]
    assert device.calls == [3, 2]


@pytest.mark.parametrize("fails_at", [0, 1])
@pytest.mark.slow
def test_a_card_lost_in_mid_block_leaves_nothing(card, tmp_path: Path, fails_at: int) -> None:
    card(EmulatedDevice(room=64, fails_at=fails_at))
    with pytest.raises(DeviceError, match=r"ECC.*Nothing of this job was written.*--engine cpu"):
        simulate_batch([BLOCK], tmp_path / "a.zarr.zip", tmp_path / "a.json", engine="cuda")
    assert list(tmp_path.iterdir()) == []


DRIVER = """
int cuInit(unsigned flags) { return %d; }
int cuDeviceGetCount(int *count) { *count = %d; return 0; }
int cuDriverGetVersion(int *version) { *version = %d; return 0; }
"""


@pytest.fixture
def nodes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A /dev with one card."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    folder = tmp_path / "dev"
    folder.mkdir()
    (folder / "nvidia0").touch()
    return folder


def driver(folder: Path, status: int = 0, count: int = 1, version: int = 13000) -> str:
    source, library = folder / "driver.c", folder / f"libcuda-{status}-{count}-{version}.so"
    source.write_text(DRIVER % (status, count, version))
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, source], check=True)
    return str(library)


@pytest.mark.parametrize(
    ("options", "cupy", "message"),
    [
        ({"status": 999}, 13, "cuInit failed with error 999; see what nvidia-smi says"),
        ({"count": 0}, 13, "it offers none"),
        ({"version": 12040}, None, r"pip install 'deeplimits\[cuda12\]'"),
        ({"version": 13010}, None, r"pip install 'deeplimits\[cuda13\]'"),
        ({"version": 11080}, None, r"a driver for CUDA 12 or newer, not for 11.8: install a newer one"),
        (
            {"version": 12040},
            13,
            r"cupy-cuda13x 14.0 is made for.*CUDA 12.4; install a newer driver, or deeplimits\[cuda12\]",
        ),
        ({"version": 13000}, 13, None),
        ({"version": 13000}, 12, None),
    ],
)
def test_what_is_missing_is_said(
    nodes: Path, monkeypatch, options, cupy: int | None, message: str | None
) -> None:
    def version(package: str) -> str:
        if package != f"cupy-cuda{cupy}x":
            raise devices.PackageNotFoundError(package)
        return "14.0"

    monkeypatch.setattr(devices, "version", version)
    monkeypatch.setattr(devices.importlib.util, "find_spec", lambda _: cupy)
    found = devices.obstacle(driver(nodes.parent, **options), nodes)
    if message is None:
        assert found is None
    else:
        assert found is not None and re.search(message, found)
        monkeypatch.setattr(devices, "obstacle", lambda: found)
        with pytest.raises(InputError, match=message):
            resolve("cuda")


def test_no_driver_and_no_card_are_said(nodes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "libno-such.so is not there; install the driver" in devices.obstacle("libno-such.so", nodes)
    (nodes / "nvidia0").unlink()
    (nodes / "nvidiactl").touch()
    assert not devices.seen(nodes)
    (nodes / "nvidia3").touch()
    assert devices.seen(nodes)
    for hidden in ("", "-1"):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", hidden)
        assert not devices.seen(nodes)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert devices.seen(nodes)


def test_engine_cuda_without_a_card_is_one_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    point = tmp_path / "point.yaml"
    point.write_text("{activation: {name: relu}, width: 4, depth: 3, inputs: {correlation: 0.3}}\n")
    done = deeplimits(
        "simulate",
        str(point),
        "--out",
        str(tmp_path / "x.zarr.zip"),
        "--engine",
        "cuda",
    )
    assert done.returncode == 2
    assert done.stderr.startswith("deeplimits: --engine: found 'cuda', expected an NVIDIA card")
    assert done.stderr.count("\n") == 1


def test_a_job_without_a_card_never_imports_cupy(tmp_path: Path) -> None:
    """A CuPy that cannot be imported stands in the way; the job does not meet it."""
    (tmp_path / "cupy.py").write_text("raise AssertionError('imported')\n")
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); from deeplimits.engines import resolve;"
        "assert resolve('auto') == 'cpu'; assert 'cupy' not in sys.modules"
    )
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": ""}
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True, env=environment)


def test_jobs_share_out_the_cards(tmp_path: Path) -> None:
    """Each process claims one that no other has; without any left it takes one all the same."""
    code = (
        "import sys, pathlib; from deeplimits.engines.cuda.devices import claimed;"
        "print(claimed(['0000:01:00.0', '0000:02:00.0'], pathlib.Path(sys.argv[1])), flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    jobs, answers = [], []
    for _ in range(3):
        job = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        jobs.append(job)
        answers.append(int(job.stdout.readline()))
    assert answers[:2] == [0, 1]
    assert answers[2] in {0, 1}
    jobs[1].communicate()
    job = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert int(job.stdout.readline()) == 1
    for each in (jobs[0], jobs[2], job):
        each.communicate()
