"""What is stored is what its description says: arrays, dimensions, columns, attributes; and it is found from anywhere."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

import deeplimits
from deeplimits.errors import InputError
from deeplimits.jobs.aggregate import aggregate_study
from deeplimits.store.arrays import GROUPS
from deeplimits.store.query import run_query
from deeplimits.store.table_columns import TABLES
from deeplimits.sweep.config import Config
from deeplimits.variables import CONTAINER
from forked import deeplimits as command
from tiny import project, simulated

ROOT = Path(__file__).parent.parent
RESIDUAL = """
title: Gradients of residual networks
networks: [{architecture: resnet, activation: {name: relu}}]
grid: {width: 4, depth: 4, correlation: 0.3}
samples: 8192
record: {layers: 3, gradients: true, output: true}
growth: {depths: [2, 4], samples: 256}
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Config:
    folder = tmp_path_factory.mktemp("described")
    project(folder)
    config = project(folder, RESIDUAL, "residual")
    (folder / "config" / "config.yaml").write_text("studies: all\n")
    simulated(config)
    for name in ("tiny", "residual"):
        aggregate_study(config.study(name), config.results)
    return config


@pytest.mark.parametrize("study", ["tiny", "residual"])
def test_every_array_of_a_study_store_is_described(built: Config, study: str) -> None:
    tree = deeplimits.open_study(study, built.path, built.results)
    assert set(tree.children) == set(GROUPS)
    for group, node in tree.children.items():
        held = node.to_dataset(inherit=False)
        unknown = set(map(str, held.variables)) - GROUPS[group].keys()
        assert not unknown, (group, unknown)
        for name, array in held.variables.items():
            described = GROUPS[group][str(name)]
            assert described.dimensions == array.dims, (group, name)
            assert array.attrs["description"] == described.meaning and array.attrs["long_name"]
            assert array.attrs.get("units", "") == described.units
        missing = GROUPS[group].keys() - set(map(str, held.variables))
        assert not missing - {"log_activation", "gradient_log_norm"}, (group, missing)


def test_every_column_of_a_table_is_described(built: Config) -> None:
    for name, table in TABLES.items():
        frame = run_query(built.results, f"FROM {name} LIMIT 1")
        assert set(frame.columns) == set(table.columns), name
        assert all(variable.meaning for variable in table.columns.values())


def test_samples_say_what_they_are_and_bytes_stay(built: Config) -> None:
    before = {path: hashlib.sha256(path.read_bytes()).digest() for path in built.results.rglob("*.zip")}
    samples = deeplimits.open_samples("residual", results=built.results, config=built.path)
    assert all(array.attrs["long_name"] for name, array in samples.variables.items() if name != "sample")
    for name in ("gradient_log_norm", "correlation_gap", "collapsed_at"):
        assert samples[name].attrs["description"] == CONTAINER[name].meaning
    assert samples["collapsed_at"].attrs["units"] == samples["layer"].attrs["units"] == "layers"
    assert before == {
        path: hashlib.sha256(path.read_bytes()).digest() for path in built.results.rglob("*.zip")
    }


def test_results_are_found_from_anywhere(
    built: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a root, by the environment, or as a folder of results alone, which needs no configuration."""
    folder = built.path.parent.parent
    monkeypatch.chdir(tmp_path)
    sql = "SELECT count(*) AS n FROM points"
    with pytest.raises(InputError):
        deeplimits.query(sql)
    ways = [{"root": folder}, {"root": str(folder), "results": "results"}, {"results": built.results}]
    for way in ways:
        assert deeplimits.query(sql, **way)["n"].tolist() == [3]  # type: ignore[arg-type]
        assert deeplimits.open_study("tiny", **way).attrs["points"] == 2  # type: ignore[arg-type]
        drawn = deeplimits.open_samples("residual", **way)  # type: ignore[arg-type]
        assert drawn.sizes["sample"] == 8192
        assert "output" in drawn
    monkeypatch.setenv("DEEPLIMITS_ROOT", str(folder))
    assert deeplimits.query(sql)["n"].tolist() == [3]
    copied = tmp_path / "copied"
    shutil.copytree(built.results, copied)
    assert deeplimits.query(sql, results=copied)["n"].tolist() == [3]


@pytest.mark.slow
def test_query_lists_tables_where_there_is_no_store(tmp_path: Path) -> None:
    done = command("query", "--tables", "--csv", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert [line.split(",")[0] for line in done.stdout.splitlines()] == ["table", *TABLES]
    done = command("query", "--tables", "rates", cwd=tmp_path)
    assert "distance ≈ constant · size^−exponent" in done.stdout
    done = command("query", "--tables", "rate", cwd=tmp_path)
    assert done.returncode == 2 and "did you mean 'rates'?" in done.stderr
    assert command("query", cwd=tmp_path).returncode == 2
