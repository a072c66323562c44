"""What a study store keeps beside laws: how many networks have exploded or collapsed by each layer, and a few
paths.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from deeplimits.analysis.reduce import over_blocks
from deeplimits.limits import registry
from deeplimits.limits.collapse import collapse_probability
from deeplimits.store.catalogue import BlockLocation, Catalogue
from deeplimits.store.studies import Columns, dataset
from deeplimits.store.zarr_zip import Group
from deeplimits.sweep.blocks import variables
from deeplimits.sweep.points import Point
from deeplimits.sweep.study import Study

PATHS = 32
"""Samples that are kept whole."""
_ALONG_PATHS = ("log_variance", "correlation_gap", "log_activation", "gradient_log_norm")
"""Variables that are kept of them, of the first input or pair."""

Counts = NDArray[np.int64]


def events(study: Study, catalogue: Catalogue, coordinates: Columns) -> Group:
    """Counts of what happened to the first input, −1 where it has no meaning, and exact probabilities.

    ``exploded`` [point, record] counts networks with V ≥ s² by each recorded layer, and
    ``explosion_probability`` and ``explosion_probability_ever`` [point] are what the limit gives for the last
    one and for ever. ``alive`` [point] counts residual networks with φ(z_0) ≠ 0, ``collapsed`` [point,
    record] those of them with φ(z_ℓ) = 0 by each recorded layer, and ``collapse_probability`` [point, record]
    is exact for networks of one unit that are alive.
    """
    records = max(len(point.layers) for point in study.points)
    shape = (len(study.points), records)
    exploded, collapsed = np.full(shape, -1, np.int64), np.full(shape, -1, np.int64)
    alive = np.full(shape[0], -1, np.int64)
    explosion, collapse = np.full((shape[0], 2), np.nan), np.full(shape, np.nan)
    limit = registry()["smooth_variance"]
    for i, point in enumerate(study.points):
        stored, last = variables(point), len(point.layers)
        located = list(catalogue.locations(point, study.samples))
        if "exploded_at" in stored:
            exploded[i, :last] = over_blocks(_exploded, _added, located, point.layers)
            if limit.applies(point.network):
                explosion[i, 0] = limit.explosion_probability(point.network, point.layers[-1])
                explosion[i, 1] = limit.explosion_probability_ever(point.network)
        if "collapsed_at" in stored:
            counts = over_blocks(_collapsed, _added, located, point.layers)
            alive[i], collapsed[i, :last] = counts[0], counts[1:]
            collapse[i, :last] = [collapse_probability(point.network, layer) for layer in point.layers]
    return dataset(
        {
            "exploded": (("point", "record"), exploded),
            "explosion_probability": (("point",), explosion[:, 0]),
            "explosion_probability_ever": (("point",), explosion[:, 1]),
            "alive": (("point",), alive),
            "collapsed": (("point", "record"), collapsed),
            "collapse_probability": (("point", "record"), collapse),
        },
        coordinates,
    )


def paths(study: Study, catalogue: Catalogue, coordinates: Columns) -> Group:
    """The first samples, as they are stored, of the first input or pair [point, path, record]; NaN where a
    point has no such variable.
    """
    records = max(len(point.layers) for point in study.points)
    shape = (len(study.points), min(PATHS, study.samples), records)
    names = [name for name in _ALONG_PATHS if any(_stored(point, name) for point in study.points)]
    kept = {name: np.full(shape, np.nan, np.float32) for name in names}
    for i, point in enumerate(study.points):
        for name, array in kept.items():
            if not _stored(point, name):
                continue
            filled = 0
            for location, take in catalogue.locations(point, shape[1]):
                part = location.read(name)[:take, :, 0]
                array[i, filled : filled + take, : len(point.layers)] = part
                filled += take
    return dataset({name: (("point", "path", "record"), array) for name, array in kept.items()}, coordinates)


def _stored(point: Point, name: str) -> bool:
    shape, _ = variables(point).get(name, ((0,), ""))
    return shape[-1] > 0


def _exploded(location: BlockLocation, take: int, layers: Sequence[int]) -> Counts:
    at = location.read("exploded_at")[:take, 0]
    return np.array([np.count_nonzero((at >= 0) & (at <= layer)) for layer in layers], np.int64)


def _collapsed(location: BlockLocation, take: int, layers: Sequence[int]) -> Counts:
    """How many are alive at layer 0, and how many of those have collapsed by each layer."""
    at = location.read("collapsed_at")[:take, 0]
    counts = [np.count_nonzero(at != 0)]
    counts += [np.count_nonzero((at > 0) & (at <= layer)) for layer in layers]
    return np.array(counts, np.int64)


def _added(parts: Sequence[Counts]) -> Counts:
    return np.asarray(sum(parts))
