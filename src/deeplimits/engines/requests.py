"""What is asked of an engine, and the tasks that answer it.

The CPU engine takes requests one by one. On a graphics card small ones leave most of it idle, so as many as
their results fit into a little memory are computed at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from deeplimits.engines.calls import Task
from deeplimits.engines.compile.native import compile_missing
from deeplimits.engines.contract.shape import MAX_INPUTS
from deeplimits.engines.forward import forward
from deeplimits.engines.readout.call import Recorded, with_output
from deeplimits.engines.run.dispatch import fill
from deeplimits.errors import InputError
from deeplimits.networks.network import Network
from deeplimits.variables import recorded as names_recorded

_WINDOW = 1 << 26
"""Bytes of results that wait for others, so that they share launches."""


@dataclass(frozen=True)
class Request:
    """Samples [first, first + count) of ``network``, recorded at ``layers``; see ``simulate_block``.

    Raises
    ------
    InputError
        If there are no such layers or samples, or too many inputs.
    """

    network: Network
    layers: tuple[int, ...]
    first: int
    count: int
    gradients: bool = False
    output: bool = False

    def __post_init__(self) -> None:
        layers, depth = list(self.layers), self.network.depth
        if not layers or sorted(set(layers)) != layers or layers[0] < 0 or layers[-1] > depth:
            raise InputError("layers", "", layers, f"ascending layers between 0 and the depth {depth}")
        if self.first < 0 or self.count < 0 or self.first + self.count > 1 << 56:
            found = (self.first, self.first + self.count)
            raise InputError("samples", "", found, "a range within [0, 2**56)")
        if self.network.inputs > MAX_INPUTS:
            raise InputError("inputs", "", self.network.inputs, f"at most {MAX_INPUTS} inputs")
        problem = self.network.kind.problem(self.network)
        if problem is not None:
            raise InputError("network", "", *problem)

    def tasks(self) -> list[Task]:
        """The forward pass, and the backward pass where gradients are asked for."""
        layers = self.layers
        if self.output and layers[-1] < self.network.depth:
            layers = (*layers, self.network.depth)
        tasks = [forward(self.network, layers, self.first, self.count)]
        if self.gradients:
            from deeplimits.engines.gradients.call import backward

            tasks.append(backward(self.network, self.layers, self.first, self.count))
        return tasks

    def recorded(self, tasks: list[Task], threads: int | None) -> Recorded:
        """What was asked for, when the tasks are done."""
        recorded = tasks[0].call.recorded
        if self.output:
            recorded = with_output(recorded, self.network, self.layers, self.first, threads)
        for task in tasks[1:]:
            recorded = recorded | task.call.recorded
        wanted = names_recorded(self.network, gradients=self.gradients, output=self.output)
        return {name: array for name, array in recorded.items() if name in wanted}


def compile_for(requests: Iterable[Request]) -> None:
    """Compile the kernels of the CPU engine that requests of several kinds need, where they are not kept:
    jobs that run side by side then share them out, where they would all compile the same one after the other.
    """
    kinds: dict[tuple[object, ...], Request] = {}
    for request in requests:
        network = request.network
        kind = (
            network.architecture,
            type(network.activation),
            network.inputs,
            request.gradients,
            request.output,
        )
        kinds.setdefault(kind, replace(request, count=1))
    if len(kinds) > 1:
        calls = [task.call for request in kinds.values() for task in request.tasks()]
        compile_missing(dict.fromkeys(call.kernel for call in calls if not call.explicit))


def simulate_requests(requests: Iterable[Request], engine: str, threads: int | None) -> Iterator[Recorded]:
    """What each request asks for, in order, by the engine ``cpu`` or ``cuda``."""
    waiting: list[tuple[Request, list[Task]]] = []
    held = 0
    for request in requests:
        tasks = request.tasks()
        waiting.append((request, tasks))
        held += sum(array.nbytes for task in tasks for array in task.call.recorded.values())
        if engine == "cpu" or held >= _WINDOW:
            yield from _finished(waiting, engine, threads)
            waiting, held = [], 0
    yield from _finished(waiting, engine, threads)


def _finished(
    waiting: list[tuple[Request, list[Task]]], engine: str, threads: int | None
) -> Iterator[Recorded]:
    fill([task for _, tasks in waiting for task in tasks], engine, threads)
    for request, tasks in waiting:
        yield request.recorded(tasks, threads)
