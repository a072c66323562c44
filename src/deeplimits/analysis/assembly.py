"""Datasets of a study store from what was kept of its points: dimensions, coordinates, and what is said of
each array.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from deeplimits.analysis.labels import label_of
from deeplimits.analysis.point import Reduction
from deeplimits.analysis.reduce import LEVELS
from deeplimits.analysis.rows import Rows
from deeplimits.analysis.series import Series
from deeplimits.store.arrays import DISTANCES, GROUPS, KEPT, OF_POINTS, described
from deeplimits.sweep.axes import AXES, axes_of
from deeplimits.sweep.study import Study

if TYPE_CHECKING:
    import xarray as xr

Labels = Mapping[str, tuple[tuple[str, ...], NDArray[Any]]]


class Assembly:
    """Datasets of a study: of the points from one to another, and of what is no point's own."""

    def __init__(self, study: Study, reduction: Reduction) -> None:
        self.series = Series.of_study(study)
        self._points: Labels = coordinates_of(study, self.series)
        self._labels = _labels(reduction)

    def datasets(self, rows: Rows, first: int) -> dict[str, xr.Dataset]:
        """The groups along ``point``, of the points whose rows these are, the first of which is ``first``."""
        import xarray as xr

        size = len(next(iter(rows["moments"].values())))
        points = {
            name: (along, values[first : first + size]) for name, (along, values) in self._points.items()
        }
        return {
            group: described(
                group,
                xr.Dataset(
                    {name: (KEPT[group][name].dimensions, array) for name, array in arrays.items()},
                    {**points, **self._labels[group]},
                ),
            )
            for group, arrays in rows.items()
        }


def coordinates_of(study: Study, series: Series) -> Labels:
    """Coordinates along ``point``, and ``layer`` [point, record], −1 where a point records fewer: dimensions
    and values by name.
    """
    networks = [point.network for point in study.points]
    axes = [axes_of(network) for network in networks]
    layers = np.full((len(networks), study.records), -1, np.int64)
    for row, point in zip(layers, study.points, strict=True):
        row[: len(point.layers)] = point.layers
    columns: dict[str, Any] = {name: [each[name] for each in axes] for name in AXES} | {
        "normals": [network.normals_per_sample for network in networks],
        "physics": [network.fingerprint for network in networks],
        "network": [label_of(network) for network in networks],
        "width_series": series.of["width"],
        "depth_series": series.of["depth"],
        "layer": layers,
    }
    return {
        name: (OF_POINTS[name].dimensions, np.array(values, OF_POINTS[name].dtype))
        for name, values in columns.items()
    }


def _labels(reduction: Reduction) -> dict[str, Labels]:
    """What labels the other dimensions of each group."""
    rows, columns = np.triu_indices(reduction.gram_inputs)
    values: dict[str, Any] = {
        "observable": reduction.observables,
        "level": LEVELS,
        "limit": [entry.limit for entry in reduction.compare],
        "compared": [entry.observable for entry in reduction.compare],
        "distance": list(DISTANCES),
        "first": [x for x, _ in reduction.planes],
        "second": [y for _, y in reduction.planes],
        "gram_row": rows,
        "gram_column": columns,
    }
    return {
        group: {
            name: (array.dimensions, np.array(values[name], array.dtype))
            for name, array in GROUPS[group].items()
            if name in values
        }
        for group in KEPT
    }
