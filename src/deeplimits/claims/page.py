"""The scoreboard as a page: one row a claim, the verdict by word and colour, the effect with its interval
against its margin. It is one file that asks for nothing, and the same rows give the same bytes;
``page.html.jinja`` is its text, in which every value is escaped. A script of its own searches and filters;
without it the page is whole.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deeplimits.claims.links import Links
from deeplimits.sweep.amounts import abbreviated

if TYPE_CHECKING:
    from markupsafe import Markup

_PRINTED = ".printed"
_VERDICTS = ("holds", "fails", "undecided")
_COLORS = {"holds": "#0b7a46", "fails": "#b83410", "undecided": "#666"}
_MARGINS = {"equal": "±", "at_most": "at most ", "at_least": "at least −"}
_REACH = 2.0
"""Margins to each side of what is claimed that a bar shows; what lies beyond ends in an arrow."""
_WIDTH, _HEIGHT = 260, 24


def page_of(rows: Sequence[dict[str, Any]], links: Links | None = None) -> str:
    """The page for rows as ``claims.verdicts.verdicts`` gives them, with links to what is elsewhere."""
    from jinja2 import Environment, StrictUndefined

    text = Path(__file__).with_name("page.html.jinja").read_text(encoding="utf-8")
    page = Environment(autoescape=True, undefined=StrictUndefined, keep_trailing_newline=True)
    return page.from_string(text).render(
        rows=rows,
        papers=[(paper, list(claims)) for paper, claims in groupby(rows, lambda row: str(row["paper"]))],
        counts=[(name, sum(row["verdict"] == name for row in rows)) for name in _VERDICTS],
        error_rate=f"{max(row['error_rate'] for row in rows):g}" if rows else "the error rate of the claim",
        reach=f"{_REACH:g}",
        width=_WIDTH,
        height=_HEIGHT,
        middle=_HEIGHT / 2,
        marks=_marks,
        margin=lambda row: f"{_MARGINS[row['sense']]}{row['margin']:g}",
        numbers=_numbers,
        abbreviated=abbreviated,
        typeset=_typeset,
        links=links or Links(),
        other=_other([row["id"] for row in rows]),
    )


def _typeset(text: str) -> Markup:
    """Escaped text with powers that are written n^(−1/2), n^{2p} or n^2 as superscripts, and the index of a
    letter, X_1, as a subscript.
    """
    from markupsafe import Markup, escape

    power = r"\^(?:\(([^()<>]*)\)|\{([^{}<>]*)\}|(\d+|\w))"
    raised = re.sub(power, lambda found: f"<sup>{next(filter(None, found.groups()), '')}</sup>", escape(text))
    lowered = re.sub(r"\b([A-Za-z])_(\w)\b", r"\1<sub>\2</sub>", raised)
    return Markup(lowered)  # noqa: S704  # escaped above


def _other(names: Sequence[str]) -> dict[str, str]:
    """The corrected claim for what a paper prints, and the other way round, where both are there."""
    pairs = [(name, name.removesuffix(_PRINTED)) for name in names if name.endswith(_PRINTED)]
    there = [(printed, holds) for printed, holds in pairs if holds in names]
    return dict(there) | {holds: printed for printed, holds in there}


def _numbers(row: dict[str, Any]) -> str:
    low, high = row["interval"]
    return f"{row['effect']:.3g} [{low:.3g}, {high:.3g}]".replace("-", "\N{MINUS SIGN}")


def _marks(row: dict[str, Any]) -> dict[str, Any]:
    """Where the marks of a claim are on an axis of margins, from 0 to the width of the bar."""
    margin, effect, (low, high) = row["margin"], row["effect"], row["interval"]

    def place(value: float) -> float:
        part = min(max(value / margin, -_REACH), _REACH)
        return round((part + _REACH) / (2 * _REACH) * _WIDTH, 1)

    first = 0.0 if row["sense"] == "at_most" else place(-margin)
    last = float(_WIDTH) if row["sense"] == "at_least" else place(margin)
    ends = ((low < -_REACH * margin, 0, 7), (high > _REACH * margin, _WIDTH, _WIDTH - 7))
    return {
        "first": first,
        "shaded": f"{last - first:.1f}",
        "zero": place(0),
        "low": place(low),
        "high": place(high),
        "effect": place(effect) if abs(effect) <= _REACH * margin else None,
        "arrows": [(x, tip) for beyond, x, tip in ends if beyond],
        "color": _COLORS[row["verdict"]],
        "label": f"effect {effect:.3g}, interval {low:.3g} to {high:.3g}, margin {margin:g}",
    }
