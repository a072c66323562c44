"""What verbs print: strict JSON, and tables that fit the terminal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


def strict_json(value: Any, indent: int = 2) -> str:
    """Strict JSON: null where a number is not finite."""
    import json
    import math

    def strict(found: Any) -> Any:
        if isinstance(found, dict):
            return {key: strict(each) for key, each in found.items()}
        if isinstance(found, list | tuple):
            return [strict(each) for each in found]
        return None if isinstance(found, float) and not math.isfinite(found) else found

    return json.dumps(strict(value), indent=indent, ensure_ascii=False, allow_nan=False)


def print_table(frame: pd.DataFrame, title: str | None = None) -> None:
    """A table that fits the terminal, or as wide as it is where it goes into a file or a pipe."""
    from rich import box
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    for column in frame.columns:
        numbers = frame[column].dtype.kind in "iuf"
        table.add_column(str(column), justify="right" if numbers else "left", overflow="fold")
    for row in frame.itertuples(index=False):
        table.add_row(*(escape(f"{value:g}" if isinstance(value, float) else str(value)) for value in row))
    Console(width=None if sys.stdout.isatty() else 1000, highlight=False).print(table)


def print_claims(rows: list[dict[str, Any]]) -> None:
    """Verdicts as a table, and how many there are of each."""
    import pandas as pd

    def number(value: float | None) -> str:
        return "" if value is None else f"{value:.3g}"

    table = [
        {
            "id": row["id"],
            "verdict": row["verdict"],
            "effect": number(row["effect"]),
            "interval": "" if row["interval"] is None else " … ".join(map(number, row["interval"])),
            "margin": {"equal": "± ", "at_most": "≤ ", "at_least": "≥ −"}[row["sense"]]
            + number(row["margin"]),
            "samples": f"{row['samples']:,}",
            "study": row["study"],
            "statement": row["statement"]
            if row["reason"] is None
            else f"{row['statement']} [{row['reason']}]",
        }
        for row in rows
    ]
    counts = {name: sum(row["verdict"] == name for row in rows) for name in ("holds", "fails", "undecided")}
    print_table(
        pd.DataFrame(table), f"{len(rows)} claims: " + ", ".join(f"{n} {name}" for name, n in counts.items())
    )
