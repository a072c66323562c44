"""What labels the points of a study store: every number and name by which claims, figures and queries choose
them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from deeplimits.analysis.labels import label_of
from deeplimits.analysis.series import Series
from deeplimits.store.studies import Columns
from deeplimits.sweep.axes import AXES, axes_of
from deeplimits.sweep.study import Study

COLUMNS = {
    **AXES,
    "network": "the network in legends and claims: architecture, activation and shaping",
    "physics": "name of the network, of all that its law depends on, and of its random stream",
    "normals": "standard normals that one sample takes",
    "width_series": "which series of points that differ in width alone it belongs to",
    "depth_series": "which series of points that differ in depth alone it belongs to",
}
"""Coordinates along ``point``, and what they mean."""


def coordinates_of(study: Study, series: Series) -> Columns:
    """Coordinates along ``point``, and ``layer`` [point, record], −1 where a point records fewer."""
    networks = [point.network for point in study.points]
    axes = [axes_of(network) for network in networks]
    return {
        **{name: ("point", [each[name] for each in axes]) for name in AXES},
        "normals": ("point", [network.normals_per_sample for network in networks]),
        "physics": ("point", [network.physics_hash for network in networks]),
        "network": ("point", [label_of(network) for network in networks]),
        "width_series": ("point", series.of["width"]),
        "depth_series": ("point", series.of["depth"]),
        "layer": (("point", "record"), _layers(study)),
    }


def _layers(study: Study) -> NDArray[np.int64]:
    layers = np.full((len(study.points), max(len(point.layers) for point in study.points)), -1, np.int64)
    for i, point in enumerate(study.points):
        layers[i, : len(point.layers)] = point.layers
    return layers
