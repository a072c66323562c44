"""The store of a study: groups of arrays over its points in one file, and whether it is what was written;
``study_writer`` writes it, ``study_groups`` opens it.

One file is there or is not, and a reader that has it open goes on reading it when another takes its place.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from deeplimits.store.errors import StoreError
from deeplimits.store.paths import study_receipt, study_store
from deeplimits.store.zarr_zip import digest

FORMAT = 4


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
