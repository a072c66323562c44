"""Questions to the store, in SQL: DuckDB over the tables of ``store.tables``, read-only and without access to
files.
"""

from __future__ import annotations

import errno
import os
import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import duckdb
import numpy as np
import pandas as pd

from deeplimits.errors import InputError, Typed, nearest_name
from deeplimits.store.paths import aggregated_studies
from deeplimits.store.query_columns import named_columns
from deeplimits.store.staleness import stale_studies, warn
from deeplimits.store.table_columns import OF_STUDIES, TABLES
from deeplimits.store.tables import Parts, read_table
from deeplimits.sweep.config import Config

Found = TypeVar("Found")

_ROW = "row of labels"
_MOST_NAMES = 40
"""Columns that a message lists."""
_MEMORY = "1GB"
"""What DuckDB may take for one query and its rows."""
TIMEOUT = 60.0
"""Seconds that a query may take, unless it is told otherwise."""


def run_query(
    results: Path,
    sql: str,
    config: Config | None = None,
    parquet: Path | None = None,
    timeout: float = TIMEOUT,
) -> pd.DataFrame:
    """The rows that one SELECT returns, within ``timeout`` seconds and a gigabyte of memory.

    Studies whose store cannot be read are told in a warning, and their rows are left out.

    Parameters
    ----------
    results
        The folder of results.
    sql
        One SELECT, of DuckDB's dialect.
    config
        The configuration that stores are held against; none is, where it is None.
    parquet
        Where the rows are written besides, with the types that SQL gives them.
    timeout
        Seconds until the query is given up.

    Returns
    -------
    One row for each row of the answer.

    Raises
    ------
    InputError
        If it is not one SELECT, names what is not there, or takes too long or too much memory.

    Warns
    -----
    StaleStore
        Of each study among the rows (of each of the store, where the rows do not say) whose store is stale by
        ``config``.
    """
    tables: dict[str, list[str]] = {}
    connection = duckdb.connect(":memory:")
    try:
        if parquet is not None:
            # all that SQL may touch
            connection.execute("SET allowed_paths = ?", [[str(parquet)]])
        connection.execute("SET enable_external_access = false")
        connection.execute(f"SET memory_limit = '{_MEMORY}'")
        statements = connection.extract_statements(sql)
        if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
            raise InputError("query", "", Typed(sql), "one SELECT")
        listed = re.match(r"\s*show\b", sql, re.IGNORECASE)
        wanted = named_columns(connection, statements[0].query)
        for name in TABLES:
            if listed or re.search(rf"\b{name}\b", sql, re.IGNORECASE):
                parts, left_out = read_table(results, name, wanted)
                tables[name] = list(dict.fromkeys([*TABLES[name].columns, *parts.columns]))
                _register(connection, name, parts)
                for sentence in left_out if not listed else ():
                    warn(sentence)
        # what labels a row is joined in the order of the rows
        connection.execute("SET disabled_optimizers = 'join_order,build_side_probe_side'")
        connection.execute("SET lock_configuration = true")
        with _interrupted_after(timeout, connection):
            frame = _heeding_control_c(connection, lambda: _rows(connection, statements[0]))
            if parquet is not None:
                write_parquet(connection, connection.sql(statements[0].query), parquet)
        if listed and "name" in frame:
            frame = frame[~frame["name"].str.startswith(_PART)].reset_index(drop=True)
    except duckdb.InterruptException:
        expected = f"a query that ends within {timeout:g} s; --timeout SECONDS gives it longer"
        raise InputError("query", "", Typed(sql), expected) from None
    except (duckdb.OutOfMemoryException, MemoryError):
        expected = f"a query that takes no more than {_MEMORY} of memory, its rows included"
        raise InputError("query", "", Typed(sql), expected) from None
    except duckdb.Error as error:
        raise _explained(str(error), sql, tables) from None
    finally:
        connection.close()
    if config is not None and not listed and any(name in OF_STUDIES for name in tables):
        for sentence in stale_studies(config, _studies(results, frame)):
            warn(sentence)
    return frame


def write_parquet(connection: duckdb.DuckDBPyConnection, rows: duckdb.DuckDBPyRelation, path: Path) -> None:
    """Write rows of a connection to a file as Parquet.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    try:
        # a file of another name beside it would stay where this process is killed
        _heeding_control_c(connection, lambda: rows.write_parquet(str(path), use_tmp_file=False))
    except duckdb.IOException as error:
        said = " ".join(str(error).split())
        codes = [code for code in errno.errorcode if os.strerror(code) in said]
        code = codes[0] if codes else errno.EIO
        raise OSError(code, os.strerror(code), str(path)) from error


@contextmanager
def bounded_memory(more: int = 1 << 31) -> Iterator[None]:
    """Let this process allocate so many more bytes, where the system can hold it to that: an allocation
    beyond fails. For a process that does nothing else.
    """
    try:
        import resource

        pages = int(Path("/proc/self/statm").read_text().split()[5])
    except (ImportError, OSError):
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    most = pages * resource.getpagesize() + more
    if soft != resource.RLIM_INFINITY:
        most = min(soft, most)
    resource.setrlimit(resource.RLIMIT_DATA, (most, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


@contextmanager
def _interrupted_after(seconds: float, connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Stop what the connection does once it has taken so long."""
    timer = threading.Timer(seconds, connection.interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _heeding_control_c(connection: duckdb.DuckDBPyConnection, work: Callable[[], Found]) -> Found:
    """What ``work`` returns, in a thread of its own: in this one Control-C may wait until DuckDB is done."""
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(work)
        try:
            return done.result()
        except KeyboardInterrupt:
            connection.interrupt()
            raise


def _rows(connection: duckdb.DuckDBPyConnection, statement: duckdb.Statement) -> pd.DataFrame:
    """The rows that a statement returns; whole numbers of 128 bits, as sums are, are doubles in DuckDB's own
    frames.
    """
    found = connection.execute(statement)
    whole = [str(kind) in ("HUGEINT", "UHUGEINT") for _, kind, *_ in found.description]
    if not any(whole):
        return found.df()
    rows = found.fetchall()
    frame = pd.DataFrame(rows, columns=connection.sql(statement.query).limit(0).df().columns)
    for place, (name, is_whole) in enumerate(zip(frame.columns, whole, strict=True)):
        values = [row[place] for row in rows]
        if is_whole and (None in values or max(map(abs, values), default=0) >> 63):
            frame[name] = pd.Series(values, dtype=object)
    return frame


_PART = "part of "
"""How the tables are named that a table is joined from."""


def _register(connection: duckdb.DuckDBPyConnection, name: str, parts: Parts) -> None:
    """Make a table known."""
    if not parts.labels:
        connection.register(name, parts.rows)
        return
    connection.register(f"{_PART}{name}", parts.rows)
    joins = []
    for dimension, labels in parts.labels.items():
        if dimension not in parts.columns.values():
            continue
        connection.register(
            f"{_PART}{name}, {dimension}", labels.assign(**{_ROW: np.arange(len(labels), dtype=np.int32)})
        )
        joins.append(
            f'JOIN "{_PART}{name}, {dimension}" AS "of {dimension}" '
            f'ON "rows"."{dimension}" = "of {dimension}"."{_ROW}"'
        )
    columns = ", ".join(
        f'"of {place}"."{column}"' if place else f'"rows"."{column}"'
        for column, place in parts.columns.items()
    )
    # names are this package's own
    view = f'SELECT {columns} FROM "{_PART}{name}" AS "rows" {" ".join(joins)}'  # noqa: S608
    connection.execute(f'CREATE VIEW "{name}" AS {view}')


def _studies(results: Path, frame: pd.DataFrame) -> list[str]:
    """The studies that the rows are of, as far as they tell."""
    known = aggregated_studies(results)
    if "study" not in frame.columns:
        return known
    named = set(map(str, frame["study"].unique()))
    return [name for name in known if name in named]


def _explained(message: str, sql: str, tables: dict[str, list[str]]) -> InputError:
    """One sentence for what DuckDB says, with the nearest name."""
    said = " ".join(message.split())
    columns = {column: name for name, columns in tables.items() for column in columns}
    if found := re.search(r"Table with name (\S+) does not exist", said):
        return _unknown(sql, "table", found.group(1), list(TABLES))
    if found := re.search(r"Referenced table \"([^\"]+)\" not found", said):
        return _unknown(sql, "table", found.group(1), list(tables or TABLES))
    if found := (
        re.search(r"Referenced column \"([^\"]+)\" not found", said)
        or re.search(r"column named \"([^\"]+)\"", said)
        or re.search(r"Column with name \"?([^\"\s]+)\"? does not exist", said)
    ):
        return _unknown(sql, "column", found.group(1), list(columns))
    if found := re.search(r"Function with name \"?(\S+?)\"? does not exist", said):
        near = re.search(r"Did you mean \"?([a-z_0-9]+)", said)
        expected = f"functions of DuckDB, which has no {found.group(1)}"
        return InputError("query", "", Typed(sql), expected, near.group(1) if near else None)
    if found := re.search(r"syntax error at (end of input|or near \"[^\"]*\")", said):
        expected = f"SQL; there is a syntax error at {found.group(1)}"
        # the one column whose name is a reserved word
        if re.search(r"(?<![\"\w])limit(?![\"\w])(?!\s+\d)", sql, re.IGNORECASE):
            expected += '; the column limit stands in double quotes, "limit"'
        return InputError("query", "", Typed(sql), expected)
    # what follows the first sentence repeats the query
    first = re.split(r" LINE \d+:| Candidate [a-z]+:| Did you mean", said)[0]
    return InputError("query", "", Typed(sql), f"a query that DuckDB accepts; it says: {first[:300]}")


def _unknown(sql: str, kind: str, name: str, names: list[str] | tuple[str, ...]) -> InputError:
    """A name that is none, with the nearest one, or else with those that there are."""
    near = nearest_name(name, names)
    listed = (
        "" if near else ": " + ", ".join(names[:_MOST_NAMES]) + (", …" if len(names) > _MOST_NAMES else "")
    )
    return InputError("query", "", Typed(sql), f"a {kind} that is there, which {name} is not{listed}", near)
