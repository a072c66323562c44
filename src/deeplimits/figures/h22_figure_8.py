"""Hayou 2022, Figure 8: norms of gradients on their way back through a residual ReLU network, with branches
scaled by L^{-1/2} and not scaled.

With the scale the mean squared norm grows by 1 + 1 / 2L a layer at large width, to e^{1/2} in all; without
it, by 3/2 a layer.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from deeplimits.figures.data import StudyData
from deeplimits.figures.style import LIMIT, PAGE, new_figure, shades

_PATHS = 10


def draw(data: StudyData) -> Figure:
    """Left, scaled; right, not scaled: a few networks, median and central 90 % for each width, and the mean
    at infinite width.
    """
    figure, (axes,) = new_figure(1, 2, PAGE, 3.2)
    for axis, exponent, title in zip(
        axes, (0.5, 0.0), (r"branches scaled by $L^{-1/2}$", "branches not scaled"), strict=True
    ):
        _panel(axis, data, exponent)
        axis.set(title=title, xlabel="layer ℓ", yscale="log")
    axes[0].set_yticks([0.5, 1, 2, 3], ["0.5", "1", "2", "3"])
    for axis in axes:
        axis.minorticks_off()
    axes[0].set_ylabel(r"$\Vert\partial z_{\rm out}\,/\,\partial Y_\ell\Vert^2$")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return figure


def _panel(axis: Any, data: StudyData, exponent: float) -> None:
    exponents, widths = (data.array("moments", name) for name in ("branch_exponent", "width"))
    chosen = np.flatnonzero(exponents == exponent)
    chosen = chosen[np.argsort(widths[chosen])]
    narrow = int(chosen[0])
    layers = data.layers(narrow)
    paths = data.array("paths", "gradient_log_norm")[narrow, :_PATHS, : len(layers)]
    for index, path in enumerate(paths):
        label = f"{len(paths)} networks, n = {widths[narrow]}" if index == 0 else None
        axis.plot(layers, _exp(path), color="0.45", lw=0.5, label=label)
    for point, color in zip(chosen, shades(len(chosen)), strict=True):
        low, middle, high = (
            _exp(data.quantile(int(point), "gradient_log_norm", level)) for level in (0.05, 0.5, 0.95)
        )
        axis.fill_between(layers, low, high, color=color, alpha=0.3, lw=0)
        axis.plot(layers, middle, color=color, label=f"n = {widths[point]}: median, 90 %")
    mean = _exp(data.limit_quantile(narrow, data.entry("gradient_log_norm", "gradient_growth"), 0.5))
    axis.plot(layers, mean, "--", color=LIMIT, label="mean, infinite width", zorder=4)


def _exp(logarithm: NDArray[Any]) -> NDArray[np.float64]:
    """The number, infinite where it has no double."""
    with np.errstate(over="ignore"):
        return np.exp(logarithm.astype(float))
