"""Reading a study store for figures: points by network, records, limits and histograms."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deeplimits.analysis.series import inputs_text
from deeplimits.figures.wording import network_text
from deeplimits.store.errors import StoreError
from deeplimits.store.studies import StudyStore, open_study_store

Array = NDArray[np.float64]

_TITLE = 52
"""Letters of a title that fit above half a page."""
_DETAIL = 40
"""Letters of a list that still says something in a title."""


def _shortened(texts: list[str]) -> list[str]:
    """Texts that are long as numbers of what they name, so that they are still told apart."""
    order = {text: i for i, text in enumerate(dict.fromkeys(texts), 1)}
    return [
        text.replace("-", "−") if len(text) <= _DETAIL else f"{text.partition(' ')[0]} no. {order[text]}"
        for text in texts
    ]


@dataclass(frozen=True)
class StudyData:
    """An open study store."""

    store: StudyStore
    _arrays: dict[tuple[str, str], NDArray[Any]] = field(default_factory=dict)

    @classmethod
    def open(cls, results: Path, study: str) -> StudyData:
        """Open the store of a study.

        Raises
        ------
        StoreError
            If the study has not been aggregated.
        """
        return cls(open_study_store(results, study))

    def array(self, group: str, name: str, **selection: Any) -> NDArray[Any]:
        """A variable or coordinate of a group of the store, with labels selected."""
        if (group, name) not in self._arrays:
            self._arrays[group, name] = self.store.array(group, name)
        array = self._arrays[group, name]
        dimensions = list(self.store.dimensions(group, name)) if selection else []
        for dimension, label in selection.items():
            (at,) = np.flatnonzero(self.array(group, dimension) == label)
            array = array.take(at, dimensions.index(dimension))
            dimensions.remove(dimension)
        return array

    @property
    def samples(self) -> int:
        """Networks drawn at each point."""
        return int(self.store.attributes()["samples"])

    @property
    def points(self) -> int:
        """Number of points."""
        return len(self.array("moments", "width"))

    def coordinate(self, name: str, point: int) -> Any:
        """A coordinate of a point, such as ``width``."""
        return self.array("moments", name)[point]

    def point(self, network: str) -> int:
        """The first point whose network has this label."""
        labels = [str(label) for label in self.array("moments", "network")]
        if network not in labels:
            known = ", ".join(sorted(set(labels)))
            study = self.store.attributes()["study"]
            raise StoreError(f"study {study} has no network {network!r}; it has {known}")
        return labels.index(network)

    def panels(self, count: int, observable: str) -> list[int]:
        """At most so many points at which an observable is recorded, the first of each network, then the
        second, and so on; in their order.
        """
        edges = self.array("laws", "bin_edge", observable=observable)
        points = np.flatnonzero(np.isfinite(edges).any(axis=(1, 2))).tolist()
        labels = [str(label) for label in self.array("moments", "network")[points]]
        turn = {point: labels[:place].count(labels[place]) for place, point in enumerate(points)}
        return sorted(sorted(points, key=lambda point: (turn[point], point))[:count])

    def title(self, point: int) -> str:
        """The network of a point, its width and its depth, and whatever else is not one for all points, so
        that no two points have one title.
        """
        sizes = f"n = {self.coordinate('width', point)}, d = {self.coordinate('depth', point)}"
        parts = [network_text(str(self.coordinate("network", point))), sizes, *self.details(point)]
        text = ", ".join(parts)
        return text if len(text) <= _TITLE else f"{parts[0]}\n" + ", ".join(parts[1:])

    def details(self, point: int) -> list[str]:
        """What tells a point from others of its network, width and depth, where it is not one for all points
        of the study: units of the layers, inputs, seed.
        """
        return self._details[point]

    @cached_property
    def _details(self) -> list[list[str]]:
        axes = [
            {name: self.coordinate(name, i) for name in ("widths", "gram", "start", "seed")}
            for i in range(self.points)
        ]
        widths = [f"widths {each['widths']}" if each["widths"] else "" for each in axes]
        texts = (widths, [inputs_text(each) for each in axes], [f"seed {each['seed']}" for each in axes])
        varied = [_shortened(each) for each in texts if len(set(each)) > 1]
        return [[each[i] for each in varied if each[i]] for i in range(self.points)]

    def series(self, index: int) -> str:
        """A series of points that differ in width alone, in a legend: its network, and what tells it from
        other series.
        """
        names = [str(name).split("; ") for name in self.array("series", "width")]
        common = set(names[0]).intersection(*names[1:])
        parts = [[part for part in name[1:] if part not in common] for name in names]
        order = {part: k for k, part in enumerate(dict.fromkeys(part for each in parts for part in each), 1)}
        told = [
            part if len(part) <= _DETAIL else f"{part.partition(' ')[0]} no. {order[part]}"
            for part in parts[index]
        ]
        return ", ".join(map(network_text, [names[index][0], *told]))

    def first_observable(self) -> str:
        """What a study compares first, or the log variance."""
        compared = [str(name) for name in self.array("comparison", "compared")]
        return compared[0] if compared else "log_variance"

    def layers(self, point: int) -> NDArray[np.int64]:
        """Recorded layers."""
        layers = self.array("moments", "layer")[point]
        return layers[layers >= 0]

    def quantile(self, point: int, observable: str, level: float) -> Array:
        """Quantile of the network at every recorded layer."""
        table = self.array("laws", "quantile", observable=observable, level=level)
        return table[point, : len(self.layers(point))]

    def density(self, point: int, observable: str, layer: int) -> tuple[Array, Array]:
        """Bin edges and density of the network's histogram at a recorded layer; 0 where no network has a
        finite value.
        """
        record = int(np.flatnonzero(self.layers(point) == layer)[0])
        edges = self.array("laws", "bin_edge", observable=observable)[point, record]
        counts = self.array("laws", "bin_count", observable=observable)[point, record]
        total = int(self.array("moments", "count", observable=observable)[point, record])
        return edges, counts / (max(total, 1) * np.diff(edges))

    def entries(self, observable: str | None = None) -> list[tuple[int, str]]:
        """(index, limit) of the comparisons, of one observable or all."""
        pairs = zip(self.array("comparison", "limit"), self.array("comparison", "compared"), strict=True)
        return [
            (j, str(limit))
            for j, (limit, compared) in enumerate(pairs)
            if observable in (None, str(compared))
        ]

    def entry(self, observable: str, limit: str) -> int:
        """Index of the first comparison of an observable with a limit.

        Raises
        ------
        StoreError
            If there is none.
        """
        found = [j for j, name in self.entries(observable) if name == limit]
        if not found:
            study = self.store.attributes()["study"]
            raise StoreError(f"the store of study {study} does not hold {observable} against {limit}")
        return found[0]

    def limit_quantile(self, point: int, entry: int, level: float) -> Array:
        """Quantile of a limit at every recorded layer; NaN where it was not asked for."""
        return self.array("limits", "quantile", level=level)[point, : len(self.layers(point)), entry]

    def limit_density(self, point: int, entry: int) -> tuple[Array, Array]:
        """Density of a limit at the layer compared."""
        return self.array("limits", "density_x")[point, entry], self.array("limits", "density")[point, entry]

    def compared(self, name: str, point: int, entry: int) -> float:
        """A number of the comparison table, such as ``ks_value``."""
        return float(self.array("comparison", name)[point, entry])
