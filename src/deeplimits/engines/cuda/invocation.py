"""What a graphics card is asked for, and what it must be able to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from deeplimits.engines.cuda.source import Instance
from deeplimits.engines.cuda.thread_groups import ThreadGroup


class DeviceMemoryError(Exception):
    """The card has no room for what was asked."""


@dataclass(frozen=True)
class Invocation:
    """Arguments of a kernel instance, and the threads that compute a sample."""

    instance: Instance
    group: ThreadGroup
    arguments: list[Any]

    @property
    def outputs(self) -> list[NDArray[Any]]:
        """Arrays to be filled, samples first: the last of the arguments."""
        return self.arguments[len(self.arguments) - self.instance.outputs :]

    @property
    def samples(self) -> int:
        """How many are asked for."""
        return len(self.arguments[-1])

    def part(self, rows: slice) -> Invocation:
        """For some of the samples."""
        key, first, *constants = self.arguments[: len(self.arguments) - self.instance.outputs]
        outputs = (output[rows] for output in self.outputs)
        return replace(self, arguments=[key, first + rows.start, *constants, *outputs])

    @property
    def constant_bytes(self) -> int:
        """Bytes of arrays that are the same for every sample."""
        constants = self.arguments[: len(self.arguments) - self.instance.outputs]
        return sum(constant.nbytes for constant in constants if isinstance(constant, np.ndarray))

    @property
    def sample_bytes(self) -> float:
        """Bytes of the outputs and the state of a sample."""
        return sum(output.nbytes for output in self.outputs) / self.samples + 4 * self.instance.state


class Device(Protocol):
    """A card."""

    @property
    def processors(self) -> int:
        """Multiprocessors."""

    @property
    def description(self) -> dict[str, str]:
        """The card, its driver, and what kernels are compiled with."""

    def free(self) -> int:
        """Bytes of free memory."""

    def run(self, invocations: Sequence[Invocation]) -> None:
        """Fill the outputs of invocations of one instance by one thread group, in one launch.

        Raises
        ------
        DeviceMemoryError
            If there is no room; nothing was computed.
        DeviceError
            If the card failed.
        """
