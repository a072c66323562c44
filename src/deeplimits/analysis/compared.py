"""Comparisons in a study store: what each entry of its ``compare`` predicts at every point, and how far the
networks are from it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deeplimits.analysis.deviations import Deviations, root_mean_square
from deeplimits.analysis.distances import Distance, comparable, distances
from deeplimits.analysis.reduce import LEVELS, Comparison, Held
from deeplimits.laws import Law
from deeplimits.limits import registry
from deeplimits.limits.observables import parse
from deeplimits.networks.network import Network
from deeplimits.store.studies import Columns, dataset
from deeplimits.store.zarr_zip import Group
from deeplimits.sweep.comparisons import compared_layers
from deeplimits.sweep.study import Study

GRID = 401
"""Points at which densities of limits are kept."""
DISTANCES = ("ks", "wasserstein", "rms")


class LawCache:
    """Laws of limits, solved once for each network, whatever its seed."""

    def __init__(self) -> None:
        self._laws: dict[tuple[Any, ...], list[Law]] = {}

    def laws(self, name: str, network: Network, layers: Sequence[int], observable: str) -> list[Law]:
        """Laws of ``observable`` at ``layers``."""
        physics = network.physics()
        if registry()[name].kind != "sampled":
            del physics["seed"]
        key = (name, json.dumps(physics, sort_keys=True), tuple(layers), observable)
        if key not in self._laws:
            self._laws[key] = registry()[name].marginals(network, layers, observable)
        return self._laws[key]


class Comparisons:
    """What is kept of each entry [point, entry]; NaN where its limit is not about a point.

    Attributes
    ----------
    found
        Distances by name of (point, entry).
    at_time
        Times of the comparisons [point, entry].
    """

    def __init__(self, study: Study) -> None:
        self._study, self._cache = study, LawCache()
        shape = (len(study.points), len(study.compare))
        per_record = (shape[0], max(len(point.layers) for point in study.points), shape[1])
        self._quantiles = np.full((*per_record, len(LEVELS)), np.nan)
        self._time = np.full(per_record, np.nan)
        self._density_x, self._density = (np.full((*shape, GRID), np.nan) for _ in range(2))
        self._compared = {
            f"{name}_{part}": np.full(shape, np.nan)
            for name in DISTANCES
            for part in Distance.__dataclass_fields__
        } | {name: np.full(shape, np.nan) for name in ("limit_mean", "limit_std")}
        self._at_layer, self.at_time = np.full(shape, -1, np.int64), np.full(shape, np.nan)
        self.found: dict[tuple[int, int], dict[str, Distance]] = {}

    def predict(self, i: int) -> dict[int, Comparison]:
        """Solve the limits at a point and keep what they predict; what is to be compared there, by entry."""
        point, found = self._study.points[i], {}
        for j, entry in enumerate(self._study.compare):
            chosen = compared_layers(entry, point, self._study.path, j)
            if chosen is None:
                continue
            limit = registry()[entry.limit]
            record = -1
            laws = self._cache.laws(entry.limit, point.network, chosen, entry.observable)
            for layer, law in zip(chosen, laws, strict=True):
                record = point.layers.index(layer)
                self._quantiles[i, record, j] = law.quantile(np.array(LEVELS))
                self._time[i, record, j] = limit.time(point.network, layer)
            self._at_layer[i, j], self.at_time[i, j] = chosen[-1], self._time[i, record, j]
            self._compared["limit_mean"][i, j] = laws[-1].mean
            self._compared["limit_std"][i, j] = laws[-1].std
            if comparable(laws[-1]):
                found[j] = (entry.observable, record, chosen[-1], laws[-1])
        return found

    def measure(self, i: int, j: int, law: Law, held: Held, ends: NDArray[np.float64]) -> None:
        """Keep the distances of a point to an entry's law, and the law's density around the bins ``ends``."""
        if isinstance(held, Deviations):
            found = {"rms": root_mean_square(held)} if held.count else {}
        else:
            self._density_x[i, j] = _around(ends, self._study.compare[j].observable)
            self._density[i, j] = law.density(self._density_x[i, j])
            label = f"{self._study.name}/{i}/{j}/{self._study.samples}"
            found = distances(law, held, label) if held.sum() else {}
        if found:
            self.found[i, j] = found
        asked = self._study.compare[j].distances
        for name, distance in found.items():
            # a law that is a number, as at layer 0, has no other distance
            if name in asked or name == "rms":
                for part in Distance.__dataclass_fields__:
                    self._compared[f"{name}_{part}"][i, j] = getattr(distance, part)

    def groups(self, coordinates: Columns) -> dict[str, Group]:
        """The groups ``limits`` and ``comparison``."""
        labels = {
            **coordinates,
            "limit": ("entry", [entry.limit for entry in self._study.compare]),
            "compared": ("entry", [entry.observable for entry in self._study.compare]),
        }
        at = ("point", "entry")
        limits = {
            "quantile": (("point", "record", "entry", "level"), self._quantiles),
            "time": (("point", "record", "entry"), self._time),
            "density_x": ((*at, "x"), self._density_x),
            "density": ((*at, "x"), self._density),
        }
        compared = {**self._compared, "at_layer": self._at_layer, "at_time": self.at_time}
        return {
            "limits": dataset(limits, {**labels, "level": ("level", list(LEVELS))}),
            "comparison": dataset({name: (at, array) for name, array in compared.items()}, labels),
        }


def _around(ends: NDArray[np.float64], observable: str) -> NDArray[np.float64]:
    """Where to draw a density: a quarter further than the bins on both sides, no correlation beyond ±1."""
    low, high = ends[0], ends[-1]
    reach = (high - low) / 4
    bounded = parse(observable).kind == "correlation"
    return np.linspace(
        max(low - reach, -1.0) if bounded else low - reach,
        min(high + reach, 1.0) if bounded else high + reach,
        GRID,
    )
