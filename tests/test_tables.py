"""Tables of what receipts and stores hold: every row and every column, whoever wrote the receipt, in the order of the
points."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from deeplimits.store.paths import container_path, receipt_path
from deeplimits.store.query import run_query
from deeplimits.store.receipts import write_receipt
from deeplimits.store.study_writer import write_study
from deeplimits.store.table_columns import OF_STUDIES, TABLES
from deeplimits.sweep.axes import AXES, axes_of
from deeplimits.sweep.blocks import blocks_of
from deeplimits.sweep.study import Study, read_study
from series_studies import FAMILY

APART = """
title: Of all kinds
networks:
  - {activation: {name: relu, c_plus: 0.0, c_minus: [-1.0, 0.00001]}, shaping: {by: width, exponent: 0.5}}
  - {activation: {name: expression, expression: "tanh(x)", a: 2.0}, shaping: {by: depth, exponent: 0.5}}
  - {architecture: resnet, activation: {name: relu}, grid: {width: 7, depth: 5, start: -1.0, seed: 3}}
grid: {width: [8, [4, 6, 5]], depth: 3, gram: [[1.0, 0.1], [0.1, 0.7]], seed: [0, 4611686018427387904]}
samples: 16384
record: {layers: 2, output: true}
"""


def with_receipts(folder: Path, text: str) -> Study:
    """A study with the receipts of all its blocks, in two batches."""
    path = folder / "study.yaml"
    path.write_text(text)
    study = read_study(path)
    blocks = [block for point in study.points for block in blocks_of(point, study.samples)]
    for i, batch in enumerate((blocks[::2], blocks[1::2])):
        container = container_path(folder, f"{i}")
        container.parent.mkdir(exist_ok=True)
        container.write_bytes(b"closed")
        write_receipt(receipt_path(folder, f"{i}"), container, "0" * 64, batch, {"engine": "cpu"})
    return study


@pytest.mark.parametrize("name", ["all kinds", "branch", "exotic", "long widths", "norms"])
def test_points_and_blocks_are_those_of_the_receipts(tmp_path: Path, name: str) -> None:
    study = with_receipts(tmp_path, FAMILY.get(name, APART))
    points, blocks = (run_query(tmp_path, f"FROM {table}") for table in ("points", "blocks"))
    held = {point.network.fingerprint: point for point in study.points}
    assert sorted(points["physics"]) == sorted(held)
    for row in points.to_dict("records"):
        point = held[row["physics"]]
        each = [*blocks_of(point, study.samples)]
        assert (row["blocks"], row["samples"]) == (len(each), sum(block.count for block in each))
        expected = axes_of(point.network)
        for axis in AXES:
            value = row[axis]
            assert value == expected[axis] or (pd.isna(value) and pd.isna(expected[axis])), (axis, value)
    assert sorted(blocks["block"]) == sorted(
        block.id for point in study.points for block in blocks_of(point, study.samples)
    )
    for path in (tmp_path / "batches").glob("*.json"):
        body = json.loads(path.read_text())
        del body["digest"]
        path.write_text(json.dumps(body, indent=1))
    for table, found in (("points", points), ("blocks", blocks)):
        pd.testing.assert_frame_equal(run_query(tmp_path, f"FROM {table}"), found)


def test_rows_are_in_the_order_of_their_points_and_whole(tmp_path: Path) -> None:
    """Labels are joined to rows: none is lost, none is moved, of no study."""
    study = with_receipts(tmp_path, FAMILY["correlation and seed"])
    count, generator = len(study.points), np.random.default_rng(5)
    labels = {
        "network": ("point", [f"network {i}" for i in range(count)]),
        "layer": (("point", "record"), [[0, 8 + i] if i % 3 else [0, -1] for i in range(count)]),
        "observable": ("observable", ["correlation", "log_variance"]),
    }
    mean = generator.normal(size=(count, 2, 2))
    mean[1, 0, 0] = np.inf
    held = xr.Dataset({"mean": (("point", "record", "observable"), mean)}, labels)
    write_study(study, tmp_path, [{"moments": held}])
    found = run_query(tmp_path, "SELECT * FROM moments")
    expected = held.to_dataframe(["point", "record", "observable"]).reset_index()
    expected = expected[expected["layer"] >= 0].replace({np.inf: np.nan}).reset_index(drop=True)
    assert list(found.columns) == ["study", "point", "record", "observable", "layer", "network", "mean"]
    for column in expected.columns:
        assert found[column].astype(str).tolist() == expected[column].astype(str).tolist(), column
    joined = run_query(
        tmp_path,
        "SELECT m.point, n.mean FROM moments m JOIN moments n ON m.point = n.point AND m.record = n.record "
        "WHERE m.observable = 'correlation' AND n.observable = 'log_variance' AND m.record = 0 ORDER BY m.point",
    )
    assert joined["mean"].tolist() == mean[:, 0, 1].tolist()
    assert run_query(tmp_path, "SHOW TABLES")["name"].tolist() == sorted(
        ["blocks", "claims", "comparison", "events", "growth", "moments", "points", "quantiles", "rates"]
    )


@pytest.mark.parametrize("store", ["none", "blocks alone"])
def test_a_table_without_rows_has_its_columns_and_their_types(tmp_path: Path, store: str) -> None:
    """A query that was written for a full store runs in one where nothing has been made yet."""
    study = None if store == "none" else with_receipts(tmp_path, APART)
    if store == "a study without any rows":
        assert study is not None
        write_study(
            study, tmp_path, [dict.fromkeys(("moments", "laws", "comparison", "rates"), xr.Dataset())]
        )
    for name in OF_STUDIES if study else TABLES:
        columns = TABLES[name].columns
        assert run_query(tmp_path, f"FROM {name}").columns.tolist() == list(columns)
        # a text has no mean, and a number no length
        asked = [
            f'max(length("{column}"))' if variable.dtype == "str" else f'avg("{column}")'
            for column, variable in columns.items()
        ]
        assert len(run_query(tmp_path, f"SELECT {', '.join(asked)} FROM {name}")) == 1  # noqa: S608
        count = run_query(tmp_path, f"SELECT count(*) AS n FROM {name}")  # noqa: S608
        assert count.n.tolist() == [0]
