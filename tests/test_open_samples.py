"""The samples of a study as one lazy dataset: chosen by the axes of the sweep, read a chunk at a time, built without
opening a container."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import deeplimits
from deeplimits.analysis.grids import layout_of
from deeplimits.jobs.aggregate import aggregate_study
from deeplimits.store.errors import StoreError
from deeplimits.store.zarr_zip import CorruptContainer
from deeplimits.sweep.axes import AXES
from deeplimits.sweep.config import Config
from tiny import project, simulated

ROOT = Path(__file__).parent.parent
GRID = """
title: A full grid
networks: [{activation: {name: relu, c_plus: 0.0, c_minus: [-1.0, -0.5]}, shaping: {by: width, exponent: 0.5}}]
grid: {width: [8, 12], depth: {times_width: 1.0}, correlation: [0.0, 0.3]}
samples: 8448
record: {layers: 3, output: true}
"""
APART = """
title: Networks of several kinds
networks:
  - {activation: {name: relu, c_plus: 0.0, c_minus: -1.0}, shaping: {by: width, exponent: 0.5}}
  - {architecture: resnet, activation: {name: relu}, grid: {width: [8], depth: [4], gram: [[1.0, 0.1, 0.2], [0.1, 1.0, 0.3], [0.2, 0.3, 1.0]]}}
grid: {width: [8, 12], depth: [6, 4], correlation: 0.3, zip: [width, depth]}
samples: 256
record: {layers: all}
"""


def built(folder: Path, text: str) -> Config:
    config = project(folder, text)
    simulated(config)
    return config


@pytest.fixture(scope="module")
def grid(tmp_path_factory: pytest.TempPathFactory) -> Config:
    return built(tmp_path_factory.mktemp("grid"), GRID)


@pytest.fixture(scope="module")
def apart(tmp_path_factory: pytest.TempPathFactory) -> Config:
    return built(tmp_path_factory.mktemp("apart"), APART)


def opened(config: Config, **selection: Any) -> xr.Dataset:
    return deeplimits.open_samples("tiny", config=config.path, **selection)


def fresh(config: Config, place: int) -> xr.Dataset:
    study = config.study("tiny")
    return deeplimits.simulate(study.points[place], (0, study.samples))


def test_a_full_grid_has_a_dimension_for_each_axis(grid: Config) -> None:
    samples = opened(grid)
    assert samples.rho.dims == ("width", "correlation", "c_minus", "sample", "record", "cross")
    assert samples.depth.dims == ("width",)
    assert samples.layer.dims == ("width", "record")
    assert samples.rho.chunksizes["sample"] == (8192, 256)
    assert all(set(samples.rho.chunksizes[name]) == {1} for name in samples.rho.dims[:3])
    chosen = samples.sel(width=12, c_minus=-0.5, correlation=0.3)
    assert chosen.equals(samples.sel(depth=12, c_minus=-0.5, correlation=0.3))
    # axes that do not vary
    assert chosen.equals(samples.sel(width=12, c_minus=-0.5, correlation=0.3, architecture="mlp", seed=0))
    with pytest.raises(KeyError, match="seed is 0 at every point, and 1 was asked for"):
        samples.sel(width=12, seed=1)
    assert (chosen.rho - samples.rho.sel(width=8, c_minus=-0.5, correlation=0.3)).seed == 0
    points = [point.network for point in grid.study("tiny").points]
    for place, network in enumerate(points):
        one = samples.sel(width=network.width, c_minus=network.activation.c_minus)
        one = one.sel(correlation=network.correlation())
        drawn = fresh(grid, place)
        assert one.physics.item() == network.fingerprint
        assert one.layer.values.tolist() == drawn.layer.values.tolist()
        for name in drawn.data_vars:
            assert one[name].dims == drawn[name].dims and one[name].dtype == drawn[name].dtype
            np.testing.assert_array_equal(one[name].values, drawn[name].values)


def test_observables_are_made_of_what_is_stored(grid: Config) -> None:
    samples = opened(grid)
    gap, log_variance = samples.correlation_gap.astype(float), samples.log_variance.astype(float)
    xr.testing.assert_allclose(samples.rho, 1 - gap)
    xr.testing.assert_allclose(samples.variance, np.exp(log_variance))
    first, second = (log_variance.isel(input=i, drop=True) for i in (0, 1))
    xr.testing.assert_allclose(samples.covariance, (1 - gap) * np.exp((first + second) / 2), rtol=1e-6)
    later = samples.isel(record=[1, 2])
    xr.testing.assert_allclose(
        later.rescaled_correlation, np.log(later.layer**2 * gap.isel(record=[1, 2])).transpose(*gap.dims)
    )
    last = log_variance.isel(record=-1, drop=True).drop_vars("layer")
    xr.testing.assert_allclose(samples.standard_output, samples.output * np.exp(-last / 2), rtol=1e-6)


def test_every_way_of_indexing_gives_what_the_whole_gives(grid: Config) -> None:
    samples = opened(grid)
    for name in ("log_variance", "rho", "standard_output"):
        whole = samples[name].compute()
        dimensions = dict.fromkeys(("width", "correlation", "c_minus"), 1)
        for key in (
            {**dimensions, "sample": 8200},
            {**dimensions, "sample": slice(8190, 8200)},
            {"width": [1, 0], "sample": slice(8300, 10, -1000)},
            {"c_minus": np.array([1]), "sample": np.array([8447, 0, 8191])},
            {"sample": slice(5, 5)},
        ):
            assert samples[name].isel(key).equals(whole.isel(key)), (name, key)
    whole = samples.rho.compute()
    assert samples.rho.isel(record=[2, 0], cross=0).equals(whole.isel(record=[2, 0], cross=0))
    assert samples.rho.isel(record=-1).mean("sample").equals(whole.isel(record=-1).mean("sample"))


def test_points_that_are_no_grid_lie_along_one_dimension(apart: Config) -> None:
    samples = opened(apart)
    assert samples.log_variance.dims == ("point", "sample", "record", "input")
    assert dict(samples.sizes) == {"point": 3, "sample": 256, "record": 7, "input": 3, "cross": 3}
    assert samples.layer.values.tolist() == [
        [0, 1, 2, 3, 4, 5, 6],
        [0, 1, 2, 3, 4, -1, -1],
        [0, 1, 2, 3, 4, -1, -1],
    ]
    for place, (width, depth, columns) in enumerate([(8, 6, [0]), (12, 4, [0]), (8, 4, [0, 1, 2])]):
        one = samples.sel(width=width, depth=depth).isel(point=0)
        drawn = fresh(apart, place)
        records, inputs = drawn.sizes["record"], drawn.sizes["input"]
        np.testing.assert_array_equal(
            one.log_variance.values[:, :records, :inputs], drawn.log_variance.values
        )
        np.testing.assert_array_equal(
            one.correlation_gap.values[:, :records, columns], drawn.correlation_gap.values
        )
        assert np.isnan(one.log_variance.values[:, records:]).all()
        assert np.isnan(one.rho.values[:, :, [i for i in range(3) if i not in columns]]).all()
        if "collapsed_at" in drawn:
            np.testing.assert_array_equal(one.collapsed_at.values, drawn.collapsed_at.values)
        else:
            assert one.collapsed_at.isnull().all() and one.log_growth.isnull().all()
    assert samples.where(samples.architecture == "resnet", drop=True).sizes["point"] == 1
    resnet = opened(apart, architecture="resnet")
    assert resnet.log_growth.dims == ("sample", "record", "input")
    assert resnet.collapsed_at.dtype == np.int32
    resnet = resnet.where(resnet.collapsed_at < 0)
    growth = (resnet.log_activation - resnet.log_activation.isel(record=0)) / 2
    xr.testing.assert_allclose(resnet.log_growth, growth.astype(float), atol=1e-6)


def test_no_container_is_opened_before_values_are_asked_for(tmp_path: Path) -> None:
    config = built(tmp_path, GRID)
    aggregate_study(config.study("tiny"), config.results)
    for container in (config.results / "batches").glob("*.zarr.zip"):
        container.write_bytes(b"x" * container.stat().st_size)
    without = deeplimits.open_samples("tiny", results=config.results, root=tmp_path / "elsewhere")
    for samples in (opened(config), without):
        assert samples.rho.sel(width=8).mean("sample").sizes["c_minus"] == 2
        with pytest.raises(CorruptContainer):
            samples.rho.sel(width=8).mean("sample").compute()
    next((config.results / "batches").glob("*.zarr.zip")).unlink()
    with pytest.raises(StoreError, match="not there yet"):
        opened(config)


def _layout(**axes: list[Any]) -> Any:
    count = len(next(iter(axes.values())))
    names = {"correlation" if name == "correlation_0" else name for name in AXES}
    return layout_of({name: axes.get(name, [0.0] * count) for name in names})


@pytest.mark.parametrize(
    ("axes", "dimensions"),
    [
        ({"width": [8]}, ()),
        ({"width": [8, 16, 32], "depth": [8, 16, 32], "seed": [2, 0, 1]}, ("width",)),
        ({"width": [8, 8, 16, 16], "depth": [4, 8, 4, 8]}, ("width", "depth")),
        ({"width": [8, 8, 16, 16], "depth": [4, 8, 8, 16]}, ("point",)),
        ({"width": [16, 8, 16, 8], "seed": [0, 1, 1, 0]}, ("width", "seed")),
        ({"width": [8, 8, 16], "seed": [0, 1, 0]}, ("point",)),
        ({"c_minus": [-1.0, np.nan], "activation": ["relu", "smooth"]}, ("activation",)),
        ({"correlation": [0.1, 0.2], "gram": ["x", "y"]}, ("correlation",)),
        ({"width": [8, 8], "depth": [4, 4]}, ("point",)),
    ],
)
def test_dimensions_are_the_fewest_axes_that_tell_points_apart(
    axes: dict[str, list[Any]], dimensions: tuple[str, ...]
) -> None:
    layout = _layout(**axes)
    assert layout.dimensions == dimensions
    assert sorted(layout.places.ravel()) == list(range(layout.places.size))
    held = xr.Dataset(coords=layout.coordinates())
    for name, values in axes.items():
        for place in np.ndindex(layout.places.shape):
            at = (
                held[name]
                .isel(dict(zip(layout.dimensions, place, strict=True)), missing_dims="ignore")
                .item()
            )
            value = values[layout.places[place]]
            assert str(at) == str(value)
