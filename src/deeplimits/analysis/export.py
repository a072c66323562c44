"""Export of a study: one Zarr store of format 3 that describes itself, for people who have nothing else.

Its groups are those of the study store, chunk for chunk, and ``samples``, the stored variables of every
network along the axes of the sweep, in shards of many points. The attributes of the root say where all comes
from, and ``SHA256SUMS`` holds the digest of every file. Equal results make equal files.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from deeplimits import __version__
from deeplimits.analysis.samples import aggregated_points, named_axes, samples_of
from deeplimits.engines import SAMPLER_VERSION
from deeplimits.store.arrays import annotate_samples
from deeplimits.store.atomic import folder_aside
from deeplimits.store.catalogue import Catalogue
from deeplimits.store.digests import digest
from deeplimits.store.errors import named, read_file
from deeplimits.store.paths import container_path
from deeplimits.store.publish import MARK, check_target, publish, staging_place
from deeplimits.store.studies import checked_study_store
from deeplimits.store.study_groups import study_attributes
from deeplimits.store.watched import Watch, unwatched
from deeplimits.sweep.config import Config
from deeplimits.sweep.points import Point
from deeplimits.variables import STORED

SHARD_BYTES = 1 << 26
"""Bytes of a shard at most, before compression, unless one point has more."""
SUMS = "SHA256SUMS"
_PACKAGES = ("numpy", "numba", "xarray", "zarr", "numcodecs", "dask")


@dataclass(frozen=True)
class Exported:
    """What was published.

    Parameters
    ----------
    target
        Where.
    digest
        SHA-256 of ``SHA256SUMS``, which names every other file with its own.
    files, bytes
        How many there are, and how large.
    """

    target: str
    digest: str
    files: int
    bytes: int

    def __str__(self) -> str:
        return f"{self.target}: {self.files:,} files, {self.bytes:,} bytes, SHA-256 {self.digest}"


def export_study(
    results: Path,
    study: str,
    target: str,
    *,
    samples: bool = True,
    config: Config | None = None,
    watch: Watch = unwatched,
) -> Exported:
    """Publish a study in a folder or an object storage.

    Parameters
    ----------
    results
        The folder that holds its store and its samples.
    target
        A folder, or a URL such as ``s3://BUCKET/PREFIX``, with the credentials of the environment; empty, or
        an export of the same study, in whose place the new one comes.
    samples
        Whether the samples of every network are in it too.
    config
        The configuration, whose text and whose study file's the export then holds.
    watch
        Tells how many bytes are there.

    Raises
    ------
    InputError
        If something else lies at the target.
    StoreError
        If the study has not been aggregated, samples are missing, or the target cannot be written.
    """
    store = checked_study_store(results, study)
    check_target(target, study)
    points, count = aggregated_points(results, study)
    said = _provenance(results, study, store, points, count) | _files_of(config, study)
    with folder_aside(staging_place(target, results)) as folder:
        _unpack(store, folder)
        if samples:
            _write_samples(results, study, points, count, folder)
        _say(folder, study, said)
        sums = "".join(f"{digest(path)}  {name}\n" for name, path in _files(folder))
        (folder / SUMS).write_text(sums, encoding="utf-8")
        of_all = hashlib.sha256(sums.encode()).hexdigest()
        sizes = [path.stat().st_size for _, path in _files(folder)]
        with watch(sum(sizes), "bytes") as tell:
            publish(folder, target, tell)
    return Exported(target, of_all, len(sizes), sum(sizes))


def _unpack(store: Path, folder: Path) -> None:
    """The study store as a folder."""
    with named(store):
        archive = zipfile.ZipFile(store)
    with archive:
        for name in archive.namelist():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with named(store):
                content = archive.read(name)
            with named(path):
                path.write_bytes(content)


def _write_samples(results: Path, study: str, points: Sequence[Point], samples: int, folder: Path) -> None:
    from zarr.codecs import BloscCodec, Crc32cCodec

    axes = [named_axes(point) for point in points]
    columns = {name: [each[name] for each in axes] for name in axes[0]}
    drawn = annotate_samples(samples_of(results, points, columns, samples, study).assign_attrs(study=study))
    drawn = drawn[[name for name in drawn.data_vars if name in STORED]]
    if "point" in drawn.xindexes:
        # the levels of the index are coordinates along the points
        drawn = drawn.reset_index("point")
    encoding: dict[str, Any] = {}
    blosc = BloscCodec(cname="zstd", clevel=3, shuffle="bitshuffle")
    for name, array in drawn.data_vars.items():
        chunks = tuple(each[0] for each in array.chunks or ())
        shards = _shards(array.shape, chunks, array.dtype.itemsize)
        drawn[name] = array.chunk(dict(zip(array.dims, shards, strict=True)))
        drawn[name].encoding = {}
        encoding[str(name)] = {"chunks": chunks, "shards": shards, "compressors": [blosc, Crc32cCodec()]}
    for name, labels in drawn.coords.items():
        if labels.dtype.kind in "OU":
            drawn = drawn.assign_coords(
                {name: (labels.dims, labels.to_numpy().astype(np.dtypes.StringDType()))}
            )
    drawn.to_zarr(folder, group="samples", mode="a", consolidated=False, encoding=encoding)


def _shards(shape: tuple[int, ...], chunks: tuple[int, ...], item: int) -> tuple[int, ...]:
    """Whole chunks, as many as fit, along the last dimension first."""
    shards, size = list(chunks), int(np.prod(chunks)) * item
    for place in reversed(range(len(shape))):
        most = -(-shape[place] // chunks[place])
        taken = min(most, max(1, SHARD_BYTES // size))
        shards[place], size = chunks[place] * taken, size * taken
        if taken < most:
            break
    return tuple(shards)


def _provenance(
    results: Path, study: str, store: Path, points: Sequence[Point], samples: int
) -> dict[str, Any]:
    """Where the data come from: nothing in it depends on when and where they are exported."""
    catalogue = Catalogue(results)
    used = {each.container for point in points for each, _ in catalogue.locations(point, samples, study)}
    receipts = {container_path(results, each.batch): each for each in catalogue.receipts}
    containers = sorted(used)
    text = "".join(f"{digest(path)}  {path.name}\n" for path in containers)
    return study_attributes(results, study) | {
        "sampler_version": SAMPLER_VERSION,
        "engines": sorted({str(receipts[path].provenance.get("engine", "")) for path in containers}),
        "study_store_sha256": digest(store),
        "containers": len(containers),
        "containers_sha256": hashlib.sha256(text.encode()).hexdigest(),
        "versions": {"deeplimits": __version__} | {name: version(name) for name in _PACKAGES},
    }


def _files_of(config: Config | None, study: str) -> dict[str, Any]:
    """The text of the configuration and of the study file, where there are, and their commit."""
    if config is None or not (config.studies_folder / f"{study}.yaml").is_file():
        return {}
    path = config.study(study).path
    return {
        "configuration": read_file(config.path).decode(),
        "study_file": read_file(path).decode(),
        "git_revision": _revision(path.parent),
    }


def _revision(folder: Path) -> str:
    """The commit of the study file's repository, with ``+`` where files differ from it; empty outside one."""
    found = []
    for words in (["rev-parse", "HEAD"], ["status", "--porcelain", "--untracked-files=no"]):
        try:
            asked = ["git", "-C", str(folder), *words]
            done = subprocess.run(asked, capture_output=True, text=True, timeout=20, check=True)
        except (OSError, subprocess.SubprocessError):
            return ""
        found.append(done.stdout.strip())
    return found[0] + "+" * bool(found[1])


def _say(folder: Path, study: str, attributes: dict[str, Any]) -> None:
    """The attributes of the root, the metadata of all arrays in one place, and the mark of an export."""
    import zarr

    with warnings.catch_warnings():
        # that not every reader of format 3 looks for it: those that do not read each array's own
        warnings.simplefilter("ignore")
        zarr.open_group(folder, mode="r+", use_consolidated=False).attrs.put(attributes)
        zarr.consolidate_metadata(folder, zarr_format=3)
    (folder / MARK).write_text(json.dumps({"study": study}) + "\n", encoding="utf-8")


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Names and paths of all files, in the order of the names."""
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    yield from sorted(found.items())
