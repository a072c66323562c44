"""Density of an observable at the compared layer, network against limits, a panel for each point."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from deeplimits.figures.data import StudyData
from deeplimits.figures.style import COLUMN, LIMITS, NETWORK, PAGE, new_figure
from deeplimits.figures.wording import limit_text, observable_text

_PANELS = 6


def draw(data: StudyData) -> Figure:
    """Histograms of six points, the first of every network before the second of any, and the density of every
    limit with its Kolmogorov distance; a limit that is a number as a line.
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
    entries = data.entries(observable)
    layers = [int(data.array("comparison", "at_layer")[point, j]) for j, _ in entries]
    layer = next((layer for layer in layers if layer >= 0), int(data.layers(point)[-1]))
    edges, density = data.density(point, observable, layer)
    seen = "network" if density.any() else "network: no finite value"
    axis.stairs(density, edges, fill=True, color=NETWORK, alpha=0.35, label=seen)
    drawn = 0
    # laws of other layers are of another histogram
    for j, limit in [entry for entry, at in zip(entries, layers, strict=True) if at == layer]:
        x, y = data.limit_density(point, j)
        color = LIMITS[drawn % len(LIMITS)]
        if np.isfinite(y).any():
            distance = data.compared("ks_value", point, j)
            measured = f": KS {distance:.3f}" if np.isfinite(distance) else ""
            axis.plot(x, y, color=color, label=limit_text(limit) + measured)
        elif data.compared("limit_std", point, j) == 0 and np.isfinite(data.compared("limit_mean", point, j)):
            axis.axvline(data.compared("limit_mean", point, j), color=color, label=limit_text(limit))
        else:
            continue
        drawn += 1
    axis.set(
        title=data.title(point),
        xlabel=f"{observable_text(observable)} at layer {layer}",
        ylabel="density",
        ylim=(0, None),
    )
    axis.legend(frameon=True, framealpha=0.8, edgecolor="none", borderpad=0.2)
