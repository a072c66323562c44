"""Quantiles of an observable through the network beside those of its limits: the first look at any study of
one's own.
"""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from deeplimits.figures.data import StudyData
from deeplimits.figures.style import COLUMN, LIMIT, NETWORK, PAGE, new_figure

_PANELS = 6


def draw(data: StudyData) -> Figure:
    """A panel for each of the first six points: median and the central half of the network, and of every
    limit compared at all layers.
    """
    count = min(data.points, _PANELS)
    columns = min(count, 2)
    rows = -(-count // columns)
    figure, axes = new_figure(rows, columns, COLUMN if columns == 1 else PAGE, 2.4 * rows)
    compared = [str(name) for name in data.array("comparison", "compared")]
    observable = compared[0] if compared else "log_variance"
    for panel, axis in enumerate(axes.flat):
        if panel >= count:
            axis.set_axis_off()
            continue
        width, depth = data.coordinate("width", panel), data.coordinate("depth", panel)
        time = data.layers(panel) / width
        axis.fill_between(
            time,
            data.quantile(panel, observable, 0.25),
            data.quantile(panel, observable, 0.75),
            color=NETWORK,
            alpha=0.25,
            lw=0,
        )
        axis.plot(
            time,
            data.quantile(panel, observable, 0.5),
            color=NETWORK,
            lw=2.2,
            alpha=0.6,
            label="network: median, central half",
        )
        for j, limit in data.entries(observable):
            middle = data.limit_quantile(panel, j, 0.5)
            if np.isfinite(middle).any():
                known = np.isfinite(middle)
                style = "-" if known.sum() > 1 else "D"
                axis.plot(time[known], middle[known], style, ms=4, color=LIMIT, label=limit.replace("_", " "))
                for level in (0.25, 0.75):
                    axis.plot(
                        time[known],
                        data.limit_quantile(panel, j, level)[known],
                        "--" if known.sum() > 1 else "_",
                        color=LIMIT,
                        lw=0.8,
                    )
        axis.set(
            title=f"{data.coordinate('network', panel)}, n = {width}, d = {depth}",
            xlabel="time ℓ/n",
            ylabel=observable.replace("_", " "),
        )
        axis.legend()
    return figure
