"""Containers as Zarr v3 in one zip file, written once: groups of arrays with named dimensions, and equal
bytes for equal content.

Zip entries carry a fixed date and are not compressed again; chunks are compressed by Zstandard behind a bit
shuffle and closed by a CRC-32C, so that every flipped bit is found. Any reader of Zarr opens the file. It is
not written by Zarr, as study stores are, because simulation jobs are many and short: on one core this module
takes 0.07 s to import and 3 ms a block of four variables, Zarr 3.1 0.23 s and 12 ms.

Of the Zarr core specification, version 3, it implements, for writing and for reading what it wrote: group and
array metadata (zarr.json) with dimension_names, the core data types, the regular chunk grid, the chunk key
encoding ``default`` with the separator /, and the codecs bytes (little endian), blosc and crc32c, which have
specifications of their own.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import google_crc32c
import numpy as np
from numcodecs import blosc
from numpy.typing import NDArray

from deeplimits.store.atomic import written_aside
from deeplimits.store.digests import digest
from deeplimits.store.errors import StoreError
from deeplimits.store.layout import CANNOT_BE_READ, LARGEST_CHUNK, read_entry, read_layout

CHUNK_BYTES = 1 << 23
"""About the size of a chunk, before compression."""
_DATE = (1980, 1, 1, 0, 0, 0)
_LEVEL = 3
_GROUP: dict[str, Any] = {"attributes": {}, "zarr_format": 3, "node_type": "group"}

Variable = tuple[Sequence[str], NDArray[Any]]
"""The names of an array's dimensions, and the array."""


class CorruptContainer(StoreError):
    """A container that cannot be read back as it was written."""


@dataclass(frozen=True)
class Group:
    """Arrays with named dimensions, by name: what xarray calls a dataset."""

    arrays: Mapping[str, Variable]
    attributes: Mapping[str, Any] = field(default_factory=dict)


def write_groups(
    path: Path, groups: Iterable[tuple[str, Group]], chunks: Callable[[NDArray[Any]], tuple[int, ...]]
) -> str:
    """Write named groups and return the SHA-256 of the file.

    An empty name is the root. Groups are taken one by one: only one is held in memory. ``chunks`` gives the
    shape of the chunks of an array.
    """
    with written_aside(path) as aside:
        with zipfile.ZipFile(aside, "w", zipfile.ZIP_STORED) as archive:
            rooted = False
            for name, group in groups:
                for file, content in sorted(_files(name, group, chunks)):
                    if file == "zarr.json" and rooted:
                        continue
                    rooted = rooted or file == "zarr.json"
                    entry = zipfile.ZipInfo(file, _DATE)
                    entry.external_attr = 0o644 << 16
                    archive.writestr(entry, content)
        return digest(aside)


def _files(
    name: str, group: Group, chunks: Callable[[NDArray[Any]], tuple[int, ...]]
) -> Iterator[tuple[str, bytes]]:
    """The files of one group, and that of the root, by name."""
    prefix = f"{name}/" if name else ""
    if name:
        yield "zarr.json", _json(_GROUP)
    yield f"{prefix}zarr.json", _json(_GROUP | {"attributes": group.attributes})
    for variable, (dimensions, array) in group.arrays.items():
        contiguous = np.ascontiguousarray(array)
        shape = tuple(max(1, size) for size in chunks(contiguous))
        yield f"{prefix}{variable}/zarr.json", _json(_metadata(dimensions, contiguous, shape))
        for index in np.ndindex(*(-(-size // chunk) for size, chunk in zip(array.shape, shape, strict=True))):
            chunk = np.zeros(shape, array.dtype)
            part = contiguous[tuple(slice(i * n, (i + 1) * n) for i, n in zip(index, shape, strict=True))]
            chunk[tuple(map(slice, part.shape))] = part
            yield f"{prefix}{variable}/c/{'/'.join(map(str, index))}", _compressed(chunk)


def _metadata(dimensions: Sequence[str], array: NDArray[Any], chunks: tuple[int, ...]) -> dict[str, Any]:
    blosc = {"cname": "zstd", "clevel": _LEVEL, "shuffle": "bitshuffle", "blocksize": 0}
    return {
        "attributes": {},
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": chunks}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "codecs": [
            {"name": "bytes", "configuration": {"endian": "little"}},
            {"name": "blosc", "configuration": blosc | {"typesize": array.itemsize}},
            {"name": "crc32c"},
        ],
        "data_type": array.dtype.name,
        "dimension_names": list(dimensions),
        "fill_value": 0,
        "node_type": "array",
        "shape": array.shape,
        "zarr_format": 3,
    }


def _compressed(chunk: NDArray[Any]) -> bytes:
    # one thread: several put the parts of a chunk in the order in which they get done
    blosc.use_threads = False
    stored = chunk.astype(chunk.dtype.newbyteorder("<"))
    packed = bytes(blosc.compress(stored, b"zstd", _LEVEL, blosc.BITSHUFFLE, 0))
    return packed + google_crc32c.value(packed).to_bytes(4, "little")


def _json(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()


@lru_cache(maxsize=8)
def _open(path: Path, *_of: int) -> zipfile.ZipFile:
    return zipfile.ZipFile(path)


@contextmanager
def _reraised_as_corrupt(path: object, what: str) -> Iterator[None]:
    """What goes wrong in reading, told of the file."""
    try:
        yield
    except (OSError, *CANNOT_BE_READ) as error:
        raise CorruptContainer(
            f"{path}: {what} cannot be read: {str(error) or type(error).__name__}"
        ) from error


@contextmanager
def _opened(path: Path, what: str) -> Iterator[zipfile.ZipFile]:
    """The file as an archive, kept open, since opening costs more than reading."""
    with _reraised_as_corrupt(path, what):
        status = path.stat()
        yield _open(path, status.st_size, status.st_mtime_ns, status.st_ino)


def read_array(
    path: Path,
    group: str,
    variable: str,
    records: slice | Sequence[int] | None = None,
    shape: tuple[int, ...] | None = None,
) -> NDArray[Any]:
    """One array of a group, checked; ``records`` selects along its record dimension, and ``shape`` is what
    the whole array must have.

    Raises
    ------
    CorruptContainer
        If the file is not whole or a checksum does not match.
    """
    with _opened(path, f"{group or 'root'}/{variable}") as archive:
        return _decoded(archive, f"{group}/{variable}" if group else variable, records, shape)


def _decoded(
    archive: zipfile.ZipFile,
    name: str,
    records: slice | Sequence[int] | None,
    wanted_shape: tuple[int, ...] | None,
) -> NDArray[Any]:
    """An array, or its ``records``, from the chunks that hold them."""
    shape, sizes, said, dimensions = layout = read_layout(archive, name)
    if wanted_shape is not None and shape != wanted_shape:
        raise ValueError(f"its shape is {shape}, not {wanted_shape}")
    if layout.pieces > len(archive.infolist()):
        raise ValueError(f"{layout.pieces:,} chunks, of which not all are there")
    dtype = np.dtype(said).newbyteorder("<")
    # indices of the chunks to read along each dimension, and what to take of them, side by side
    indices = [list(range(-(-size // chunk))) for size, chunk in zip(shape, sizes, strict=True)]
    chosen: list[Any] = [slice(size) for size in shape]
    if records is not None:
        axis = dimensions.index("record")
        wanted, size = np.arange(shape[axis])[records], sizes[axis]
        indices[axis], place = (each.tolist() for each in np.unique(wanted // size, return_inverse=True))
        chosen[axis] = np.array(place) * size + wanted % size
    padded = np.empty([len(each) * size for each, size in zip(indices, sizes, strict=True)], dtype)
    for place in np.ndindex(*map(len, indices)):
        index = [each[i] for each, i in zip(indices, place, strict=True)]
        content = read_entry(archive, f"{name}/c/{'/'.join(map(str, index))}", LARGEST_CHUNK)
        packed, stored = content[:-4], int.from_bytes(content[-4:], "little")
        found = google_crc32c.value(packed)
        if found != stored:
            raise ValueError(f"the CRC-32C of chunk {index} is {found:08x}, stored is {stored:08x}")
        chunk = np.empty(sizes, dtype)
        blosc.decompress(packed, chunk)
        padded[tuple(slice(i * n, (i + 1) * n) for i, n in zip(place, sizes, strict=True))] = chunk
    return padded[tuple(chosen)].astype(dtype.newbyteorder("="), copy=False)
