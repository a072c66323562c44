"""The scoreboard as a picture: one row a claim, grouped by paper, the effect with its interval in units of
the margin on one axis. It is linear within the margin and logarithmic beyond, so that an effect of half a
margin and one of fifty are told apart on one page.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from deeplimits.drawing.style import LIMIT, PAGE, SECOND, new_figure
from deeplimits.sweep.amounts import abbreviated

_REACH = 200.0
"""Margins to each side; an effect further out is drawn at the end."""
_ROW, _HEAD = 0.122, 0.34
"""Height of a row and of what surrounds a group of rows, inches."""
_LEAST = 1.4
"""Height at least, in which a single row has room beside legend, title and axis, inches."""
_LOOKS = {"holds": (SECOND, "o"), "fails": (LIMIT, "X"), "undecided": ((0.45, 0.45, 0.45), "D")}
_MARK: dict[str, Any] = {"ms": 3.6, "mec": "white", "mew": 0.4}
_SHADE, _PRINTED = "#e7f1ec", "#fbeee6"
_TICKS = (-100, -10, -1, 0, 1, 10, 100)


def draw(rows: Sequence[dict[str, Any]]) -> Figure:
    """Rows are those of ``claims.verdicts.verdicts``."""
    papers = [(paper, list(of_paper)) for paper, of_paper in groupby(rows, lambda row: str(row["paper"]))]
    sizes = [len(of_paper) for _, of_paper in papers]
    height = max(_LEAST, _ROW * sum(sizes) + _HEAD * (len(papers) + 1))
    figure, axes = new_figure(len(papers), 1, PAGE, height, sharex=True, height_ratios=sizes)
    for axis, (paper, of_paper) in zip(axes[:, 0], papers, strict=True):
        _panel(axis, paper, of_paper)
    axes[-1, 0].set_xlabel("effect and its interval, in margins")
    figure.legend(handles=_legend(rows), loc="outside upper center", ncols=5, handletextpad=0.5)
    return figure


def _panel(axis: Any, paper: str, rows: Sequence[dict[str, Any]]) -> None:
    axis.set_xscale("symlog", linthresh=1.0, linscale=1.3)
    axis.set(xlim=(-_REACH, _REACH), ylim=(len(rows) - 0.5, -0.5))
    for place, row in enumerate(rows):
        _row(axis, place, row)
    axis.axvline(0.0, color="0.6", lw=0.6, zorder=1.5)
    axis.set_xticks(_TICKS, [f"{tick}".replace("-", "\N{MINUS SIGN}") for tick in _TICKS])
    axis.xaxis.set_minor_locator(axis.xaxis.get_major_locator())
    axis.set_yticks(range(len(rows)), [row["id"] for row in rows])
    for label, row in zip(axis.get_yticklabels(), rows, strict=True):
        label.set(family="DejaVu Sans Mono", size=5.2, color=_LOOKS[row["verdict"]][0])
        if row["id"].endswith(".printed"):
            label.set(style="italic")
    axis.tick_params(axis="y", length=0, pad=2)
    axis.spines[["left"]].set_visible(False)
    # authors and year, without the title, on one line
    name = " ".join("".join(re.split(r"(\d{4})", paper)[:2]).split())
    axis.set_title(name, loc="left", fontweight="bold", parse_math=False)
    _text(axis, -1.0, "networks   normals")


def _row(axis: Any, place: int, row: dict[str, Any]) -> None:
    """The margin shaded, the interval as a line, the effect as a mark, what was drawn in numbers."""
    if row["id"].endswith(".printed"):
        axis.axhspan(place - 0.5, place + 0.5, color=_PRINTED, lw=0, zorder=0)
    low = -_REACH if row["sense"] == "at_most" else -1.0
    high = _REACH if row["sense"] == "at_least" else 1.0
    axis.fill_between([low, high], place - 0.42, place + 0.42, color=_SHADE, lw=0, zorder=1)
    color, marker = _LOOKS[row["verdict"]]
    if row["effect"] is None:
        axis.plot([0.0], [place], marker, color=color, mfc="white", ms=3.2, zorder=3)
        return
    ends = np.clip(np.array(row["interval"]) / row["margin"], -_REACH, _REACH)
    at = float(np.clip(row["effect"] / row["margin"], -_REACH, _REACH))
    axis.plot(ends, [place, place], color=color, lw=1.4, solid_capstyle="butt", zorder=2)
    axis.plot([at], [place], marker, color=color, **_MARK, zorder=3)
    _text(axis, place, f"{abbreviated(row['samples']):>8}   {abbreviated(row['normals']):>7}")


def _text(axis: Any, place: float, text: str) -> None:
    """Beside a row, to the right of the axis."""
    look = {"size": 5.2, "color": "0.35", "family": "DejaVu Sans Mono"}
    axis.text(1.01, place, text, transform=axis.get_yaxis_transform(), va="center", clip_on=False, **look)


def _legend(rows: Sequence[dict[str, Any]]) -> list[Any]:
    counts = {name: sum(row["verdict"] == name for row in rows) for name in _LOOKS}
    marks: list[Any] = [
        Line2D([], [], color=color, marker=marker, **_MARK, lw=1.4, label=f"{counts[name]} {name}")
        for name, (color, marker) in _LOOKS.items()
        if counts[name]
    ]
    return [
        *marks,
        Patch(color=_SHADE, label="within the margin"),
        Patch(color=_PRINTED, label="as printed, a slip"),
    ]
