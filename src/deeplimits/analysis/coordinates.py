"""What labels the points of a study store: every number and name by which claims, figures and queries choose
them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from deeplimits.analysis.labels import label_of
from deeplimits.analysis.series import Series
from deeplimits.analysis.stored import COLUMNS
from deeplimits.sweep.axes import AXES, axes_of
from deeplimits.sweep.study import Study


def coordinates_of(study: Study, series: Series) -> dict[str, tuple[tuple[str, ...], NDArray[Any]]]:
    """Coordinates along ``point``, and ``layer`` [point, record], −1 where a point records fewer: dimensions
    and values by name.
    """
    networks = [point.network for point in study.points]
    axes = [axes_of(network) for network in networks]
    columns: dict[str, list[Any]] = {name: [each[name] for each in axes] for name in AXES} | {
        "normals": [network.normals_per_sample for network in networks],
        "physics": [network.physics_hash for network in networks],
        "network": [label_of(network) for network in networks],
        "width_series": series.of["width"],
        "depth_series": series.of["depth"],
    }
    found: dict[str, Any] = {
        name: (("point",), np.array(values, dtype=COLUMNS[name].dtype)) for name, values in columns.items()
    }
    return found | {"layer": (("point", "record"), _layers(study))}


def _layers(study: Study) -> NDArray[np.int64]:
    layers = np.full((len(study.points), most_records(study)), -1, np.int64)
    for i, point in enumerate(study.points):
        layers[i, : len(point.layers)] = point.layers
    return layers


def most_records(study: Study) -> int:
    """The most layers that a point of the study records."""
    return max(len(point.layers) for point in study.points)
