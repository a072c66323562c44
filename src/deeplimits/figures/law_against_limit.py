"""Density of an observable at the compared layer, network against limits, a panel for each point."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from deeplimits.figures.data import StudyData
from deeplimits.figures.style import COLUMN, NETWORK, PAGE, PALETTE, new_figure

_PANELS = 6


def draw(data: StudyData) -> Figure:
    """Histograms of the first six points, and the density of every limit with its Kolmogorov distance."""
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
        entries = data.entries(observable)
        layers = [int(data.array("comparison", "at_layer")[panel, j]) for j, _ in entries]
        layer = next((layer for layer in layers if layer >= 0), int(data.layers(panel)[-1]))
        edges, density = data.density(panel, observable, layer)
        axis.stairs(density, edges, fill=True, color=NETWORK, alpha=0.35, label="network")
        for order, (j, limit) in enumerate(entries):
            x, y = data.limit_density(panel, j)
            if np.isfinite(y).any():
                distance = data.compared("ks_value", panel, j)
                axis.plot(
                    x, y, color=PALETTE[3 + order], label=f"{limit.replace('_', ' ')}: KS {distance:.3f}"
                )
        width, depth = data.coordinate("width", panel), data.coordinate("depth", panel)
        axis.set(
            title=f"{data.coordinate('network', panel)}, n = {width}, d = {depth}",
            xlabel=f"{observable.replace('_', ' ')} at layer {layer}",
            ylabel="density",
            ylim=(0, None),
        )
        axis.legend()
    return figure
