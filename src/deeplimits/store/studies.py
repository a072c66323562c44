"""The store of a study: groups of arrays over its points in one file, and whether it is what was written;
``study_writer`` writes it, ``study_groups`` opens it.

One file is there or is not, and a reader that has it open goes on reading it when another takes its place.
Names, metadata and the directory of the file are under no chunk's checksum: readers hold the whole file
against the digest in its receipt, once in a process.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deeplimits.store.commands import snakemake_command
from deeplimits.store.digests import digest_once
from deeplimits.store.errors import LaterFormat, StoreError, read_file
from deeplimits.store.paths import study_receipt, study_store
from deeplimits.store.seal import KEY, is_whole, sealed
from deeplimits.sweep.formats import STUDY_STORE, is_later

_KEYS = {"deeplimits", "format", "samples", "sha256", "study"}
"""Keys of a receipt, beside its digest of itself, which those of earlier versions lack."""


def study_receipt_text(attributes: Mapping[str, Any], sha256: str) -> str:
    """The receipt of a store, given what the store says of itself and its digest."""
    said = {key: attributes[key] for key in ("deeplimits", "samples", "study")}
    return sealed({**said, "format": STUDY_STORE, "sha256": sha256}, indent=1)


def checked_study_store(results: Path, study: str) -> Path:
    """The file with the reduced data of a study, which is what its receipt says.

    Raises
    ------
    StoreError
        If it has not been aggregated, or by a version that wrote other stores, or if it is not what was
        written.
    """
    path, mended = study_store(results, study), f"`{snakemake_command(study)}`"
    receipt = read_study_receipt(results, study) if path.exists() else None
    if receipt is None:
        raise StoreError(f"{results}: study {study} has not been aggregated yet; {mended} does what it lacks")
    if receipt.get("format") != STUDY_STORE:
        raise StoreError(
            f"{path}: a study store of format {receipt.get('format')}, where this version reads "
            f"{STUDY_STORE}; {mended} aggregates it again"
        )
    found = digest_once(path)
    if found != receipt.get("sha256"):
        raise StoreError(
            f"{path}: not what was written: SHA-256 is {found}, the receipt says {receipt.get('sha256')}; "
            f"{mended} aggregates it again"
        )
    return path


def is_readable(results: Path, study: str) -> bool:
    """Whether a study has a store that is what its receipt says.

    Raises
    ------
    LaterFormat
        If a later version wrote it.
    """
    try:
        checked_study_store(results, study)
    except LaterFormat:
        raise
    except StoreError:
        return False
    return True


def read_study_receipt(results: Path, study: str) -> dict[str, Any] | None:
    """The receipt of a study store; None where there is none.

    Raises
    ------
    StoreError
        If it is not what was written, or is of another study.
    LaterFormat
        If a later version wrote it.
    """
    path, mended = study_receipt(results, study), f"`{snakemake_command(study)}` makes it again"
    try:
        text = read_file(path)
    except FileNotFoundError:
        return None
    whole = is_whole(text)
    try:
        body = json.loads(text)
    except ValueError:
        body = None
    later = whole and isinstance(body, dict) and is_later(body.get("format"), STUDY_STORE)
    if later:
        raise LaterFormat(path, body["format"], STUDY_STORE)
    if (
        whole is False
        or not isinstance(body, dict)
        or body.keys() - {KEY} != _KEYS
        or ((KEY in body) != (whole is True))
    ):
        raise StoreError(f"{path}: not what was written, or not the receipt of a study store; {mended}")
    if body["study"] != study:
        raise StoreError(f"{path}: the receipt of study {str(body['study'])[:80]!r}; {mended}")
    return body
