"""What the metadata of an array may say: sizes are looked at before anything is made of them. A digest tells
damage; a file that a stranger has made may have one that matches.
"""

from __future__ import annotations

import json
import math
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

CANNOT_BE_READ = (
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    ArithmeticError,
    RuntimeError,
    MemoryError,
    EOFError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)
"""What readers raise of a file that is none of ours; not what the operating system says."""
LARGEST_CHUNK = 1 << 28
"""Bytes of a chunk; those that are written have 2²³, or one record of a block."""
_LARGEST_METADATA = 1 << 20
_DEEPEST = 8
"""Dimensions."""
_SIZES = {"bool": 1, "string": 16} | {
    f"{kind}{8 * size}": size for kind in ("int", "uint") for size in (1, 2, 4, 8)
}
_SIZES |= {"float32": 4, "float64": 8}
"""Bytes of a value."""
_CODECS = {"bytes", "blosc", "crc32c", "vlen-utf8", "zstd"}


class Layout(NamedTuple):
    """Shape of an array and of its chunks, its type and its dimensions."""

    shape: tuple[int, ...]
    chunks: tuple[int, ...]
    dtype: str
    dimensions: tuple[str, ...]

    @property
    def pieces(self) -> int:
        """Number of chunks."""
        return math.prod(-(-size // chunk) for size, chunk in zip(self.shape, self.chunks, strict=True))


def read_entry(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    """A file of an archive, which has no more than ``most`` bytes.

    Raises
    ------
    ValueError
        If it has more.
    KeyError
        If it is not there.
    """
    entry = archive.getinfo(name)
    if entry.file_size > most:
        raise ValueError(f"{name} has {entry.file_size:,} bytes, where {most:,} would be many")
    return archive.read(entry)


def read_metadata(archive: zipfile.ZipFile, name: str) -> dict[str, Any]:
    """The zarr.json of a node.

    Raises
    ------
    ValueError
        If it is none.
    """
    return _metadata_of(_said(archive, name), name)


def read_layout(archive: zipfile.ZipFile, name: str) -> Layout:
    """What the zarr.json of an array says; raises as ``read_metadata`` and ``layout_of`` do."""
    return _layout(_said(archive, name))


def _said(archive: zipfile.ZipFile, name: str) -> bytes:
    return read_entry(archive, f"{name}/zarr.json" if name else "zarr.json", _LARGEST_METADATA)


@lru_cache(maxsize=64)
def _layout(said: bytes) -> Layout:
    """The many blocks of a container say the same."""
    return layout_of(_metadata_of(said, ""))


def _metadata_of(said: bytes, name: str) -> dict[str, Any]:
    found = json.loads(said)
    if not isinstance(found, dict) or not isinstance(found.get("attributes"), dict):
        raise ValueError(f"{name or 'root'}: no metadata")
    return found


def layout_of(metadata: dict[str, Any]) -> Layout:
    """What the metadata of an array say.

    Raises
    ------
    ValueError
        If that is nothing that this package writes.
    """
    grid = metadata.get("chunk_grid")
    said = grid.get("configuration") if isinstance(grid, dict) else None
    shape = _sizes(metadata.get("shape"), 0)
    chunks = _sizes(said.get("chunk_shape") if isinstance(said, dict) else None, 1)
    if len(shape) != len(chunks) or len(shape) > _DEEPEST:
        raise ValueError(f"{len(shape)} dimensions in chunks of {len(chunks)}")
    dtype = metadata.get("data_type")
    if not isinstance(dtype, str) or dtype not in _SIZES:
        raise ValueError(f"no type of an array: {str(dtype)[:40]}")
    if math.prod(chunks) * _SIZES[dtype] > LARGEST_CHUNK:
        raise ValueError(f"chunks of {math.prod(chunks):,} values, of {LARGEST_CHUNK:,} bytes at most")
    dimensions = metadata.get("dimension_names")
    names = tuple(map(str, dimensions)) if isinstance(dimensions, list) else ()
    if len(names) != len(shape):
        raise ValueError(f"{len(names)} names of {len(shape)} dimensions")
    codecs = metadata.get("codecs")
    known = [isinstance(each, dict) and each.get("name") in _CODECS for each in codecs or [None]]
    if not all(known):
        raise ValueError("codecs that are not known")
    return Layout(shape, chunks, dtype, names)


def _sizes(found: Any, least: int) -> tuple[int, ...]:
    if not isinstance(found, list) or not all(type(size) is int and size >= least for size in found):
        raise ValueError(f"no shape: {str(found)[:60]}")
    return tuple(found)


def check_group(archive: zipfile.ZipFile, group: str) -> None:
    """Refuse arrays of a group that no reader should open: too large for what there is of them, or not all
    there.

    Raises
    ------
    ValueError
        If there is one.
    """
    chunks = Counter(_of_chunks(archive, group))
    names = [name.split("/")[1] for name in archive.namelist() if _is_array(name, group)]
    sizes: dict[str, int] = {}
    for name in names:
        layout = layout_of(read_metadata(archive, f"{group}/{name}"))
        if chunks[name] != layout.pieces:
            raise ValueError(f"{group}/{name} has {chunks[name]:,} chunks, not {layout.pieces:,}")
        for dimension, size in zip(layout.dimensions, layout.shape, strict=True):
            if sizes.setdefault(dimension, size) != size:
                raise ValueError(
                    f"{group}/{name} has {size:,} along {dimension}, others {sizes[dimension]:,}"
                )


def _is_array(name: str, group: str) -> bool:
    return name.startswith(f"{group}/") and name.count("/") == 2 and name.endswith("/zarr.json")


def _of_chunks(archive: zipfile.ZipFile, group: str) -> Iterator[str]:
    """The array of each chunk of a group. Chunks are compressed by themselves, and not again."""
    for entry in archive.infolist():
        parts = entry.filename.split("/")
        if parts[0] == group and len(parts) > 2 and parts[2] == "c":
            if entry.compress_type != zipfile.ZIP_STORED:
                raise ValueError(f"{entry.filename} is compressed twice")
            yield parts[1]
