"""Samples of a point as one lazy dataset over all its blocks."""

from __future__ import annotations

from pathlib import Path

import dask
import dask.array as da
import numpy as np
import xarray as xr

from deeplimits.store.catalogue import Catalogue
from deeplimits.store.container import DIMENSIONS
from deeplimits.sweep.axes import axes_of
from deeplimits.sweep.blocks import variables
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
