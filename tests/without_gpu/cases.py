"""Networks for every kernel: tiles, death, explosion, near inputs, scales far from 1 and uneven widths all occur."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from deeplimits.activations import OrnsteinUhlenbeck, ReluLike, Smooth
from deeplimits.engines.calls import Call
from deeplimits.engines.cuda.source import Instance
from deeplimits.engines.cuda.thread_groups import ThreadGroup, instance
from deeplimits.engines.forward import forward
from deeplimits.networks.network import Network, Shaping

Gram = tuple[tuple[float, ...], ...]

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
        return forward(self.network, self.layers, self.first, self.count).call

    def arguments(self, call: Call) -> list[Any]:
        """Of the kernel, key and first sample included."""
        return [self.network.key, self.first, *call.constants, *call.outputs]


def gram(inputs: int) -> Gram:
    return tuple(
        tuple(1.0 + 0.1 * a if a == b else 0.2 + 0.05 * min(a, b) for b in range(inputs))
        for a in range(inputs)
    )


FAMILIES = (
    "slopes",
    "smooth",
    "residual slopes",
    "residual smooth",
    "residual exotic",
    "layer norm",
    "pre-norm",
)
"""Of kernels, each with one for every number of inputs."""


def networks(family: str, inputs: int) -> Iterator[Case]:
    """The cases of one kernel."""
    if family == "layer norm":
        return _layer_norm(inputs)
    if family == "pre-norm":
        return _pre_norm(inputs)
    return _residual(family, inputs) if family.startswith("residual") else _perceptrons(family, inputs)


def _layer_norm(inputs: int) -> Iterator[Case]:
    network = Network(LEAKY, 37, 5, gram(inputs), shaping=SHAPED, architecture="layer_norm_mlp")
    yield Case(network, (0, 2, 5), 3, 11)
    yield Case(replace(network, width=4), (1, 5), (1 << 40) + 1, 3)
    yield Case(replace(network, width=2100, depth=3), (3,), 0, 2)
    yield Case(replace(network, width=(1100, 4, 40, 17), depth=4), (0, 1, 2, 4), 0, 3)
    dying = replace(network, activation=ReluLike(0.0, -1.0), shaping=None, width=4, depth=20)
    yield Case(dying, (3, 20), 0, 40)
    if inputs > 1:
        yield Case(replace(network, gram=near(inputs)), (1, 5), 0, 9)


def _pre_norm(inputs: int) -> Iterator[Case]:
    network = Network(ReluLike(0.0, -0.9), 37, 9, gram(inputs), architecture="pre_norm_resnet")
    yield Case(network, (0, 2, 9), 3, 11)
    yield Case(replace(network, width=1100, depth=3), (0, 3), (1 << 40) + 1, 2)
    yield Case(replace(network, width=1, depth=8), (3, 8), 0, 9)
    # the states grow by powers of two that are taken out: of small inputs before others
    uneven = tuple(
        tuple(v * 2.0 ** (4 * (a + b) - 38) for b, v in enumerate(row)) for a, row in enumerate(gram(inputs))
    )
    yield Case(replace(network, gram=uneven, width=5, depth=40), (0, 8, 9, 40), 0, 2)
    if inputs > 1:
        yield Case(replace(network, gram=near(inputs)), (1, 5), 0, 9)


def _perceptrons(family: str, inputs: int) -> Iterator[Case]:
    network = Network(SOFTPLUS if family == "smooth" else LEAKY, 37, 5, gram(inputs), shaping=SHAPED)
    yield Case(network, (0, 2, 5), 3, 11)
    yield Case(replace(network, width=1), (1, 5), (1 << 40) + 1, 3)
    yield Case(replace(network, width=2100, depth=3), (3,), 0, 2)
    yield Case(replace(network, gram=times(1e-60, network.gram), width=64), (5,), 0, 9)
    yield Case(replace(network, width=(1100, 3, 40, 17), depth=4), (0, 1, 2, 4), 0, 3)
    if family == "smooth":
        yield Case(replace(network, gram=times(900.0, network.gram)), (0, 5), 0, 9)
    else:
        dying = replace(network, activation=ReluLike(0.0, -1.0), shaping=None, width=2, depth=8)
        yield Case(dying, (3, 8), 0, 40)
    if inputs > 1:
        yield Case(replace(network, gram=near(inputs)), (1, 5), 0, 9)


def _residual(family: str, inputs: int) -> Iterator[Case]:
    activation = {"slopes": ReluLike(), "smooth": SOFTPLUS, "exotic": OrnsteinUhlenbeck(0.5, 0.25)}[
        family.split()[1]
    ]
    network = Network(activation, 37, 9, gram(inputs), architecture="resnet", branch_exponent=0.5)
    yield Case(network, (0, 2, 9), 3, 11)
    yield Case(replace(network, width=1100, depth=3), (0, 3), (1 << 40) + 1, 2)
    yield Case(replace(network, width=2, depth=8), (3, 8), 0, 9)
    if family != "residual exotic":
        # the states grow by powers of two that are taken out: of some inputs before others
        uneven = tuple(
            tuple(v * 2.0 ** (9 * (a + b)) for b, v in enumerate(row)) for a, row in enumerate(gram(inputs))
        )
        yield Case(replace(network, gram=uneven, width=5, depth=150, branch_exponent=0.0), (0, 90, 150), 0, 2)
    if inputs == 1:
        yield Case(replace(network, gram=((1.0,),), start=-1.5), (0, 1, 9), 0, 5)
    else:
        yield Case(replace(network, gram=near(inputs)), (1, 5), 0, 9)


def times(factor: float, rows: Gram) -> Gram:
    return tuple(tuple(factor * value for value in row) for row in rows)


def near(inputs: int) -> Gram:
    """Inputs almost parallel."""
    return tuple(tuple(1.0 if a == b else 1.0 - 1e-9 * (a + b) for b in range(inputs)) for a in range(inputs))


def instances(case: Case, thread_groups: tuple[ThreadGroup, ...]) -> dict[ThreadGroup, Instance]:
    return {group: instance(case.call(), group) for group in thread_groups}
