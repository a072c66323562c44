"""What a study store keeps beside laws: how many networks have exploded by each layer, and a few paths."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from deeplimits.analysis.reduce import over_blocks
from deeplimits.limits.smooth import SmoothVariance
from deeplimits.store.catalogue import BlockLocation, Catalogue
from deeplimits.sweep.study import Study

PATHS = 32
"""Samples that are kept whole."""

Counts = NDArray[np.int64]


def events(study: Study, catalogue: Catalogue, coordinates: dict[str, Any]) -> xr.Dataset:
    """Networks whose first input has exploded, V ≥ s², by each recorded layer [point, record]; −1 where that
    has no meaning; and what the limit gives for the last one [point].
    """
    records = max(len(point.layers) for point in study.points)
    exploded = np.full((len(study.points), records), -1, np.int64)
    probability = np.full((len(study.points), 2), np.nan)
    limit = SmoothVariance()
    for i, point in enumerate(study.points):
        if point.network.piecewise_linear:
            continue
        located = list(catalogue.locations(point, study.samples))
        exploded[i, : len(point.layers)] = over_blocks(_exploded, _added, located, point.layers)
        if limit.applies(point.network):
            probability[i, 0] = limit.explosion_probability(point.network, point.layers[-1])
            probability[i, 1] = limit.explosion_probability_ever(point.network)
    return xr.Dataset(
        {
            "exploded": (("point", "record"), exploded),
            "explosion_probability": (("point",), probability[:, 0]),
            "explosion_probability_ever": (("point",), probability[:, 1]),
        },
        coordinates,
    )


def paths(study: Study, catalogue: Catalogue, coordinates: dict[str, Any]) -> xr.Dataset:
    """The first samples: log V of the first input and 1 − ρ of the first pair [point, path, record]."""
    records = max(len(point.layers) for point in study.points)
    shape = (len(study.points), min(PATHS, study.samples), records)
    kept = {name: np.full(shape, np.nan, np.float32) for name in ("log_variance", "correlation_gap")}
    for i, point in enumerate(study.points):
        for name, array in kept.items():
            if name == "log_variance" or point.network.inputs > 1:
                filled = 0
                for location, take in catalogue.locations(point, shape[1]):
                    part = location.read(name)[:take, :, 0]
                    array[i, filled : filled + take, : len(point.layers)] = part
                    filled += take
    return xr.Dataset(
        {name: (("point", "path", "record"), array) for name, array in kept.items()}, coordinates
    )


def _exploded(location: BlockLocation, take: int, layers: Sequence[int]) -> Counts:
    at = location.read("exploded_at")[:take, 0]
    return np.array([np.count_nonzero((at >= 0) & (at <= layer)) for layer in layers], np.int64)


def _added(parts: Sequence[Counts]) -> Counts:
    return np.asarray(sum(parts))
