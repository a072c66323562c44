"""Study stores: what is written is read back, array by array and by xarray, with the same bytes every time."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from deeplimits.api_studies import open_study
from deeplimits.jobs.aggregate import aggregate_study, reduced_study
from deeplimits.jobs.workflow import prepare
from deeplimits.store.catalogue import Catalogue
from deeplimits.store.errors import StaleStore, StoreError
from deeplimits.store.paths import study_receipt, study_store
from deeplimits.store.query import run_query
from deeplimits.store.studies import checked_study_store
from deeplimits.store.study_groups import open_study_groups, open_study_tree, study_attributes
from deeplimits.store.study_writer import write_study
from deeplimits.sweep.config import Config
from deeplimits.sweep.description import described
from tiny import project, simulated


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Config:
    config = project(tmp_path_factory.mktemp("built"))
    simulated(config)
    aggregate_study(config.study("tiny"), config.results)
    return config


def test_every_array_comes_back_by_itself_and_by_xarray(built: Config) -> None:
    study = built.study("tiny")
    groups = reduced_study(study, Catalogue(built.results))
    store, tree = open_study_groups(built.results, "tiny"), open_study("tiny", built.path)
    assert {node.path for node in tree.subtree} == {"/", *(f"/{name}" for name in groups)} == set(store)
    attributes = study_attributes(built.results, "tiny")
    assert attributes | {"stale": ""} == tree.attrs
    assert [attributes[key] for key in ("study", "title", "samples", "points")] == [
        "tiny",
        study.title,
        8192,
        2,
    ]
    assert attributes["made_from"] == described(study)
    for name, group in groups.items():
        opened = tree[name].to_dataset()
        assert opened.equals(xr.decode_cf(store[f"/{name}"]))
        assert set(opened.coords) == set(group.coords)
        for variable, array in group.variables.items():
            found = opened[variable]
            assert found.dims == array.dims
            assert found.attrs == array.attrs
            if "_FillValue" in array.encoding:
                array = array.where(array != array.encoding["_FillValue"])  # noqa: PLW2901
            if array.dtype.kind == "U":
                assert found.values.tolist() == array.values.tolist()
                continue
            assert found.dtype == array.dtype
            assert found.values.tobytes() == array.values.tobytes()


def test_the_same_study_makes_the_same_bytes(built: Config) -> None:
    store = study_store(built.results, "tiny")
    before = store.read_bytes()
    aggregate_study(built.study("tiny"), built.results)
    assert store.read_bytes() == before


def test_long_texts_many_points_and_nothing_at_all_are_kept(built: Config, tmp_path: Path) -> None:
    """Long texts, arrays in several parts of which the last is not full, and no rows; the same array in two
    groups.
    """
    arrays = {
        "name": ("point", ["ε" * 100, "", "plain"] * 7),
        "table": (("point", "x", "y"), np.arange(21 * 6, dtype=float).reshape(21, 2, 3)),
        "whole": (("point",), np.arange(21)),
        "none": (("row", "x"), np.empty((0, 2))),
        "words": ("row", np.array([], dtype=str)),
    }
    labels = {"x": [0.5, 1.5], "at": ("point", np.arange(21) / 2)}
    held = xr.Dataset(arrays, labels)
    parts = [held.isel(point=slice(first, first + 8)) for first in range(0, 21, 8)]
    write_study(built.study("tiny"), tmp_path, [{"odd": part, "twin": part} for part in parts], points=21)
    store = open_study_groups(tmp_path, "tiny")
    assert store["/odd"].equals(held.set_coords("at"))
    assert store["/twin"].equals(store["/odd"])
    for name, (_, values) in arrays.items():
        np.testing.assert_array_equal(store["/odd"][name].values, values)
    for absent in ("/absent", "odd"):
        with pytest.raises(KeyError):
            store[absent]


def test_a_reader_goes_on_with_what_it_has_opened(built: Config, tmp_path: Path) -> None:
    study = built.study("tiny")
    for value in (1.0, 2.0):
        write_study(study, tmp_path, [{"one": xr.Dataset({"value": ("point", [value])})}], points=1)
        if value == 1.0:
            tree = open_study("tiny", built.path, tmp_path)
            store = open_study_groups(tmp_path, "tiny")
            assert set(store) == {"/", "/one"}
    assert tree["one"]["value"].values.tolist() == [1.0]
    assert store["/one"]["value"].values.tolist() == [1.0]
    assert open_study_tree(tmp_path, "tiny")["one"]["value"].values.tolist() == [2.0]


def test_what_is_missing_or_broken_is_said(built: Config, tmp_path: Path) -> None:
    study = built.study("tiny")
    with pytest.raises(StoreError, match="tiny has not been aggregated"):
        checked_study_store(tmp_path, "tiny")
    write_study(study, tmp_path, [{"one": xr.Dataset({"value": ("point", np.arange(1000.0))})}], points=1000)
    path = study_store(tmp_path, "tiny")
    content = bytearray(path.read_bytes())
    content[content.index(b"one/value/c/0") + 40] ^= 4
    path.write_bytes(content)
    with pytest.raises(StoreError, match="not what was written"):
        checked_study_store(tmp_path, "tiny")
    path.write_bytes(content[:100])
    with pytest.raises(StoreError, match="not what was written"):
        open_study(study.name, built.path, tmp_path)
    path.unlink()
    assert study_receipt(tmp_path, "tiny").exists()
    with pytest.raises(StoreError, match="not been aggregated"):
        checked_study_store(tmp_path, "tiny")
    assert run_query(tmp_path, "SELECT count(*) AS n FROM rates")["n"][0] == 0


@pytest.mark.parametrize("place", range(12))
def test_a_store_with_a_flipped_bit_is_refused_and_made_anew(
    built: Config, tmp_path: Path, place: int
) -> None:
    """Anywhere: names, metadata and the directory are under no chunk's checksum."""
    config = project(tmp_path)
    shutil.copytree(built.results, config.results)
    path, receipt = study_store(config.results, "tiny"), study_receipt(config.results, "tiny")
    prepare(config.path)
    assert receipt.exists()
    content = bytearray(path.read_bytes())
    at = np.random.default_rng(place).integers(len(content))
    content[at] ^= 1 << place % 8
    path.write_bytes(content)
    with pytest.raises(StoreError, match="`snakemake --cores all tiny"):
        checked_study_store(config.results, "tiny")
    with pytest.warns(StaleStore, match="the rows of study tiny are left out"):
        assert len(run_query(config.results, "SELECT * FROM comparison")) == 0
    prepare(config.path)
    assert not receipt.exists()


def test_tables_are_those_that_xarray_makes(built: Config) -> None:
    tree = open_study("tiny", built.path)
    found = run_query(built.results, "SELECT * FROM quantiles")
    expected = tree["laws"].to_dataset()[["quantile"]].to_dataframe().reset_index()
    assert list(found.columns)[:5] == ["study", "point", "record", "observable", "level"]
    assert set(found.columns) == {"study", *expected.columns}
    for column in expected.columns:
        assert found[column].astype(str).tolist() == expected[column].astype(str).tolist(), column
