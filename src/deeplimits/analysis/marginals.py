"""Laws and moments of observables in a study store, at every record of every point."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from deeplimits.analysis.reduce import BINS, LEVELS, Reduced, Task
from deeplimits.store.studies import Columns, dataset
from deeplimits.store.zarr_zip import Group
from deeplimits.sweep.comparisons import is_recorded
from deeplimits.sweep.points import Point
from deeplimits.sweep.study import Study

_ALWAYS = (
    "log_variance",
    "correlation",
    "log_growth",
    "gradient_log_norm",
    "gradient_gap",
    "output",
    "standard_output",
)


class Marginals:
    """What is kept of each observable [point, record, observable]; NaN and 0 where it is not recorded.

    Attributes
    ----------
    names
        What is reduced: what every study of such networks is asked for, and whatever else is compared.
    edges
        Ends of the bins of its histogram [point, record, observable, edge].
    """

    def __init__(self, study: Study) -> None:
        always = (
            name
            for name in _ALWAYS
            if any(is_recorded(name, point, point.layers[-1]) for point in study.points)
        )
        self.names = tuple(dict.fromkeys([*always, *(entry.observable for entry in study.compare)]))
        records = max(len(point.layers) for point in study.points)
        shape = (len(study.points), records, len(self.names))
        self.edges = np.full((*shape, BINS + 1), np.nan)
        self._points = study.points
        self._moments = {name: np.full(shape, np.nan) for name in ("mean", "std")}
        self._numbers = {name: np.zeros(shape, np.int64) for name in ("count", "dead")}
        self._quantiles = np.full((*shape, len(LEVELS)), np.nan)
        self._counts = np.zeros((*shape, BINS), np.int64)

    def tasks(self, point: Point) -> list[Task]:
        """What there is to reduce at a point."""
        return [
            (name, record, layer)
            for record, layer in enumerate(point.layers)
            for name in self.names
            if is_recorded(name, point, layer)
        ]

    def keep(self, point: int, tasks: Sequence[Task], reduced: Sequence[Reduced]) -> None:
        """Keep the results of the tasks of a point."""
        for (name, record, _), kept in zip(tasks, reduced, strict=True):
            at = (point, record, self.names.index(name))
            for moment, array in {**self._moments, **self._numbers}.items():
                array[at] = getattr(kept, moment)
            self._quantiles[at], self.edges[at] = kept.quantiles, kept.histogram.edges
            self._counts[at] = kept.histogram.counts

    def ends(self, point: int, record: int, name: str) -> NDArray[np.float64]:
        """Ends of the bins of a histogram."""
        found: NDArray[np.float64] = self.edges[point, record, self.names.index(name)]
        return found

    def scaled(self) -> list[list[tuple[str, int, int, float, float]]]:
        """For each point, the tasks of its last record with means and standard deviations."""
        found = []
        for i, point in enumerate(self._points):
            last = []
            for name, record, layer in self.tasks(point):
                if layer == point.layers[-1]:
                    at = (i, record, self.names.index(name))
                    mean, std = (float(self._moments[moment][at]) for moment in ("mean", "std"))
                    last.append((name, record, layer, mean, std or 1.0))
            found.append(last)
        return found

    def groups(self, coordinates: Columns) -> dict[str, Group]:
        """The groups ``moments`` and ``laws``."""
        at = ("point", "record", "observable")
        labels = {**coordinates, "observable": ("observable", list(self.names))}
        moments = {name: (at, array) for name, array in {**self._moments, **self._numbers}.items()}
        laws = {
            "quantile": ((*at, "level"), self._quantiles),
            "bin_edge": ((*at, "edge"), self.edges),
            "bin_count": ((*at, "bin"), self._counts),
        }
        return {
            "moments": dataset(moments, labels),
            "laws": dataset(laws, {**labels, "level": ("level", list(LEVELS))}),
        }
