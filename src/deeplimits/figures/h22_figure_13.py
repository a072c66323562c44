"""Hayou 2022, Figures 13 and 18 to 21: growth log ‖φ(Y_ℓ)‖ / ‖φ(Y_0)‖ of the post-activations of a residual
ReLU network, L = 100, as it is, at several layers and widths.

Theorem 2: as the width grows it concentrates at t / 4, t = ℓ / L.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from deeplimits.drawing.selections import entry_of, histogram, layers, limit_quantiles, points
from deeplimits.drawing.style import GROWTH, LIMIT, PAGE, legend_below, letter, named, new_figure, shades
from deeplimits.store.study_groups import Groups
from deeplimits.sweep.figure_needs import FROM_ZERO, RELU, RESNET, AtLeast, Compared, Kind, Needs

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CAPTION = """\
**The growth of the post-activations concentrates as the width grows** ({{ samples }} networks of each
width, {{ seeds }}; residual ReLU networks of depth 100; study {{ study }}). Histograms of log ‖φ(Y_ℓ)‖ /
‖φ(Y₀)‖ as it is, at four layers, for six widths. The line is t/4, t = ℓ/L, the growth at infinite depth and
then infinite width: the law shrinks to a point there, with a spread of √(t/n). Narrow networks lie to the
left of it: up to width 3 the norm shrinks on average.
"""
NEEDS = Needs(
    kinds=(Kind({**RESNET, **RELU, **FROM_ZERO, "records": AtLeast(2)}, differ={"width": (1, 10)}),),
    compared=(Compared("log_growth", "mckean_vlasov", "all"),),
)


def draw(study: Groups) -> Figure:
    """A panel for each layer, a histogram for each width."""
    later = layers(study, 0)[1:]
    widths = points(study).width.values
    columns = 2
    rows = -(-len(later) // columns)
    figure, axes = new_figure(rows, columns, PAGE, 2.1 * rows + 0.2)
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
    letter(axes.flat)
    legend_below(figure, named(axes.flat))
    return figure
