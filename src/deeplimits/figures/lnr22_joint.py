"""Li, Nica & Roy 2022, Theorem 3.2: the joint law of three inputs at depth = width, network against the
covariance SDE.

Two pair plots: the three correlations on the left, the three variances on the right. On the diagonal the
densities; below it, the smallest regions with a quarter, a half, three quarters and 95 % of the networks,
filled, and of the SDE, as lines.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from deeplimits.array_types import Array
from deeplimits.drawing.selections import entries, group, histogram, layers, limit_density
from deeplimits.drawing.style import LIMIT, NETWORK, PAGE, letter, new_figure, shades
from deeplimits.store.study_groups import Groups
from deeplimits.sweep.figure_needs import ONCE, AtLeast, Compared, Kind, Needs

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CAPTION = """\
**Three inputs at once** ({{ samples }} networks, {{ seeds }}; slopes 1 ± ½ n\\ :sup:`−1/2`, n = d = 100, ρ₀
= 0.5, 0.2 and −0.3, V₀ = 1; study {{ study }}). Pair plots of the three correlations (a) and of the
logarithms of the three variances (b) at t = 1. On the diagonal, densities of the networks and the exact
density of the limit, from the Fokker–Planck equation or in closed form. Off the diagonal, the smallest
regions that hold a quarter, a half, three quarters and 95 % of the networks (filled), and of 131,072 paths
of the covariance SDE of Theorem 3.2 (lines), evened out alike. The networks follow the SDE jointly: where
two correlations are high the third must be, and a pair's variances rise and fall together the more, the
more alike its inputs are.
"""
NEEDS = Needs(
    kinds=(Kind({"inputs": AtLeast(3)}, points=ONCE),),
    compared=(
        *(Compared(f"correlation{pair}") for pair in ("", "_0_2", "_1_2")),
        *(Compared(f"log_variance{one}") for one in ("", "_1", "_2")),
        Compared("correlation", "covariance_sde", joint=True),
    ),
)


_MASSES = (0.95, 0.75, 0.5, 0.25)
_SMOOTHED = 1.2
"""Standard deviation, in cells, of the kernel that evens out the counts of both."""
_PAIRS = list(combinations(range(3), 2))


def draw(study: Groups) -> Figure:
    """The first point of the study, at its last layer."""
    figure, axes = new_figure(3, 6, PAGE, 3.7)
    correlations = ["correlation" if (a, b) == (0, 1) else f"correlation_{a}_{b}" for a, b in _PAIRS]
    _pair_plot(axes[:, :3], study, correlations, [f"ρ$^{{{a + 1}{b + 1}}}$" for a, b in _PAIRS])
    variances = ["log_variance" if not a else f"log_variance_{a}" for a in range(3)]
    _pair_plot(axes[:, 3:], study, variances, [f"log V$^{{{a + 1}{a + 1}}}$" for a in range(3)])
    letter(axes[0, [0, 3]])
    handles, labels = axes[0, 0].get_legend_handles_labels()
    axes[0, 1].legend(handles, labels, loc="upper left").set_in_layout(False)
    return figure


def _pair_plot(axes: Any, study: Groups, names: list[str], labels: list[str]) -> None:
    layer = int(layers(study, 0)[-1])
    for row in range(3):
        for column in range(3):
            axis = axes[row, column]
            if column > row:
                axis.set_axis_off()
            elif column == row:
                _density(axis, study, names[row], layer)
            else:
                _regions(axis, study, names[column], names[row])
            axis.tick_params(labelsize=6, length=2)
            axis.locator_params(nbins=4)
            if row == 2:
                axis.set_xlabel(labels[column])
            else:
                axis.tick_params(labelbottom=False)
            if column == 0 and row > 0:
                axis.set_ylabel(labels[row])
            elif column > 0:
                axis.tick_params(labelleft=False)


def _density(axis: Any, study: Groups, name: str, layer: int) -> None:
    edges, density = histogram(study, 0, name, layer)
    axis.stairs(density, edges, fill=True, color=NETWORK, alpha=0.35, label="network")
    for j, _ in entries(study, name):
        x, y = limit_density(study, 0, j)
        if np.isfinite(y).any():
            axis.plot(x, y, color=LIMIT, lw=1.0, label="covariance SDE")
            break
    axis.set(xlim=(edges[0], edges[-1]), ylim=(0, None), yticks=[])


def _regions(axis: Any, study: Groups, first: str, second: str) -> None:
    joint = group(study, "joint").isel(point=0).load()
    ((plane,),) = np.nonzero(((joint["first"] == first) & (joint["second"] == second)).values)
    joint = joint.isel(plane=plane)
    x, y = joint.x_edge.values, joint.y_edge.values
    middle = [(edge[1:] + edge[:-1]) / 2 for edge in (x, y)]
    network, levels = _evened(joint["count"].values)
    if levels:
        axis.contourf(
            *middle,
            network.T,
            levels=[*levels, network.max()],
            colors=shades(len(_MASSES))[-len(levels) :],
            alpha=0.75,
        )
    limit, levels = _evened(joint["limit_count"].values)
    if levels:
        axis.contour(*middle, limit.T, levels=levels, colors=[LIMIT], linewidths=0.8)
    axis.set(xlim=(x[0], x[-1]), ylim=(y[0], y[-1]))


def _evened(counts: NDArray[np.int64]) -> tuple[Array, list[float]]:
    """Counts evened out, and the different heights of the smallest regions that hold the masses, ascending
    and below the largest; none where nothing was counted.
    """
    from scipy.ndimage import gaussian_filter

    smooth = gaussian_filter(counts.astype(float), _SMOOTHED, mode="nearest")
    heights = np.sort(smooth.ravel())[::-1]
    if not heights[0] > 0:
        return smooth, []
    held = np.cumsum(heights) / heights.sum()
    levels = {float(heights[np.searchsorted(held, mass)]) for mass in _MASSES}
    return smooth, sorted(level for level in levels if level < heights[0])
