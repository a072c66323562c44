"""Hayou 2022, Figures 13 and 18 to 21: growth log ‖φ(Y_ℓ)‖ / ‖φ(Y_0)‖ of the post-activations of a residual
ReLU network, L = 100, as it is, at several layers and widths.

Theorem 2: as the width grows it concentrates at t / 4, t = ℓ / L.
"""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from deeplimits.figures.selections import entry_of, histogram, layers, limit_quantiles, points
from deeplimits.figures.style import GROWTH, LIMIT, PAGE, new_figure, shades
from deeplimits.store.study_groups import Groups


def draw(study: Groups) -> Figure:
    """A panel for each layer, a histogram for each width."""
    later = layers(study, 0)[1:]
    widths = points(study).width.values
    columns = 2
    rows = -(-len(later) // columns)
    figure, axes = new_figure(rows, columns, PAGE, 2.1 * rows)
    colors = shades(len(widths))
    (limit,) = limit_quantiles(study, 0, entry_of(study, "log_growth", "mckean_vlasov"), [0.5])
    for record, (axis, layer) in enumerate(zip(axes.flat, later, strict=False), start=1):
        ends = []
        for point, (width, color) in enumerate(zip(widths, colors, strict=True)):
            edges, density = histogram(study, point, "log_growth", int(layer))
            axis.stairs(density, edges, color=color, lw=1, label=f"n = {width}")
            ends.append((edges[0], edges[-1]))
        time = layer / int(points(study).depth[0])
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
    for axis in axes.flat[len(later) :]:
        axis.set_axis_off()
    axes.flat[0].legend(loc="upper left")
    return figure
