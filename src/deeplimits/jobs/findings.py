"""What a check of results finds: a file, what is wrong with it, and which part of the results has to be made
again.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from deeplimits.errors import visible

Kind = Literal["damaged", "missing", "outdated", "stray", "later"]
"""Not what was written; not there; made from what is no more; of no use to anything; of a later version."""
PARTS = (
    "todo",
    "batch",
    "study digest",
    "study receipt",
    "study",
    "study todo",
    "figure",
    "claims",
    "tables",
)
"""Parts of results, in the order in which they are made again: later ones are made from earlier ones."""


@dataclass(frozen=True)
class Part:
    """A part of the results that can be made again: ``name`` is that of a batch or a study, or
    ``STUDY/FIGURE``.
    """

    kind: Literal[
        "todo", "batch", "study digest", "study receipt", "study", "study todo", "figure", "claims", "tables"
    ]
    name: str = ""

    @property
    def order(self) -> tuple[int, str]:
        """By which parts are sorted to be made again."""
        return PARTS.index(self.kind), self.name

    def __str__(self) -> str:
        return f"{self.kind} {self.name}".rstrip()


@dataclass(frozen=True)
class Finding:
    """What is wrong with one file; ``part`` is what has to be made again, None where nothing would help."""

    path: Path
    kind: Kind
    what: str
    part: Part | None = None

    def __str__(self) -> str:
        """One line."""
        return visible(f"{self.path}: {self.kind}: {self.what}")

    def row(self) -> dict[str, Any]:
        """As a row of plain values."""
        return {
            "path": str(self.path),
            "kind": self.kind,
            "what": self.what,
            "part": None if self.part is None else str(self.part),
        }
