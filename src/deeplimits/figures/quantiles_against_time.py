"""Quantiles of an observable through the network beside those of its limits: the first look at any study of
one's own.
"""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from deeplimits.figures.data import StudyData
from deeplimits.figures.style import COLUMN, LIMITS, NETWORK, PAGE, new_figure
from deeplimits.figures.wording import limit_text, observable_text

_PANELS = 6
_MARKERS = "Ds^v"


def draw(data: StudyData) -> Figure:
    """A panel for each of six points, the first of every network before the second of any: median and the
    central half of the network, and of every limit, at the layers where it is compared.
    """
    observable = data.first_observable()
    points = data.panels(_PANELS, observable)
    columns = min(len(points), 2)
    rows = -(-len(points) // columns)
    figure, axes = new_figure(rows, columns, COLUMN if columns == 1 else PAGE, 2.4 * rows)
    for axis in axes.flat[len(points) :]:
        axis.set_axis_off()
    for axis, point in zip(axes.flat, points, strict=False):
        _panel(data, axis, point, observable)
    return figure


def _panel(data: StudyData, axis: Axes, point: int, observable: str) -> None:
    residual = str(data.coordinate("architecture", point)) == "resnet"
    time = data.layers(point) / data.coordinate("depth" if residual else "width", point)
    low, middle, high = (data.quantile(point, observable, level) for level in (0.25, 0.5, 0.75))
    axis.fill_between(time, low, high, color=NETWORK, alpha=0.25, lw=0)
    axis.plot(time, middle, color=NETWORK, lw=2.2, alpha=0.6, label="network: median, central half")
    drawn = 0
    for j, limit in data.entries(observable):
        low, middle, high = (data.limit_quantile(point, j, level) for level in (0.25, 0.5, 0.75))
        known = np.isfinite(middle)
        if not known.any():
            continue
        color, marker = LIMITS[drawn % len(LIMITS)], _MARKERS[drawn % len(_MARKERS)]
        if known.sum() > 1:
            axis.plot(time[known], middle[known], color=color, label=limit_text(limit))
            for quantile in (low, high):
                axis.plot(time[known], quantile[known], "--", color=color, lw=0.8)
        else:
            # hollow and larger each time, so that limits that agree are both seen
            axis.plot(
                time[known],
                middle[known],
                marker,
                ms=4 + 2.5 * drawn,
                color=color,
                mfc="none" if drawn else color,
                label=limit_text(limit),
            )
            for quantile in (low, high):
                axis.plot(time[known], quantile[known], "_", ms=6 + 4 * drawn, color=color, lw=0.8)
        drawn += 1
    axis.set(
        title=data.title(point),
        xlabel="time ℓ/d" if residual else "time ℓ/n",
        ylabel=observable_text(observable),
    )
    _legend_below(axis, drawn + 1)


def _legend_below(axis: Axes, rows: int) -> None:
    """A legend of so many rows in a corner that is kept free for it: bands fill these panels."""
    bottom, top = axis.get_ylim()
    share = 0.1 * min(rows, 6)
    axis.set_ylim(bottom - (top - bottom) * share / (1 - share), top)
    axis.legend(loc="lower left")
