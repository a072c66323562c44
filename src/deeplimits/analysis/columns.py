"""The samples of one point, as all of its reductions read them: block by block, each decoded once.

Blocks stay in memory within ``MEMORY``; those of a larger point are read again in each pass, so that no
number of samples needs more. A reduction sees blocks one after another, and adds up in their order.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from deeplimits.array_types import Array
from deeplimits.networks.network import Network
from deeplimits.observables import Observable, parse

Task = tuple[str, int, int]
"""(observable, record, layer)"""

MEMORY = 1 << 28
"""Bytes of decoded variables that are kept of a point between passes."""


class Location(Protocol):
    """Where a block lies, as ``store.catalogue.BlockLocation`` says it."""

    def read(self, variable: str) -> NDArray[Any]:
        """A variable of the block, samples first."""


class Reducer(Protocol):
    """What sees the blocks of a point one after another."""

    def add(self, block: Block) -> None:
        """Take in a block."""


Located = Sequence[tuple[Location, int]]
"""The blocks of a point in their order, and how many samples to take of each."""


class Block:
    """A block of samples of a network, of which each variable is read once."""

    def __init__(self, network: Network, location: Location, take: int) -> None:
        self._network, self._location, self._take = network, location, take
        self._arrays: dict[str, NDArray[Any]] = {}

    @property
    def nbytes(self) -> int:
        """Bytes that it holds."""
        return sum(array.nbytes for array in self._arrays.values())

    def variable(self, name: str) -> NDArray[Any]:
        """A stored variable, [column, record, sample], the columns being inputs or pairs of them; what is
        stored once for all layers has one record.
        """
        if name not in self._arrays:
            array = self._location.read(name)[: self._take]
            array = array[:, None] if array.ndim == 2 else array
            self._arrays[name] = np.ascontiguousarray(array.transpose(2, 1, 0))
        return self._arrays[name]

    def stored(self, name: str, record: int) -> NDArray[np.float32]:
        """What is stored for an observable at a record [sample], or its difference to the first record, or
        what is made of all of them; NaN where a network is dead at both.
        """
        found = parse(name)
        if found.record.all_layers:
            return found.stored(self._network, self._all_layers, self._all_layers)
        return found.stored(
            self._network,
            lambda variable, part: self._column(variable, part, record),
            lambda variable, part: self._column(variable, part, 0),
        )

    def _column(self, variable: str, part: Observable, record: int) -> NDArray[np.float32]:
        records = self._records(variable, part)
        return records[min(record, len(records) - 1)]

    def _all_layers(self, variable: str, part: Observable) -> NDArray[np.float32]:
        return self._records(variable, part).T

    def _records(self, variable: str, part: Observable) -> NDArray[np.float32]:
        """The column of some inputs [record, sample]."""
        held = self.variable(variable)
        size = len(held)
        inputs = size if len(part.inputs) == 1 else (1 + math.isqrt(1 + 8 * size)) // 2
        return held[part.column(inputs)]

    def alive(self, name: str, record: int) -> NDArray[np.float32]:
        """What is stored for an observable, of the living networks: not NaN (no direction) or −∞ (no
        variance).
        """
        stored = self.stored(name, record)
        return stored[np.isfinite(stored)]

    def values(self, name: str, record: int, layer: int) -> Array:
        """The observable of the living networks."""
        return parse(name).values(self.alive(name, record), layer)

    def observed(self, name: str, record: int, layer: int) -> Array:
        """The observable of every network, in their order; not finite where a network is dead."""
        with np.errstate(over="ignore"):
            return parse(name).values(self.stored(name, record), layer)


class Samples:
    """The blocks of a point, for several passes.

    Parameters
    ----------
    network
        What they are samples of.
    located
        Where they lie.
    memory
        Bytes that may be kept between passes.
    """

    def __init__(self, network: Network, located: Located, memory: int = MEMORY) -> None:
        self._network, self._located, self._memory = network, located, memory
        self._kept: dict[int, Block] = {}

    @property
    def count(self) -> int:
        """Number of samples."""
        return sum(take for _, take in self._located)

    @property
    def memory(self) -> int:
        """Bytes that may be kept between passes."""
        return self._memory

    def __iter__(self) -> Iterator[Block]:
        for index, (location, take) in enumerate(self._located):
            block = self._kept.pop(index, None) or Block(self._network, location, take)
            yield block
            if sum(other.nbytes for other in self._kept.values()) + block.nbytes <= self._memory:
                self._kept[index] = block
