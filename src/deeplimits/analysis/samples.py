"""The samples of a study as one lazy dataset over its points, a dimension for each axis of its sweep.

It is built from receipts alone: a container is opened when values are asked for, and of it only the records
that are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from xarray.backends import BackendArray
from xarray.core import indexing

from deeplimits.analysis.grids import Layout, layout_of
from deeplimits.observable_kind import Kind
from deeplimits.observables import OBSERVABLES, Observable, pair_index
from deeplimits.store.catalogue import BlockLocation, Catalogue
from deeplimits.store.errors import StoreError
from deeplimits.store.study_groups import open_study_groups
from deeplimits.sweep.axes import AXES, axes_of
from deeplimits.sweep.blocks import block_again, block_size, variables
from deeplimits.sweep.points import Point
from deeplimits.variables import STORED


def derived() -> dict[str, str]:
    """Variables that are made of stored ones, and the kind of observable that each is: ``rho`` is the
    observable ``correlation``, whose name the axis ρ₀ of the inputs has.
    """
    made = {kind: record for kind, record in OBSERVABLES.items() if kind not in STORED}
    return {record.sampled_as or kind: kind for kind, record in made.items()}


def named_axes(point: Point) -> dict[str, Any]:
    """The axes of the sweep of a point, ρ₀ as ``correlation``."""
    axes = axes_of(point.network)
    return {"correlation" if name == "correlation_0" else name: axes[name] for name in AXES}


def samples_of(
    results: Path, points: Sequence[Point], axes: Mapping[str, Sequence[Any]], samples: int, study: str
) -> xr.Dataset:
    """The first ``samples`` samples of each point, and what follows from them.

    Parameters
    ----------
    axes
        The axes of the sweep by name, a value for each point.
    study
        Whose points they are, for messages.

    Raises
    ------
    StoreError
        If a block is missing.
    """
    catalogue, layout = Catalogue(results), layout_of(axes)
    blocks = tuple(tuple(each for each, _ in catalogue.locations(point, samples, study)) for point in points)
    drawn = _Drawn(tuple(points), blocks, samples)
    arrays = {
        name: _lazy(_Stored(drawn, layout.places, name), layout)
        for name in STORED
        if name in drawn.names and drawn.shape(STORED[name].dimensions)[-1]
    }
    arrays |= {
        name: _lazy(_Derived(drawn, layout.places, kind), layout)
        for name, kind in derived().items()
        if _has_meaning(OBSERVABLES[kind], points, arrays.keys())
    }
    found = xr.Dataset(arrays, layout.coordinates()).assign_coords(_labels(drawn, layout))
    return found.set_xindex("layer") if found["layer"].dims == ("record",) else found


def _has_meaning(kind: Kind, points: Sequence[Point], held: AbstractSet[str]) -> bool:
    return all(
        kind.of(point.network)
        and kind.within(point.layers, point.network.depth)
        and held >= {*kind.made_of(point.network)}
        for point in points
    )


def _labels(drawn: _Drawn, layout: Layout) -> dict[str, Any]:
    """What labels the dimensions of an array that are no axes of the sweep."""
    layers = np.full((len(drawn.points), drawn.records), -1)
    for i, point in enumerate(drawn.points):
        layers[i, : len(point.layers)] = point.layers
    labels: dict[str, Any] = {
        "sample": np.arange(drawn.samples),
        "input": np.arange(drawn.inputs),
        "layer": layout.along(layers, ["record"]),
        "physics": layout.along(np.array([point.network.fingerprint for point in drawn.points])),
    }
    pairs = list(combinations(range(drawn.inputs), 2))
    if pairs:
        first, second = zip(*pairs, strict=True)
        labels |= {"first_input": ("cross", list(first)), "second_input": ("cross", list(second))}
    return labels


def _lazy(array: _Array, layout: Layout) -> xr.Variable:
    """An array that is read a point, and as many samples as the largest block has, at once."""
    drawn, dimensions = array.drawn, (*layout.dimensions, *array.dimensions)
    held = xr.Variable(dimensions, indexing.LazilyIndexedArray(array))
    each = min(drawn.samples, max(block_size(point.network) for point in drawn.points))
    chunks = dict.fromkeys(layout.dimensions, 1) | {"sample": each}
    # the name is drawn: one that is made of the content takes longer than all else
    return held.chunk({**dict.fromkeys(dimensions, -1), **chunks}, name=f"samples-{uuid4().hex}")


@dataclass(frozen=True)
class _Drawn:
    """Points, where their blocks lie, and how large an array over all of them is."""

    points: tuple[Point, ...]
    blocks: tuple[tuple[BlockLocation, ...], ...]
    samples: int

    @cached_property
    def records(self) -> int:
        """The most records of a point."""
        return max(len(point.layers) for point in self.points)

    @cached_property
    def inputs(self) -> int:
        """The most inputs of a point."""
        return max(point.network.inputs for point in self.points)

    @cached_property
    def names(self) -> dict[str, np.dtype[Any]]:
        """Types of the variables of any point; floating point where some point lacks an integer."""
        found: dict[str, np.dtype[Any]] = {}
        held = [variables(point) for point in self.points]
        everywhere = set.intersection(*({*each} for each in held))
        even = len({point.network.inputs for point in self.points}) == 1
        for name, (_, dtype) in {name: value for each in held for name, value in each.items()}.items():
            whole = np.dtype(dtype).kind == "i" and not (even and name in everywhere)
            found[name] = np.dtype(float if whole else dtype)
        return found

    def shape(self, dimensions: Sequence[str]) -> tuple[int, ...]:
        """Shape of an array of a point along such dimensions."""
        sizes = {"sample": self.samples, "record": self.records, "input": self.inputs}
        sizes["cross"] = math.comb(self.inputs, 2)
        return tuple(sizes[dimension] for dimension in dimensions)

    def read(
        self, name: str, place: int, samples: NDArray[np.intp], records: NDArray[np.intp]
    ) -> NDArray[Any] | None:
        """A variable of a point [sample, (record,) …]; None where nothing of the kind is stored of it."""
        point = self.points[place]
        if name not in variables(point):
            return None
        size = block_size(point.network)
        chosen = records.tolist() if "record" in STORED[name].dimensions else None
        blocks = self.blocks[place][samples.min() // size : samples.max() // size + 1]
        parts = [block.read(name, chosen) for block in blocks]
        found = np.concatenate(parts)[samples - samples.min() // size * size]
        return found if point.network.inputs == self.inputs else self._spread(name, point, found)

    def _spread(self, name: str, point: Point, values: NDArray[Any]) -> NDArray[Any]:
        """Values of a point with fewer inputs, in the columns of all."""
        inputs, most = point.network.inputs, self.shape(STORED[name].dimensions)[-1]
        pairs = [pair_index(a, b, self.inputs) for a, b in combinations(range(inputs), 2)]
        spread = np.full((*values.shape[:-1], most), np.nan, np.result_type(values.dtype, np.float32))
        spread[..., pairs if STORED[name].dimensions[-1] == "cross" else range(inputs)] = values
        return spread


class _Array(BackendArray):
    """An array over all points [axes …, sample, (record,) input or pair]."""

    def __init__(
        self, drawn: _Drawn, places: NDArray[np.intp], dimensions: tuple[str, ...], dtype: np.dtype[Any]
    ) -> None:
        self.drawn, self.dtype, self.dimensions = drawn, dtype, dimensions
        self.shape = (*places.shape, *drawn.shape(dimensions))
        self._places = places

    def _at(self, place: int, samples: NDArray[np.intp], records: NDArray[np.intp]) -> NDArray[Any] | None:
        """Values of a point at records that it has; None where it has none."""
        raise NotImplementedError

    def __getitem__(self, key: indexing.ExplicitIndexer) -> Any:
        outer = indexing.IndexingSupport.OUTER
        return indexing.explicit_indexing_adapter(key, self.shape, outer, self._get)

    def _get(self, key: tuple[Any, ...]) -> NDArray[Any]:
        wanted = [np.arange(size)[part] for size, part in zip(self.shape, key, strict=True)]
        lists = [np.atleast_1d(part) for part in wanted]
        over, recorded = self._places.ndim, "record" in self.dimensions
        places = self._places[np.ix_(*lists[:over])] if over else self._places
        samples, records = lists[over], lists[over + 1] if recorded else np.arange(0)
        fill = np.nan if self.dtype.kind == "f" else -1
        found = np.full((places.size, *map(len, lists[over:-1]), self.shape[-1]), fill, self.dtype)
        for each, place in zip(found, places.ravel().tolist(), strict=True):
            held = records < len(self.drawn.points[place].layers)
            if not samples.size or (recorded and not held.any()):
                continue
            values = self._at(place, samples, records[held])
            if values is not None:
                each[(slice(None), held) if recorded else slice(None)] = values
        kept = [len(part) for part, asked in zip(lists, wanted, strict=True) if asked.ndim]
        return found[..., lists[-1]].reshape(kept)


class _Stored(_Array):
    """A variable as containers hold it."""

    def __init__(self, drawn: _Drawn, places: NDArray[np.intp], name: str) -> None:
        super().__init__(drawn, places, STORED[name].dimensions, drawn.names[name])
        self._name = name

    def _at(self, place: int, samples: NDArray[np.intp], records: NDArray[np.intp]) -> NDArray[Any] | None:
        return self.drawn.read(self._name, place, samples, records)


class _Derived(_Array):
    """An observable of each input, or of each pair of inputs."""

    def __init__(self, drawn: _Drawn, places: NDArray[np.intp], kind: str) -> None:
        super().__init__(drawn, places, OBSERVABLES[kind].dimensions, np.dtype(float))
        self._kind = kind

    def _at(self, place: int, samples: NDArray[np.intp], records: NDArray[np.intp]) -> NDArray[Any] | None:
        point, kind = self.drawn.points[place], OBSERVABLES[self._kind]
        recorded = "record" in self.dimensions
        # an output is that of the last layer, and so is what is made of all
        at = records if recorded else np.array([len(point.layers) - 1])
        held = self._columns(place, samples, np.arange(len(point.layers)) if kind.all_layers else at)
        start = self._columns(place, samples, np.array([0])) if kind.since_start else None
        if held is None:
            return None
        found = np.full((len(samples), len(at), self.shape[-1]), np.nan)
        for column, inputs in enumerate(combinations(range(self.drawn.inputs), kind.inputs)):
            if inputs[-1] >= point.network.inputs:
                continue
            observable = Observable(self._kind, inputs)
            stored = observable.stored(point.network, self._column(held), self._column(start or {}))
            stored = stored[:, None] if kind.all_layers else stored
            # the dead have no value, and what has exploded no double
            with np.errstate(over="ignore", invalid="ignore"):
                for i, record in enumerate(at.tolist()):
                    found[:, i, column] = observable.values(stored[:, i], point.layers[record])
        return found if recorded else found[:, 0]

    def _column(self, held: Mapping[str, NDArray[Any]]) -> Callable[[str, Observable], NDArray[np.float32]]:
        """Takes the column of some inputs from what is held of each variable."""
        return lambda name, part: held[name][..., part.column(self.drawn.inputs)]

    def _columns(
        self, place: int, samples: NDArray[np.intp], records: NDArray[np.intp]
    ) -> dict[str, NDArray[Any]] | None:
        """What is stored of a point, by variable [sample, record, column]."""
        found = {}
        for name in OBSERVABLES[self._kind].made_of(self.drawn.points[place].network):
            values = self.drawn.read(name, place, samples, records)
            if values is None:
                return None
            found[name] = values if values.ndim == 3 else values[:, None]
        return found


def aggregated_points(results: Path, study: str) -> tuple[list[Point], int]:
    """The points of a study and its samples a point, from its store and the receipts, without the study file.

    Raises
    ------
    StoreError
        If the study has not been aggregated, or blocks of it are missing.
    """
    groups = open_study_groups(results, study)
    attributes, rows = groups["/"].attrs, groups["/moments"]
    recorded = attributes["made_from"]["record"]
    wanted = (recorded["gradients"], recorded["output"])
    held = {}
    for receipt in Catalogue(results).receipts:
        for block in receipt.blocks:
            # each point has a first block
            asked = (block.get("gradients", False), block.get("output", False)) == wanted
            if block["index"] == 0 and asked and (again := block_again(block)):
                held[again.point.network.fingerprint, again.point.layers] = again.point
    points = []
    for name, row in zip(rows["physics"].values.tolist(), rows["layer"].values, strict=True):
        key = name, tuple(row[row >= 0].tolist())
        if key not in held:
            raise StoreError(f"{results}: no block is held of a point of study {study}")
        points.append(held[key])
    return points, int(attributes["samples"])
