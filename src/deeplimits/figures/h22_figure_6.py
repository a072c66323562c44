"""Hayou 2022, Figure 6: the mean logarithmic growth E log ‖φ(Y_t)‖ / ‖φ(Y_0)‖ of residual ReLU networks
against their width.

Theorem 1 prints (1 / (4 (1 − 2⁻ⁿ)) − 1/n) t. That is negative up to n = 3 and positive from n = 4 on, and so
is the truth; but for n > 1 it is the exact rate at t = 0 alone, and too large later.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from deeplimits.drawing.selections import group, points
from deeplimits.drawing.style import (
    GROWTH,
    LIMIT,
    NETWORK,
    PAGE,
    SECOND,
    legend_below,
    letter,
    named,
    new_figure,
    shades,
)
from deeplimits.store.study_groups import Groups
from deeplimits.sweep.figure_needs import FROM_ZERO, RELU, RESNET, AtLeast, Kind, Needs

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

CAPTION = """\
**Up to three units the norm shrinks, from four on it grows** ({{ samples }} networks of each width at depth
100, {{ seeds }}; residual ReLU networks; study {{ study }}). *(a)* The mean of log ‖φ(Y_L)‖ / ‖φ(Y₀)‖
against the width n, with two standard errors; the formula that Theorem 1 prints for all t, (1/(4(1 − 2⁻ⁿ))
− 1/n) t; and the same with the term that a unit which has changed its sign contributes. Grey: where the
sign changes. *(b)* The difference to the printed formula, times n, at infinite depth: extrapolated from
depths 25, 50 and 100, 131,072 networks of each width, the martingale part taken off, with two standard
errors. Early it is nearly zero: the formula is the rate at t = 0, and exact for n = 1. At t = 1 it lies
clearly below zero and approaches the corrected line as n grows.
"""
NEEDS = Needs(
    kinds=(
        Kind(
            {**RESNET, **RELU, **FROM_ZERO, "records": AtLeast(2), "drawn": True},
            differ={"width": (1, 100)},
        ),
    ),
    growth=((1.0,), 3),
)


_SIGN_CHANGE = (3, 4)
_MARKERS = "osD"


def draw(study: Groups) -> Figure:
    """Left, the growth at t = 1; right, what is missing to the printed formula, times n, at three times."""
    figure, (axes,) = new_figure(1, 2, PAGE, 3.2)
    table = group(study, "growth").load().sortby("width")
    _growth(axes[0], study, table)
    _difference(axes[1], table)
    for axis in axes:
        ticks = [1, 2, 3, 4, 6, 10, 20, 30]
        axis.set(xscale="log", xlabel="width n")
        axis.set_xticks(ticks, [str(tick) for tick in ticks])
        axis.minorticks_off()
    letter(axes)
    legend_below(figure, named(axes))
    return figure


def _growth(axis: Any, study: Groups, table: xr.Dataset) -> None:
    last = group(study, "moments").sel(observable="log_growth").isel(record=-1).sortby("width").load()
    axis.errorbar(
        last.width,
        last["mean"],
        2 * last["std"] / np.sqrt(np.maximum(last["count"], 1)),
        fmt="o",
        ms=4,
        mfc="none",
        color=NETWORK,
        lw=0.9,
        label=f"networks, L = {points(study).depth.values[0]}",
    )
    rows = table.isel(growth=table.time == table.time.max())
    axis.plot(rows.width, rows.printed, "--", color=SECOND, label="Theorem 1, printed")
    axis.plot(rows.width, rows.corrected, color=LIMIT, label="corrected")
    axis.axhline(0, color="0.6", lw=0.7, zorder=0)
    axis.axvspan(*_SIGN_CHANGE, color="0.9", lw=0, zorder=0)
    axis.set(ylabel=f"mean of {GROWTH}", title="growth at t = 1")


def _difference(axis: Any, table: xr.Dataset) -> None:
    from matplotlib.ticker import MultipleLocator

    times = np.unique(table.time)
    for time, color, marker in zip(times, shades(len(times)), _MARKERS, strict=False):
        rows = table.isel(growth=table.time == time)
        axis.errorbar(
            rows.width,
            rows.width * (rows["mean"] - rows.printed),
            2 * rows.width * rows.error,
            fmt=marker,
            ms=3.2,
            color=color,
            lw=0.9,
            label=f"t = {time:g}",
        )
        wide = rows.isel(growth=rows.width > 1)
        axis.plot(wide.width, wide.width * (wide.corrected - wide.printed), color=color, lw=1)
    axis.axhline(0, ls="--", color=SECOND, label="Theorem 1, printed")
    axis.plot([], [], color="0.4", lw=1, label="corrected, to O(1/n)")
    found = (table.width * (table["mean"] - table.printed)).values.tolist()
    low, high = min(-0.018, *found), max(0.0015, *found)
    axis.set(ylabel="n × (growth − printed formula)", title="infinite depth", ylim=(low, high))
    if (low, high) == (-0.018, 0.0015):
        axis.yaxis.set_major_locator(MultipleLocator(0.005))
