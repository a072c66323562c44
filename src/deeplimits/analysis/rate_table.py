"""Rates of convergence in a study store: a row for each comparison that asks for one, distance and series."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from deeplimits.analysis.compared import DISTANCES, PARTS
from deeplimits.analysis.distances import Distance
from deeplimits.analysis.labels import label_of
from deeplimits.analysis.rates import fit_rate
from deeplimits.analysis.series import Series
from deeplimits.sweep.axes import AXES, TEXTS, WHOLE, axes_of
from deeplimits.sweep.study import Study

if TYPE_CHECKING:
    import xarray as xr

COLUMNS: dict[str, tuple[Any, str]] = {
    "entry": (np.int64, "the entry of compare, counted from 0"),
    "compared": (str, "the observable"),
    "limit": (str, "the limit"),
    "distance": (str, "ks, wasserstein or rms"),
    "rate_in": (str, "the size along which it is fitted: width or depth"),
    "exponent": (float, "distance ≈ constant · size^−exponent"),
    "low": (float, "the exponent is above this, and below high, at 95 %"),
    "high": (float, "the exponent is below this"),
    "constant": (float, "the constant of the power law"),
    "chi_square": (float, "how far the distances lie from the power law, in squares of their errors"),
    "points": (np.int64, "distances that stand above their noise, through which it is fitted"),
    "series": (np.int64, "width_series or depth_series of its points"),
    "name": (str, "the series in words: all that is equal along it"),
    "sizes": (np.int64, "points of the series"),
    "size_low": (np.int64, "its smallest size"),
    "size_high": (np.int64, "its largest size"),
    "time_low": (float, "the least time of the limit at which it is compared"),
    "time_high": (float, "the largest time, which is another where the time of a layer depends on the size"),
    "network": (str, "the network in legends and claims"),
}
"""Columns, what they hold and what they mean; the axes of a sweep follow."""


def axis_column(name: str) -> str:
    """The column of an axis among the rates, whose own exponent is the rate."""
    return "shaping_exponent" if name == "exponent" else name


def rate_table(study: Study, series: Series, comparison: xr.Dataset) -> xr.Dataset:
    """The rates of the distances of ``comparison`` along each series of points. Axes that change along a
    series are −1, NaN or empty.
    """
    import xarray as xr

    held = {part: comparison[part].to_numpy() for part in PARTS}
    at_time = comparison["at_time"].to_numpy()
    types = {name: kind for name, (kind, _) in COLUMNS.items()} | {
        axis_column(name): _kind(name) for name in AXES
    }
    rows: dict[str, list[Any]] = {name: [] for name in types}
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
    return xr.Dataset({name: ("rate", np.array(rows[name], dtype=kind)) for name, kind in types.items()})


def _distances(held: dict[str, Any], point: int, entry: int) -> dict[str, Distance]:
    """The distances that a point has to an entry's limit, by name."""
    return {
        name: Distance(*(float(held[part][point, entry, k]) for part in PARTS))
        for k, name in enumerate(DISTANCES)
        if not np.isnan(held["value"][point, entry, k])
    }


def _kind(axis: str) -> Any:
    return str if axis in TEXTS else np.int64 if axis in WHOLE else float


def _common(axis: str, values: list[Any]) -> Any:
    """The value that is one for all, or what stands for none."""
    if all(value == values[0] for value in values):
        return values[0]
    return "" if axis in TEXTS else -1 if axis in WHOLE else np.nan
