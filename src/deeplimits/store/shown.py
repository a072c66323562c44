"""What a study store holds, for reading: its title, samples and points, its comparisons and its rates. All of
it comes from the store, nothing from the study file.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from deeplimits.store.study_groups import study_attributes
from deeplimits.store.tables import study_table
from deeplimits.sweep.axes import AXES

_TOLD_BY_THE_LABEL = ("architecture", "activation", "formula", "inputs")
"""Axes that the label of the network, or the Gram matrix, tells in any case."""
_ALWAYS = ("network", "width", "depth")
"""Axes that are columns even where they are the same in all rows."""
_LONG = 40
"""Letters of a list that is still readable in a table."""


@dataclass(frozen=True)
class ShownStudy:
    """A study as its store holds it.

    Attributes
    ----------
    comparison
        A row for each point and comparison, told apart by what varies: every axis that does is a column. The
        distance is that of Kolmogorov, or the root mean square where the limit is a number.
    rates
        A row for each comparison, series of points and distance.
    same
        Inputs and seed, where they are the same in all rows of ``comparison``.
    fits
        How many comparisons ask for a rate.
    """

    attributes: dict[str, Any]
    title: str
    samples: int
    points: int
    comparison: pd.DataFrame
    rates: pd.DataFrame
    same: dict[str, str]
    fits: int


def shown_study(results: Path, name: str) -> ShownStudy:
    """What the store of a study holds.

    Raises
    ------
    StoreError
        If the study has not been aggregated, or its store cannot be read.
    """
    held = study_attributes(results, name)
    rows = _distances(_table(results, name, "comparison"))
    axes = {axis: rows[axis].tolist() for axis in _axes(rows)}
    varying = [axis for axis, values in axes.items() if axis in _ALWAYS or len(_values(values)) > 1]
    columns = [pd.Series(_distinguished(axes[axis]), name=axis) for axis in varying]
    again = rows.duplicated(["point", "compared", "limit", "at_time"], keep=False).any()
    columns += [rows[part] for part in (["entry"] if again else []) + _AFTER]
    return ShownStudy(
        held,
        str(held["title"]),
        int(held["samples"]),
        int(held["points"]),
        pd.concat(columns, axis=1),
        _rates(_table(results, name, "rates")),
        {
            axis: str(_distinguished(axes[axis])[0])
            for axis in ("widths", "correlation_0", "gram", "start", "seed")
            if axis in axes and axis not in varying and len(_values(axes[axis])) == 1
        },
        sum(entry.get("rate_in") is not None for entry in held["made_from"]["compare"]),
    )


def _table(results: Path, study: str, table: str) -> pd.DataFrame:
    parts = study_table(results, study, table)
    return pd.DataFrame() if parts is None else parts.joined()


_PARTS = ["value", "estimate", "low", "high", "floor"]
_AFTER = ["compared", "limit", "at_time", "distance", *_PARTS]


def _distances(table: pd.DataFrame) -> pd.DataFrame:
    """The distance of each point and entry that has one, rounded for reading."""
    # a limit that is a number has no distance of Kolmogorov
    found = table[table["distance"] != "wasserstein"].drop_duplicates(["point", "entry"])
    return found.assign(**found[_PARTS].round(5)).reset_index(drop=True)


def _axes(rows: pd.DataFrame) -> list[str]:
    """The axes in question: the Gram matrix only where the correlation and the start do not tell it."""
    axes = [axis for axis in ("network", *AXES) if axis not in _TOLD_BY_THE_LABEL]
    inputs = rows.groupby(["correlation_0", "start"], dropna=False)["gram"].nunique()
    unit = [
        text.startswith("[[1.0, ") and text.count(",") == 3 and text.endswith(" 1.0]]")
        for text in rows["gram"]
    ]
    told = all(unit) or ((inputs <= 1).all() and len(inputs) > 1)
    return [axis for axis in axes if not (axis == "gram" and told)]


def _values(values: list[Any]) -> set[Any]:
    """The different values that are given: a network that has no such thing does not count."""
    return {value for value in values if value != "" and not (isinstance(value, float) and math.isnan(value))}


def _distinguished(values: list[Any]) -> list[Any]:
    """The values of a column, as texts where a table would print two of them alike, or where some are
    missing.
    """
    given = _values(values)
    if all(isinstance(value, str) for value in values):
        order = {text: i for i, text in enumerate(dict.fromkeys(values), 1)}
        return [text if len(text) <= _LONG or text[0] != "[" else f"no. {order[text]}" for text in values]
    if all(isinstance(value, int) for value in values):
        return values
    digits = next(n for n in range(6, 18) if len({f"{value:.{n}g}" for value in given}) == len(given))
    if digits == 6 and len(given) == len(set(values)):
        return values
    return [f"{value:.{digits}g}" if value in given else "" for value in values]


def _rates(table: pd.DataFrame) -> pd.DataFrame:
    times = [
        f"{low:g}" if f"{low:g}" == f"{high:g}" else f"{low:g} … {high:g}"
        for low, high in zip(table["time_low"], table["time_high"], strict=True)
    ]
    shown = {
        "series": table["name"],
        "compared": table["compared"],
        "limit": table["limit"],
        "time": times,
        "size": table["rate_in"],
        "distance": table["distance"],
        **{part: table[part].round(3) for part in ("exponent", "low", "high")},
        "points": table["points"],
    }
    return pd.DataFrame(shown)
