"""Gradients by the CUDA kernels: the bits of the CPU engine, run on the host, and compiled for cards."""

from __future__ import annotations

from typing import Any

import pytest

from deeplimits.engines.calls import Call
from deeplimits.engines.cuda.thread_groups import SHARING, instance, thread_groups
from deeplimits.engines.gradients import call as backward
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


def call_of(case: Case) -> Call:
    """What the CUDA engine is asked for."""
    return backward.backward(case.network, case.layers, case.first, case.count).call


def bits(arrays: Any) -> list[bytes]:
    return [array.tobytes() for array in arrays]


@pytest.mark.parametrize(("family", "inputs"), KERNELS)
def test_bits_of_the_cpu_engine(family: str, inputs: int) -> None:
    cases = list(networks(family, inputs))
    allowed = thread_groups(call_of(cases[0]).kernel)
    program = host.build([instance(call_of(cases[0]), group) for group in allowed], "plain")
    for case in cases:
        want = backward.gradients(case.network, case.layers, case.first, case.count, 1)
        for group in allowed:
            for order in (host.FORWARD, host.RANDOM):
                call = call_of(case)
                arguments = [case.network.key, case.first, *call.constants, *call.outputs]
                program.run(instance(call, group), arguments, group.samples, order)
                call.complete()
                assert bits(call.recorded.values()) == bits(want.values()), (group, case)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["address", "thread"])
@pytest.mark.parametrize("family", ["slopes", "residual smooth"])
def test_sanitizers_find_nothing(family: str, kind: str) -> None:
    case = Case(next(networks(family, 3)).network, (1, 5), 5, 2)
    want = backward.gradients(case.network, case.layers, case.first, case.count, 1)
    for group in thread_groups(call_of(case).kernel):
        call = call_of(case)
        made = instance(call, group)
        arguments = [case.network.key, case.first, *call.constants, *call.outputs]
        host.build([made], kind).run(made, arguments, group.samples, host.REVERSE)
        call.complete()
        assert bits(call.recorded.values()) == bits(want.values())


@pytest.mark.parametrize("architecture", ["sm_80", "sm_90"])
@pytest.mark.parametrize(("family", "inputs"), KERNELS)
def test_compiles_without_spills(family: str, inputs: int, architecture: str) -> None:
    call = call_of(next(networks(family, inputs)))
    for group in thread_groups(call.kernel):
        chosen = instance(call, group)
        for source in (chosen.source(), *([chosen.shared_source()] if inputs <= SHARING else [])):
            made = compiled(source, architecture)
            assert (made.spilled, made.stack) == (0, 0), made.log
            assert made.registers <= (184 if inputs <= 3 else 255)
            assert made.shared <= 48 << 10
