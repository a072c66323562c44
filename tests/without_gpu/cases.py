"""Networks for every kernel: tiles, death, explosion, near inputs, scales far from 1 and uneven widths all occur."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from deeplimits.activations import ReluLike, Smooth
from deeplimits.engines.calls import Call, call
from deeplimits.engines.crews import Crew, instance
from deeplimits.engines.cuda_source import Instance
from deeplimits.networks.network import Network, Shaping

SHAPED = Shaping("width", 0.5)
LEAKY = ReluLike(0.5, -1.0)
SOFTPLUS = Smooth.of("softplus", 0.4, -0.5)


@dataclass(frozen=True)
class Case:
    """Samples of a network."""

    network: Network
    layers: tuple[int, ...]
    first: int
    count: int

    def call(self) -> Call:
        return call(self.network, self.layers, self.count)

    def arguments(self, call: Call) -> list[Any]:
        """Of the kernel, key and first sample included."""
        return [self.network.key, self.first, *call.constants, *call.outputs]


def gram(inputs: int) -> tuple[tuple[float, ...], ...]:
    return tuple(
        tuple(1.0 + 0.1 * a if a == b else 0.2 + 0.05 * min(a, b) for b in range(inputs))
        for a in range(inputs)
    )


def networks(smooth: bool, inputs: int) -> Iterator[Case]:
    """The cases of one kernel."""
    network = Network(SOFTPLUS if smooth else LEAKY, 37, 5, gram(inputs), shaping=SHAPED)
    yield Case(network, (0, 2, 5), 3, 11)
    yield Case(replace(network, width=1), (1, 5), (1 << 40) + 1, 3)
    yield Case(replace(network, width=2100, depth=3), (3,), 0, 2)
    scaled = tuple(tuple(value * 1e-60 for value in row) for row in network.gram)
    yield Case(replace(network, gram=scaled, width=64), (5,), 0, 9)
    if smooth:
        yield Case(
            replace(network, gram=tuple(tuple(900.0 * v for v in row) for row in network.gram)), (0, 5), 0, 9
        )
    else:
        yield Case(
            replace(network, activation=ReluLike(0.0, -1.0), shaping=None, width=2, depth=8), (3, 8), 0, 40
        )
    yield Case(replace(network, width=1100, depth=4, layer_widths=(1100, 3, 40, 17)), (0, 1, 2, 4), 0, 3)
    if inputs > 1:
        near = tuple(
            tuple(1.0 if a == b else 1.0 - 1e-9 * (a + b) for b in range(inputs)) for a in range(inputs)
        )
        yield Case(replace(network, gram=near), (1, 5), 0, 9)


def instances(case: Case, crews: tuple[Crew, ...]) -> dict[Crew, Instance]:
    return {crew: instance(case.call(), crew) for crew in crews}
