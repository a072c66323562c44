"""The store of a study: groups of arrays over its points, written by its aggregation in one file;
``study_groups`` opens it.

One file is there or is not, and a reader that has it open goes on reading it when another takes its place.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deeplimits import __version__
from deeplimits.store.atomic import write_text
from deeplimits.store.errors import StoreError
from deeplimits.store.paths import study_receipt, study_store
from deeplimits.store.zarr_zip import (
    CHUNK_BYTES,
    Group,
    digest,
    write_groups,
)
from deeplimits.sweep.description import described
from deeplimits.sweep.study import Study

FORMAT = 3
_COORDINATES = "coordinates"
"""The attribute in which a group names its coordinates, as the CF conventions have it."""

Columns = Mapping[str, tuple[str | tuple[str, ...], Any]]
"""By name: the dimension or dimensions of an array, and its values."""


def dataset(
    arrays: Columns, coordinates: Columns | None = None, attributes: Mapping[str, Any] | None = None
) -> Group:
    """A group of a study store; a coordinate with the name of its dimension labels that dimension."""
    labels = coordinates or {}
    held = {
        name: ((dimensions,) if isinstance(dimensions, str) else dimensions, np.asarray(values))
        for name, (dimensions, values) in {**labels, **arrays}.items()
    }
    named = [name for name in labels if held[name][0] != (name,)]
    return Group(held, {**(attributes or {}), **({_COORDINATES: " ".join(named)} if named else {})})


def write_study(study: Study, results: Path, groups: Mapping[str, Group]) -> Path:
    """Write the store of a study and then its receipt, which is returned; the old receipt goes first."""
    receipt = study_receipt(results, study.name)
    receipt.unlink(missing_ok=True)
    root = Group(
        {},
        {
            "study": study.name,
            "title": study.title,
            "samples": study.samples,
            "points": len(study.points),
            "deeplimits": __version__,
            "made_from": described(study),
        },
    )
    body = {
        "format": FORMAT,
        "study": study.name,
        "samples": study.samples,
        "sha256": write_groups(study_store(results, study.name), [("", root), *groups.items()], _chunks),
        "deeplimits": __version__,
    }
    write_text(receipt, json.dumps(body, sort_keys=True, indent=1) + "\n")
    return receipt


def _chunks(array: NDArray[Any]) -> tuple[int, ...]:
    """Whole points, as many as fit into a chunk."""
    row = max(1, math.prod(array.shape[1:]) * array.itemsize)
    return (min(len(array), max(1, CHUNK_BYTES // row)), *array.shape[1:])


def checked_study_store(results: Path, study: str) -> Path:
    """The file with the reduced data of a study, which is what its receipt says.

    Raises
    ------
    StoreError
        If it has not been aggregated, or by a version that wrote other stores, or if it is not what was
        written.
    """
    path, mended = study_store(results, study), f"`snakemake --cores all {study}`"
    receipt = _receipt(study_receipt(results, study)) if path.exists() else None
    if receipt is None:
        raise StoreError(f"{results}: study {study} has not been aggregated yet; {mended} does what it lacks")
    if receipt.get("format") != FORMAT:
        raise StoreError(
            f"{path}: a study store of format {receipt.get('format')}, where this version reads {FORMAT}; "
            f"{mended} aggregates it again"
        )
    found = _digest_of(path)
    if found != receipt.get("sha256"):
        raise StoreError(
            f"{path}: not what was written: SHA-256 is {found}, the receipt says {receipt.get('sha256')}; "
            f"{mended} aggregates it again"
        )
    return path


def is_readable(results: Path, study: str) -> bool:
    """Whether a study has a store that is what its receipt says."""
    try:
        checked_study_store(results, study)
    except StoreError:
        return False
    return True


def _receipt(path: Path) -> dict[str, Any] | None:
    """The receipt of a study store; None where there is none."""
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise StoreError(f"{path}: not the receipt of a study store: {error}") from None
    if not isinstance(body, dict):
        raise StoreError(f"{path}: not the receipt of a study store")
    return body


def _digest_of(path: Path) -> str:
    status = path.stat()
    return _digest(path, status.st_size, status.st_mtime_ns, status.st_ino)


@lru_cache(maxsize=256)
def _digest(path: Path, *_of: int) -> str:
    """The digest of a file, computed once as long as the file is the same."""
    return digest(path)
