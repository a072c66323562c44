"""What is stored, described once: the variables of containers and study stores, and the tables of ``query``.

From here come docs/data.md, ``deeplimits query --tables`` and the attributes of arrays as xarray shows them.
Every number is dimensionless but for counts: observables are logarithms and ratios, and times are layers over
widths. Study stores are written with their attributes; to what a container holds, which is held to its bytes,
they are added when it is opened.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deeplimits.analysis.coordinates import COLUMNS as POINT_COLUMNS
from deeplimits.analysis.rate_table import COLUMNS as RATE_COLUMNS
from deeplimits.analysis.rate_table import axis_column
from deeplimits.observables import OBSERVABLES
from deeplimits.store.tables import BLOCKS, CLAIMS, POINTS
from deeplimits.sweep.axes import AXES
from deeplimits.variables import CONTAINER, STORED, Variable, whole

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True, slots=True)
class Table:
    """A table of ``query``.

    Parameters
    ----------
    rows
        What a row is.
    source
        What it is made from.
    columns
        By name, in their order.
    """

    rows: str
    source: str
    columns: Mapping[str, Variable]


_SAMPLES: dict[str, Variable] = CONTAINER | {
    "layer": whole("layer of a record, 0 is the input; −1 where a point has fewer", "record", units="layers"),
    "input": whole("input", "input", units=""),
    "first_input": whole("first input of a pair", "cross", units=""),
    "second_input": whole("second input of a pair", "cross", units=""),
}
"""Variables of ``open_samples``: those of containers, and what labels them."""

_TEXTS = {
    *("architecture", "activation", "formula", "shaping", "widths", "gram", "network", "physics", "limit"),
    *("compared", "distance", "rate_in", "name", "observable", "first", "second", "study", "block", "batch"),
    *("engine", "finished", "id", "verdict", "statement", "source", "paper", "reason", "seed", "series"),
    *("width_series", "depth_series", "entry"),
}


def _units(name: str) -> str:
    return "" if name in _TEXTS else "layers" if name == "depth" else "1"


_OF_POINTS = {
    name: Variable(meaning, ("point",), _units(name)) for name, meaning in POINT_COLUMNS.items()
} | {"layer": Variable("layer of a record, −1 where a point records fewer", ("point", "record"), "layers")}
_OBSERVABLE = Variable("observable", ("observable",), "")
_LEVEL = Variable("level of a quantile", ("level",))
_ENTRIES = {
    "limit": Variable("limit of an entry of compare", ("entry",), ""),
    "compared": Variable("observable of an entry of compare", ("entry",), ""),
}
_AT = ("point", "record", "observable")
_COMPARED = ("point", "entry")
_DISTANCES = {
    "ks": "that of Kolmogorov",
    "wasserstein": "that of Wasserstein",
    "rms": "the root mean square around a limit that is a number",
}
_PARTS = {
    "value": "distance of the networks to the limit, as observed; NaN where it was not asked for",
    "estimate": "distance, the noise taken off",
    "low": "lower end of a 95 % interval of the distance",
    "high": "upper end of a 95 % interval of the distance",
    "error": "standard error of the estimate",
    "floor": "noise floor: the distance that noise alone would give",
}
GROUPS: dict[str, dict[str, Variable]] = {
    "moments": _OF_POINTS
    | {
        "observable": _OBSERVABLE,
        "count": Variable("networks that have a value", _AT, "networks"),
        "dead": Variable(
            "networks that have none: dead, collapsed or beyond floating point", _AT, "networks"
        ),
        "mean": Variable("mean of the observable", _AT),
        "std": Variable("standard deviation of the observable", _AT),
    },
    "laws": _OF_POINTS
    | {
        "observable": _OBSERVABLE,
        "level": _LEVEL,
        "quantile": Variable(
            "quantile of the observable, an order statistic of the networks", (*_AT, "level")
        ),
        "bin_edge": Variable("edges of a histogram, from the 0.1 % to the 99.9 % quantile", (*_AT, "edge")),
        "bin_count": Variable("networks in each bin of the histogram", (*_AT, "bin"), "networks"),
    },
    "limits": _OF_POINTS
    | _ENTRIES
    | {
        "level": _LEVEL,
        "quantile": Variable("quantile of the limit's law", ("point", "record", "entry", "level")),
        "time": Variable("time of the limit that a record stands for", ("point", "record", "entry")),
        "density_x": Variable(
            "values at which the limit's density is kept, at the last time", (*_COMPARED, "x")
        ),
        "density": Variable("density of the limit's law; NaN where it has none", (*_COMPARED, "x")),
    },
    "comparison": _OF_POINTS
    | _ENTRIES
    | {
        "distance": Variable(
            "name of a distance: " + ", ".join(f"{name}, {which}" for name, which in _DISTANCES.items()),
            ("distance",),
            "",
        ),
        **{name: Variable(meaning, (*_COMPARED, "distance")) for name, meaning in _PARTS.items()},
        "at_layer": Variable("layer of the comparison, −1 where there is none", _COMPARED, "layers"),
        "at_time": Variable("time of the limit at the comparison", _COMPARED),
        "limit_mean": Variable("mean of the limit's law", _COMPARED),
        "limit_std": Variable("standard deviation of the limit's law", _COMPARED),
    },
    "rates": {
        **{name: Variable(meaning, ("rate",), _units(name)) for name, (_, meaning) in RATE_COLUMNS.items()},
        **{
            axis_column(name): Variable(
                f"{meaning}; NaN, −1 or empty where it changes", ("rate",), _units(name)
            )
            for name, meaning in AXES.items()
        },
    },
    "series": {
        "width": Variable("name of a series of points that differ in width alone", ("width_series",), ""),
        "depth": Variable("name of a series of points that differ in depth alone", ("depth_series",), ""),
    },
    "events": _OF_POINTS
    | {
        "exploded": Variable(
            "networks with V ≥ s² by each record, −1 where that has no meaning", _AT[:2], "networks"
        ),
        "explosion_probability": Variable("P(explosion) of the limit by the last layer", ("point",)),
        "explosion_probability_ever": Variable("P(explosion) of the limit at any time", ("point",)),
        "alive": Variable(
            "residual networks with φ(z_0) ≠ 0, −1 where that has no meaning", ("point",), "networks"
        ),
        "collapsed": Variable("those of them with φ(z_ℓ) = 0 by each record", _AT[:2], "networks"),
        "collapse_probability": Variable("exact P(collapse) of living networks of one unit", _AT[:2]),
    },
    "paths": _OF_POINTS
    | {
        name: Variable(
            f"{CONTAINER[name].meaning}; of the first networks, first input or pair",
            ("point", "path", "record"),
        )
        for name in ("log_variance", "correlation_gap", "log_activation", "gradient_log_norm")
    },
    "groups": _OF_POINTS
    | {
        "observable": _OBSERVABLE,
        "gram_row": Variable("input a of an entry V^{ab}, a ≤ b", ("gram_entry",), ""),
        "gram_column": Variable("input b of an entry V^{ab}, a ≤ b", ("gram_entry",), ""),
        "power_sum": Variable(
            "sums of the first four powers of the scaled observable at the last record, by group of networks",
            ("point", "observable", "group", "power"),
        ),
        "counted": Variable("networks in a group", ("point", "observable", "group"), "networks"),
        "scaling": Variable(
            "centre and scale by which the observable was scaled", ("point", "observable", "centre_scale")
        ),
        "gram_0": Variable("V₀^{ab} of the inputs", ("point", "gram_entry")),
        "gram_count": Variable("networks in a group whose V is finite", ("point", "group"), "networks"),
        "gram_mean": Variable(
            "mean of V^{ab} at the last record, by group", ("point", "group", "gram_entry")
        ),
        "gram_product": Variable(
            "mean of the products of two entries of V, by group",
            ("point", "group", "gram_entry", "gram_entry_2"),
        ),
    },
    "joint": _OF_POINTS
    | {
        "first": Variable("observable along x", ("plane",), ""),
        "second": Variable("observable along y", ("plane",), ""),
        "count": Variable("networks in a cell", ("point", "plane", "x", "y"), "networks"),
        "limit_count": Variable("samples of the limit in a cell", ("point", "plane", "x", "y"), "networks"),
        "x_edge": Variable("edges of the cells along x", ("point", "plane", "edge")),
        "y_edge": Variable("edges of the cells along y", ("point", "plane", "edge")),
        "samples": Variable("networks, those outside the cells included", ("point",), "networks"),
        "limit_samples": Variable("samples of the limit, those outside included", ("point",), "networks"),
    },
    "reduction": {
        "key": Variable(
            "digest of all that the rows of a point depend on: blocks, samples, comparisons, code",
            ("point",),
            "",
        )
    },
    "growth": {
        name: Variable(meaning, ("growth",), units)
        for name, (meaning, units) in {
            "network": ("the network in legends and claims", ""),
            "width": ("units of a hidden layer, n", "1"),
            "seed": ("different seeds are independent networks", ""),
            "time": ("t = ℓ/d", "1"),
            "mean": ("E log ‖φ(X_t)‖ / ‖φ(X_0)‖ at infinite depth, of living networks", "1"),
            "error": ("standard error of the mean", "1"),
            "variance": ("variance of the growth, of the deepest networks", "1"),
            "positive_variance": ("variance of the number of positive units, of the deepest networks", "1"),
            "samples": ("living networks", "networks"),
            "printed": ("mean that Theorem 1 and Proposition 10 of Hayou 2022 print", "1"),
            "corrected": ("corrected mean of ReLU; NaN for other slopes", "1"),
            "unit_estimate": (
                "Kolmogorov distance of a unit to its law at infinite width, the noise taken off",
                "1",
            ),
            "unit_error": ("standard error of that distance", "1"),
        }.items()
    },
}
"""Arrays of a study store by group: NaN, −1 or an empty text where something has no meaning."""

_DIMENSIONS = {
    "point": "place of the point in the study",
    "record": "place of the layer among the recorded ones",
    "observable": "observable",
    "entry": "place of the entry in compare",
    "level": "level of a quantile",
    "rate": "place of the rate",
    "growth": "place of the row in growth",
}
_STUDY = {"study": Variable("name of the study", (), "")}


def _of_group(group: str, *names: str) -> dict[str, Variable]:
    """Columns of a table that is made of a group, or of some of its arrays, as ``store.tables`` makes them:
    the study, the dimensions of the arrays, and all that lies along these.
    """
    held = GROUPS[group]
    # rates and growth have no points, and nothing that labels their rows
    labels = (
        {*_OF_POINTS, "observable", "level", "distance", *_ENTRIES}
        if _OF_POINTS.keys() <= held.keys()
        else set()
    )
    chosen = [name for name in sorted(held) if name in names or (not names and name not in labels)]
    dimensions: dict[str, None] = {}
    for name in sorted(chosen, key=lambda name: -len(held[name].dimensions)):
        dimensions |= dict.fromkeys(held[name].dimensions)
    others = [
        name for name in sorted(labels & held.keys()) if set(held[name].dimensions) <= dimensions.keys()
    ]
    rows = {name: held[name] if name in held else Variable(_DIMENSIONS[name], (), "") for name in dimensions}
    return _STUDY | rows | {name: held[name] for name in [*others, *chosen]}


_CLAIM = {
    "id": "name of the claim",
    "verdict": "holds, fails or undecided",
    "effect": "what is estimated, in the claim's own units",
    "low": "lower end of its interval",
    "high": "upper end of its interval",
    "margin": "how large the effect may be",
    "samples": "networks that it rests on",
    "normals": "standard normals that were drawn for them",
    "study": "the study that holds the evidence",
    "statement": "what is claimed",
    "source": "where the paper says it",
    "paper": "the paper",
    "reason": "why it is undecided; empty where it is not",
}
_OF_STUDIES = "the stores of the studies, results/studies/NAME.zarr.zip, group"
TABLES = {
    "points": Table(
        "a network of which the store holds blocks",
        "the receipts of the simulation jobs",
        {name: Variable(meaning, (), _units(name)) for name, meaning in POINTS.items()},
    ),
    "blocks": Table(
        "a block of samples",
        "the receipts of the simulation jobs",
        {name: Variable(meaning, (), _units(name)) for name, meaning in BLOCKS.items()},
    ),
    "moments": Table(
        "an observable at a recorded layer of a point", f"{_OF_STUDIES} moments", _of_group("moments")
    ),
    "quantiles": Table(
        "a quantile of an observable at a recorded layer of a point",
        f"{_OF_STUDIES} laws",
        _of_group("laws", "quantile"),
    ),
    "comparison": Table(
        "a distance of a point to an entry of compare", f"{_OF_STUDIES} comparison", _of_group("comparison")
    ),
    "rates": Table("a power law fitted along a series of points", f"{_OF_STUDIES} rates", _of_group("rates")),
    "events": Table(
        "a recorded layer of a point whose networks can explode or collapse",
        f"{_OF_STUDIES} events",
        _of_group("events"),
    ),
    "growth": Table("the mean growth of a network at a time", f"{_OF_STUDIES} growth", _of_group("growth")),
    "claims": Table(
        "a claim",
        "the verdicts that `deeplimits claims --out` wrote, results/claims.json",
        {name: Variable(_CLAIM[name], (), _units(name)) for name in CLAIMS},
    ),
}
"""Tables of ``query`` by name."""


def attributes(variable: Variable) -> dict[str, Any]:
    """What xarray shows beside an array: ``long_name``, ``units`` and ``description``."""
    return variable.attributes


def attributes_of(group: str, name: str) -> dict[str, Any]:
    """What a study store writes beside an array: ``long_name``, ``units`` and ``description``; nothing of an
    array that is not described.
    """
    found = GROUPS.get(group, {}).get(name)
    return attributes(found) if found else {}


def annotate(dataset: xr.Dataset, variables: Mapping[str, Variable]) -> xr.Dataset:
    """The dataset, whose arrays say what they hold."""
    for name, variable in variables.items():
        if name in dataset.variables:
            dataset[name].attrs.update(attributes(variable))
    return dataset


def annotate_samples(dataset: xr.Dataset) -> xr.Dataset:
    """The samples of a study, whose arrays say what they hold."""
    axes = {name: Variable(meaning, (), _units(name)) for name, meaning in AXES.items()}
    axes["correlation"] = axes.pop("correlation_0")
    made = {
        record.sampled_as or kind: Variable(
            record.meaning + f": the observable {kind}" * bool(record.sampled_as), record.dimensions
        )
        for kind, record in OBSERVABLES.items()
        if kind not in STORED
    }
    return annotate(dataset, {**axes, **_SAMPLES, **made, "physics": _OF_POINTS["physics"]})
