"""Hayou 2022, Figures 3, 11 and 12: a residual network of one unit with the activation of Figure 2 from Y_0 =
1, at three depths.

Proposition 4: as the depth grows, U = h⁻¹(α Y + β), h = erfi, becomes an Ornstein–Uhlenbeck process, Gaussian
at every time. What is stored of a layer are squares, so |U| is drawn, with the folded law.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from deeplimits.figures.data import StudyData
from deeplimits.figures.style import LIMIT, NETWORK, PAGE, new_figure

_PATHS = 30
_RANGE = (0.0, 2.6)


def draw(data: StudyData) -> Figure:
    """Above, histograms of |U_L| with the exact law; below, paths of |U_ℓ|."""
    figure, axes = new_figure(2, data.points, PAGE, 3.9, sharex="row", sharey="row")
    for point in range(data.points):
        _law(axes[0, point], data, point)
        _paths(axes[1, point], data, point)
    axes[0, 0].set_ylabel("density")
    axes[1, 0].set_ylabel(r"$|U_\ell|$")
    axes[0, 0].legend(loc="upper right")
    # few paths of the middle panel are in the way there
    axes[1, data.points // 2].legend(*axes[1, 0].get_legend_handles_labels(), loc="upper left")
    return figure


def _law(axis: Any, data: StudyData, point: int) -> None:
    depth, entry = int(data.coordinate("depth", point)), data.entry("ou_coordinate", "ornstein_uhlenbeck")
    edges, density = data.density(point, "ou_coordinate", depth)
    axis.stairs(density, edges, fill=True, color=NETWORK, alpha=0.35, label="networks")
    x, exact = data.limit_density(point, entry)
    axis.plot(x[x >= 0], exact[x >= 0], color=LIMIT, label="exact law")
    distance = data.compared("ks_value", point, entry)
    axis.set(title=f"L = {depth}: KS {distance:.3f}", xlabel=r"$|U_L|$", xlim=_RANGE, ylim=(0, None))


def _paths(axis: Any, data: StudyData, point: int) -> None:
    layers, entry = data.layers(point), data.entry("ou_coordinate", "ornstein_uhlenbeck")
    time = layers / int(layers[-1])
    stored = data.array("paths", "log_activation")[point, :_PATHS, : len(layers)].astype(float)
    # log φ(Y)² = 2 U²
    for path in np.sqrt(np.maximum(stored, 0) / 2):
        axis.plot(time, path, color=NETWORK, lw=0.6, alpha=0.8)
    for level, style, label in (
        (0.5, "-", "median of the limit"),
        (0.05, "--", "its 5 % and 95 %"),
        (0.95, "--", None),
    ):
        axis.plot(
            time, data.limit_quantile(point, entry, level), style, color=LIMIT, lw=1, label=label, zorder=3
        )
    axis.set(xlabel="time t = ℓ/L", xlim=(0, 1), ylim=(0, None))
    axis.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
