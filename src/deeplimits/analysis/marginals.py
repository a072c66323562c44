"""Laws and moments of observables at every record of a point."""

from __future__ import annotations

from collections.abc import Sequence

from deeplimits.analysis.columns import Task
from deeplimits.analysis.reduce import BINS, LEVELS, Reduced
from deeplimits.analysis.rows import Rows
from deeplimits.array_types import Array
from deeplimits.observables import OBSERVABLES
from deeplimits.store.arrays import blank
from deeplimits.sweep.comparisons import is_recorded
from deeplimits.sweep.points import Point
from deeplimits.sweep.study import Study


def observables_of(study: Study) -> tuple[str, ...]:
    """What is reduced: what every study of such networks is asked for, and whatever else is compared."""
    places = {kind: record.reduced for kind, record in OBSERVABLES.own.items() if record.reduced is not None}
    wanted = dict.fromkeys([*sorted(places, key=places.__getitem__), *(e.observable for e in study.compare)])
    compared = {entry.observable for entry in study.compare}
    recorded = (
        name
        for name in wanted
        if name in compared or any(is_recorded(name, point, point.layers[-1]) for point in study.points)
    )
    return tuple(recorded)


def tasks_of(point: Point, observables: Sequence[str]) -> list[Task]:
    """What there is to reduce at a point."""
    return [
        (name, record, layer)
        for record, layer in enumerate(point.layers)
        for name in observables
        if is_recorded(name, point, layer)
    ]


class Marginals:
    """What is kept of each task of a point.

    Parameters
    ----------
    tasks, reduced
        The tasks, and what was found for each.
    observables
        All those of the study.
    records
        The most records of its points.
    """

    def __init__(
        self, tasks: Sequence[Task], reduced: Sequence[Reduced], observables: Sequence[str], records: int
    ) -> None:
        self._found = {
            (record, observables.index(name)): (name, layer, kept)
            for (name, record, layer), kept in zip(tasks, reduced, strict=True)
        }
        self._observables, self._shape = observables, (records, len(observables))

    def edges(self, name: str, record: int) -> Array:
        """Ends of the bins of a histogram."""
        return self._found[record, self._observables.index(name)][2].histogram.edges

    def scaled(self, last: int) -> list[tuple[str, int, int, float, float]]:
        """The tasks of the record ``last``, with means and standard deviations."""
        return [
            (name, record, layer, kept.mean, kept.std or 1.0)
            for (record, _), (name, layer, kept) in self._found.items()
            if record == last
        ]

    def rows(self) -> Rows:
        """The arrays of ``moments`` and ``laws``: NaN and 0 where an observable is not recorded."""
        sizes = dict(zip(("record", "observable"), self._shape, strict=True))
        moments = blank("moments", **sizes)
        laws = blank("laws", level=len(LEVELS), edge=BINS + 1, bin=BINS, **sizes)
        for at, (_, _, kept) in self._found.items():
            for name, array in moments.items():
                array[at] = getattr(kept, name)
            laws["quantile"][at], laws["bin_edge"][at] = kept.quantiles, kept.histogram.edges
            laws["bin_count"][at] = kept.histogram.counts
        return {"moments": moments, "laws": laws}
