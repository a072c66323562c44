"""The file of a study store as Zarr reads it: errors of the operating system name the file."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from zarr.abc.store import ByteRequest
from zarr.core.buffer import Buffer, BufferPrototype
from zarr.storage import ZipStore

from deeplimits.store.errors import named


class StudyFile(ZipStore):
    """A study store that is read."""

    async def get(
        self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None
    ) -> Buffer | None:
        """The content of an entry."""
        with named(Path(self.path)):
            return await super().get(key, prototype, byte_range)

    async def get_partial_values(
        self, prototype: BufferPrototype, key_ranges: Iterable[tuple[str, ByteRequest | None]]
    ) -> list[Buffer | None]:
        """The content of parts of entries."""
        with named(Path(self.path)):
            return await super().get_partial_values(prototype, key_ranges)
