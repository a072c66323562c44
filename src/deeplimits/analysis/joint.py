"""Joint laws in the plane: integer counts of pairs of observables at the last record, of networks and of a
limit that knows them jointly, on the same cells.

A plane is spanned by two observables of one kind that a study compares, such as the correlations of two
pairs of three inputs. Its cells cut each axis, from the 0.1 % to the 99.9 % quantile of the network, into
equal parts.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from deeplimits.analysis.reduce import observed, over_blocks
from deeplimits.limits import registry
from deeplimits.limits.observables import parse
from deeplimits.store.catalogue import BlockLocation, Catalogue
from deeplimits.store.studies import Columns, dataset
from deeplimits.store.zarr_zip import Group
from deeplimits.sweep.comparisons import compared_layers, is_recorded
from deeplimits.sweep.points import Point
from deeplimits.sweep.study import Study

CELLS = 40
"""Cells along each axis."""

Counts = NDArray[np.int64]
Array = NDArray[np.float64]
Axes = tuple[str, str, Array, Array]
"""Names and edges of a plane."""


def planes(study: Study) -> list[tuple[str, str]]:
    """Pairs of observables of one kind that the study compares."""
    names = list(dict.fromkeys(entry.observable for entry in study.compare))
    return [(x, y) for x, y in combinations(names, 2) if parse(x).kind == parse(y).kind]


def joint(
    study: Study, catalogue: Catalogue, coordinates: Columns, names: Sequence[str], edges: Array
) -> Group:
    """Counts of networks and of the first limit with a joint law [point, plane, x, y], the cells' edges, and
    how many samples there are of each, those outside the cells included.

    Parameters
    ----------
    names, edges
        Observables, and the edges of their histograms [point, record, observable, edge].
    """
    pairs = planes(study)
    shape = (len(study.points), len(pairs))
    counts, limit_counts = (np.zeros((*shape, CELLS, CELLS), np.int64) for _ in range(2))
    x_edge, y_edge = (np.full((*shape, CELLS + 1), np.nan) for _ in range(2))
    totals = np.zeros((shape[0], 2), np.int64)
    for i, point in enumerate(study.points):
        record, layer = len(point.layers) - 1, point.layers[-1]
        chosen = [k for k, pair in enumerate(pairs) if all(is_recorded(name, point, layer) for name in pair)]
        if not chosen:
            continue
        axes: list[Axes] = []
        for k in chosen:
            ends = [edges[i, record, names.index(name)] for name in pairs[k]]
            x_edge[i, k], y_edge[i, k] = (np.linspace(end[0], end[-1], CELLS + 1) for end in ends)
            axes.append((*pairs[k], x_edge[i, k], y_edge[i, k]))
        located = list(catalogue.locations(point, study.samples))
        counts[i, chosen] = over_blocks(_counted, _added, located, axes, record, layer)
        totals[i, 0] = study.samples
        sample = _limit(study, point, sorted({name for pair in axes for name in pair[:2]}))
        if sample is not None:
            limit_counts[i, chosen] = [_cells(sample[x], sample[y], *ends) for x, y, *ends in axes]
            totals[i, 1] = len(next(iter(sample.values())))
    cells = ("point", "plane", "x", "y")
    return dataset(
        {
            "count": (cells, counts),
            "limit_count": (cells, limit_counts),
            "x_edge": (("point", "plane", "edge"), x_edge),
            "y_edge": (("point", "plane", "edge"), y_edge),
            "samples": (("point",), totals[:, 0]),
            "limit_samples": (("point",), totals[:, 1]),
        },
        {
            **coordinates,
            "first": ("plane", np.array([x for x, _ in pairs], dtype=str)),
            "second": ("plane", np.array([y for _, y in pairs], dtype=str)),
        },
    )


def _counted(location: BlockLocation, take: int, axes: Sequence[Axes], record: int, layer: int) -> Counts:
    values = {
        name: observed(location, take, name, record, layer)
        for name in dict.fromkeys(name for x, y, *_ in axes for name in (x, y))
    }
    return np.stack([_cells(values[x], values[y], *ends) for x, y, *ends in axes])


def _cells(x: Array, y: Array, x_edge: Array, y_edge: Array) -> Counts:
    known = np.isfinite(x) & np.isfinite(y)
    return np.histogram2d(x[known], y[known], [x_edge, y_edge])[0].astype(np.int64)


def _added(parts: Sequence[Counts]) -> Counts:
    return np.asarray(sum(parts))


def _limit(study: Study, point: Point, names: Sequence[str]) -> dict[str, Array] | None:
    """A joint sample of the first limit that is compared here and has one."""
    for j, entry in enumerate(study.compare):
        if compared_layers(entry, point, study.path, j) is not None:
            sample = registry()[entry.limit].jointly(point.network, point.layers[-1], names)
            if sample is not None:
                return sample
    return None
