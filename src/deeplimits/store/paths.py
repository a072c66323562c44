"""Where things lie below the folder of results."""

from __future__ import annotations

import os
from pathlib import Path

FIGURE_FORMATS = ("pdf", "svg", "png")


def file_names(folder: Path) -> list[str]:
    """The names of the files in a folder, sorted, without those that begin with a dot; none where there is no
    folder.

    Raises
    ------
    OSError
        If the folder cannot be read, which ``Path.glob`` takes for being empty.
    """
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries if entry.name[0] != "." and not entry.is_dir())
    except FileNotFoundError:
        return []


def batches_folder(results: Path) -> Path:
    """Folder of todo files, containers and receipts."""
    return results / "batches"


def todo_path(results: Path, batch: str) -> Path:
    """Input of a simulation job."""
    return batches_folder(results) / f"{batch}.todo.json"


def container_path(results: Path, batch: str) -> Path:
    """Blocks of a batch."""
    return batches_folder(results) / f"{batch}.zarr.zip"


def receipt_path(results: Path, batch: str) -> Path:
    """Tracked output of a simulation job."""
    return batches_folder(results) / f"{batch}.json"


def study_store(results: Path, study: str) -> Path:
    """Reduced data of a study."""
    return results / "studies" / f"{study}.zarr.zip"


def study_receipt(results: Path, study: str) -> Path:
    """Tracked output of the aggregation of a study."""
    return results / "studies" / f"{study}.json"


def study_digest(results: Path, study: str) -> Path:
    """SHA-256 of the store of a study, as ``sha256sum`` writes and checks it. The receipt says it too, but is
    gone while the study is aggregated again.
    """
    return results / "studies" / f"{study}.sha256"


def figure_files(results: Path, study: str, figure: str) -> tuple[Path, ...]:
    """The files of one figure."""
    return tuple(results / "figures" / study / f"{figure}.{suffix}" for suffix in FIGURE_FORMATS)


def figure_digests(results: Path, study: str, figure: str) -> Path:
    """SHA-256 of the files of one figure, and of the study store that they were drawn from."""
    return results / "figures" / study / f"{figure}.sha256"


def study_todo(results: Path, study: str) -> Path:
    """Input of the aggregation of a study: all that its store depends on."""
    return results / "studies" / f"{study}.todo.json"


def claims_file(results: Path) -> Path:
    """Verdicts on claims, as they were last written."""
    return results / "claims.json"


def claims_files(results: Path) -> tuple[Path, ...]:
    """Verdicts on claims in every form, that for programs first."""
    return (claims_file(results), *(results / f"claims.{suffix}" for suffix in ("html", *FIGURE_FORMATS)))


def claims_digests(results: Path) -> Path:
    """SHA-256 of these files."""
    return results / "claims.sha256"


def tables_page(results: Path) -> Path:
    """Distances and rates of all studies, as a page."""
    return results / "tables.html"


def tables_digests(results: Path) -> Path:
    """SHA-256 of this page."""
    return results / "tables.sha256"


def aggregated_studies(results: Path) -> list[str]:
    """Studies that have a store and its receipt, by name.

    Raises
    ------
    OSError
        If their folder cannot be read.
    """
    there = set(file_names(results / "studies"))
    names = {name.removesuffix(".json") for name in there if name.endswith(".json")}
    return sorted(name for name in names if not name.endswith(".todo") and f"{name}.zarr.zip" in there)
