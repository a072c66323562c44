"""A card that is not there: what ``cuda.simulate`` talks to, computed by the host program of each instance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from deeplimits.engines.crews import Crew
from deeplimits.engines.cuda import DeviceMemoryError
from deeplimits.engines.cuda_source import Instance
from deeplimits.errors import DeviceError
from without_gpu import host


class EmulatedDevice:
    """A card with room for so many samples at a time, which fails at a launch."""

    def __init__(self, processors: int = 1, free: int = 1 << 30, room: int = 1 << 30, fails_at: int = -1):
        self.processors, self._free, self._room, self._fails_at = processors, free, room, fails_at
        self.description = {"device": "emulated"}
        self.launches: list[tuple[str, int]] = []

    def free(self) -> int:
        return self._free

    def run(self, instance: Instance, crew: Crew, arguments: Sequence[Any]) -> None:
        samples = len(arguments[-1])
        if samples > self._room:
            raise DeviceMemoryError
        if len(self.launches) == self._fails_at:
            raise DeviceError("the card failed in mid-block: cudaErrorECCUncorrectable")
        self.launches.append((instance.name, samples))
        host.build([instance], "plain").run(instance, arguments, crew.samples)
