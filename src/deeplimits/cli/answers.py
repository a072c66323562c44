"""Verbs that ask all studies at once: verdicts on claims, and queries."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deeplimits.cli.left_out import leave_out
from deeplimits.cli.options import configured
from deeplimits.cli.output import print_claims
from deeplimits.errors import InputError, check_name
from deeplimits.store.strict_json import strict_json

if TYPE_CHECKING:
    import pandas as pd

    from deeplimits.store.place import Place


@configured
def claims(
    planned: Place,
    folder: Annotated[
        Path | None,
        typer.Option("--claims", help="Folder of the files of claims, in place of the configuration's."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable output.")] = False,
    out: Annotated[Path | None, typer.Option("--out", help="Write there what --json prints.")] = None,
    page: Annotated[Path | None, typer.Option("--page", help="Write the scoreboard there, as HTML.")] = None,
    figure: Annotated[
        Path | None,
        typer.Option("--figure", help="Draw the scoreboard there: FILE.png, and .pdf and .svg beside it."),
    ] = None,
) -> None:
    """Hold every numbered claim against the studies: holds, fails or undecided."""
    from deeplimits.claims.files import load_claims, slips
    from deeplimits.claims.outputs import write_claims
    from deeplimits.claims.verdicts import verdicts
    from deeplimits.store.paths import aggregated_studies
    from deeplimits.store.staleness import stale_studies, warn
    from deeplimits.sweep.config import DEFAULT_CLAIMS, present_claims

    leave_out("dask")
    settings, results = planned.config, planned.results
    folder = folder or (present_claims(DEFAULT_CLAIMS) if settings is None else settings.claims)
    if folder is None:
        found = (
            "<no folder of claims here>"
            if settings is None
            else f"<no folder of claims, here or in {settings.path}>"
        )
        raise InputError("claims", "", found, "--claims FOLDER, or the key claims of the configuration")
    stated = load_claims(folder)
    studies = None if settings is None else settings.studies_folder
    if studies is not None:
        for sentence in slips(stated, studies):
            warn(sentence)
    rows = verdicts(stated, results, studies)
    if settings is not None:
        asked = {row["study"] for row in rows}
        for sentence in stale_studies(
            settings, [name for name in aggregated_studies(results) if name in asked]
        ):
            warn(sentence)
    text = strict_json(rows, 1)
    write_claims(rows, text, results, out, page, figure, settings)
    if as_json:
        print(text)
    elif out is None and page is None and figure is None:
        print_claims(rows)


@configured
def query(
    place: Place | None,
    sql: Annotated[
        str | None,
        typer.Argument(help="One SELECT, such as SELECT * FROM rates; with --tables, the name of a table."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Write the rows there: FILE.csv, FILE.json or FILE.parquet."),
    ] = None,
    kind: Annotated[
        str | None, typer.Option("--format", help="Print csv or json, in place of a table for reading.")
    ] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="The same as --format csv.")] = False,
    tables: Annotated[
        bool, typer.Option("--tables", help="List the tables, or with a name the columns of one.")
    ] = False,
    timeout: Annotated[
        float, typer.Option("--timeout", min=0.001, help="Seconds that the query may take.")
    ] = 60.0,
) -> None:
    """Ask the store, in SQL; it cannot be changed this way. Standard error tells of rows that are stale."""
    from deeplimits.cli.rows import check_format, written_rows

    chosen = check_format("csv" if as_csv else kind, out)
    if place is None or tables:
        written_rows(lambda _: _tables(sql), chosen, out)
    elif sql is None:
        raise InputError("query", "", "<nothing>", "one SELECT; --tables lists the tables")
    else:
        from deeplimits.store.query import bounded_memory, run_query

        leave_out("dask")
        results, config = place.results, place.config
        with bounded_memory():
            written_rows(lambda parquet: run_query(results, sql, config, parquet, timeout), chosen, out)


def _tables(name: str | None) -> pd.DataFrame:
    """All tables, or the columns of one."""
    import pandas as pd

    from deeplimits.store.table_columns import TABLES

    if name is None:
        rows = [(table, each.rows, len(each.columns), each.source) for table, each in TABLES.items()]
        return pd.DataFrame(rows, columns=["table", "a row is", "columns", "made from"])
    check_name(name, TABLES, "--tables")
    columns = TABLES[name].columns.items()
    return pd.DataFrame(
        [(column, variable.units, variable.meaning) for column, variable in columns],
        columns=["column", "units", "meaning"],
    )
