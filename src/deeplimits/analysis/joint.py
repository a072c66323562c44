"""Joint laws in the plane: integer counts of pairs of observables at the last record, of networks and of a
limit that knows them jointly, on the same cells.

A plane is spanned by two observables of one kind that a study compares, such as the correlations of two
pairs of three inputs. Its cells cut each axis, from the 0.1 % to the 99.9 % quantile of the network, into
equal parts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from deeplimits.analysis.columns import Block
from deeplimits.analysis.compared import Prediction
from deeplimits.analysis.marginals import Marginals
from deeplimits.analysis.rows import Rows
from deeplimits.array_types import Array
from deeplimits.limits import registry
from deeplimits.observables import parse
from deeplimits.store.arrays import blank
from deeplimits.sweep.comparisons import is_recorded
from deeplimits.sweep.models import CompareModel
from deeplimits.sweep.points import Point

CELLS = 40
"""Cells along each axis."""

Counts = NDArray[np.int64]
Plane = tuple[str, str]


def planes_of(compare: Sequence[CompareModel]) -> tuple[Plane, ...]:
    """Pairs of observables of one kind that a study compares."""
    names = list(dict.fromkeys(entry.observable for entry in compare))
    return tuple((x, y) for x, y in combinations(names, 2) if parse(x).kind == parse(y).kind)


class Joint:
    """Counts of the networks of a point [plane, x, y], and of the first limit that is compared there and has
    a joint law, the cells' edges, and how many samples there are of each, those outside the cells included.
    """

    def __init__(self, point: Point, planes: Sequence[Plane], marginals: Marginals) -> None:
        self._point, self._planes = point, planes
        self._record, self._layer = len(point.layers) - 1, point.layers[-1]
        self._edges = {
            k: [
                np.linspace(ends[0], ends[-1], CELLS + 1)
                for ends in (marginals.edges(name, self._record) for name in plane)
            ]
            for k, plane in enumerate(planes)
            if all(is_recorded(name, point, self._layer) for name in plane)
        }
        self._names = sorted({name for k in self._edges for name in planes[k]})
        self._counts: Counts = np.zeros((len(planes), CELLS, CELLS), np.int64)
        self._samples = 0

    def add(self, block: Block) -> None:
        """Count a block."""
        if not self._names:
            return
        values = {name: block.observed(name, self._record, self._layer) for name in self._names}
        self._samples += len(values[self._names[0]])
        for k, edges in self._edges.items():
            x, y = self._planes[k]
            self._counts[k] += _cells(values[x], values[y], *edges)

    def rows(self, compare: Sequence[CompareModel], predicted: Mapping[int, Prediction]) -> Rows:
        """The arrays of ``joint``."""
        found = blank("joint", plane=len(self._planes), x=CELLS, y=CELLS, edge=CELLS + 1)
        sample = self._limit(compare, predicted) if self._names else None
        found["count"][:], found["samples"][()] = self._counts, self._samples
        for k, edges in self._edges.items():
            found["x_edge"][k], found["y_edge"][k] = edges
            if sample is not None:
                x, y = (sample[name] for name in self._planes[k])
                found["limit_count"][k], found["limit_samples"][()] = _cells(x, y, *edges), len(x)
        return {"joint": found}

    def _limit(
        self, compare: Sequence[CompareModel], predicted: Mapping[int, Prediction]
    ) -> dict[str, Array] | None:
        """A joint sample of the first limit that is compared here and has one."""
        for j in predicted:
            limit = registry()[compare[j].limit]
            sample = limit.joint_samples(self._point.network, self._layer, self._names)
            if sample is not None:
                return sample
        return None


def _cells(x: Array, y: Array, x_edge: Array, y_edge: Array) -> Counts:
    known = np.isfinite(x) & np.isfinite(y)
    return np.histogram2d(x[known], y[known], [x_edge, y_edge])[0].astype(np.int64)
