"""Verdicts, as verbs print them."""

from __future__ import annotations

from typing import Any


def print_claims(rows: list[dict[str, Any]]) -> None:
    """Verdicts as a table, and how many there are of each."""
    import pandas as pd

    from deeplimits.cli.tables import print_table

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
