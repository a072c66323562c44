"""How points lie in the space of the axes of a sweep: a full grid, with a dimension for each axis that the
others follow from, or one after another along ``point``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from deeplimits.analysis.constant_index import with_constants

PREFERRED = (
    *("width", "depth", "correlation", "c_minus", "c_plus", "exponent", "branch_exponent", "center", "a"),
    *("alpha", "beta", "start", "seed", "activation", "architecture", "formula", "shaping", "inputs"),
    *("widths", "gram"),
)
"""Axes in the order in which they become dimensions: where two tell the same, as the width and a depth that
is a multiple of it, the first does.
"""


@dataclass(frozen=True)
class Layout:
    """Points as a grid, or as a list.

    Attributes
    ----------
    dimensions
        Axes that make a full grid; none for a single point, ``point`` where the points are no full grid.
    places
        Place of each point among all, along these dimensions.
    axes
        Value of each axis of the sweep at each point.
    """

    dimensions: tuple[str, ...]
    places: NDArray[np.intp]
    axes: Mapping[str, NDArray[Any]]

    def along(self, values: NDArray[Any], more: Sequence[str] = ()) -> xr.Variable:
        """Values [point, …] along those dimensions of the grid in which they differ."""
        spread, kept = values[self.places], list(self.dimensions)
        for dimension in self.dimensions:
            axis = kept.index(dimension)
            first = spread.take([0], axis)
            if _same(spread, first):
                spread = first.take(0, axis)
                kept.remove(dimension)
        return xr.Variable((*kept, *more), spread)

    def coordinates(self) -> xr.Coordinates:
        """The axes that mean something: one that varies along one dimension is an index of it, so that
        ``sel`` takes it; along ``point`` all that vary are levels of one index. One that does not vary has
        an index too, and ``sel`` takes its value.
        """
        meant = {name: values for name, values in self.axes.items() if not _missing(values).all()}
        found = {name: self.along(values) for name, values in meant.items()}
        levels = [name for name in PREFERRED if name in found and found[name].dims]
        if self.dimensions == ("point",) and levels:
            index = pd.MultiIndex.from_arrays([self.axes[name] for name in levels], names=levels)
            others = {name: value for name, value in found.items() if name not in levels}
            points = xr.Coordinates.from_pandas_multiindex(index, "point")
            return with_constants(xr.Dataset(coords=others).assign_coords(points).coords)
        held = xr.Dataset(coords=found)
        for name, value in found.items():
            if len(value.dims) == 1 and name not in value.dims:
                held = held.set_xindex(name)
        return with_constants(held.coords)


def layout_of(axes: Mapping[str, Sequence[Any]]) -> Layout:
    """The layout of points by their axes, each a value a point."""
    columns = {name: np.asarray(values) for name, values in axes.items()}
    codes = {name: pd.factorize(values, use_na_sentinel=False)[0] for name, values in columns.items()}
    count = len(next(iter(codes.values())))
    # what some points lack tells less than what all have
    varying = [name for name in PREFERRED if codes[name].any()]
    telling = sorted(varying, key=lambda name: bool(_missing(columns[name]).any()))
    for name in reversed(telling):
        others = [each for each in telling if each != name]
        if _different(codes, others, count) == count:
            telling = others
    ordered = {name: np.unique(columns[name], return_inverse=True) for name in telling}
    shape = tuple(len(values) for values, _ in ordered.values())
    if math.prod(shape) != count or _different(codes, telling, count) != count:
        return Layout(("point",), np.arange(count), columns)
    places = np.empty(shape, np.intp)
    places[tuple(place.ravel() for _, place in ordered.values())] = np.arange(count) if shape else 0
    return Layout(tuple(telling), places, columns)


def _different(codes: Mapping[str, NDArray[np.intp]], names: Sequence[str], count: int) -> int:
    """How many points these axes tell apart."""
    joint = np.zeros(count, np.intp)
    for name in names:
        # renumbered each time, so that no product of sizes overflows
        _, joint = np.unique(joint * (codes[name].max() + 1) + codes[name], return_inverse=True)
    return int(joint.max()) + 1 if count else 0


def _same(values: NDArray[Any], first: NDArray[Any]) -> bool:
    if values.dtype.kind == "f":
        return bool(((values == first) | (np.isnan(values) & np.isnan(first))).all())
    return bool((values == first).all())


def _missing(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Where a network has no such thing."""
    return np.isnan(values) if values.dtype.kind == "f" else values == ""
