"""Hayou 2022, Figures 13 and 18 to 21: growth log ‖φ(Y_ℓ)‖ / ‖φ(Y_0)‖ of the post-activations of a residual
ReLU network, L = 100, as it is, at several layers and widths.

Theorem 2: as the width grows it concentrates at t / 4, t = ℓ / L.
"""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from deeplimits.figures.data import StudyData
from deeplimits.figures.style import GROWTH, LIMIT, PAGE, new_figure, shades


def draw(data: StudyData) -> Figure:
    """A panel for each layer, a histogram for each width."""
    layers = data.layers(0)[1:]
    columns = 2
    rows = -(-len(layers) // columns)
    figure, axes = new_figure(rows, columns, PAGE, 2.1 * rows)
    colors = shades(data.points)
    limit = data.limit_quantile(0, data.entry("log_growth", "mckean_vlasov"), 0.5)
    for record, (axis, layer) in enumerate(zip(axes.flat, layers, strict=False), start=1):
        ends = []
        for point, color in zip(range(data.points), colors, strict=True):
            edges, density = data.density(point, "log_growth", int(layer))
            axis.stairs(density, edges, color=color, lw=1, label=f"n = {data.coordinate('width', point)}")
            ends.append((edges[0], edges[-1]))
        time = layer / int(data.coordinate("depth", 0))
        axis.axvline(limit[record], color=LIMIT, lw=1, label="n → ∞: t/4")
        # the widest histogram would set the scale for all: its tails are cut
        low, high = np.array(ends).T
        axis.set(
            title=f"layer {layer}, t = {time:g}",
            xlim=(low.min() * 0.8, high.max() * 0.8),
            ylim=(0, None),
            xlabel=GROWTH,
            ylabel="density",
        )
    for axis in axes.flat[len(layers) :]:
        axis.set_axis_off()
    axes.flat[0].legend(loc="upper left")
    return figure
