"""A card that is not there: what ``cuda.compute`` talks to, computed by the host program of each instance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from deeplimits.engines.cuda import engine as cuda
from deeplimits.engines.cuda.invocation import Device, DeviceMemoryError, Invocation
from deeplimits.engines.forward import forward
from deeplimits.errors import DeviceError
from without_gpu import host
from without_gpu.cases import Case


class EmulatedDevice:
    """A card with room for so many samples at a time, which fails at a launch."""

    def __init__(self, processors: int = 1, free: int = 1 << 30, room: int = 1 << 30, fails_at: int = -1):
        self.processors, self._free, self._room, self._fails_at = processors, free, room, fails_at
        self.description = {"device": "emulated"}
        self.launches: list[tuple[str, int]] = []
        self.calls: list[int] = []
        """Of each launch."""

    def free(self) -> int:
        return self._free

    def run(self, invocations: Sequence[Invocation]) -> None:
        samples = sum(invocation.samples for invocation in invocations)
        if samples > self._room:
            raise DeviceMemoryError
        if len(self.launches) == self._fails_at:
            raise DeviceError("the card failed in mid-block: cudaErrorECCUncorrectable")
        first = invocations[0]
        assert {(each.instance.name, each.group) for each in invocations} == {
            (first.instance.name, first.group)
        }
        self.launches.append((first.instance.name, samples))
        self.calls.append(len(invocations))
        calls = [(invocation.instance, invocation.arguments) for invocation in invocations]
        host.build([first.instance], "plain").run_together(calls, first.group.samples)


def drawn(case: Case, device: Device) -> dict[str, Any]:
    """What a card records of a case."""
    task = forward(case.network, case.layers, case.first, case.count)
    cuda.compute([task], device)
    return task.call.recorded
