"""Tables that fit the terminal: where a table is wider, what all rows share stands above it, rows that follow
one another share a heading, and where that is not enough each row is a list of its columns.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console
    from rich.table import Table

_IN_A_FILE = 1000
"""Letters of a line in a file or a pipe, where nothing has to fit."""
_NOTHING = frozenset({"", "nan", "None", "<NA>", "NaT"})
"""What stands in a table where there is no value."""


def print_table(frame: pd.DataFrame, title: str | None = None, width: int | None = None) -> None:
    """Print a table that fits a line.

    Parameters
    ----------
    width
        Letters of a line; by default those of the terminal, and as many as there are in a file or a pipe.
    """
    from rich.console import Console

    console = Console(width=width or (None if sys.stdout.isatty() else _IN_A_FILE), highlight=False)
    if _widths(console, _table(frame, title, tight=False))[1] <= console.width:
        console.print(_table(frame, title, tight=False))
        return
    if title:
        console.print(f"[italic]{_escaped(title)}[/italic]")
    rest = _without_shared(frame, console) if len(frame) > 1 else frame
    for heading, part in _parts(rest, console):
        if heading:
            console.print(_escaped(heading))
        if _widths(console, _table(part))[0] <= console.width:
            console.print(_table(part))
        else:
            _print_records(part, console)


def _escaped(text: str) -> str:
    from rich.markup import escape

    return escape(text)


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _table(frame: pd.DataFrame, title: str | None = None, tight: bool = True) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(
        title=title,
        title_justify="left",
        box=box.SIMPLE_HEAD,
        collapse_padding=tight,
        pad_edge=not tight,
    )
    for name, column in frame.items():
        numbers = column.dtype.kind in "iuf"
        table.add_column(_escaped(str(name)), justify="right" if numbers else "left", overflow="fold")
    for row in frame.itertuples(index=False):
        table.add_row(*(_escaped(_text(value)) for value in row))
    return table


def _widths(console: Console, table: Table) -> tuple[int, int]:
    """Letters of the narrowest table in which no word is broken, and of one in which no cell is."""
    from rich.measure import Measurement

    found = Measurement.get(console, console.options.update(max_width=100 * _IN_A_FILE), table)
    return found.minimum, found.maximum


def _without_shared(frame: pd.DataFrame, console: Console) -> pd.DataFrame:
    """The columns that differ between rows; tells of the others."""
    texts = {name: {_text(value) for value in column} for name, column in frame.items()}
    shared = {name: next(iter(found)) for name, found in texts.items() if len(found) == 1}
    told = [f"{name} {text}" for name, text in shared.items() if text not in _NOTHING]
    lacking = [str(name) for name, text in shared.items() if text in _NOTHING]
    if told:
        console.print(_escaped("the same in all rows: " + ", ".join(told)))
    if lacking:
        console.print(_escaped("without a value: " + ", ".join(lacking)))
    return frame.drop(columns=list(shared)) if len(shared) < len(frame.columns) else frame


def _parts(frame: pd.DataFrame, console: Console) -> Iterator[tuple[str, pd.DataFrame]]:
    """Rows in their order: all of them; or, where that makes them fit, those that follow one another with the
    same text in a column, under a heading of it.
    """
    if _widths(console, _table(frame))[1] > console.width:
        for name, column in frame.items():
            texts = [_text(value) for value in column]
            breaks = [i for i, (one, other) in enumerate(pairwise(texts), 1) if one != other]
            in_runs = len(breaks) + 1 == len(set(texts)) <= len(texts) // 2
            rest = frame.drop(columns=[name])
            if column.dtype.kind in "iuf" or not in_runs or _widths(console, _table(rest))[1] > console.width:
                continue
            for start, stop in pairwise([0, *breaks, len(texts)]):
                yield f"{name}: {texts[start]}", rest.iloc[start:stop]
            return
    yield "", frame


def _print_records(frame: pd.DataFrame, console: Console) -> None:
    """A list of columns for each row, one below the other."""
    from rich.table import Table

    for row in frame.itertuples(index=False):
        record = Table.grid(padding=(0, 2))
        for name, value in zip(frame.columns, row, strict=True):
            if _text(value) not in _NOTHING:
                record.add_row(f"[bold]{_escaped(str(name))}[/bold]", _escaped(_text(value)))
        console.print(record)
        console.print()
