"""The CUDA source run on the host: the bits of the CPU engine from every kernel instance, in three orders of threads,
under AddressSanitizer and ThreadSanitizer; and planted faults are found."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from deeplimits.architectures.layer_norm_mlp import call as layer_norm
from deeplimits.architectures.pre_norm_resnet import call as pre_norm
from deeplimits.engines.cuda.thread_groups import NARROW, PLAIN, WIDE, ThreadGroup, instance, thread_groups
from deeplimits.engines.forward import simulate
from deeplimits.engines.mlp import call as mlp
from deeplimits.engines.resnet import call as resnet
from without_gpu import host
from without_gpu.cases import FAMILIES, Case, instances, networks

KERNELS = [(family, inputs) for family in FAMILIES for inputs in range(1, 9)]
QUICK = {
    ("slopes", 1),
    ("slopes", 2),
    ("slopes", 3),
    ("smooth", 2),
    ("residual smooth", 2),
    ("residual exotic", 1),
    ("layer norm", 2),
    ("pre-norm", 2),
}


SANITISED = [(family, inputs) for family in FAMILIES for inputs in (2, 3)]
"""Through one path or another, all that differs with the number of inputs."""


def kernels(quick: set[tuple[str, int]], among: list[tuple[str, int]] = KERNELS) -> list[object]:
    """Parameters of a test for every kernel; some are slow, the rest exhaustive."""
    return [
        pytest.param(
            *kernel,
            marks=pytest.mark.slow if kernel in quick else pytest.mark.exhaustive,
            id=f"{kernel[0]} {kernel[1]}",
        )
        for kernel in among
    ]


def differences(program: host.Program, group: ThreadGroup, case: Case, order: int) -> list[str]:
    """Names of what a group computes otherwise than the CPU engine."""
    want = simulate(case.network, case.layers, case.first, case.count, 1)
    call = case.call()
    program.run(instance(call, group), case.arguments(call), group.samples, order, seed=7)
    call.complete()
    return [name for name in want if want[name].tobytes() != call.recorded[name].tobytes()]


def check(kind: str, family: str, inputs: int, orders: tuple[int, ...], few: bool) -> None:
    cases = list(networks(family, inputs))
    allowed = thread_groups(cases[0].call().kernel)
    made = instances(cases[0], allowed)
    program = host.build(list(made.values()), kind)
    for group, each in made.items():
        for case in cases[:3] if few else cases:
            for order in orders:
                assert differences(program, group, case, order) == [], (each.name, case, order)


@pytest.mark.parametrize(("family", "inputs"), kernels(QUICK))
def test_bits_of_the_cpu_engine(family: str, inputs: int) -> None:
    """Fibers in order, in reverse and at random: a thread that reads what another has not yet written reads NaN."""
    check("plain", family, inputs, (host.FORWARD, host.REVERSE, host.RANDOM), few=False)


@pytest.mark.parametrize(("family", "inputs"), kernels({("slopes", 3)}, SANITISED))
def test_address_sanitizer_finds_nothing(family: str, inputs: int) -> None:
    check("address", family, inputs, (host.REVERSE,), few=True)


@pytest.mark.parametrize(("family", "inputs"), kernels({("slopes", 3)}, SANITISED))
def test_thread_sanitizer_finds_nothing(family: str, inputs: int) -> None:
    """A thread of the operating system for each; the groups of many threads on few samples, since that is slow."""
    case = Case(next(networks(family, inputs)).network, (1, 2), 5, 2)
    made = instances(case, thread_groups(case.call().kernel))
    program = host.build(list(made.values()), "thread")
    for group, each in made.items():
        assert differences(program, group, case, host.FORWARD) == [], each.name


@pytest.mark.slow
def test_every_kernel_has_cases() -> None:
    covered = {case.call().kernel for kernel in KERNELS for case in networks(*kernel)}
    assert covered == {*mlp.KERNELS, *resnet.KERNELS, *layer_norm.KERNELS, *pre_norm.KERNELS}


SHUFFLE = "            sum = sum + Number(__shfl_xor_sync(WARP, sum.value, width));"
ROUND = "            ThreadGroup::synchronise();\n            for (int team = 0; team < ThreadGroup::TEAMS && base"
LAYERS = "            const f4 along = square_root"
LAID_DOWN = "board[group.team][at] = sums[at];\n            }\n" + ROUND
FACTOR = "        if (group.member == 0)\n            difference_factor();\n        Members::synchronise();"
START = "variances[a] = {mantissa_0(a), exponent_0(a)};"
ALONE = "others wait at|for threads that do not come"


class Fault(NamedTuple):
    """A text of the kernels, what stands in its place, and how it is found: by what a build says, or by bits."""

    text: str
    instead: str
    build: str
    group: ThreadGroup
    inputs: int
    found: str | None


FAULTS = {
    "a shuffle that one thread leaves out": Fault(
        SHUFFLE, f"if (threadIdx.x != 9) {SHUFFLE}", "plain", PLAIN, 2, ALONE
    ),
    "a thread that goes home early": Fault(
        LAYERS, f"if (group.row == 3) return; {LAYERS}", "plain", PLAIN, 2, ALONE
    ),
    "a barrier that some leave out": Fault(ROUND, f"if (group.team > 0) {ROUND}", "plain", WIDE, 2, ALONE),
    "no barrier, in bits": Fault(
        ROUND, ROUND.replace("ThreadGroup::synchronise();", ""), "plain", WIDE, 2, None
    ),
    "no barrier, as a race": Fault(
        ROUND, ROUND.replace("ThreadGroup::synchronise();", ""), "thread", WIDE, 2, "data race"
    ),
    "a race that a shuffle hides": Fault(
        FACTOR,
        FACTOR.replace("Members::synchronise()", "__shfl_xor_sync(WARP, 0, 8)"),
        "thread",
        PLAIN,
        3,
        "data race",
    ),
    "shared memory overrun": Fault(
        LAID_DOWN,
        LAID_DOWN.replace("group.team", "group.team + 1"),
        "address",
        WIDE,
        2,
        "heap-buffer-overflow",
    ),
    "output overrun": Fault(
        "correlation_gap(group.row, record, 0) =",
        "correlation_gap(group.row, record + 1, 0) =",
        "address",
        NARROW,
        2,
        "heap-buffer-overflow",
    ),
    "memory read before it is written": Fault(START, f"if (a > 0) {START}", "plain", PLAIN, 3, None),
    "lanes added in another order": Fault(
        "for (int width = THREADS / 2; width > 0; width /= 2)",
        "for (int width = 1; width < THREADS; width *= 2)",
        "plain",
        PLAIN,
        2,
        None,
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_planted_fault_is_found(fault: Fault) -> None:
    case = list(networks("slopes", fault.inputs))[2 if fault.group == WIDE else 0]
    program = host.build([instance(case.call(), fault.group)], fault.build, (fault.text, fault.instead))
    if fault.found is None:
        orders = (host.FORWARD, host.REVERSE, host.RANDOM)
        assert any(differences(program, fault.group, case, order) for order in orders)
        return
    with pytest.raises(host.Fault, match=fault.found):
        differences(program, fault.group, case, host.REVERSE)


SHARED = [
    Case(next(networks("residual slopes", 2)).network, (0, 9), first, count)
    for first, count in ((0, 20), (7, 3))
]
"""The second needs one block of the three that the first needs; each keeps a state."""


def shared_differences(program: host.Program) -> list[str]:
    """As ``differences``, of calls that share a launch."""
    made = [case.call() for case in SHARED]
    together = [
        (instance(call, PLAIN), case.arguments(call)) for case, call in zip(SHARED, made, strict=True)
    ]
    program.run_together(together, PLAIN.samples, host.RANDOM)
    found = []
    for case, call in zip(SHARED, made, strict=True):
        want = simulate(case.network, case.layers, case.first, case.count, 1)
        call.complete()
        found += [name for name in want if want[name].tobytes() != call.recorded[name].tobytes()]
    return found


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["address", "thread"])
def test_calls_share_a_launch(kind: str) -> None:
    assert shared_differences(host.build([instance(SHARED[0].call(), PLAIN)], kind)) == []


@pytest.mark.slow
def test_a_call_that_takes_its_neighbours_arguments_is_found() -> None:
    fault = ("table + blockIdx.y *", "table + 0 *")
    program = host.build([instance(SHARED[0].call(), PLAIN)], "plain", fault)
    assert set(shared_differences(program)) >= {"log_variance", "correlation_gap"}


@pytest.mark.slow
def test_a_block_that_goes_on_beyond_its_call_is_found() -> None:
    fault = ("        return;\n    Instance::run(memory", "        ;\n    Instance::run(memory")
    program = host.build([instance(SHARED[0].call(), PLAIN)], "address", fault)
    with pytest.raises(host.Fault, match="heap-buffer-overflow"):
        shared_differences(program)


def test_a_missing_compiler_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    case = next(networks("slopes", 1))
    with pytest.raises(AssertionError, match=r"install it \(apt-get install g\+\+\)"):
        host.build([instance(case.call(), PLAIN)], "plain")
