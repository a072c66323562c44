"""A point against the entries of its study's ``compare``: what each predicts there, and how far the networks
are from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deeplimits.analysis.columns import Block
from deeplimits.analysis.deviations import Deviations, root_mean_square
from deeplimits.analysis.distances import CELLS, Distance, cell_counts, comparable, distances
from deeplimits.analysis.reduce import LEVELS
from deeplimits.analysis.rows import Rows
from deeplimits.array_types import Array
from deeplimits.errors import Unsolved
from deeplimits.laws import Law, PointMass
from deeplimits.limits import registry
from deeplimits.limits.together import Request
from deeplimits.observables import parse
from deeplimits.store.arrays import DISTANCES, PARTS, blank
from deeplimits.store.kept_laws import marginals
from deeplimits.sweep.comparisons import compared_layers
from deeplimits.sweep.models import CompareModel
from deeplimits.sweep.points import Point
from deeplimits.sweep.study import Study

GRID = 401
"""Points at which densities of limits are kept."""


@dataclass(frozen=True)
class Prediction:
    """What an entry predicts at a point: the laws at the layers where it is evaluated, ascending."""

    layers: list[int]
    times: list[float]
    laws: list[Law]


def predictions(
    points: Sequence[Point], compare: Sequence[CompareModel], where: Path
) -> list[dict[int, Prediction]]:
    """What the entries that are about each point predict there, by their index. The laws of one limit are
    solved together. An entry whose law cannot be solved at a point predicts nothing there.

    Raises
    ------
    InputError
        If an entry cannot be evaluated.
    """
    found: list[dict[int, Prediction]] = [{} for _ in points]
    for index, entry in enumerate(compare):
        asked = [
            (i, layers)
            for i, point in enumerate(points)
            if (layers := compared_layers(entry, point, where, index)) is not None
        ]
        laws = _solved(entry.limit, [(points[i].network, layers, entry.observable) for i, layers in asked])
        limit = registry()[entry.limit]
        for (i, layers), predicted in zip(asked, laws, strict=True):
            if predicted is not None:
                times = [limit.time(points[i].network, layer) for layer in layers]
                found[i][index] = Prediction(layers, times, predicted)
    return found


def _solved(limit: str, requests: Sequence[Request]) -> Sequence[list[Law] | None]:
    """Laws of each request; None where one could not be solved."""
    try:
        return marginals(limit, requests)
    except Unsolved:
        if len(requests) == 1:
            return [None]
    return [_solved(limit, [request])[0] for request in requests]


def unsolved(study: Study, at_layer: NDArray[np.integer[Any]]) -> list[str]:
    """A sentence for each entry that is about points where its law could not be solved.

    Parameters
    ----------
    at_layer
        The layers that were compared, below 0 where none was [point, entry].
    """
    said = []
    for index, entry in enumerate(study.compare):
        places = [
            int(place)
            for place in np.flatnonzero(at_layer[:, index] < 0)
            if compared_layers(entry, study.points[place], study.path, index) is not None
        ]
        if places:
            network = study.points[places[0]].network
            said.append(
                f"{study.path}: compare.{index}: {entry.limit} of {entry.observable} could not be solved at "
                f"{len(places):,} of {len(study.points):,} points, which are not compared with it; "
                f"the first is {network}"
            )
    return said


class Compared:
    """The distance of a point to the last law of a prediction.

    Parameters
    ----------
    record
        The record that is compared.
    ends
        Ends of the bins of the observable's histogram there.
    """

    def __init__(self, entry: CompareModel, prediction: Prediction, record: int, ends: Array) -> None:
        self._entry, self._law, self._ends = entry, prediction.laws[-1], ends
        self._task = (entry.observable, record, prediction.layers[-1])
        self._counts = np.zeros(CELLS, np.int64)
        self._deviations: list[Deviations] = []

    def add(self, block: Block) -> None:
        """Count a block."""
        if not comparable(self._law):
            return
        values = block.values(*self._task)
        if isinstance(self._law, PointMass):
            self._deviations.append(Deviations.of(self._law.value, values))
        else:
            self._counts += cell_counts(self._law, values)

    def density(self) -> tuple[Array, Array]:
        """Values around the bins, and the law's density there."""
        at = _around(self._ends, self._entry.observable)
        return at, self._law.density(at)

    @property
    def has_density(self) -> bool:
        """Whether the law is another than a number."""
        return comparable(self._law) and not isinstance(self._law, PointMass)

    def distances(self) -> dict[str, Distance]:
        """Those that the entry asks for; a law that is a number, as at layer 0, has no other than ``rms``."""
        if self._deviations:
            deviations = Deviations.joined(self._deviations)
            return {"rms": root_mean_square(deviations)} if deviations.count else {}
        asked = [name for name in self._entry.distances if name != "rms"]
        return distances(self._law, self._counts, asked) if asked and self._counts.any() else {}


def rows(
    predicted: dict[int, Prediction],
    compared: dict[int, Compared],
    layers: Sequence[int],
    shape: tuple[int, int],
) -> Rows:
    """The arrays of ``limits`` and ``comparison``, NaN and −1 where an entry is not about a point.

    Parameters
    ----------
    layers
        Those that the point records.
    shape
        The most records of a point of the study, and its entries.
    """
    sizes = {"record": shape[0], "entry": shape[1], "distance": len(DISTANCES), "level": len(LEVELS)}
    limits, comparison = blank("limits", x=GRID, **sizes), blank("comparison", **sizes)
    for j, prediction in predicted.items():
        for layer, at, law in zip(prediction.layers, prediction.times, prediction.laws, strict=True):
            record = layers.index(layer)
            limits["quantile"][record, j], limits["time"][record, j] = law.quantile(np.array(LEVELS)), at
        last = prediction.laws[-1]
        found = (prediction.layers[-1], prediction.times[-1], last.mean, last.std)
        for name, value in zip(("at_layer", "at_time", "limit_mean", "limit_std"), found, strict=True):
            comparison[name][j] = value
        if compared[j].has_density:
            limits["density_x"][j], limits["density"][j] = compared[j].density()
        for name, distance in compared[j].distances().items():
            for part in PARTS:
                comparison[part][j, [*DISTANCES].index(name)] = getattr(distance, part)
    return {"limits": limits, "comparison": comparison}


def _around(ends: Array, observable: str) -> Array:
    """Where to draw a density: a quarter further than the bins on both sides, where the observable
    can be.
    """
    low, high = ends[0], ends[-1]
    reach = (high - low) / 4
    record = parse(observable).record
    return np.linspace(max(low - reach, record.low), min(high + reach, record.high), GRID)
