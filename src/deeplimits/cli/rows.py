"""Rows of a query, for reading, or as CSV, JSON or Parquet on standard output or in a file."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deeplimits.cli.tables import print_table
from deeplimits.errors import InputError, nearest_name
from deeplimits.store.strict_json import strict_json
from deeplimits.sweep.amounts import counted, data_size

if TYPE_CHECKING:
    import pandas as pd

FORMATS = ("csv", "json", "parquet")
MOST_ROWS = 10_000
"""Rows of a table for reading."""


def check_format(kind: str | None, out: Path | None) -> str | None:
    """The format that is asked for: that of the file, by its suffix, or of standard output; None is a table
    for reading.

    Raises
    ------
    InputError
        If there is no such format, if the two differ, or if it is no text and there is no file.
    """
    if kind is not None and kind not in FORMATS:
        raise InputError("--format", "", kind, "csv, json or parquet", nearest_name(kind, FORMATS))
    if out is None:
        if kind == "parquet":
            expected = "csv or json on standard output; --out FILE.parquet writes Parquet"
            raise InputError("--format", "", kind, expected)
        return kind
    suffix = out.suffix.removeprefix(".").lower()
    if suffix not in FORMATS:
        expected = "a file that ends in .csv, .json or .parquet"
        raise InputError("--out", "", str(out), expected, nearest_name(suffix, FORMATS) if suffix else None)
    if kind not in (None, suffix):
        raise InputError("--format", "", kind, f"{suffix}, as --out {out} has it")
    return suffix


def written_rows(ask: Callable[[Path | None], pd.DataFrame], kind: str | None, out: Path | None) -> None:
    """Print rows, or write them to a file, whole or not at all.

    Parameters
    ----------
    ask
        Gives the rows, and writes them as Parquet to the file that it is given.
    """
    from deeplimits.store.atomic import write_text, written_aside

    if kind == "parquet":
        assert out is not None
        with written_aside(out) as aside:
            frame = _parquet(ask, aside)
        _tell(out, frame)
        return
    frame = ask(None)
    if kind is None:
        print_table(frame[:MOST_ROWS])
        if len(frame) > MOST_ROWS:
            more = f"{len(frame) - MOST_ROWS:,} of {len(frame):,} rows are not shown"
            print(
                f"deeplimits: {more}: --format csv prints all, --out FILE.parquet keeps them", file=sys.stderr
            )
        return
    text = frame.to_csv(index=False).rstrip("\n") if kind == "csv" else strict_json(_records(frame), 1)
    if out is None:
        print(text)
    else:
        write_text(out, text + "\n")
        _tell(out, frame)


def _tell(out: Path, frame: pd.DataFrame) -> None:
    rows, columns = counted(len(frame), "row"), counted(len(frame.columns), "column")
    print(f"{out}: {rows} of {columns}, {data_size(out.stat().st_size)}")


def _parquet(ask: Callable[[Path | None], pd.DataFrame], path: Path) -> pd.DataFrame:
    frame = ask(path)
    if not path.stat().st_size:
        # what no SQL was asked for
        import duckdb

        from deeplimits.store.query import write_parquet

        with duckdb.connect(":memory:") as connection:
            write_parquet(connection, connection.from_df(frame), path)
    return frame


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as JSON can hold them; what has no value is None."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {str(key): plain(each) for key, each in value.items()}
        if hasattr(value, "tolist"):
            value = value.tolist()
        if isinstance(value, list | tuple):
            return [plain(each) for each in value]
        return value if value is None or isinstance(value, bool | int | float | str) else str(value)

    missing = frame.isna().to_numpy()
    rows = frame.to_dict("split")["data"]
    return [
        {
            str(name): None if lacking else plain(value)
            for name, value, lacking in zip(frame.columns, row, lacks, strict=True)
        }
        for row, lacks in zip(rows, missing, strict=True)
    ]
