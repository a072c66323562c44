"""Hayou 2022, Figure 8: norms of gradients on their way back through a residual ReLU network, with branches
scaled by L^{-1/2} and not scaled.

With the scale the mean squared norm grows by 1 + 1 / 2L a layer at large width, to e^{1/2} in all; without
it, by 3/2 a layer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from deeplimits.array_types import Array
from deeplimits.drawing.selections import at_point, entry_of, layers, limit_quantiles, points, quantiles
from deeplimits.drawing.style import LIMIT, PAGE, legend_below, letter, named, new_figure, shades
from deeplimits.store.study_groups import Groups
from deeplimits.sweep.figure_needs import RELU, AtLeast, Compared, Kind, Needs

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CAPTION = """\
**The scale 1/√L keeps gradients stable** ({{ samples }} networks at each point, {{ seeds }}; residual ReLU
networks of depth 100; study {{ study }}). The squared norm of the gradient of a Gaussian readout with
respect to layer ℓ; back-propagation runs from right to left. *(a)* Branches scaled by L\\ :sup:`−1/2`.
*(b)* Not scaled. Ten networks of the smaller width, the median and the central 90 % for each width, and the
mean at infinite width, (1 + 1/2L)\\ :sup:`L−ℓ` and (3/2)\\ :sup:`L−ℓ`: a factor of e\\ :sup:`1/2` = 1.65 in
all in (a), of 4 × 10¹⁷ in (b). There the narrow networks spread over many orders of magnitude, most of them
far below their mean.
"""
NEEDS = Needs(
    kinds=(
        Kind(
            {
                "recursion": "residual",
                "branch_exponent": (0.5, 0.0),
                **RELU,
                "gradients": True,
                "records": AtLeast(2),
            },
            differ={"branch_exponent": (2, 2), "width": (1, 5)},
            whole=True,
        ),
    ),
    compared=(Compared("gradient_log_norm", "gradient_growth", "all"),),
)


_PATHS = 10


def draw(study: Groups) -> Figure:
    """Left, scaled; right, not scaled: a few networks, median and central 90 % for each width, and the mean
    at infinite width.
    """
    figure, (axes,) = new_figure(1, 2, PAGE, 3.2)
    for axis, exponent, title in zip(
        axes, (0.5, 0.0), (r"branches scaled by $L^{-1/2}$", "branches not scaled"), strict=True
    ):
        _panel(axis, study, exponent)
        axis.set(title=title, xlabel="layer ℓ", yscale="log")
    axes[0].set_yticks([0.5, 1, 2, 3], ["0.5", "1", "2", "3"])
    for axis in axes:
        axis.minorticks_off()
    axes[0].set_ylabel(r"$\Vert\partial z_{\rm out}\,/\,\partial Y_\ell\Vert^2$")
    letter(axes)
    legend_below(figure, named(axes[:1]))
    return figure


def _panel(axis: Any, study: Groups, exponent: float) -> None:
    held = points(study)
    widths = held.width.values
    chosen = np.flatnonzero(held.branch_exponent == exponent)
    chosen = chosen[np.argsort(widths[chosen])]
    narrow = int(chosen[0])
    recorded = layers(study, narrow)
    paths = at_point(study, "paths", "gradient_log_norm", narrow).isel(path=slice(_PATHS))
    for index, path in enumerate(paths.values):
        label = f"{len(paths)} networks, n = {widths[narrow]}" if index == 0 else None
        axis.plot(recorded, _exp(path), color="0.45", lw=0.5, label=label)
    dashes = ("-", "-.", (0, (5, 1)), ":", (0, (1, 1)))
    for point, color, dash in zip(chosen, shades(len(chosen)), dashes, strict=False):
        low, middle, high = map(_exp, quantiles(study, int(point), "gradient_log_norm", (0.05, 0.5, 0.95)))
        axis.fill_between(recorded, low, high, color=color, alpha=0.3, lw=0)
        axis.plot(recorded, middle, ls=dash, color=color, label=f"n = {widths[point]}: median, 90 %")
    entry = entry_of(study, "gradient_log_norm", "gradient_growth")
    (mean,) = limit_quantiles(study, narrow, entry, [0.5])
    axis.plot(recorded, _exp(mean), "--", color=LIMIT, label="mean, infinite width", zorder=4)


def _exp(logarithm: NDArray[Any]) -> Array:
    """The number, infinite where it has no double."""
    with np.errstate(over="ignore"):
        return np.exp(logarithm.astype(float))
