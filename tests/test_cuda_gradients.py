"""Gradients by the CUDA kernels: the bits of the CPU engine, run on the host, and compiled for cards."""

from __future__ import annotations

from typing import Any

import pytest

from deeplimits.engines import backward, cuda
from deeplimits.engines.calls import Call
from deeplimits.engines.crews import crews, instance
from without_gpu import host
from without_gpu.cases import Case, networks
from without_gpu.nvrtc import compiled

FAMILIES = ("slopes", "smooth", "residual slopes", "residual smooth")
QUICK = {("slopes", 2), ("residual smooth", 1)}
KERNELS = [
    pytest.param(
        family, inputs, marks=pytest.mark.slow if (family, inputs) in QUICK else pytest.mark.exhaustive
    )
    for family in FAMILIES
    for inputs in range(1, 9)
]


def call_of(case: Case, monkeypatch: pytest.MonkeyPatch) -> Call:
    """What the CUDA engine is asked for."""
    asked: list[Call] = []
    with monkeypatch.context() as patched:
        patched.setattr(cuda, "compute", lambda call, *_: asked.append(call))
        backward.gradients(case.network, case.layers, case.first, case.count, engine="cuda")
    return asked[0]


def bits(arrays: Any) -> list[bytes]:
    return [array.tobytes() for array in arrays]


@pytest.mark.parametrize(("family", "inputs"), KERNELS)
def test_bits_of_the_cpu_engine(family: str, inputs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    cases = list(networks(family, inputs))
    allowed = crews(call_of(cases[0], monkeypatch).kernel)
    program = host.build([instance(call_of(cases[0], monkeypatch), crew) for crew in allowed], "plain")
    for case in cases:
        want = backward.gradients(case.network, case.layers, case.first, case.count, 1)
        for crew in allowed:
            for order in (host.FORWARD, host.RANDOM):
                call = call_of(case, monkeypatch)
                arguments = [case.network.key, case.first, *call.constants, *call.outputs]
                program.run(instance(call, crew), arguments, crew.samples, order)
                assert bits(call.outputs) == bits(want.values()), (crew, case)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["address", "thread"])
@pytest.mark.parametrize("family", ["slopes", "residual smooth"])
def test_sanitizers_find_nothing(family: str, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case(next(networks(family, 3)).network, (1, 5), 5, 2)
    want = backward.gradients(case.network, case.layers, case.first, case.count, 1)
    for crew in crews(call_of(case, monkeypatch).kernel):
        call = call_of(case, monkeypatch)
        made = instance(call, crew)
        arguments = [case.network.key, case.first, *call.constants, *call.outputs]
        host.build([made], kind).run(made, arguments, crew.samples, host.REVERSE)
        assert bits(call.outputs) == bits(want.values())


@pytest.mark.parametrize("architecture", ["sm_80", "sm_90"])
@pytest.mark.parametrize(("family", "inputs"), KERNELS)
def test_compiles_without_spills(
    family: str, inputs: int, architecture: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = call_of(next(networks(family, inputs)), monkeypatch)
    for crew in crews(call.kernel):
        made = compiled(instance(call, crew).source(), architecture)
        assert (made.spilled, made.stack) == (0, 0), made.log
        assert made.registers <= (176 if inputs <= 3 else 255)
        assert made.shared <= 48 << 10
