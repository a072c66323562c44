"""Whatever varies in a study is told: rows of tables, titles of panels, names of series; and a rate is fitted along
one series, never through two."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from deeplimits.analysis.assembly import coordinates_of
from deeplimits.analysis.rate_table import rate_table
from deeplimits.analysis.series import SIZES, Series
from deeplimits.drawing.titles import series_text, title
from deeplimits.store.arrays import COLUMNS, DISTANCES, PARTS
from deeplimits.store.query import run_query
from deeplimits.store.shown import shown_study
from deeplimits.store.study_groups import open_study_groups
from deeplimits.store.study_writer import write_study
from deeplimits.store.table_columns import POINTS
from deeplimits.sweep.axes import AXES, axes_of
from deeplimits.sweep.points import network_from_form
from deeplimits.sweep.study import Study, read_study
from series_studies import FAMILY

PRINTED = ("value", "estimate", "low", "high", "floor")


def stored(folder: Path, study_text: str, exponents: bool = False) -> tuple[Study, Path]:
    """A study and a store of it, with distances that follow a power law of their own along each series."""
    path = folder / "study.yaml"
    path.write_text(study_text)
    study = read_study(path)
    series = Series.of_study(study)
    coordinates = coordinates_of(study, series)
    shape = (len(study.points), len(study.compare))
    parts = {part: np.full((*shape, len(DISTANCES)), np.nan) for part in PARTS}
    at_time = np.full(shape, np.nan)
    for i, point in enumerate(study.points):
        for j, entry in enumerate(study.compare):
            index = series.of[entry.rate_in or "width"][i]
            value = 0.5 * axes_of(point.network)["width"] ** -planted(index)
            for part, array in zip(
                parts.values(), (value, value, 0.0, 2 * value, value / 100, 0.0), strict=True
            ):
                part[i, j, 0] = array
            at_time[i, j] = 0.5 if entry.at == 0.5 else 1.0
    comparison = xr.Dataset(
        {part: (("point", "entry", "distance"), array) for part, array in parts.items()}
        | {
            "at_time": (("point", "entry"), at_time),
            "at_layer": (("point", "entry"), np.ones(shape, np.int64)),
        },
        coordinates
        | {
            "distance": list(DISTANCES),
            "limit": ("entry", [entry.limit for entry in study.compare]),
            "compared": ("entry", [entry.observable for entry in study.compare]),
        },
    )
    groups = {
        "moments": xr.Dataset({}, coordinates),
        "comparison": comparison,
        "rates": rate_table(study, series, comparison),
        "series": series.dataset(),
    }
    write_study(study, folder, [groups])
    return study, folder


def planted(series: int) -> float:
    """The exponent of a series."""
    return 1.0 + 0.25 * (series % 7)


@pytest.mark.parametrize("name", FAMILY)
def test_what_varies_is_told_everywhere(tmp_path: Path, name: str) -> None:
    study, results = stored(tmp_path, FAMILY[name])
    shown = shown_study(results, "study")
    told = shown.comparison.drop(columns=list(PRINTED))
    # as they are printed
    rows = [
        tuple(f"{v:g}" if isinstance(v, float) else str(v) for v in row)
        for row in told.itertuples(index=False)
    ]
    assert len(set(rows)) == len(rows) == len(study.points) * len(study.compare)
    assert "nan" not in {value for row in rows for value in row}

    groups = open_study_groups(results, "study")
    titles = [title(groups, i) for i in range(len(study.points))]
    assert len(set(titles)) == len(titles) == len(study.points)
    assert max(len(line) for title in titles for line in title.split("\n")) < 75
    legends = [series_text(groups, i) for i in range(len(Series.of_study(study).names["width"]))]
    assert len(set(legends)) == len(legends)

    table = run_query(results, "SELECT * FROM comparison")
    assert set(COLUMNS) <= set(table.columns)
    assert len(table[list(AXES)].astype(str).drop_duplicates()) == len(study.points)
    rates = run_query(results, "SELECT * FROM rates")
    assert not rates.duplicated(["entry", "distance", "name"]).any()


@pytest.mark.parametrize("name", FAMILY)
def test_all_is_equal_along_a_series_but_the_size(tmp_path: Path, name: str) -> None:
    path = tmp_path / "study.yaml"
    path.write_text(FAMILY[name])
    study = read_study(path)
    series = Series.of_study(study)
    tied = {"times_width": {"depth", "width"}, "zip": {"depth", "width", "seed"}}
    moving = {axis for word, axes in tied.items() if word in FAMILY[name] for axis in axes}
    for size in SIZES:
        assert len(set(series.names[size])) == len(series.names[size])
        assert sorted(i for members in series.members(size) for i in members) == list(
            range(len(study.points))
        )
        for members in series.members(size):
            axes = [axes_of(study.points[i].network) for i in members]
            changing = {axis for axis in AXES if len({str(each[axis]) for each in axes}) > 1}
            assert changing <= {size, "widths" if size == "width" else size, *moving}
            assert len({(each["width"], each["depth"]) for each in axes}) == len(members)


@pytest.mark.parametrize(
    "name", ["correlation and seed", "depth", "slopes", "grams", "observables", "in step"]
)
def test_each_series_has_the_rate_that_was_planted_in_it(tmp_path: Path, name: str) -> None:
    """Exactly: one curve through points of two series would have neither's."""
    study, results = stored(tmp_path, FAMILY[name])
    rates = run_query(results, "SELECT * FROM rates ORDER BY entry, series")
    series = Series.of_study(study)
    assert len(rates) == len(study.compare) * len(series.names["width"])
    for row in rates.itertuples():
        assert row.exponent == pytest.approx(planted(row.series), rel=1e-12)
        assert (row.name, row.rate_in, row.points) == (series.names["width"][row.series], "width", 3)
        assert (row.size_low, row.size_high, row.width) == (8, 32, -1)
    assert len(shown_study(results, "study").rates) == len(rates)


def test_series_say_what_they_are(tmp_path: Path) -> None:
    names = {}
    for name in ("correlation and seed", "depth", "in step", "exotic", "start"):
        path = tmp_path / "study.yaml"
        path.write_text(FAMILY[name])
        names[name] = Series.of_study(read_study(path)).names
    relu = "ReLU (0.5, -0.5), p = 0.5"
    assert names["correlation and seed"]["width"][1] == f"{relu}; ρ₀ = 0; d = n; seed 1"
    assert names["depth"]["width"] == [f"{relu}; ρ₀ = 0.3; d = 4; seed 0", f"{relu}; ρ₀ = 0.3; d = 8; seed 0"]
    assert names["depth"]["depth"][0] == f"{relu}; ρ₀ = 0.3; n = 8; seed 0"
    assert names["in step"]["width"] == [f"{relu}; ρ₀ = 0.3; d in step with n; seeds in step"]
    assert names["exotic"]["depth"][1] == "ResNet, Ornstein–Uhlenbeck (1, 0.25); z₀ = 1; n = 1; seed 0"
    assert names["start"]["width"][1] == "ResNet, ReLU; z₀ = -1; d = n; seed 0"


def test_axes_are_all_of_the_physics(tmp_path: Path) -> None:
    """Networks with equal axes are one network, and receipts give the axes that studies give."""
    for name, study_text in FAMILY.items():
        path = tmp_path / "study.yaml"
        path.write_text(study_text)
        found: dict[tuple[str, ...], str] = {}
        for point in read_study(path).points:
            axes = axes_of(point.network)
            assert list(axes) == list(AXES)
            assert all(isinstance(axes[axis], str) for axis, column in AXES.items() if column.dtype == "str")
            assert all(
                isinstance(axes[axis], int) for axis, column in AXES.items() if column.dtype == "int64"
            )
            assert found.setdefault(tuple(map(repr, axes.values())), point.network.fingerprint) == (
                point.network.fingerprint
            ), name
            again = axes_of(network_from_form(point.network.canonical_form()))
            assert {**again, "exponent": 0} == pytest.approx({**axes, "exponent": 0}, nan_ok=True)
        assert len(found) == len(set(found.values()))
    assert list(POINTS)[1:-2] == list(AXES)
