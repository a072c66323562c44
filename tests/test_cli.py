"""The command line as users meet it: answers, tables, and one clear message for whatever is wrong."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from deeplimits.cli import app
from deeplimits.errors import InputError
from deeplimits.limits import registry
from deeplimits.store.query import TABLES
from deeplimits.sweep.config import Config
from deeplimits.sweep.point_files import load_point
from forked import deeplimits
from tiny import project, strict_json

POINT = """
activation: {name: relu, c_plus: 0.5, c_minus: -0.5}
shaping: {by: width, exponent: 0.5}
width: 40
depth: 40
inputs: {correlation: 0.3}
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """A project whose one study is simulated and aggregated by the verbs themselves."""
    config = project(tmp_path_factory.mktemp("built"))
    folder = config.path.parent.parent
    from deeplimits.jobs.workflow import prepare

    prepare(config.path)
    for todo in (config.results / "batches").glob("*.todo.json"):
        done = deeplimits("simulate", str(todo), cwd=folder)
        assert done.returncode == 0, done.stderr
    done = deeplimits("aggregate", "tiny", cwd=folder)
    assert done.returncode == 0, done.stderr
    return config


@pytest.fixture
def point(tmp_path: Path) -> Path:
    path = tmp_path / "point.yaml"
    path.write_text(POINT)
    return path


@pytest.mark.slow
@pytest.mark.parametrize(
    ("verb", "name"), [("figure", "tiny/ks_against_width"), ("show", "tiny"), ("aggregate", "tiny")]
)
def test_what_xarray_would_load_to_ask_for_is_left_out(built: Config, verb: str, name: str) -> None:
    """``dask.array`` alone takes a third of a second to load."""
    code = (
        f"import sys; sys.argv = ['deeplimits', {verb!r}, {name!r}]\n"
        "from deeplimits.cli import main\n"
        "try: main()\n"
        "except SystemExit as end: assert not end.code\n"
        "assert sys.modules['dask'] is None and 'xarray' in sys.modules"
    )
    folder = built.path.parent.parent
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_limit_prints_what_the_library_computes(point: Path, tmp_path: Path) -> None:
    out = tmp_path / "limit.json"
    done = deeplimits(
        "limit",
        str(point),
        "--limit",
        "correlation_sde",
        "--json",
        "--quantiles",
        "0.1,0.5",
        "--out",
        str(out),
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert json.loads(out.read_text()) == answer
    network = load_point(point).network
    (law,) = registry()["correlation_sde"].laws(network, [40], "correlation")
    assert answer["limit"] == "correlation_sde"
    assert list(answer["quantiles"]) == ["0.1", "0.5"]
    np.testing.assert_allclose(list(answer["quantiles"].values()), law.quantile([0.1, 0.5]), rtol=1e-12)
    text = deeplimits("limit", str(point), "--matched").stdout
    assert "limit: matched_sde, correlation at layer 40, time 1\n" in text


EXPLOSIVE = """
activation: {name: softplus, center: -2.0}
shaping: {by: width, exponent: 0.5}
width: 40
depth: 40
inputs: {correlation: 1.0}
"""


@pytest.mark.parametrize(
    ("text", "options", "unknown"),
    [
        # one network in six has exploded by t = 1: so have the mean and the highest quantile
        pytest.param(
            EXPLOSIVE,
            ["--observable", "log_variance"],
            ["mean", "std", "0.95"],
            marks=pytest.mark.slow,
        ),
        # equal inputs stay equal: log ℓ²(1 − ρ) is −∞
        (
            POINT.replace("correlation: 0.3", "correlation: 1.0")
            .replace(", c_plus: 0.5, c_minus: -0.5", "")
            .replace("shaping: {by: width, exponent: 0.5}\n", ""),
            ["--observable", "rescaled_correlation"],
            ["mean", "0.05", "0.25", "0.5", "0.75", "0.95"],
        ),
    ],
)
def test_json_is_strict_and_null_where_nothing_is_finite(
    tmp_path: Path, text: str, options: list[str], unknown: list[str]
) -> None:
    (tmp_path / "point.yaml").write_text(text)
    out = tmp_path / "limit.json"
    done = deeplimits("limit", str(tmp_path / "point.yaml"), "--json", "--out", str(out), *options)
    assert done.returncode == 0, done.stderr
    answer = strict_json(done.stdout)
    assert strict_json(out.read_text()) == answer
    values = answer | answer["quantiles"]
    assert [name for name, value in values.items() if value is None] == unknown


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["limit", "POINT", "--limit", "corelation_sde"], "did you mean 'correlation_sde'?"),
        (["limit", "POINT", "--limit", "unshaped"], "unshaped"),
        (["limit", "POINT", "--observable", "corelation"], "did you mean 'correlation'?"),
        (["limit", "POINT", "--quantiles", "0.5,1.5"], "1.5"),
        (["limit", "POINT", "--quantiles", "half"], "half"),
        (["limit", "POINT", "--layer", "-1"], "-1"),
        (["limit", "POINT", "--matched", "--limit", "linear"], "either --matched or --limit"),
        (["limit", "nowhere.yaml"], "nowhere.yaml"),
        (["limit", "config/studies/tiny.yaml"], "networks: found a study, expected a point"),
        (["limit", "RESIDUAL", "--matched"], "without --matched"),
        (["verify", "--results", "reslts"], "--results: found reslts, no such folder"),
        (["show", "tiny", "--results", "config"], "`snakemake --cores all tiny"),
        (["aggregate", "tiny", "--results", "config"], "`snakemake --cores all tiny"),
        (["simulate", "POINT"], "--out"),
        (["simulate", "POINT", "--out", "x.zip"], ".zarr.zip"),
        (["simulate", "POINT", "--out", "x.zarr.zip", "--samples", "5:5"], "0 ≤ A < B"),
        (["simulate", "POINT", "--out", "x.zarr.zip", "--engine", "cup"], "did you mean 'cpu'?"),
        (["plan", "tny"], "did you mean 'tiny'?"),
        (["show", "tny"], "did you mean 'tiny'?"),
        (["aggregate", "tny"], "did you mean 'tiny'?"),
        (["figure", "tiny/ks_against_widht"], "did you mean 'tiny/ks_against_width'?"),
        (["figure", "lnr22_figure_1"], "lnr22_figure_1"),
        (["query", "SELECT * FROM rate"], "did you mean 'rates'?"),
        (["query", "SELECT nothing FROM rates"], "nothing"),
        (["plan", "--scale", "dep"], "did you mean 'deep'?"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_what_is_wrong_is_one_message(built: Config, point: Path, arguments: list[str], message: str) -> None:
    residual = point.with_name("residual.yaml")
    residual.write_text("architecture: resnet\n" + POINT.replace("shaping: {by: width, exponent: 0.5}\n", ""))
    words = [{"POINT": str(point), "RESIDUAL": str(residual)}.get(word, word) for word in arguments]
    done = deeplimits(*words, cwd=built.path.parent.parent)
    assert done.returncode == 2
    assert done.stdout == ""
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not list(built.path.parent.parent.glob("*.zarr.zip"))


@pytest.mark.slow
def test_simulate_takes_any_range_of_samples(point: Path, tmp_path: Path) -> None:
    import xarray as xr
    import zarr

    parts = []
    for samples in ("0:30", "10:20"):
        out = tmp_path / f"{samples.replace(':', '-')}.zarr.zip"
        done = deeplimits("simulate", str(point), "--out", str(out), "--samples", samples)
        assert done.returncode == 0, done.stderr
        store = zarr.storage.ZipStore(out, mode="r")
        parts.append(xr.open_zarr(store, consolidated=False).load())
    whole, part = parts
    assert whole["sample"].values[10:20].tolist() == part["sample"].values.tolist()
    for name in ("log_variance", "correlation_gap"):
        assert whole[name].values[10:20].tobytes() == part[name].values.tobytes()


def test_plan_and_status_know_what_is_done(built: Config) -> None:
    folder = built.path.parent.parent
    (row,) = json.loads(deeplimits("plan", "--json", cwd=folder).stdout)
    assert (row["study"], row["points"], row["blocks"], row["blocks_missing"]) == ("tiny", 2, 2, 0)
    (row,) = json.loads(deeplimits("plan", "--json", "--scale", "deep", cwd=folder).stdout)
    assert row["samples"] == 64 * 8192
    assert row["blocks_missing"] == row["blocks"] - 2 > 0
    (row,) = json.loads(deeplimits("status", "--json", cwd=folder).stdout)
    assert row["aggregated"] and row["blocks_done"] == row["blocks"] == 2
    assert "tiny: 2 of 2 blocks, aggregated" in deeplimits("status", cwd=folder).stdout


def test_show_tells_distances_and_rates(built: Config) -> None:
    done = deeplimits("show", "tiny", cwd=built.path.parent.parent)
    assert done.returncode == 0, done.stderr
    assert "correlation_sde" in done.stdout
    assert "variance" in done.stdout


@pytest.mark.slow
def test_queries_see_points_blocks_and_results(built: Config) -> None:
    folder = built.path.parent.parent

    def rows(sql: str) -> list[dict[str, str]]:
        done = deeplimits("query", sql, "--csv", cwd=folder)
        assert done.returncode == 0, done.stderr
        return list(csv.DictReader(io.StringIO(done.stdout)))

    assert [(row["width"], row["samples"]) for row in rows("SELECT * FROM points ORDER BY width")] == [
        ("8", "8192"),
        ("12", "8192"),
    ]
    (total,) = rows("SELECT sum(count) AS samples, count(*) AS blocks FROM blocks")
    assert (int(float(total["samples"])), total["blocks"]) == (16384, "2")
    assert rows("SELECT count(*) AS n FROM moments WHERE observable = 'correlation'")[0]["n"] == "6"
    assert float(rows("SELECT max(value) AS worst FROM comparison WHERE distance = 'ks'")[0]["worst"]) < 0.2
    assert rows("SELECT * FROM quantiles LIMIT 1")
    (joined,) = rows("SELECT count(*) AS n FROM points p JOIN blocks b ON p.physics = b.physics")
    assert joined["n"] == "2"
    assert {row["name"] for row in rows("SHOW TABLES")} == set(TABLES)


@pytest.mark.parametrize(
    "sql",
    [
        "DROP TABLE points",
        "CREATE TABLE t AS SELECT 1",
        "COPY (SELECT 1) TO 'out.csv'",
        "SELECT 1; SELECT 2",
        "SELECT * FROM read_csv('config/config.yaml')",
        "SELECT * FROM 'config/config.yaml'",
        "INSERT INTO points VALUES (1)",
        "ATTACH 'other.db'",
        "INSTALL httpfs",
        "SET enable_external_access = true",
        "PRAGMA database_list",
        "",
    ],
)
def test_queries_change_and_read_nothing_else(built: Config, sql: str) -> None:
    folder = built.path.parent.parent
    before = sorted(folder.rglob("*"))
    done = deeplimits("query", sql, cwd=folder)
    assert done.returncode == 2, done.stdout
    assert "Traceback" not in done.stderr
    assert sorted(folder.rglob("*")) == before


def test_verify_tells_what_it_checked(built: Config) -> None:
    done = deeplimits("verify", "--recompute", "2", cwd=built.path.parent.parent)
    assert done.returncode == 0, done.stderr
    # another test of this file may have drawn a figure
    said = r"1 container, 1 study store(, \d figures?)? checked, 2 blocks drawn again: 0 problems\n"
    assert re.fullmatch(said, done.stdout)


def test_help_names_every_verb() -> None:
    done = deeplimits("--help")
    assert done.returncode == 0
    for verb in ("simulate", "limit", "plan", "status", "aggregate", "figure", "show", "query", "verify"):
        assert verb in done.stdout


def test_a_todo_by_another_name_stays(built: Config, tmp_path: Path) -> None:
    todo = next((built.results / "batches").glob("*.todo.json"))
    mine = tmp_path / "mine.json"
    mine.write_bytes(todo.read_bytes())
    with pytest.raises(InputError, match=r"mine\.zarr\.zip.*its receipt would take the place of"):
        app(["simulate", str(mine)], standalone_mode=False)
    assert [mine] == list(tmp_path.iterdir()) and mine.read_bytes() == todo.read_bytes()
    app(["simulate", str(mine), "--out", str(tmp_path / "other.zarr.zip")], standalone_mode=False)
    assert {path.name for path in tmp_path.iterdir()} == {"mine.json", "other.json", "other.zarr.zip"}
