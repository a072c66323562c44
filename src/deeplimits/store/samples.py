"""Samples of a point as one lazy dataset over all its blocks."""

from __future__ import annotations

from pathlib import Path

import dask
import dask.array as da
import numpy as np
import xarray as xr

from deeplimits.store.catalogue import Catalogue
from deeplimits.store.container import DIMENSIONS
from deeplimits.store.errors import StoreError
from deeplimits.store.study_groups import open_study_groups
from deeplimits.sweep.axes import axes_of
from deeplimits.sweep.blocks import block_from_description, variables
from deeplimits.sweep.points import Point


def lazy_point(results: Path, point: Point, samples: int) -> xr.Dataset:
    """The first ``samples`` samples of a point: one dask chunk a block, read and checked when computed.

    Raises
    ------
    StoreError
        If a block is missing.
    """
    located = list(Catalogue(results).locations(point, samples))
    network, arrays = point.network, {}
    for name, (shape, dtype) in variables(point).items():
        if shape[-1]:
            parts = [
                da.from_delayed(dask.delayed(location.read)(name)[:take], (take, *shape), dtype)
                for location, take in located
            ]
            arrays[name] = (DIMENSIONS[name], da.concatenate(parts))
    attributes = {**axes_of(network), "physics": network.physics_hash}
    return xr.Dataset(
        arrays, {"sample": np.arange(samples), "layer": ("record", np.array(point.layers))}, attributes
    )


def aggregated_points(results: Path, study: str) -> tuple[list[Point], int]:
    """The points of a study and its samples a point, from its store and the receipts, without the study file.

    Raises
    ------
    StoreError
        If the study has not been aggregated, or blocks of it are missing.
    """
    groups = open_study_groups(results, study)
    attributes, rows = groups["/"].attrs, groups["/moments"]
    recorded = attributes["made_from"]["record"]
    held = {}
    for receipt in Catalogue(results).receipts:
        for block in receipt.blocks:
            point = block_from_description(block).point
            if (point.gradients, point.output) == (recorded["gradients"], recorded["output"]):
                held[point.network.physics_hash, point.layers] = point
    points = []
    for name, row in zip(rows["physics"].values, rows["layer"].values, strict=True):
        key = str(name), tuple(int(layer) for layer in row if layer >= 0)
        if key not in held:
            raise StoreError(f"{results}: no block is held of a point of study {study}")
        points.append(held[key])
    return points, int(attributes["samples"])
