"""Every CUDA kernel instance compiles for graphics cards of two generations, spills nothing and keeps its ceiling of
registers; no device is needed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from deeplimits.engines.cuda import thread_groups
from deeplimits.engines.cuda.source import ENTRY, Instance
from without_gpu.cases import FAMILIES, instances, networks
from without_gpu.nvrtc import assembly, compiled

ARCHITECTURES = ("sm_80", "sm_90")

# Registers a thread. A multiprocessor has 65,536: 64 of them leave room for 1,024 threads, 128 for 512.
# They move a little with the version of NVRTC, so the ceilings are not the counts.
CEILINGS = {
    "single_input": 64,
    "two_inputs": 96,
    "many_inputs": 200,
    "smooth_inputs": 255,
    "residual_inputs": 255,
    "layer_norm": 255,
    "pre_norm": 255,
}
SMALL = {
    "many_inputs": (3, 80),
    "smooth_inputs": (2, 96),
    "residual_inputs": (3, 128),
    "layer_norm": (2, 96),
    "pre_norm": (3, 128),
}
"""Up to so many inputs, a lower one."""
MORE = 56
"""Registers more where calls share a launch: addresses and sizes come from memory then, and stay in them."""

QUICK = {
    ("slopes", 1),
    ("slopes", 2),
    ("slopes", 3),
    ("smooth", 2),
    ("residual slopes", 2),
    ("layer norm", 2),
    ("pre-norm", 2),
}
KERNELS = [
    pytest.param(
        family, inputs, marks=pytest.mark.slow if (family, inputs) in QUICK else pytest.mark.exhaustive
    )
    for family in FAMILIES
    for inputs in range(1, 9)
]


def ceiling(instance: Instance) -> int:
    inputs, lower = SMALL.get(instance.kernel.name, (0, 0))
    return lower if instance.kernel.inputs <= inputs else CEILINGS[instance.kernel.name]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize(("family", "inputs"), KERNELS)
def test_compiles_without_spills(family: str, inputs: int, architecture: str) -> None:
    """For a call that has a launch to itself, and for calls that share one."""
    case = next(networks(family, inputs))
    for instance in instances(case, thread_groups.thread_groups(case.call().kernel)).values():
        highest = ceiling(instance)
        wanted = [(instance.source(), highest)]
        if inputs <= thread_groups.SHARING:
            wanted.append((instance.shared_source(), min(255, highest + MORE)))
        for source, registers in wanted:
            made = compiled(source, architecture)
            assert made.cubin.startswith(b"\x7fELF")
            assert ENTRY.encode() in made.cubin
            assert (made.spilled, made.stack) == (0, 0), f"{instance.name}: {made.log}"
            assert made.registers <= registers, f"{instance.name}: {made.registers} registers"
            assert made.shared <= 48 << 10


def test_the_floor_of_the_benchmark_compiles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parent.parent / "benchmarks"))
    from gpu import FLOOR

    assert compiled(FLOOR, "sm_90").spilled == 0


def test_a_spill_is_seen() -> None:
    """Under a ceiling that the compiler itself is given, a kernel of many inputs has nowhere to go but memory."""
    case = next(networks("slopes", 3))
    instance = instances(case, thread_groups.thread_groups(case.call().kernel)[:1]).popitem()[1]
    blocks = instance.source().replace("Members::BLOCK, 1)", "Members::BLOCK, 16)")
    assert blocks != instance.source()
    assert compiled(blocks, "sm_90").spilled > 0


def test_an_error_shows_the_compilers_words() -> None:
    case = next(networks("slopes", 1))
    instance = instances(case, thread_groups.thread_groups(case.call().kernel)[:1]).popitem()[1]
    with pytest.raises(
        AssertionError, match=r'mlp/one_or_two_inputs\.cuh\(\d+\): error: identifier "logarihm"'
    ):
        compiled(instance.source().replace("logarithm(value.m", "logarihm(value.m"), "sm_90")


EXACT = r"(abs|neg|mov|selp|setp\.\w+|ld\.\w+(\.\w+)*|st\.\w+|cvt|cvt\.rn|cvt\.rzi|(add|sub|mul|fma|div|sqrt)\.rn)"


@pytest.mark.parametrize(
    ("family", "inputs"), [("slopes", 1), ("slopes", 2), ("slopes", 3), ("smooth", 3), ("residual exotic", 2)]
)
def test_every_operation_names_its_rounding(family: str, inputs: int) -> None:
    """What does not, the assembler might fuse or approximate."""
    case = next(networks(family, inputs))
    instance = instances(case, thread_groups.thread_groups(case.call().kernel)[:1]).popitem()[1]
    assert loose_operations(instance.source()) == set()
    approximate = instance.source().replace("__fmul_rn(x.value, y.value)", "__cosf(x.value)")
    assert loose_operations(approximate) == {"cos.approx.f32"}


def loose_operations(source: str) -> set[str]:
    """Operations on numbers that are not of one rounding."""
    operations = re.findall(r"^\s+(?:@%p\d+ )?(\S*\.f(?:32|64)\S*)\s", assembly(source), re.MULTILINE)
    assert len(operations) > 100
    return {each for each in operations if not re.fullmatch(rf"{EXACT}(\.\w\d+)+", each)}
