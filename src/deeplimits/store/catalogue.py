"""The catalogue: which blocks the store holds, read from receipts alone, without opening a container."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from deeplimits.engines import SAMPLER_VERSION
from deeplimits.store.errors import StoreError
from deeplimits.store.paths import batches_folder, container_path
from deeplimits.store.receipts import Receipt, read_receipt
from deeplimits.sweep.blocks import Block, blocks_of
from deeplimits.sweep.points import Point


@dataclass(frozen=True)
class BlockLocation:
    """Where a block lies."""

    container: Path
    group: str

    def read(self, variable: str, records: slice | list[int] | None = None) -> NDArray[Any]:
        """One variable of the block, checked; see ``zarr_zip.read_array``."""
        from deeplimits.store.zarr_zip import read_array

        return read_array(self.container, self.group, variable, records)


@dataclass(frozen=True)
class Catalogue:
    """The store under ``results``, as its receipts tell; read once."""

    results: Path
    unusable: list[Path] = field(default_factory=list)
    """Receipts that were passed over: unreadable, or their container is missing or of another size."""

    @cached_property
    def receipts(self) -> tuple[Receipt, ...]:
        """Every usable receipt, sorted by name."""
        found = []
        for path in sorted(batches_folder(self.results).glob("*.json")):
            if path.name.endswith(".todo.json") or path.name.startswith("."):
                continue
            receipt = read_receipt(path)
            if receipt is None:
                self.unusable.append(path)
            elif receipt.sampler_version == SAMPLER_VERSION:
                found.append(receipt)
        return tuple(found)

    @cached_property
    def held(self) -> dict[str, str]:
        """Batch of every block held, by the block's name."""
        found: dict[str, str] = {}
        for receipt in reversed(self.receipts):
            found.update(dict.fromkeys(receipt.names, receipt.batch))
        return found

    def locate(self, block: Block) -> BlockLocation | None:
        """Where ``block`` lies, or None where the store does not hold it."""
        batch = self.held.get(block.id)
        if batch is None:
            return None
        return BlockLocation(container_path(self.results, batch), block.id)

    def locations(self, point: Point, samples: int) -> Iterator[tuple[BlockLocation, int]]:
        """The blocks with the first ``samples`` samples of ``point``, and how many samples to take of each.

        Raises
        ------
        StoreError
            If a block is missing.
        """
        for block in blocks_of(point, samples):
            location = self.locate(block)
            if location is None:
                network = point.network
                raise StoreError(
                    f"{self.results}: samples {block.first} to {block.first + block.count - 1} of width "
                    f"{network.widest}, depth {network.depth} are not there yet; "
                    "`snakemake --cores all STUDY` simulates what a study lacks"
                )
            yield location, min(block.count, samples - block.first)
