"""Datasets of a study store from what was kept of its points: dimensions, coordinates, and what is said of
each array.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from deeplimits.analysis.coordinates import coordinates_of
from deeplimits.analysis.point import Reduction
from deeplimits.analysis.reduce import LEVELS
from deeplimits.analysis.rows import Rows
from deeplimits.analysis.series import Series
from deeplimits.analysis.stored import DISTANCES, KEPT, described
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
        size = len(next(iter(rows["moments"].values())))
        points = {
            name: (along, values[first : first + size]) for name, (along, values) in self._points.items()
        }
        import xarray as xr

        return {
            group: described(
                group,
                xr.Dataset(
                    {name: (KEPT[group][name].dimensions, array) for name, array in arrays.items()},
                    {**points, **self._labels.get(group, {})},
                ),
            )
            for group, arrays in rows.items()
        }


def _labels(reduction: Reduction) -> dict[str, Labels]:
    """What labels the other dimensions of each group."""

    def texts(along: str, values: Any) -> tuple[tuple[str, ...], NDArray[Any]]:
        return (along,), np.array(list(values), dtype=str)

    observable = {"observable": texts("observable", reduction.observables)}
    level = {"level": (("level",), np.array(LEVELS))}
    entries = {
        "limit": texts("entry", [entry.limit for entry in reduction.compare]),
        "compared": texts("entry", [entry.observable for entry in reduction.compare]),
    }
    rows, columns = np.triu_indices(reduction.gram_inputs)
    return {
        "moments": observable,
        "laws": observable | level,
        "limits": entries | level,
        "comparison": entries | {"distance": texts("distance", DISTANCES)},
        "joint": {
            "first": texts("plane", [x for x, _ in reduction.planes]),
            "second": texts("plane", [y for _, y in reduction.planes]),
        },
        "groups": observable
        | {"gram_row": (("gram_entry",), rows), "gram_column": (("gram_entry",), columns)},
    }
