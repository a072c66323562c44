"""Blocks: samples [k·B, (k+1)·B) of a point, the unit of identity of results.

A block is named by physics, sampler version, recording and index; engine, threads, machine and packing leave
no trace in its name or its bits.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from deeplimits.engines import SAMPLER_VERSION
from deeplimits.networks.network import Network
from deeplimits.sweep.points import Point, network_from_physics

_LARGEST = 1 << 13
_NORMALS = 1 << 36


def block_size(network: Network) -> int:
    """B: a power of two from n · d · m alone, at most 2¹³, smaller only so that a block stays under 2³⁶
    normals. Fixed for ever.
    """
    size = _LARGEST
    while size > 1 and size * network.normals_per_sample >= _NORMALS:
        size //= 2
    return size


@dataclass(frozen=True)
class Block:
    """The ``index``-th block of a point."""

    point: Point
    index: int

    @cached_property
    def id(self) -> str:
        """Name of the block: 128 bits in hexadecimal."""
        layers = ",".join(map(str, self.point.layers))
        text = f"{self.point.network.physics_hash}/{SAMPLER_VERSION}/{layers}/{self.index}"
        return hashlib.sha256(text.encode()).hexdigest()[:32]

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
        """Standard normals that the block takes."""
        return self.count * self.point.network.normals_per_sample

    @property
    def bytes(self) -> int:
        """Bytes of its arrays before compression."""
        inputs = self.point.network.inputs
        recorded = len(self.point.layers) * (inputs + inputs * (inputs - 1) // 2)
        once = 0 if self.point.network.piecewise_linear else inputs
        return self.count * (4 * (recorded + once) + 8)

    def describe(self) -> dict[str, Any]:
        """What a job needs to compute the block."""
        return {
            "id": self.id,
            "index": self.index,
            "layers": list(self.point.layers),
            "physics": self.point.network.physics(),
        }


def block_from_description(description: dict[str, Any]) -> Block:
    """The block that ``describe`` described."""
    network = network_from_physics(description["physics"])
    return Block(Point(network, tuple(description["layers"])), description["index"])


def blocks_of(point: Point, samples: int) -> Iterator[Block]:
    """The whole blocks that hold the first ``samples`` samples of a point."""
    for index in range(-(-samples // block_size(point.network))):
        yield Block(point, index)
