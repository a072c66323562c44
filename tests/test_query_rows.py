"""Rows of a query as CSV, JSON and Parquet, on standard output and in files."""

from __future__ import annotations

import json
import re
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from deeplimits.api_studies import query
from deeplimits.cli import app
from deeplimits.errors import InputError
from deeplimits.jobs.aggregate import aggregate_study
from deeplimits.store import query as store_query
from deeplimits.store.query_columns import named_columns
from tiny import project, simulated


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built")
    config = project(folder)
    simulated(config)
    aggregate_study(config.study("tiny"), config.results)
    return folder


@pytest.fixture
def here(built: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(built)
    return built


def deeplimits(*words: str) -> None:
    app(list(words), standalone_mode=False)


def test_rows_go_to_a_file_or_to_standard_output_in_three_formats(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sql = """SELECT width, "limit", estimate, 0 / 0.0 AS nothing, [1, 2] AS list FROM comparison
        WHERE distance = 'ks' ORDER BY point -- all of it"""
    expected = query(sql)
    for suffix in ("csv", "json", "parquet"):
        deeplimits("query", sql, "--out", f"rows.{suffix}")
    told = capsys.readouterr().out.splitlines()
    assert [line.rpartition(",")[0] for line in told] == [
        f"rows.{suffix}: 4 rows of 5 columns" for suffix in ("csv", "json", "parquet")
    ]
    rows = json.loads(Path("rows.json").read_text())
    assert [row["estimate"] for row in rows] == expected["estimate"].tolist()
    assert rows[0]["nothing"] is None and rows[0]["list"] == [1, 2] and len(rows) == 4
    frame = pd.read_csv("rows.csv")
    assert frame["estimate"].tolist() == expected["estimate"].tolist()
    table = duckdb.sql("FROM 'rows.parquet'")
    assert table.columns == list(expected.columns)
    assert [str(kind) for kind in table.types][:3] == ["BIGINT", "VARCHAR", "DOUBLE"]
    assert table.df()["estimate"].tolist() == expected["estimate"].tolist()
    for kind in ("csv", "json"):
        deeplimits("query", sql, "--format", kind)
        assert capsys.readouterr().out == Path(f"rows.{kind}").read_text()
    capsys.readouterr()
    deeplimits("query", "rates", "--tables", "--out", "rates.parquet")
    assert capsys.readouterr().out.startswith("rates.parquet: ")
    assert "exponent" in duckdb.sql("FROM 'rates.parquet'").df()["column"].tolist()
    assert not list(here.glob(".part-*")) and not list(here.glob("tmp_*"))


def test_whole_numbers_of_any_size_are_whole_numbers(here: Path) -> None:
    """Beyond 2^53, where doubles round, and where there is none; rows in their order, names twice too."""
    sql = """SELECT sum(x)::HUGEINT AS n, 2 AS n, max(x) AS x FROM
        (VALUES (9007199254740993::HUGEINT), (170141183460469231731687303715884105727), (NULL)) AS t(x)
        GROUP BY x ORDER BY x NULLS LAST"""
    deeplimits("query", sql, "--out", "whole.json")
    rows = json.loads(Path("whole.json").read_text())
    assert [list(row.values()) for row in rows] == [
        [9007199254740993, 2, 9007199254740993],
        [170141183460469231731687303715884105727, 2, 170141183460469231731687303715884105727],
        [None, 2, None],
    ]
    counts = query("SELECT sum(samples) AS n FROM points")
    assert counts["n"].dtype.kind == "i"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--out", "rows.xlsx"], "a file that ends in .csv, .json or .parquet"),
        (["--out", "rows.prquet"], "did you mean 'parquet'"),
        (["--out", "rows"], "a file that ends in"),
        (["--format", "parquet"], "--out FILE.parquet writes Parquet"),
        (["--format", "jsn"], "did you mean 'json'"),
        (["--csv", "--out", "rows.json"], "json, as --out rows.json has it"),
    ],
)
def test_other_formats_are_refused_before_anything_is_read(here: Path, options: list[str], said: str) -> None:
    with pytest.raises(InputError, match=re.escape(said)):
        deeplimits("query", "SELECT 1", *options)
    assert not list(here.glob("rows.xlsx")) and not Path("rows").exists()


def test_sql_that_is_written_to_a_file_reads_no_other(here: Path) -> None:
    for sql in ("FROM 'config/config.yaml'", "SELECT * FROM read_csv('config/config.yaml')"):
        with pytest.raises(InputError):
            deeplimits("query", sql, "--out", "other.parquet")
    assert not Path("other.parquet").exists()


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELECT count(*) FROM range(100000000) a, range(100000000) b", "ends within 0.2 s"),
        ("SELECT repeat('x', 3000000000)", "no more than 1GB of memory"),
    ],
)
def test_a_query_has_bounds_of_time_and_memory(here: Path, sql: str, said: str) -> None:
    with pytest.raises(InputError, match=re.escape(said)):
        deeplimits("query", sql, "--timeout", "0.2")


def test_a_table_for_reading_says_what_it_does_not_show(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deeplimits.cli.rows.MOST_ROWS", 3)
    deeplimits("query", "SELECT range + 100 AS number FROM range(5)")
    printed = capsys.readouterr()
    assert "102" in printed.out and "103" not in printed.out and "2 of 5 rows are not shown" in printed.err
    deeplimits("query", "SELECT range + 100 AS number FROM range(5)", "--format", "csv")
    assert "104" in capsys.readouterr().out


WHOLE = [
    "SELECT * FROM rates",
    "FROM moments",
    "DESCRIBE comparison",
    "SELECT rates FROM rates",
    "SELECT r FROM rates r",
]
NAMED = [
    "SELECT level, avg(quantile) AS q FROM quantiles WHERE width > 1 GROUP BY level ORDER BY level",
    "SELECT c.\"Width\", c.low FROM comparison AS c WHERE c.DISTANCE = 'ks' ORDER BY 1, 2",
    "SELECT count(*) AS rows FROM moments",
    "SELECT m.mean, (SELECT max(estimate) FROM comparison WHERE width = m.width) AS most FROM moments m ORDER BY 1, 2",
    "WITH w AS (SELECT depth, std, layer FROM moments) SELECT layer, sum(std) FROM w GROUP BY ALL ORDER BY layer",
    "SELECT study, sum(mean) FROM moments JOIN rates USING (study) GROUP BY study",
    "SELECT width FROM moments UNION SELECT depth FROM comparison ORDER BY 1",
    "SELECT width, any_value(architecture) FROM moments GROUP BY width HAVING count(std) > 0 ORDER BY width",
]
MORE = [
    "SELECT COLUMNS('wid.*') FROM moments ORDER BY 1",
    "SELECT #4 FROM moments ORDER BY 1",
    "SELECT a FROM moments AS m(a, b) ORDER BY 1",
    "SELECT count(*) FROM moments NATURAL JOIN rates",
    "SELECT to_json(rates) FROM rates ORDER BY 1",
]


@pytest.mark.parametrize("sql", [*WHOLE, *NAMED, *MORE])
def test_an_answer_is_that_of_whole_tables(here: Path, sql: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Columns that a query does not name are not read, where it is sure that it takes no others."""
    found = query(sql)
    monkeypatch.setattr(store_query, "named_columns", lambda *_: None)
    pd.testing.assert_frame_equal(found, query(sql), rtol=1e-12)


@pytest.mark.parametrize("sql", [*WHOLE, *NAMED])
def test_columns_that_are_not_named_are_not_read(sql: str) -> None:
    with duckdb.connect() as connection:
        named = named_columns(connection, sql)
    assert (named is None) == (sql in WHOLE)
    assert named is None or "activation" not in named


def test_the_nearest_column_is_found_among_those_that_were_not_read(here: Path) -> None:
    with pytest.raises(InputError, match="did you mean 'architecture'"):
        query("SELECT architectur FROM moments")
