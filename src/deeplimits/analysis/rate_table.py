"""Rates of convergence in a study store: a row for each comparison that asks for one, distance and series."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from deeplimits.analysis.distances import Distance
from deeplimits.analysis.labels import label_of
from deeplimits.analysis.rates import fit_rate
from deeplimits.analysis.series import Series
from deeplimits.store.arrays import DISTANCES, GROUPS, PARTS, axis_column, table_of
from deeplimits.sweep.axes import AXES, axes_of
from deeplimits.sweep.study import Study

if TYPE_CHECKING:
    import xarray as xr


def rate_table(study: Study, series: Series, comparison: xr.Dataset) -> xr.Dataset:
    """The rates of the distances of ``comparison`` along each series of points. Axes that change along a
    series are −1, NaN or empty.
    """
    held = {part: comparison[part].to_numpy() for part in PARTS}
    at_time = comparison["at_time"].to_numpy()
    rows: dict[str, list[Any]] = {name: [] for name in GROUPS["rates"]}
    for j, entry in enumerate(study.compare):
        if entry.rate_in is None:
            continue
        for index, members in enumerate(series.members(entry.rate_in)):
            found = {i: _distances(held, i, j) for i in members}
            used = [i for i in members if found[i]]
            networks = [study.points[i].network for i in used]
            axes = [axes_of(network) for network in networks]
            sizes = [each[entry.rate_in] for each in axes]
            for name in entry.distances:
                if not used or name not in found[used[0]]:
                    continue
                rate = fit_rate(sizes, [found[i][name] for i in used])
                if rate is None:
                    continue
                row = {
                    "entry": j,
                    "compared": entry.observable,
                    "limit": entry.limit,
                    "distance": name,
                    "rate_in": entry.rate_in,
                    "series": index,
                    "name": series.names[entry.rate_in][index],
                    "sizes": len(used),
                    "size_low": min(sizes),
                    "size_high": max(sizes),
                    "time_low": np.min(at_time[used, j]),
                    "time_high": np.max(at_time[used, j]),
                    "network": label_of(networks[0]),
                    **{axis_column(name): _common(name, [each[name] for each in axes]) for name in AXES},
                }
                for column, values in rows.items():
                    values.append(row[column] if column in row else getattr(rate, column))
    return table_of("rates", rows)


def _distances(held: dict[str, Any], point: int, entry: int) -> dict[str, Distance]:
    """The distances that a point has to an entry's limit, by name."""
    return {
        name: Distance(*(float(held[part][point, entry, k]) for part in PARTS))
        for k, name in enumerate(DISTANCES)
        if not np.isnan(held["value"][point, entry, k])
    }


def _common(axis: str, values: list[Any]) -> Any:
    """The value that is one for all, or what stands for none."""
    if all(value == values[0] for value in values):
        return values[0]
    return -1 if AXES[axis].dtype == "int64" else AXES[axis].missing
