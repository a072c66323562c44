"""The catalogue: which blocks the store holds, read from receipts alone, without opening a container."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from deeplimits.engines import SAMPLER_VERSION
from deeplimits.store.commands import snakemake_command
from deeplimits.store.errors import StoreError
from deeplimits.store.paths import batches_folder, container_path, file_names
from deeplimits.store.receipts import Receipt, UnusableReceipt, read_receipt
from deeplimits.sweep.blocks import Block, blocks_of, is_stored, shape_of
from deeplimits.sweep.points import Point
from deeplimits.variables import STORED


@dataclass(frozen=True)
class BlockLocation:
    """Where a block lies."""

    container: Path
    group: str
    block: Block

    def read(self, variable: str, records: slice | list[int] | None = None) -> NDArray[Any]:
        """One variable of the block, checked; see ``zarr_zip.read_array``.

        Parameters
        ----------
        variable
            Its name, a key of ``variables.CONTAINER``.
        records
            Places among the recorded layers; all by default.

        Returns
        -------
        [sample, record, …].
        """
        from deeplimits.store.zarr_zip import read_array

        # what a block of this description holds, whatever the file says
        point = self.block.point
        known = variable in STORED and is_stored(point, variable)
        shape = (self.block.count, *shape_of(point, variable)) if known else None
        return read_array(self.container, self.group, variable, records, shape)


@dataclass(frozen=True)
class Catalogue:
    """The store under ``results``, as its receipts tell; read once."""

    results: Path
    unusable: dict[Path, str] = field(default_factory=dict)
    """Receipts that are passed over: damaged, or their container is missing or of another size; and why."""

    @cached_property
    def receipts(self) -> tuple[Receipt, ...]:
        """Every usable receipt, sorted by name.

        Raises
        ------
        LaterFormat
            If a later version wrote one.
        OSError
            If the folder or a file cannot be read, which is not the same as being empty.
        """
        found, folder = [], batches_folder(self.results)
        for name in file_names(folder):
            if name.endswith(".todo.json") or not name.endswith(".json"):
                continue
            try:
                receipt = read_receipt(folder / name)
            except UnusableReceipt as error:
                self.unusable[folder / name] = str(error)
                continue
            except FileNotFoundError:
                continue  # a job began again meanwhile
            if receipt.sampler_version == SAMPLER_VERSION:
                found.append(receipt)
        return tuple(found)

    def passed_over(self) -> str:
        """A sentence about the receipts that are passed over; empty where there are none.

        Returns
        -------
        A sentence, or an empty text.
        """
        reasons = list(self.unusable.values()) if self.receipts or self.unusable else []
        if not reasons:
            return ""
        more = f" (and {len(reasons) - 1:,} more like it)" if len(reasons) > 1 else ""
        return f"{reasons[0]}{more}; `deeplimits repair`, or the next run of the workflow, mends it"

    @cached_property
    def held(self) -> dict[str, str]:
        """Batch of every block held, by the block's name."""
        found: dict[str, str] = {}
        for receipt in reversed(self.receipts):
            found.update(dict.fromkeys(receipt.names, receipt.batch))
        return found

    def locate(self, block: Block) -> BlockLocation | None:
        """Where ``block`` lies, or None where the store does not hold it.

        Parameters
        ----------
        block
            Samples of a point, by identity.

        Returns
        -------
        Container and place in it, or None.
        """
        batch = self.held.get(block.id)
        if batch is None:
            return None
        return BlockLocation(container_path(self.results, batch), block.id, block)

    def locations(self, point: Point, samples: int, study: str) -> Iterator[tuple[BlockLocation, int]]:
        """The blocks with the first samples of a point, and how many samples to take of each.

        Parameters
        ----------
        point
            The point.
        samples
            How many samples are wanted.
        study
            Whose point it is, for the message.

        Returns
        -------
        (place of a block, samples to take of it), in order.

        Raises
        ------
        StoreError
            If a block is missing.
        """
        for block in blocks_of(point, samples):
            location = self.locate(block)
            if location is None:
                network, damaged = point.network, self.passed_over()
                raise StoreError(
                    f"{self.results}: samples {block.first} to {block.first + block.count - 1} of width "
                    f"{network.widest}, depth {network.depth} are not there yet; "
                    + (damaged or f"`{snakemake_command(study)}` simulates what the study lacks")
                )
            yield location, min(block.count, samples - block.first)
