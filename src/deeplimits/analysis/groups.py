"""Moments at the last recorded layer, by groups of samples: what a delete-a-group jackknife needs to give any
smooth function of them an error.

Kept are power sums of each observable, and means of the entries V^{ab}, a ≤ b, and of their products. Samples
go to groups in turn within each block, so the groups are alike and independent.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from deeplimits.analysis.observables import measure, usable
from deeplimits.analysis.reduce import over_blocks, stored
from deeplimits.store.catalogue import BlockLocation, Catalogue
from deeplimits.store.studies import Columns, dataset
from deeplimits.store.zarr_zip import Group
from deeplimits.sweep.study import Study

GROUPS = 64
POWERS = 4
MOST_INPUTS = 4
"""Inputs whose Gram matrix is kept: products of its entries grow like their fourth power."""

_LARGEST = 1e150

Array = NDArray[np.float64]
_Scaled = tuple[str, int, int, float, float]
"""(observable, record, layer, centre, scale)"""


def groups(
    study: Study,
    catalogue: Catalogue,
    coordinates: Columns,
    tasks: Sequence[Sequence[_Scaled]],
    names: Sequence[str],
) -> Group:
    """The dataset; ``tasks`` [point] lists observables of the last record with their means and standard
    deviations.
    """
    points = study.points
    most = max((point.network.inputs for point in points if point.network.inputs <= MOST_INPUTS), default=1)
    pairs = most * (most + 1) // 2
    powers = np.full((len(points), len(names), GROUPS, POWERS), np.nan)
    counted = np.zeros((len(points), len(names), GROUPS), np.int64)
    scaling = np.full((len(points), len(names), 2), np.nan)
    gram_0 = np.full((len(points), pairs), np.nan)
    gram_count = np.zeros((len(points), GROUPS), np.int64)
    gram_mean = np.full((len(points), GROUPS, pairs), np.nan)
    gram_product = np.full((len(points), GROUPS, pairs, pairs), np.nan)
    for i, point in enumerate(points):
        located = list(catalogue.locations(point, study.samples))
        counts, sums = over_blocks(_powers, _add_powers, located, tasks[i])
        for (name, _, _, centre, scale), count, total in zip(tasks[i], counts, sums, strict=True):
            j = names.index(name)
            powers[i, j], counted[i, j], scaling[i, j] = total, count, (centre, scale)
        inputs = point.network.inputs
        if inputs > MOST_INPUTS:
            continue
        first, second = np.triu_indices(inputs)
        size = len(first)
        gram_0[i, :size] = np.array(point.network.gram)[first, second]
        count, mean, product = over_blocks(_gram, _add_gram, located, len(point.layers) - 1, inputs)
        gram_count[i] = count
        with np.errstate(invalid="ignore"):
            gram_mean[i, :, :size] = mean / count[:, None]
            gram_product[i, :, :size, :size] = product / count[:, None, None]
    first, second = np.triu_indices(most)
    return dataset(
        {
            "power_sum": (("point", "observable", "group", "power"), powers),
            "counted": (("point", "observable", "group"), counted),
            "scaling": (("point", "observable", "centre_scale"), scaling),
            "gram_0": (("point", "pair"), gram_0),
            "gram_count": (("point", "group"), gram_count),
            "gram_mean": (("point", "group", "pair"), gram_mean),
            "gram_product": (("point", "group", "pair", "pair_2"), gram_product),
        },
        {
            **coordinates,
            "observable": ("observable", list(names)),
            "pair_first": ("pair", first),
            "pair_second": ("pair", second),
        },
    )


def pair_index(inputs: int, a: int, b: int) -> int:
    """Place of V^{ab} among the entries a ≤ b of a matrix of ``inputs`` rows, counted from 0."""
    a, b = min(a, b), max(a, b)
    return a * inputs - a * (a - 1) // 2 + b - a


def _sums(values: Array, group: NDArray[np.intp]) -> Array:
    """Sums of the rows of ``values`` [sample, …] by group."""
    flat = values.reshape(len(values), math.prod(values.shape[1:]))
    summed: Array = np.stack([np.bincount(group, column, GROUPS).astype(float) for column in flat.T], axis=1)
    return summed.reshape(GROUPS, *values.shape[1:])


_Powers = tuple[list[NDArray[np.int64]], list[Array]]


def _powers(location: BlockLocation, take: int, tasks: Sequence[_Scaled]) -> _Powers:
    counts, sums = [], []
    for name, record, layer, centre, scale in tasks:
        column = stored(location, take, name, record)
        alive = np.isfinite(column)
        values = measure(name)[1].transform(usable(column).astype(float), layer)
        group = np.arange(len(column))[alive] % GROUPS
        finite = np.isfinite(values)
        scaled = (values[finite] - centre) / scale
        square = scaled * scaled
        powers = np.stack([scaled, square, square * scaled, square * square], axis=1)
        counts.append(np.bincount(group[finite], minlength=GROUPS))
        sums.append(_sums(powers, group[finite]))
    return counts, sums


def _add_powers(parts: Sequence[_Powers]) -> _Powers:
    counts, sums = zip(*parts, strict=True)
    return [sum(each) for each in zip(*counts, strict=True)], [sum(each) for each in zip(*sums, strict=True)]


_Gram = tuple[NDArray[np.int64], Array, Array]


def _gram(location: BlockLocation, take: int, record: int, inputs: int) -> _Gram:
    log_variance = location.read("log_variance", [record])[:take, 0, :].astype(float)
    first, second = np.triu_indices(inputs)
    with np.errstate(over="ignore"):
        entries = np.exp((log_variance[:, first] + log_variance[:, second]) / 2)
    if inputs > 1:
        entries[:, first != second] *= 1 - location.read("correlation_gap", [record])[:take, 0, :].astype(
            float
        )
    # neither dead nor so far exploded that a product is beyond float64
    finite = (np.abs(entries) < _LARGEST).all(axis=1)
    group = np.flatnonzero(finite) % GROUPS
    entries = entries[finite]
    products = entries[:, :, None] * entries[:, None, :]
    return np.bincount(group, minlength=GROUPS), _sums(entries, group), _sums(products, group)


def _add_gram(parts: Sequence[_Gram]) -> _Gram:
    counts, means, products = zip(*parts, strict=True)
    return np.asarray(sum(counts)), np.asarray(sum(means)), np.asarray(sum(products))
