"""Samples of a point as one lazy dataset over all its blocks."""

from __future__ import annotations

from pathlib import Path

import dask
import dask.array as da
import numpy as np
import xarray as xr

from deeplimits.store.catalogue import Catalogue
from deeplimits.store.container import DIMENSIONS
from deeplimits.sweep.points import Point


def lazy_point(results: Path, point: Point, samples: int) -> xr.Dataset:
    """The first ``samples`` samples of a point: one dask chunk a block, read and checked when computed.

    Raises
    ------
    StoreError
        If a block is missing.
    """
    inputs, records = point.network.inputs, len(point.layers)
    located = list(Catalogue(results).locations(point, samples))
    network = point.network
    shapes: dict[str, tuple[tuple[int, ...], type[np.generic]]] = {
        "log_variance": ((records, inputs), np.float32),
        "correlation_gap": ((records, inputs * (inputs - 1) // 2), np.float32),
    }
    if not network.piecewise_linear:
        shapes["exploded_at"] = ((inputs,), np.int32)
    variables = {}
    for name, (shape, dtype) in shapes.items():
        if shape[-1]:
            parts = [
                da.from_delayed(dask.delayed(location.read)(name)[:take], (take, *shape), dtype)
                for location, take in located
            ]
            variables[name] = (DIMENSIONS[name], da.concatenate(parts))
    attributes = {
        "width": network.width,
        "depth": network.depth,
        "seed": network.seed,
        "exponent": network.exponent,
        "physics": network.physics_hash,
    }
    return xr.Dataset(
        variables, {"sample": np.arange(samples), "layer": ("record", np.array(point.layers))}, attributes
    )
