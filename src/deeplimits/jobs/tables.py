"""Distances and rates of all studies as a page: one file that asks for nothing, from what the study stores
hold. The same stores give the same bytes; ``tables.html.jinja`` is its text, in which every value is escaped.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from deeplimits.store.atomic import write_text
from deeplimits.store.digests import digests_of, write_digests
from deeplimits.store.paths import tables_digests, tables_page
from deeplimits.store.shown import ShownStudy, shown_study
from deeplimits.sweep.amounts import counted

if TYPE_CHECKING:
    import pandas as pd

_OPEN = 60
"""Distances of a study that are shown at once; more are folded away."""
_DISTANCE = dict.fromkeys(("value", "estimate", "low", "high", "floor"), 5)
_RATE = dict.fromkeys(("exponent", "low", "high"), 3)
"""Decimals of what is measured."""
_TOLD = ("a", "center", "alpha", "beta", "c_plus", "c_minus", "shaping", "exponent", "branch_exponent")
"""Axes that are left out where the label of the network tells them."""


class _Table(NamedTuple):
    names: list[str]
    numbers: list[bool]
    rows: list[list[str]]


def write_tables(results: Path, studies: Iterable[str]) -> list[Path]:
    """Write the page of some studies and its digest.

    Raises
    ------
    StoreError
        If one of them has not been aggregated, or its store cannot be read.
    """
    shown = {name: shown_study(results, name) for name in studies}
    page, beside = tables_page(results), tables_digests(results)
    write_text(page, page_of(shown))
    write_digests(beside, digests_of(beside, [page]))
    return [page, beside]


def page_of(shown: dict[str, ShownStudy]) -> str:
    """The page for studies by their names."""
    from jinja2 import Environment, StrictUndefined

    text = Path(__file__).with_name("tables.html.jinja").read_text(encoding="utf-8")
    page = Environment(autoescape=True, undefined=StrictUndefined, keep_trailing_newline=True)
    return page.from_string(text).render(
        studies=[_study(name, study) for name, study in shown.items() if len(study.comparison)],
        without=[name for name, study in shown.items() if not len(study.comparison)],
        open=_OPEN,
    )


def _study(name: str, study: ShownStudy) -> dict[str, Any]:
    about = [counted(study.points, "point"), f"{study.samples:,} samples each"]
    # a number in the place of a matrix tells it from others, and here there is one
    about += [f"{axis} {value}" for axis, value in study.same.items() if not value.startswith("no. ")]
    return {
        "name": name,
        "title": study.title,
        "about": ", ".join(about),
        "distances": _table(study.comparison, _DISTANCE),
        "rates": _table(study.rates, _RATE),
    }


def _table(frame: pd.DataFrame, decimals: Mapping[str, int]) -> _Table:
    names = [str(name) for name in frame]
    names = [name for name in names if not (name in _TOLD and "network" in frame and _is_told(frame, name))]
    columns = [frame[name].tolist() for name in names]
    texts = [
        [_text(value, decimals.get(name)) for value in column]
        for name, column in zip(names, columns, strict=True)
    ]
    return _Table(
        names,
        [all(isinstance(value, int | float) for value in column) for column in columns],
        [list(row) for row in zip(*texts, strict=True)],
    )


def _is_told(frame: pd.DataFrame, axis: str) -> bool:
    """Whether the label of a network tells its value of an axis."""
    return len(frame[["network", axis]].drop_duplicates()) == frame["network"].nunique()


def _text(value: object, decimals: int | None) -> str:
    if isinstance(value, float):
        text = f"{value:.6g}" if decimals is None else f"{value:.{decimals}f}"
        return "" if math.isnan(value) else text.replace("-", "\N{MINUS SIGN}")
    return str(value)
