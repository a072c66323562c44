"""Where things lie below the folder of results."""

from __future__ import annotations

from pathlib import Path

FIGURE_FORMATS = ("pdf", "svg", "png")


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


def study_todo(results: Path, study: str) -> Path:
    """Input of the aggregation of a study: all that its store depends on."""
    return results / "studies" / f"{study}.todo.json"


def claims_file(results: Path) -> Path:
    """Verdicts on claims, as they were last written."""
    return results / "claims.json"


def aggregated_studies(results: Path) -> list[str]:
    """Studies that have a store and its receipt, by name."""
    names = (path.name.removesuffix(".json") for path in (results / "studies").glob("*.json"))
    return sorted(
        name for name in names if not name.endswith(".todo") and study_store(results, name).exists()
    )
