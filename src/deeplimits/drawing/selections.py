"""What several figures choose from a study, which is an xarray tree of its groups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from deeplimits.architectures import architecture
from deeplimits.array_types import Array
from deeplimits.store.arrays import COLUMNS
from deeplimits.store.errors import StoreError
from deeplimits.store.study_groups import Groups

if TYPE_CHECKING:
    import xarray as xr


def samples(study: Groups) -> int:
    """Networks drawn at each point."""
    return int(study["/"].attrs["samples"])


def group(study: Groups, name: str) -> xr.Dataset:
    """A group, of which each array is read when it is first asked for."""
    return study[f"/{name}"]


def points(study: Groups) -> xr.Dataset:
    """What labels the points: every axis of the sweep, and more, along ``point``."""
    return group(study, "moments").coords.to_dataset()


def residual(study: Groups) -> NDArray[np.bool_]:
    """Whether layers of the network of each point add branches to a state."""
    return np.array([architecture(str(name)).residual for name in points(study).architecture.values])


def point_of(study: Groups, network: str) -> int:
    """The first point whose network has this label.

    Raises
    ------
    StoreError
        If there is none.
    """
    labels = points(study).network.values.tolist()
    if network not in labels:
        name, known = study["/"].attrs["study"], ", ".join(sorted(set(labels)))
        raise StoreError(f"study {name} has no network {network!r}; it has {known}")
    return labels.index(network)


def at_point(study: Groups, of: str, name: str, point: int) -> xr.DataArray:
    """An array at one point, with the layers recorded there as the index of a dimension ``layer``."""
    # labels of points, of which there are many, are left behind: each step would take them along
    array = group(study, of)[name].drop_vars(COLUMNS, errors="ignore").load().isel(point=point)
    return array.isel(record=array.layer.values >= 0).swap_dims(record="layer")


def layers(study: Groups, point: int) -> NDArray[np.int64]:
    """Layers recorded at a point."""
    recorded = points(study).layer.values[point]
    return recorded[recorded >= 0]


def quantiles(study: Groups, point: int, observable: str, levels: Sequence[float]) -> list[Array]:
    """Quantiles of the networks at every recorded layer, an array a level."""
    table = at_point(study, "laws", "quantile", point).sel(observable=observable, level=list(levels))
    return list(table.transpose("level", "layer").values)


def limit_quantiles(study: Groups, point: int, entry: int, levels: Sequence[float]) -> list[Array]:
    """Quantiles of a limit at every recorded layer, NaN where they were not asked for; an array a level."""
    table = at_point(study, "limits", "quantile", point).isel(entry=entry).sel(level=list(levels))
    return list(table.transpose("level", "layer").values)


def histogram(study: Groups, point: int, observable: str, layer: int) -> tuple[Array, Array]:
    """Bin edges and density of the networks at a recorded layer; 0 where no network has a finite value."""
    edges, counts, total = (
        at_point(study, of, name, point).sel(observable=observable, layer=layer).values
        for of, name in (("laws", "bin_edge"), ("laws", "bin_count"), ("moments", "count"))
    )
    return density_of(edges, counts, int(total))


def density_of(edges: Array, counts: NDArray[np.int64], total: int) -> tuple[Array, Array]:
    """Bin edges and density of a histogram of ``total`` networks."""
    return edges, counts / (max(total, 1) * np.diff(edges))


def entries(study: Groups, observable: str | None = None) -> list[tuple[int, str]]:
    """Place and limit of the entries of ``compare``, of one observable or all."""
    held = group(study, "comparison")
    return [
        (j, limit)
        for j, (limit, compared) in enumerate(
            zip(held.limit.values.tolist(), held.compared.values.tolist(), strict=True)
        )
        if observable in (None, compared)
    ]


def entry_of(study: Groups, observable: str, limit: str) -> int:
    """Place of the first entry of ``compare`` that holds an observable against a limit.

    Raises
    ------
    StoreError
        If there is none.
    """
    found = [j for j, name in entries(study, observable) if name == limit]
    if not found:
        name = study["/"].attrs["study"]
        raise StoreError(f"the store of study {name} does not hold {observable} against {limit}")
    return found[0]


def first_observable(study: Groups) -> str:
    """What a study compares first, or the log variance."""
    compared = group(study, "comparison").compared.values.tolist()
    return compared[0] if compared else "log_variance"


def limit_density(study: Groups, point: int, entry: int) -> tuple[Array, Array]:
    """Density of a limit at the layer compared: where, and how large."""
    at = group(study, "limits")[["density_x", "density"]].load().isel(point=point, entry=entry)
    return at.density_x.values, at.density.values


def compared(study: Groups, name: str) -> xr.DataArray:
    """An array of the comparisons, such as ``limit_mean`` [point, entry]."""
    return group(study, "comparison")[name].load()


def distance(study: Groups, name: str, part: str = "value") -> xr.DataArray:
    """A distance of the networks to the limits [point, entry], or another part of what is known of it."""
    return compared(study, part).sel(distance=name)


def panels(study: Groups, count: int, observable: str) -> list[int]:
    """At most so many points at which an observable is recorded, the first of each network, then the second,
    and so on; in their order.
    """
    edges = group(study, "laws")["bin_edge"].load().sel(observable=observable).values
    recorded = np.flatnonzero(np.isfinite(edges).any(axis=(1, 2))).tolist()
    labels = points(study).network.values[recorded].tolist()
    turn = {point: labels[:place].count(labels[place]) for place, point in enumerate(recorded)}
    return sorted(sorted(recorded, key=lambda point: (turn[point], point))[:count])
