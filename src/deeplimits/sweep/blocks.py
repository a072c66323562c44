"""Blocks: samples [k·B, (k+1)·B) of a point, the unit of identity of results.

A block is named by the fingerprint of a network, sampler version, recording and index; engine, threads,
machine and packing leave no trace in its name or its bits.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from deeplimits.engines import SAMPLER_VERSION
from deeplimits.networks.network import Network
from deeplimits.sweep.points import Point, network_from_form
from deeplimits.variables import STORED

_LARGEST = 1 << 13
_NORMALS = 1 << 36


def block_size(network: Network) -> int:
    """B: a power of two from the normals of a sample alone, at most 2¹³, smaller only so that a block stays
    under 2³⁶ normals. Fixed for ever.
    """
    size = _LARGEST
    while size > 1 and size * network.normals_per_sample >= _NORMALS:
        size //= 2
    return size


def variables(point: Point) -> dict[str, tuple[tuple[int, ...], str]]:
    """What is stored of a sample of a point: the shape of each variable, without the sample, and its type."""
    return {
        name: (shape_of(point, name), variable.dtype)
        for name, variable in STORED.items()
        if is_stored(point, name)
    }


def shape_of(point: Point, name: str) -> tuple[int, ...]:
    """The shape that a variable has for a sample of a point, where it is stored."""
    inputs = point.network.inputs
    sizes = {"record": len(point.layers), "input": inputs, "cross": math.comb(inputs, 2)}
    return tuple(sizes[dimension] for dimension in STORED[name].dimensions[1:])


def is_stored(point: Point, name: str) -> bool:
    """Whether a variable is stored of the samples of a point."""
    variable = STORED[name]
    # what is asked for has the name of the field that asks
    asked = not variable.asked_by or bool(getattr(point, variable.asked_by))
    return asked and variable.of(point.network)


def block_name(fingerprint: str, recorded: str) -> str:
    """Name of a block of the network with this name, of which ``recorded`` says what is stored."""
    return hashlib.sha256(f"{fingerprint}{recorded}".encode()).hexdigest()[:32]


def recorded_text(point: Point, index: int) -> str:
    """What is stored in the ``index``-th block of a point, as the name of the block has it."""
    text = f"/{SAMPLER_VERSION}/{_layers(point.layers)}/{index}"
    # what is recorded besides: named where it is asked for, with what came to it later
    later = "/activation_gap" * is_stored(point, "activation_gap")
    return text + "/gradients" * point.gradients + later + "/output" * point.output


@lru_cache(maxsize=1024)
def _layers(layers: tuple[int, ...]) -> str:
    return ",".join(map(str, layers))


@dataclass(frozen=True)
class Block:
    """The ``index``-th block of a point."""

    point: Point
    index: int

    @cached_property
    def id(self) -> str:
        """Name of the block: 128 bits in hexadecimal."""
        return block_name(self.point.network.fingerprint, recorded_text(self.point, self.index))

    @property
    def count(self) -> int:
        """Samples in the block, B."""
        return block_size(self.point.network)

    @property
    def first(self) -> int:
        """Global index of its first sample."""
        return self.index * self.count

    @property
    def normals(self) -> int:
        """Standard normals that the block takes; gradients draw the forward pass twice more, and as many of
        their own.
        """
        passes = 4 if self.point.gradients else 1
        return self.count * self.point.network.normals_per_sample * passes

    @property
    def bytes(self) -> int:
        """Bytes of its arrays before compression."""
        values = sum(math.prod(shape) for shape, _ in variables(self.point).values())
        return self.count * (4 * values + 8)

    def describe(self) -> dict[str, Any]:
        """What a job needs to compute the block."""
        return {
            "id": self.id,
            "index": self.index,
            "layers": list(self.point.layers),
            "physics": self.point.network.canonical_form(),
            **({"gradients": True} if self.point.gradients else {}),
            **({"output": True} if self.point.output else {}),
        }


def block_from_description(description: dict[str, Any]) -> Block:
    """The block that ``describe`` described."""
    point = Point(
        network_from_form(description["physics"]),
        tuple(description["layers"]),
        description.get("gradients", False),
        description.get("output", False),
    )
    return Block(point, description["index"])


def block_again(description: dict[str, Any]) -> Block | None:
    """The same, if that is what would be drawn now; None where an architecture of another package is gone, or
    is not what it was.
    """
    try:
        block = block_from_description(description)
        return block if block.id == description["id"] else None
    except ValueError:
        return None


def blocks_of(point: Point, samples: int) -> Iterator[Block]:
    """The whole blocks that hold the first ``samples`` samples of a point."""
    for index in range(-(-samples // block_size(point.network))):
        yield Block(point, index)
