"""What unfinished jobs said: a job of the workflow writes its output to a log, and one that left a log and no
result has failed, was killed, or is under way.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deeplimits.store.paths import batches_folder, figure_files, study_receipt

_TAIL = 4096
"""Bytes at the end of a log in which its last line is."""
_UNDER_WAY = re.compile(r"^[\d,]+ of [\d,]+ \w+")
"""A line that tells how far a job is, as ``deeplimits.store.watched`` writes it."""


@dataclass(frozen=True)
class Unfinished:
    """A job that left a log and no result.

    Attributes
    ----------
    job
        Such as ``aggregate STUDY``.
    study
        The study that it is of; empty for a simulation, whose blocks may be of several.
    blocks
        The blocks that it was to compute.
    log
        The path of its log, and the last line of it.
    failed
        Whether it ended; otherwise its last line tells how far it is, or was when it was killed.
    """

    job: str
    study: str
    blocks: frozenset[str]
    log: Path
    line: str
    failed: bool

    def is_of(self, study: str, missing: Collection[str]) -> bool:
        """Whether it is a job of a study that lacks these blocks."""
        return self.study == study or any(name in missing for name in self.blocks)

    def row(self) -> dict[str, Any]:
        """As a row of plain values."""
        return {"job": self.job, "log": str(self.log), "line": self.line, "failed": self.failed}

    def __str__(self) -> str:
        """One line."""
        return f"{'failed' if self.failed else 'under way'}: {self.job}: {self.line} ({self.log})"


def unfinished_jobs(results: Path, missing: Collection[str]) -> list[Unfinished]:
    """Jobs that left a log and no result: simulations of blocks that are missing, aggregations, figures."""
    logs, found = results / "logs", []
    for log in _logs(logs / "simulate"):
        todo = batches_folder(results) / f"{log.stem}.todo.json"
        if not todo.with_name(f"{log.stem}.json").exists() and (line := _last_line(log)):
            blocks = _blocks(todo)
            if not blocks.isdisjoint(missing):
                found.append(_unfinished(f"simulate {log.stem}", "", blocks, log, line))
    for log in _logs(logs / "aggregate"):
        receipt = study_receipt(results, log.stem)
        if not receipt.exists() and (line := _last_line(log)) and not line.startswith(str(receipt)):
            found.append(_unfinished(f"aggregate {log.stem}", log.stem, frozenset(), log, line))
    for folder in sorted((logs / "figure").glob("*/")):
        for log in _logs(folder):
            paths = figure_files(results, folder.name, log.stem)
            if not all(path.exists() for path in paths) and (line := _last_line(log)) not in (
                "",
                *map(str, paths),
            ):
                found.append(
                    _unfinished(f"figure {folder.name}/{log.stem}", folder.name, frozenset(), log, line)
                )
    return found


def _unfinished(job: str, study: str, blocks: frozenset[str], log: Path, line: str) -> Unfinished:
    return Unfinished(job, study, blocks, log, line, not _UNDER_WAY.match(line))


def _logs(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.log"))


def _blocks(todo: Path) -> frozenset[str]:
    try:
        return frozenset(block["id"] for block in json.loads(todo.read_text(encoding="utf-8"))["blocks"])
    except (OSError, ValueError, KeyError, TypeError):
        return frozenset()


def _last_line(log: Path) -> str:
    """The last line of a log in which there is something; empty where there is none."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL))
            text = file.read().decode(errors="replace")
    except OSError:
        return ""
    # a bar goes back to the beginning of its line
    lines = [line.strip() for line in re.split(r"[\r\n]", text)]
    return next((line for line in reversed(lines) if line), "")
