"""Families: the points of a study that differ in their inputs and their seed alone. What costs most of a plan
of 10⁵ points, their names, is worked out for a family at once.

All networks of a family have as many inputs, units and layers, so that their blocks have one size and one
price.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache

from deeplimits.networks.network import Gram, Network, canonical
from deeplimits.sweep.blocks import Block, block_name, block_size, recorded_text
from deeplimits.sweep.cost import seconds
from deeplimits.sweep.points import Point

_PLACE = "@"
"""What stands in the place of a value in the text of a family."""


@dataclass(frozen=True)
class Family:
    """Points that differ in their Gram matrix and their seed alone.

    Parameters
    ----------
    first
        The first of them.
    variants
        Gram matrix and seed of each, in order.
    """

    first: Point
    variants: tuple[tuple[Gram, int], ...]

    @cached_property
    def points(self) -> tuple[Point, ...]:
        """All of them, whose networks know their names."""
        one, found = self.first.network, []
        for (gram, seed), name in zip(self.variants, self.fingerprints, strict=True):
            network = Network(
                one.activation,
                one.width,
                one.depth,
                gram,
                seed,
                one.shaping,
                one.architecture,
                one.branch_exponent,
                one.start,
            )
            # what the network would work out when it is asked
            vars(network)["fingerprint"] = name
            found.append(Point(network, self.first.layers, self.first.gradients, self.first.output))
        return tuple(found)

    @cached_property
    def fingerprints(self) -> tuple[str, ...]:
        """``Network.fingerprint`` of each: of the canonical text of the first, with the Gram matrix and the
        seed of each in the place of its own.
        """
        form = self.first.network.canonical_form()
        # keys stand in the order of the alphabet, and an architecture may have some between these two
        before, rest = canonical(form | {"gram": _PLACE, "seed": _PLACE}).split(f'"gram":"{_PLACE}"')
        between, after = rest.split(f'"seed":"{_PLACE}"')
        starts = {
            gram: hashlib.sha256(f'{before}"gram":{_gram_text(gram)}{between}"seed":'.encode())
            for gram in dict.fromkeys(gram for gram, _ in self.variants)
        }
        ends = {seed: f"{seed}{after}".encode() for seed in dict.fromkeys(seed for _, seed in self.variants)}
        found = []
        for gram, seed in self.variants:
            digest = starts[gram].copy()
            digest.update(ends[seed])
            found.append(digest.hexdigest())
        return tuple(found)

    def block_names(self, samples: int) -> Iterator[tuple[str, ...]]:
        """For each point, the names of the blocks that hold its first ``samples`` samples."""
        recorded = [recorded_text(self.first, index) for index in range(self.blocks(samples))]
        for form in self.fingerprints:
            yield tuple([block_name(form, each) for each in recorded])

    def blocks(self, samples: int) -> int:
        """How many blocks hold the first ``samples`` samples of a point."""
        return -(-samples // block_size(self.first.network))

    @cached_property
    def seconds_per_block(self) -> float:
        """Core-seconds of a block."""
        return seconds(Block(self.first, 0))

    @cached_property
    def bytes_per_block(self) -> int:
        """Bytes of the arrays of a block, before compression."""
        return Block(self.first, 0).bytes


@lru_cache(maxsize=1024)
def _gram_text(gram: Gram) -> str:
    # zero is written without a sign, as the canonical form has it
    return canonical([[value + 0.0 for value in row] for row in gram])
