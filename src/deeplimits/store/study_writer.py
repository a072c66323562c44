"""Study stores, written by Zarr: datasets into one zip file, part by part along the points, with equal bytes
for equal data.

Zarr writes into memory; what it has written of a part goes into the file, in the order of the names and with
a fixed date, before the next part is made. So a store of any number of points takes the memory of one part.
Whole numbers and reals are compressed by Blosc (Zstandard behind a bit shuffle), texts are of the data type
``string``, and every chunk is closed by a CRC-32C. ``coordinates`` of a group names its coordinates, as the
CF conventions and xarray have it.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deeplimits import __version__
from deeplimits.store.atomic import write_text, written_aside
from deeplimits.store.digests import digest, write_digests
from deeplimits.store.paths import study_digest, study_receipt, study_store
from deeplimits.store.studies import study_receipt_text
from deeplimits.sweep.description import described
from deeplimits.sweep.study import Study

if TYPE_CHECKING:
    import xarray as xr
    import zarr

_DATE = (1980, 1, 1, 0, 0, 0)
_ALONG = "point"


def write_study(
    study: Study, results: Path, parts: Iterable[Mapping[str, xr.Dataset]], points: int | None = None
) -> Path:
    """Write the store of a study, then its digest and its receipt, which is returned; the old receipt goes
    first.

    Parameters
    ----------
    parts
        Datasets by group. Arrays along ``point`` are continued from part to part, all parts but the last
        having as many points as the first; the others stand in one part alone, or are equal in all.
    points
        How many there are in all parts together; those of the study by default.

    Raises
    ------
    StoreError
        If it cannot be written.
    """
    receipt, store = study_receipt(results, study.name), study_store(results, study.name)
    receipt.unlink(missing_ok=True)
    attributes = {
        "study": study.name,
        "title": study.title,
        "samples": study.samples,
        "points": len(study.points),
        "deeplimits": __version__,
        "made_from": described(study),
    }
    with written_aside(store) as aside:
        with zipfile.ZipFile(aside, "w", zipfile.ZIP_STORED) as archive:
            writer = _Writer(archive, attributes, len(study.points) if points is None else points)
            for part in parts:
                writer.add(part)
            writer.close()
        found = digest(aside)
    write_digests(study_digest(results, study.name), {store.name: found})
    write_text(receipt, study_receipt_text(attributes, found))
    return receipt


class _Writer:
    """Groups of arrays on their way into a zip file.

    Parameters
    ----------
    attributes
        Of the root.
    points
        The length of ``point``.
    """

    def __init__(self, archive: zipfile.ZipFile, attributes: Mapping[str, Any], points: int) -> None:
        import zarr
        from zarr.storage import MemoryStore

        self._archive, self._points, self._filled, self._size = archive, points, 0, 0
        self._entries: dict[str, Any] = {}
        self._root = zarr.create_group(MemoryStore(self._entries), attributes=dict(attributes))
        self._arrays: dict[str, zarr.Array[Any]] = {}

    def add(self, part: Mapping[str, xr.Dataset]) -> None:
        """Write a part."""
        sizes = {dataset.sizes[_ALONG] for dataset in part.values() if _ALONG in dataset.dims}
        size = sizes.pop() if sizes else 0
        assert not sizes, "groups of a part have the same points"
        self._size = self._size or size
        shared: dict[str, tuple[str, xr.Variable]] = {}
        for group, dataset in part.items():
            if f"{group}/zarr.json" not in self._entries:
                named = [str(name) for name in dataset.coords if dataset[name].dims != (name,)]
                said = dict(dataset.attrs) | ({"coordinates": " ".join(named)} if named else {})
                self._root.create_group(group, attributes=said)
            for name, variable in dataset.variables.items():
                path = f"{group}/{name}"
                held = shared.get(str(name))
                if held is not None and held[1].identical(variable):  # type: ignore[no-untyped-call]
                    self._copy(held[0], path)
                else:
                    self._write(path, variable, size)
                    if name in dataset.coords:
                        shared[str(name)] = (path, variable)
        self._filled += size
        self._flush("/c/")

    def close(self) -> None:
        """Write what belongs to all parts."""
        assert self._filled in (0, self._points), "all points are written"
        self._flush("")

    def _write(self, path: str, variable: xr.Variable, size: int) -> None:
        along = variable.dims[:1] == (_ALONG,)
        if f"{path}/zarr.json" not in self._entries:
            self._arrays[path] = self._created(path, variable, along)
        elif not along:
            return
        where = slice(self._filled, self._filled + size) if along else slice(None)
        values = variable.to_numpy()
        if values.size:
            self._arrays[path][where] = values.astype(np.dtypes.StringDType()) if _is_text(values) else values

    def _created(self, path: str, variable: xr.Variable, along: bool) -> zarr.Array[Any]:
        from zarr.codecs import BloscCodec, Crc32cCodec, ZstdCodec

        shape = (self._points, *variable.shape[1:]) if along else variable.shape
        chunks = (self._size, *variable.shape[1:]) if along else variable.shape
        text, fill = _is_text(variable), variable.encoding.get("_FillValue")
        blosc = BloscCodec(cname="zstd", clevel=3, shuffle="bitshuffle")
        return self._root.create_array(
            path,
            shape=shape,
            dtype="string" if text else variable.dtype,
            chunks=tuple(max(1, length) for length in chunks),
            compressors=[ZstdCodec(level=3) if text else blosc, Crc32cCodec()],
            fill_value="" if text else np.nan if variable.dtype.kind == "f" else 0 if fill is None else fill,
            attributes=dict(variable.attrs) | ({} if fill is None else {"_FillValue": fill}),
            dimension_names=[str(name) for name in variable.dims],
            # a chunk that is not there is a lost one
            config={"write_empty_chunks": True},
        )

    def _copy(self, source: str, path: str) -> None:
        """Write the same array under another name: encoding costs more."""
        for name in [name for name in self._entries if name.startswith(f"{source}/")]:
            self._entries[path + name.removeprefix(source)] = self._entries[name]

    def _flush(self, kind: str) -> None:
        """Put what is there of a kind into the file."""
        for name in sorted(name for name in self._entries if kind in name):
            entry = zipfile.ZipInfo(name, _DATE)
            entry.external_attr = 0o644 << 16
            self._archive.writestr(entry, self._entries.pop(name).to_bytes())


def _is_text(array: Any) -> bool:
    return array.dtype.kind in "UOT"
