"""What the CUDA engine asks of CuPy, against a CuPy that has no card: arguments, launches, kept machine code, failures."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from deeplimits.engines.calls import Task
from deeplimits.engines.cuda import engine as cuda
from deeplimits.engines.cuda.invocation import Device
from deeplimits.engines.forward import forward, simulate
from deeplimits.engines.gradients.call import backward
from deeplimits.engines.run import cpu
from deeplimits.errors import DeviceError
from without_gpu import cupy_stub
from without_gpu.cases import Case, networks


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> cupy_stub.Card:
    """A card whose machine code is kept in a folder of the test's."""
    from deeplimits.engines.cuda import devices

    card = cupy_stub.Card()
    for name, module in cupy_stub.modules(card).items():
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.delitem(sys.modules, "deeplimits.engines.cuda.cupy_device", raising=False)
    monkeypatch.setattr(devices.tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr(cupy_device(), "cache_folder", lambda: tmp_path)
    yield card
    monkeypatch.delitem(sys.modules, "deeplimits.engines.cuda.cupy_device", raising=False)


def cupy_device() -> ModuleType:
    import importlib

    return importlib.import_module("deeplimits.engines.cuda.cupy_device")


def known(card: cupy_stub.Card, task: Task, device: Device) -> Task:
    """Tell the card which instance computes a task."""
    made = cuda.invocation(task, device.processors)
    card.instances[made.instance.name] = (made.instance, made.group)
    return task


def drawn(card: cupy_stub.Card, case: Case, device: Device) -> dict[str, bytes]:
    task = known(card, forward(case.network, case.layers, case.first, case.count), device)
    cuda.compute([task], device)
    return bits(task)


def bits(task: Task) -> dict[str, bytes]:
    return {name: array.tobytes() for name, array in task.call.recorded.items()}


CASES = {
    "one input": next(networks("slopes", 1)),
    "a table": next(networks("smooth", 2)),
    "a state": next(networks("residual slopes", 2)),
    "a sample a block": list(networks("slopes", 2))[2],
}


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_launch_gets_what_its_kernel_takes(card: cupy_stub.Card, case: Case) -> None:
    device = cupy_device().CupyDevice()
    assert device.architecture == "sm_90"
    assert device.description == {
        "device": "NVIDIA Nothing",
        "driver_cuda": "13000",
        "nvrtc": "13.0",
        "cupy": "14.0",
    }
    want = simulate(case.network, case.layers, case.first, case.count)
    assert drawn(card, case, device) == {name: array.tobytes() for name, array in want.items()}


SHARING = {
    "one input": lambda: (
        [forward(case.network, (1, 5), case.first, 9) for case in networks("slopes", 1)][:1] * 3
    ),
    "a table": lambda: [
        forward(replace(next(networks("smooth", 2)).network, depth=depth), (depth,), 0, 40 - depth)
        for depth in (2, 30, 3)
    ],
    "a state": lambda: [
        forward(replace(next(networks("residual slopes", 2)).network, width=width), (3,), 1, width)
        for width in (40, 33, 70)
    ],
    "gradients": lambda: [
        backward(replace(next(networks("slopes", 2)).network, width=width), (0, 2), 1, 5)
        for width in (20, 17)
    ],
}


@pytest.mark.slow
@pytest.mark.parametrize("made", SHARING.values(), ids=SHARING)
def test_a_launch_that_calls_share_gets_what_its_kernel_takes(card: cupy_stub.Card, made) -> None:
    """Whatever a kernel takes: tables of an activation, states of a size that differs from call to call."""
    device, want = cupy_device().CupyDevice(), made()
    for task in want:
        cpu.compute(task)
    asked = [known(card, task, device) for task in made()]
    cuda.compute(asked, device)
    assert [bits(task) for task in asked] == [bits(task) for task in want]
    assert len(card.launches) == 1
    assert card.launches[0].startswith(f"{len(asked)} of ")


@pytest.mark.slow
def test_the_benchmark_measures(card: cupy_stub.Card, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of it but a job and a driver of its own, on small shapes: what ``make gpu`` runs must not have rotted."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent.parent / "benchmarks"))
    import gpu
    import small_blocks

    kept: dict[str, dict[str, float]] = {}
    small = {name: (9, 3, 40, inputs) for name, (_, _, _, inputs) in gpu.SHAPES.items()}
    for name, value in {"SHAPES": small, "ROUNDS": 2, "THREADS": 512, "FILLED": 64}.items():
        monkeypatch.setattr(gpu, name, value)
    monkeypatch.setattr(gpu, "driver", lambda: "1.2")
    monkeypatch.setattr(gpu, "child", lambda _: (9.0, 0.0, ""))
    monkeypatch.setattr(gpu, "keep", lambda _, figures, __: kept.update(figures))
    monkeypatch.setattr(gpu.devices, "obstacle", lambda: None)
    monkeypatch.setattr(small_blocks, "COUNT", 5)
    prepared = cupy_device().CupyDevice.prepared

    def noted(device, invocations):
        card.instances |= {each.instance.name: (each.instance, each.group) for each in invocations}
        return prepared(device, invocations)

    monkeypatch.setattr(cupy_device().CupyDevice, "prepared", noted)
    gpu.main(None)
    about, many = kept.pop("device"), kept.pop("1,000 small blocks")
    assert about["driver"] == "1.2"
    assert kept.keys() > small.keys()
    assert all(figures["normals_per_second"] > 0 for figures in kept.values())
    for name, (width, depth, samples, inputs) in small.items():
        assert kept[name]["normals"] == width * depth * samples * inputs
    assert (many["blocks"], many["seconds"]) == (5, 9.0)
    assert 0 < many["kernel_seconds"] == pytest.approx(9.0 - many["overhead_seconds"])
    assert "5 of two_inputs<4, 1>" in card.launches


@pytest.mark.slow
def test_machine_code_is_compiled_once_and_checked(card: cupy_stub.Card, tmp_path: Path) -> None:
    case = CASES["one input"]
    for _ in range(2):
        drawn(card, case, cupy_device().CupyDevice())
    assert len(card.compiled) == 1
    (kept,) = tmp_path.glob("*.cubin")
    kept.write_bytes(kept.read_bytes()[:-9])
    drawn(card, case, cupy_device().CupyDevice())
    assert len(card.compiled) == 2
    assert kept.read_text() == card.compiled[0]
    assert not list(tmp_path.glob(".part*"))
    drawn(card, replace(case, count=3), cupy_device().CupyDevice())
    assert len(card.compiled) == 2


@pytest.mark.parametrize(
    "failure",
    [cupy_stub.OutOfMemory(), cupy_stub.DriverFailure("CUDA_ERROR_OUT_OF_MEMORY: out of memory")],
    ids=["pool", "driver"],
)
def test_no_room_is_told_from_a_card_that_fails(card: cupy_stub.Card, failure: Exception) -> None:
    device = cupy_device().CupyDevice()
    card.fails = failure
    with pytest.raises(DeviceError, match="no room for one sample"):
        drawn(card, CASES["one input"], device)
    card.fails = cupy_stub.RuntimeFailure("cudaErrorECCUncorrectable: uncorrectable ECC error encountered")
    with pytest.raises(
        DeviceError, match=r"sm_90 failed in mid-block: cudaErrorECC.*nvidia-smi.*--engine cpu"
    ):
        drawn(card, CASES["one input"], device)


def test_a_card_that_the_compiler_does_not_know_is_said(card: cupy_stub.Card) -> None:
    device = cupy_device().CupyDevice()
    device.architecture = "sm_190"
    with pytest.raises(
        DeviceError, match=r"NVRTC 13.0 does not compile for sm_190.*install the newest packages"
    ):
        drawn(card, CASES["one input"], device)


def test_a_card_that_does_not_start_is_said(card: cupy_stub.Card, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> int:
        raise cupy_stub.RuntimeFailure("cudaErrorSystemDriverMismatch")

    monkeypatch.setattr(sys.modules["cupy"].cuda.runtime, "getDeviceCount", fail)
    with pytest.raises(DeviceError, match="the card does not start: cudaErrorSystemDriverMismatch"):
        cupy_device().device()
