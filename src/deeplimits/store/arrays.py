"""Study stores, described once: dimensions, type, units and meaning of every array, by group. The arrays are
made from this, and so are their attributes, docs/data.md and ``deeplimits query --tables``.

Every number is dimensionless but for counts: observables are logarithms and ratios, and times are layers over
widths. Study stores are written with their attributes; to what a container holds, which is held to its bytes,
they are added when it is opened.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from deeplimits.observables import OBSERVABLES
from deeplimits.sweep.axes import AXES
from deeplimits.variables import CONTAINER, STORED, Variable, text, whole

if TYPE_CHECKING:
    import xarray as xr

COLUMNS = {
    name: replace(column, dimensions=("point",))
    for name, column in {
        **AXES,
        "network": text("the network in legends and claims: architecture, activation and shaping"),
        "physics": text("name of the network, of all that its law depends on, and of its random stream"),
        "normals": whole("standard normals that one sample takes"),
        "width_series": whole("which series of points that differ in width alone it belongs to", units=""),
        "depth_series": whole("which series of points that differ in depth alone it belongs to", units=""),
    }.items()
}
"""Coordinates along ``point``: every number and name by which claims, figures and queries choose points."""
OF_POINTS = COLUMNS | {
    "layer": whole("layer of a record, −1 where a point records fewer", "point", "record", units="layers")
}
"""All that labels the points of a group."""

_OBSERVABLE = text("observable", "observable")
_LEVEL = Variable("level of a quantile", ("level",))
ENTRIES = {
    "limit": text("limit of an entry of compare", "entry"),
    "compared": text("observable of an entry of compare", "entry"),
}
"""What labels the entries of ``compare``."""
_AT = ("point", "record", "observable")
_COMPARED = ("point", "entry")
_CELLS = ("point", "plane", "x", "y")
DISTANCES = {
    "ks": "that of Kolmogorov",
    "wasserstein": "that of Wasserstein",
    "rms": "the root mean square around a limit that is a number",
}
"""Distances by name."""
PARTS = {
    "value": "distance of the networks to the limit, as observed; NaN where it was not asked for",
    "estimate": "distance, the noise taken off",
    "low": "lower end of a 95 % interval of the distance",
    "high": "upper end of a 95 % interval of the distance",
    "error": "standard error of the estimate",
    "floor": "noise floor: the distance that noise alone would give",
}
"""What is known of a distance, in the order of ``distances.Distance``."""


def _networks(meaning: str, *dimensions: str, fill: int | None = None) -> Variable:
    """How many networks."""
    return whole(meaning, *dimensions, units="networks", fill=fill)


def axis_column(name: str) -> str:
    """The column of an axis among the rates, whose own exponent is the rate."""
    return "shaping_exponent" if name == "exponent" else name


_RATES = {
    "entry": whole("the entry of compare, counted from 0", units=""),
    "compared": text("the observable"),
    "limit": text("the limit"),
    "distance": text("ks, wasserstein or rms"),
    "rate_in": text("the size along which it is fitted: width or depth"),
    "exponent": Variable("distance ≈ constant · size^−exponent"),
    "low": Variable("the exponent is above this, and below high, at 95 %"),
    "high": Variable("the exponent is below this"),
    "constant": Variable("the constant of the power law"),
    "chi_square": Variable("how far the distances lie from the power law, in squares of their errors"),
    "points": whole("distances that stand above their noise, through which it is fitted"),
    "series": whole("width_series or depth_series of its points", units=""),
    "name": text("the series in words: all that is equal along it"),
    "sizes": whole("points of the series"),
    "size_low": whole("its smallest size"),
    "size_high": whole("its largest size"),
    "time_low": Variable("the least time of the limit at which it is compared"),
    "time_high": Variable("the largest time, which is another where the time of a layer depends on the size"),
    "network": text("the network in legends and claims"),
} | {
    axis_column(name): replace(axis, meaning=f"{axis.meaning}; NaN, −1 or empty where it changes")
    for name, axis in AXES.items()
}
_GROWTH = {
    "network": text("the network in legends and claims"),
    "width": whole("units of a hidden layer, n"),
    "seed": whole("different seeds are independent networks", units=""),
    "time": Variable("t = ℓ/d"),
    "mean": Variable("E log ‖φ(X_t)‖ / ‖φ(X_0)‖ at infinite depth, of living networks"),
    "error": Variable("standard error of the mean"),
    "variance": Variable("variance of the growth, of the deepest networks"),
    "positive_variance": Variable("variance of the number of positive units, of the deepest networks"),
    "samples": _networks("living networks"),
    "printed": Variable("mean that Theorem 1 and Proposition 10 of Hayou 2022 print"),
    "corrected": Variable("corrected mean of ReLU; NaN for other slopes"),
    "unit_estimate": Variable(
        "Kolmogorov distance of a unit to its law at infinite width, the noise taken off"
    ),
    "unit_error": Variable("standard error of that distance"),
}
GROUPS: dict[str, dict[str, Variable]] = {
    "moments": OF_POINTS
    | {
        "observable": _OBSERVABLE,
        "count": _networks("networks that have a value", *_AT),
        "dead": _networks("networks that have none: dead, collapsed or beyond floating point", *_AT),
        "mean": Variable("mean of the observable", _AT),
        "std": Variable("standard deviation of the observable", _AT),
    },
    "laws": OF_POINTS
    | {
        "observable": _OBSERVABLE,
        "level": _LEVEL,
        "quantile": Variable(
            "quantile of the observable, an order statistic of the networks", (*_AT, "level")
        ),
        "bin_edge": Variable("edges of a histogram, from the 0.1 % to the 99.9 % quantile", (*_AT, "edge")),
        "bin_count": _networks("networks in each bin of the histogram", *_AT, "bin"),
    },
    "limits": OF_POINTS
    | ENTRIES
    | {
        "level": _LEVEL,
        "quantile": Variable("quantile of the limit's law", ("point", "record", "entry", "level")),
        "time": Variable("time of the limit that a record stands for", ("point", "record", "entry")),
        "density_x": Variable(
            "values at which the limit's density is kept, at the last time", (*_COMPARED, "x")
        ),
        "density": Variable("density of the limit's law; NaN where it has none", (*_COMPARED, "x")),
    },
    "comparison": OF_POINTS
    | ENTRIES
    | {
        "distance": text(
            "name of a distance: " + ", ".join(f"{name}, {which}" for name, which in DISTANCES.items()),
            "distance",
        ),
        **{name: Variable(meaning, (*_COMPARED, "distance")) for name, meaning in PARTS.items()},
        "at_layer": whole(
            "layer of the comparison, −1 where there is none", *_COMPARED, units="layers", fill=-1
        ),
        "at_time": Variable("time of the limit at the comparison", _COMPARED),
        "limit_mean": Variable("mean of the limit's law", _COMPARED),
        "limit_std": Variable("standard deviation of the limit's law", _COMPARED),
    },
    "rates": {name: replace(column, dimensions=("rate",)) for name, column in _RATES.items()},
    "series": {
        "width": text("name of a series of points that differ in width alone", "width_series"),
        "depth": text("name of a series of points that differ in depth alone", "depth_series"),
    },
    "events": OF_POINTS
    | {
        "exploded": _networks(
            "networks with V ≥ s² by each record, −1 where that has no meaning", *_AT[:2], fill=-1
        ),
        "explosion_probability": Variable("P(explosion) of the limit by the last layer", ("point",)),
        "explosion_probability_ever": Variable("P(explosion) of the limit at any time", ("point",)),
        "alive": _networks(
            "residual networks with φ(z_0) ≠ 0, −1 where that has no meaning", "point", fill=-1
        ),
        "collapsed": _networks("those of them with φ(z_ℓ) = 0 by each record", *_AT[:2], fill=-1),
        "collapse_probability": Variable("exact P(collapse) of living networks of one unit", _AT[:2]),
    },
    "paths": OF_POINTS
    | {
        name: Variable(
            f"{stored.meaning}; of the first networks, first input or pair",
            ("point", "path", "record"),
            dtype=stored.dtype,
        )
        for name, stored in STORED.items()
        if stored.paths
    },
    "groups": OF_POINTS
    | {
        "observable": _OBSERVABLE,
        "gram_row": whole("input a of an entry V^{ab}, a ≤ b", "gram_entry", units=""),
        "gram_column": whole("input b of an entry V^{ab}, a ≤ b", "gram_entry", units=""),
        "power_sum": Variable(
            "sums of the first four powers of the scaled observable at the last record, by group of networks",
            ("point", "observable", "group", "power"),
        ),
        "counted": _networks("networks in a group", "point", "observable", "group"),
        "scaling": Variable(
            "centre and scale by which the observable was scaled", ("point", "observable", "centre_scale")
        ),
        "gram_0": Variable("V₀^{ab} of the inputs", ("point", "gram_entry")),
        "gram_count": _networks("networks in a group whose V is finite", "point", "group"),
        "gram_mean": Variable(
            "mean of V^{ab} at the last record, by group", ("point", "group", "gram_entry")
        ),
        "gram_product": Variable(
            "mean of the products of two entries of V, by group",
            ("point", "group", "gram_entry", "gram_entry_2"),
        ),
    },
    "joint": OF_POINTS
    | {
        "first": text("observable along x", "plane"),
        "second": text("observable along y", "plane"),
        "count": _networks("networks in a cell", *_CELLS),
        "limit_count": _networks("samples of the limit in a cell", *_CELLS),
        "x_edge": Variable("edges of the cells along x", ("point", "plane", "edge")),
        "y_edge": Variable("edges of the cells along y", ("point", "plane", "edge")),
        "samples": _networks("networks, those outside the cells included", "point"),
        "limit_samples": _networks("samples of the limit, those outside included", "point"),
    },
    "reduction": {
        "key": text(
            "digest of all that the rows of a point depend on: blocks, samples, comparisons, code", "point"
        )
    },
    "growth": {name: replace(column, dimensions=("growth",)) for name, column in _GROWTH.items()},
}
"""Arrays of a study store by group: NaN, −1 or an empty text where something has no meaning."""

KEPT = {
    group: {
        name: array
        for name, array in arrays.items()
        if array.dimensions[:1] == ("point",) and name not in OF_POINTS
    }
    for group, arrays in GROUPS.items()
    if arrays.keys() >= OF_POINTS.keys()
}
"""What is kept of a point, by group: arrays along ``point``, which comes before their other dimensions."""


def blank(group: str, **sizes: int) -> dict[str, NDArray[Any]]:
    """What is kept of a point in a group, before anything is known: NaN, −1, and 0 of counts that nothing was
    counted for. ``sizes`` are those of the dimensions.
    """
    return {name: array.copy() for name, array in _blank(group, tuple(sizes.items())).items()}


@lru_cache(maxsize=64)
def _blank(group: str, lengths: tuple[tuple[str, int], ...]) -> dict[str, NDArray[Any]]:
    sizes = dict(lengths)
    return {
        name: np.full([sizes[each] for each in array.dimensions[1:]], array.missing, array.dtype)
        for name, array in KEPT[group].items()
    }


def table_of(group: str, rows: Mapping[str, Sequence[Any]], **attributes: Any) -> xr.Dataset:
    """A group that has a row for each place along its one dimension, given its columns."""
    import xarray as xr

    held = {
        name: (column.dimensions, np.array(rows[name], dtype=column.dtype))
        for name, column in GROUPS[group].items()
    }
    return xr.Dataset(held, attrs=attributes)


def described(group: str, dataset: xr.Dataset) -> xr.Dataset:
    """The dataset of a group, whose arrays say what they hold."""
    for name, array in GROUPS[group].items():
        if name in dataset.variables:
            variable = dataset[name].variable
            variable.attrs.update(array.attributes)
            if array.fill is not None:
                variable.encoding["_FillValue"] = array.fill
    return dataset


def annotate(dataset: xr.Dataset, variables: Mapping[str, Variable]) -> xr.Dataset:
    """The dataset, whose arrays say what they hold."""
    for name, variable in variables.items():
        if name in dataset.variables:
            dataset[name].attrs.update(variable.attributes)
    return dataset


def annotate_samples(dataset: xr.Dataset) -> xr.Dataset:
    """The samples of a study, whose arrays say what they hold."""
    axes = {"correlation" if name == "correlation_0" else name: axis for name, axis in AXES.items()}
    made = {
        record.sampled_as or kind: Variable(
            record.meaning + f": the observable {kind}" * bool(record.sampled_as), record.dimensions
        )
        for kind, record in OBSERVABLES.items()
        if kind not in STORED
    }
    labels = {
        "layer": replace(
            CONTAINER["layer"], meaning=f"{CONTAINER['layer'].meaning}; −1 where a point has fewer"
        ),
        "input": Variable("input", units=""),
        "first_input": Variable("first input of a pair", units=""),
        "second_input": Variable("second input of a pair", units=""),
        "physics": COLUMNS["physics"],
    }
    return annotate(dataset, axes | CONTAINER | labels | made)
