"""Reading a study store for figures: points by network, records, limits and histograms."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from deeplimits.store.errors import StoreError
from deeplimits.store.paths import study_receipt, study_store

Array = NDArray[np.float64]


@dataclass(frozen=True)
class StudyData:
    """An open study store."""

    tree: xr.DataTree

    @classmethod
    def open(cls, results: Path, study: str) -> StudyData:
        """Open the store of a study.

        Raises
        ------
        StoreError
            If the study has not been aggregated.
        """
        if not study_receipt(results, study).exists():
            raise StoreError(f"{results}: study {study} has not been aggregated yet; run 'deeplimits aggregate {study}' first")
        return cls(xr.open_datatree(study_store(results, study), engine="zarr", consolidated=False).load())

    @property
    def samples(self) -> int:
        return int(self.tree.attrs["samples"])

    @property
    def points(self) -> int:
        return int(self.tree["moments"].sizes["point"])

    def coordinate(self, name: str, point: int) -> Any:
        """A coordinate of a point, such as ``width``."""
        return self.tree["moments"][name].values[point]

    def point(self, network: str) -> int:
        """The first point whose network has this label."""
        labels = [str(label) for label in self.tree["moments"]["network"].values]
        if network not in labels:
            raise StoreError(f"the study {self.tree.attrs['study']} has no network {network!r}; it has " + ", ".join(sorted(set(labels))))
        return labels.index(network)

    def layers(self, point: int) -> NDArray[np.int64]:
        """Recorded layers."""
        layers = self.tree["moments"]["layer"].values[point]
        return np.asarray(layers[layers >= 0], np.int64)

    def quantile(self, point: int, observable: str, level: float) -> Array:
        """Quantile of the network at every recorded layer."""
        table = self.tree["laws"]["quantile"].sel(observable=observable, level=level)
        return np.asarray(table.values[point, : len(self.layers(point))])

    def density(self, point: int, observable: str, layer: int) -> tuple[Array, Array]:
        """Bin edges and density of the network's histogram at a recorded layer."""
        record = int(np.flatnonzero(self.layers(point) == layer)[0])
        laws = self.tree["laws"].sel(observable=observable)
        edges = np.asarray(laws["bin_edge"].values[point, record])
        counts = laws["bin_count"].values[point, record]
        total = int(self.tree["moments"]["count"].sel(observable=observable).values[point, record])
        return edges, counts / (total * np.diff(edges))

    def entries(self, observable: str | None = None) -> list[tuple[int, str]]:
        """(index, limit) of the comparisons, of one observable or all."""
        table = self.tree["comparison"]
        pairs = zip(table["limit"].values, table["compared"].values, strict=True)
        return [(j, str(limit)) for j, (limit, compared) in enumerate(pairs) if observable in (None, str(compared))]

    def entry(self, limit: str) -> int:
        """Index of the first comparison with a limit."""
        return next(j for j, name in self.entries() if name == limit)

    def limit_quantile(self, point: int, entry: int, level: float) -> Array:
        """Quantile of a limit at every recorded layer; NaN where it was not asked for."""
        table = self.tree["limits"]["quantile"].sel(level=level)
        return np.asarray(table.values[point, : len(self.layers(point)), entry])

    def limit_time(self, point: int, entry: int) -> Array:
        """The limit's time of every recorded layer."""
        return np.asarray(self.tree["limits"]["time"].values[point, : len(self.layers(point)), entry])

    def limit_density(self, point: int, entry: int) -> tuple[Array, Array]:
        """Density of a limit at the layer compared."""
        limits = self.tree["limits"]
        return np.asarray(limits["density_x"].values[point, entry]), np.asarray(limits["density"].values[point, entry])

    def compared(self, name: str, point: int, entry: int) -> float:
        """A number of the comparison table, such as ``ks_value``."""
        return float(self.tree["comparison"][name].values[point, entry])
