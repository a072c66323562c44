"""The CUDA engine: the kernels of ``kernels/``, chunk by chunk of samples, with the bits of the CPU engine.

A chunk is as large as the card's free memory allows; a sample's bits depend on its own index alone, so chunks
change nothing but the time. What talks to a card is a ``Device``; there is one of CuPy, and one of the tests.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from deeplimits.engines.calls import Call, call
from deeplimits.engines.crews import Crew, fitting, instance
from deeplimits.engines.cuda_source import Instance
from deeplimits.errors import DeviceError
from deeplimits.networks.network import Network

_SHARE = 0.5
"""Of the free memory, for one chunk: others may need some, and memory is handed out in pieces."""


class DeviceMemoryError(Exception):
    """The card has no room for what was asked."""


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

    def run(self, instance: Instance, crew: Crew, arguments: Sequence[Any]) -> None:
        """Launch for as many samples as the outputs hold, which are the last of ``arguments``, and fill them.

        Raises
        ------
        DeviceMemoryError
            If there is no room; nothing was computed.
        DeviceError
            If the card failed.
        """


def simulate(
    network: Network, layers: Sequence[int], first: int, count: int, device: Device | None = None
) -> dict[str, NDArray[Any]]:
    """Samples [first, first + count) of ``network``, recorded at ``layers`` (ascending, 0 = input); see
    ``simulate_block``.

    Raises
    ------
    DeviceError
        If the card fails, or has no room for a single sample.
    """
    made = call(network, layers, count)
    compute(made, network.key, first, max(network.widths), device)
    return made.recorded


def compute(made: Call, key: int | np.uint64, first: int, width: int, device: Device | None = None) -> None:
    """Fill the outputs of a call, on this process's card by default; ``width`` is that of a network."""
    device = device or _device()
    count = len(made.outputs[0])
    crew = fitting(made.kernel, width, count, device.processors)
    chosen = instance(made, crew)
    each = sum(output.nbytes for output in made.outputs) / max(count, 1) + 4 * chosen.state
    held = sum(constant.nbytes for constant in made.constants if isinstance(constant, np.ndarray))
    chunk = int(max(1, min(count, (_SHARE * device.free() - held) // max(each, 1))))
    start = 0
    while start < count:
        rows = slice(start, min(start + chunk, count))
        outputs = [output[rows] for output in made.outputs]
        try:
            device.run(chosen, crew, [key, first + start, *made.constants, *outputs])
        except DeviceMemoryError:
            if chunk == 1:
                message = f"no room for one sample of {chosen.name} on the card"
                raise DeviceError(message, "free some of its memory") from None
            chunk //= 2
            continue
        start = rows.stop


def description() -> dict[str, str]:
    """The card of this process, its driver, and what kernels are compiled with."""
    return _device().description


def _device() -> Device:
    from deeplimits.engines.cupy_device import device

    return device()
