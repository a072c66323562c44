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
    gaps = data.array("paths", "correlation_gap")[0, :_PATHS, : len(layers)]
    for index, gap in enumerate(gaps):
        label = f"{len(gaps)} networks" if index == 0 else None
        axis.plot(time, 1 - gap.astype(float), color=NETWORK, lw=0.6, alpha=0.7, label=label)
    # the ODE runs along the median, which is drawn wide enough to be seen beneath it
    for level, style, width, label in (
        (0.5, "-", 3.2, "median of all"),
        (0.05, "--", 1.1, "5 % and 95 % of all"),
        (0.95, "--", 1.1, None),
    ):
        values = data.quantile(0, "correlation", level)
        axis.plot(time, values, style, color="0.15", lw=width, label=label, zorder=3)
    ode = data.limit_quantile(0, data.entry("correlation", "resnet_ode"), 0.5)
    axis.plot(time, ode, color=LIMIT, label="ODE, infinite width", zorder=4)
    axis.set(xlabel="time t = ℓ/L", ylabel="correlation ρ", xlim=(0, 1), ylim=(None, 1))
    axis.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return figure
