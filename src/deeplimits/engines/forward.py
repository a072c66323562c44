"""The forward pass of any network, by the kernels of its architecture."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

from numpy.typing import NDArray

from deeplimits.engines.calls import Task
from deeplimits.engines.run import cpu
from deeplimits.networks.network import Network


def forward(network: Network, layers: Sequence[int], first: int, count: int) -> Task:
    """The forward pass of samples [first, first + count) of ``network``, recorded at ``layers`` (ascending,
    0 = input).
    """
    kernels = import_module(network.kind.kernels)
    call = kernels.call(network, layers, count)
    return Task(call, network.key, first, network.widest, lambda: kernels.scratch(network))


def simulate(
    network: Network, layers: Sequence[int], first: int, count: int, threads: int | None = None
) -> dict[str, NDArray[Any]]:
    """What ``simulate_block`` records of a forward pass, by the CPU engine."""
    task = forward(network, layers, first, count)
    cpu.compute(task, threads)
    return task.call.recorded
