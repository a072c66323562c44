"""Kolmogorov distance of networks to their limits against width, with intervals, fitted rates and the noise
floor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from deeplimits.array_types import Array
from deeplimits.drawing.selections import compared, distance, entries, group, points, samples
from deeplimits.drawing.style import PAGE, PALETTE, new_figure
from deeplimits.drawing.titles import folded, series_text
from deeplimits.drawing.wording import limit_text, symbol
from deeplimits.store.study_groups import Groups
from deeplimits.sweep.figure_needs import Needs

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CAPTION = """\
**How fast networks approach their limits** ({{ samples }} networks at each point, {{ seeds }}; study
{{ study }}: {{ title }}). Kolmogorov distance between the law of a network and the law of its limit, at the
time that the axis names, against the width, on logarithmic axes. The noise of the sample has been taken off
each distance; bars are 95 % intervals, and the dotted line is the distance that noise alone would show,
0.869/√N. Lines are fitted powers n\\ :sup:`−rate`, rates with 95 % intervals, through the points that rise
above their noise. Where a limit is approached like 1/n, as theory declares for symmetric, linear and smooth
shaping, the rate is near 1, seen from narrow networks. Slopes with c₊ + c₋ ≠ 0, such as (0, −1), have a
drift of their own that leaves an error of order n\\ :sup:`−1/2`: their distance to the SDE falls more
slowly (a little so at these widths), and the SDE matched to their own drift takes that error off.
"""
NEEDS = Needs(random=True)


_MARKERS = "osD^vPX*"


def draw(study: Groups) -> Figure:
    """One curve for each limit and series of points that differ in width alone; distances have the noise
    taken off.
    """
    from matplotlib.ticker import LogLocator, StrMethodFormatter

    figure, axes = new_figure(1, 1, PAGE, 3.7)
    axis = axes[0, 0]
    held = points(study)
    series = held.width_series.values
    widths, depths = (held[name].values.astype(float) for name in ("width", "depth"))
    rates = group(study, "rates").load()
    rates = rates.isel(rate=(rates.rate_in == "width") & (rates.distance == "ks"))
    ks = {part: distance(study, "ks", part).values for part in ("value", "estimate", "low", "high", "floor")}
    curves = [(j, limit, k) for k in dict.fromkeys(series.tolist()) for j, limit in entries(study)]
    drawn, lines = 0, 0
    for j, limit, curve in curves:
        members = np.flatnonzero((series == curve) & np.isfinite(ks["value"][:, j]))
        if not members.size:
            continue
        values, low, high = (ks[part][members, j] for part in ("estimate", "low", "high"))
        color, marker = PALETTE[drawn % len(PALETTE)], _MARKERS[drawn % len(_MARKERS)]
        observed = symbol(compared(study, "compared").values[j])
        text = f"{series_text(study, curve)}:\n   {observed} to {limit_text(limit)}"
        fitted = rates.isel(rate=(rates.entry == j) & (rates.series == curve))
        if fitted.sizes["rate"]:
            exponent, bottom, top, constant = (
                float(fitted[name][0]) for name in ("exponent", "low", "high", "constant")
            )
            text += f", rate {exponent:.2f} ± {(top - bottom) / 2:.2f}"
            axis.plot(widths[members], constant * widths[members] ** -exponent, color=color, lw=0.9)
        errors = np.abs(np.vstack([values - low, high - values]))
        label = folded(text)
        axis.errorbar(
            widths[members], values, errors, fmt=marker, ms=3.5, color=color, lw=0.9, capsize=2, label=label
        )
        drawn += 1
        lines += 1 + label.count("\n")
    floors = ks["floor"][np.isfinite(ks["floor"])]
    if floors.size:
        noise = f"noise floor, {samples(study):,} samples"
        axis.axhline(float(floors.min()), color="0.5", ls=":", lw=0.9, label=noise)
    if not drawn:
        axis.text(0.5, 0.5, "no distance: no network is alive,\nor the limits are numbers", ha="center")
        axis.set_axis_off()
        return figure
    axis.set(
        xscale="log",
        yscale="log",
        xlabel=f"width n{depth_text(widths, depths)}",
        ylabel=f"Kolmogorov distance{_time_text(study)}",
    )
    ticks = sorted(set(widths.tolist()))
    axis.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axis.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axis.minorticks_off()
    # a legend of many curves is taller than the axes
    figure.set_figheight(max(figure.get_figheight(), 0.6 + 0.18 * lines))
    axis.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), labelspacing=0.8)
    return figure


def depth_text(widths: Array, depths: Array) -> str:
    """How the depth goes with the width [point], where it is one rule for all points."""
    if (depths == widths).all():
        return " (depth d = n)"
    if (depths == depths[0]).all():
        return f" (depth d = {depths[0]:g})"
    ratio = depths / widths
    return f" (depth d = {ratio[0]:g} n)" if np.allclose(ratio, ratio[0], rtol=1e-12, atol=0) else ""


def _time_text(study: Groups) -> str:
    """The time of the comparisons that are drawn, where it is one."""
    times = compared(study, "at_time").values[np.isfinite(distance(study, "ks").values)]
    same = len(times) > 0 and np.allclose(times, times[0], rtol=1e-9, atol=0)
    return f" at t = {times[0]:g}" if same else " where compared"
