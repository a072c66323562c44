"""Hayou 2022, Figure 7: correlation of two inputs through a residual ReLU network of width 20 and depth 100.

No limit at finite width is known; as the width grows too, the correlation follows the ODE dρ = ν₁(ρ) dt of Li
& Nica 2024, section 2.3.
"""

from __future__ import annotations

from matplotlib.figure import Figure

from deeplimits.figures.data import StudyData
from deeplimits.figures.style import LIMIT, NETWORK, PAGE, new_figure

_PATHS = 30


def draw(data: StudyData) -> Figure:
    """Thirty paths, median and central 90 % of all networks, and the limit of infinite width."""
    figure, axes = new_figure(1, 1, PAGE * 0.72, 3.0)
    axis = axes[0, 0]
    layers = data.layers(0)
    time = layers / int(layers[-1])
    for index, gap in enumerate(data.array("paths", "correlation_gap")[0, :_PATHS, : len(layers)]):
        label = f"{_PATHS} networks" if index == 0 else None
        axis.plot(time, 1 - gap.astype(float), color=NETWORK, lw=0.6, alpha=0.7, label=label)
    for level, style in ((0.5, "-"), (0.05, "--"), (0.95, "--")):
        label = {0.5: "median of all", 0.05: "5 % and 95 % of all"}.get(level)
        axis.plot(
            time, data.quantile(0, "correlation", level), style, color="0.15", lw=1.1, label=label, zorder=3
        )
    for _, limit in data.entries("correlation"):
        entry = data.entry(limit)
        axis.plot(
            time, data.limit_quantile(0, entry, 0.5), color=LIMIT, label="ODE, infinite width", zorder=4
        )
    axis.set(xlabel="time t = ℓ/L", ylabel="correlation ρ", xlim=(0, 1), ylim=(None, 1))
    axis.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return figure
