"""The regimes of networks shaped by n^{-p}: where in the plane of exponent and depth, and of exponent and
width, inputs collapse, and how far networks are from the limit of their regime and from the matched SDE.

Below p = ½ the limit is an ODE (Li & Nica 2024, Proposition 3.4), at p = ½ an SDE, above the SDE of linear
networks (Li, Nica & Roy 2022, Theorem 3.3 and Proposition 3.4).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from deeplimits.array_types import Array
from deeplimits.drawing.selections import distance, entry_of, group, points
from deeplimits.drawing.style import PAGE, letter, new_figure
from deeplimits.store.study_groups import Groups
from deeplimits.sweep.figure_needs import MANY, PHASE, SIZES, Between, Compared, Kind, Needs

if TYPE_CHECKING:
    from matplotlib.colors import LogNorm, Normalize
    from matplotlib.figure import Figure

CAPTION = """\
**Phase diagram of shaped networks** ({{ samples }} networks at each point, {{ seeds }}; ρ₀ = 0.3; study
{{ study }}.) ReLU-like networks with slopes 1 + c± n\\ :sup:`−p`, over the exponent p. *(a, b, c)* Against
depth over width, at the largest width. *(d, e, f)* Against the width, at the depth that the axis names. The
dashed line is p = ½, where the limit changes: below it is an ODE in the time d/n\\ :sup:`2p`, in which the
drift alone acts and all inputs become one, at it an SDE in the time d/n, above it the SDE of linear
networks, in which the noise alone acts. The dotted line is d = n\\ :sup:`2p`, a unit of the ODE's time.
*(a, d)* Median correlation at the last layer: above and to the left of the dotted line it goes to 1, and
below both the drift and the noise, whose time is d/n, it stays near ρ₀. *(b, e)* Distance of the law to the
limit of its regime, in units of ρ: root mean square distance to the ODE, which is a number, below ½, and
Wasserstein distance to the SDE from ½ on. What is left below ½ are the fluctuations, about √(d/n) (1 − ρ²):
they go to zero like n\\ :sup:`p−1/2` where d is of order n\\ :sup:`2p`, and at these widths they are small
only where the inputs have become one. Above ½ it is the drift that the limit leaves out, of order
n\\ :sup:`1−2p` at d = n. The limits are therefore poor in a band about ½ that narrows only like 1/log n.
*(c, f)* Kolmogorov distance to the matched SDE, which has the network's own constants and knows no regimes:
it is near at every p, the nearer the wider the network, and furthest where p is small and networks are
almost unshaped; {{ noise }} is what the noise of so many samples alone would show.
"""
NEEDS = Needs(
    kinds=(
        Kind({**PHASE, "exponent": Between(0.0, 0.5)}, differ={"exponent": MANY, **SIZES}, whole=True),
        Kind({**PHASE, "exponent": 0.5}, differ=SIZES, whole=True),
        Kind({**PHASE, "exponent": Between(0.5, 1e6)}, differ={"exponent": MANY, **SIZES}, whole=True),
    ),
    compared=(
        Compared("correlation", "matched_sde", kinds=(0, 1, 2), distance="ks"),
        Compared("correlation", "correlation_ode", distance="rms"),
        Compared("correlation", "correlation_sde", kinds=(1,), distance="wasserstein"),
        Compared("correlation", "linear", kinds=(2,), distance="wasserstein"),
    ),
)


_HALF = 0.5
_LEVELS = (0.5, 0.9, 0.99)
"""Medians whose contours are drawn."""
_LINES = ("white", "#56b4e9", "#56b4e9")
"""Colours of the boundaries that can be seen on each column's maps."""


def draw(study: Groups) -> Figure:
    """Above over p and d/n at the largest width, below over p and n at d/n nearest to 1: the median
    correlation, the distance to the limit of the regime, and the Kolmogorov distance to the matched SDE.
    """
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize
    from matplotlib.lines import Line2D

    figure, axes = new_figure(2, 3, PAGE, 4.7, sharex=True)
    held = points(study)
    p, n, d = (held[name].values.astype(float) for name in ("exponent", "width", "depth"))
    ratio = d / n
    widest = float(n.max())
    near = float(ratio[np.argmin(np.abs(np.log(ratio)))])
    values = (median_correlation(study), distance_to_regime(study), distance_to_matched(study))
    titles = (
        "median of ρ",
        "distance in ρ to the limit\nof the regime",
        "Kolmogorov distance\nto the matched SDE",
    )
    for column, (value, title) in enumerate(zip(values, titles, strict=True)):
        norm = Normalize(min(0.0, float(np.nanmin(value))), 1.0) if column == 0 else _logarithmic(value)
        colors = "viridis" if column == 0 else "magma_r"
        above, below = axes[:, column]
        for axis, chosen, up in ((above, n == widest, ratio), (below, ratio == near, n)):
            _map(axis, p[chosen], up[chosen], value[chosen], norm, colors)
            axis.axvline(_HALF, color=_LINES[column], lw=1.2, ls="--")
        if column == 0:
            _contours(above, p[n == widest], ratio[n == widest], value[n == widest])
        _drift_line(above, widest, ratio, _LINES[column])
        above.set_title(title)
        below.set_xlabel("shaping exponent p")
        mapped = ScalarMappable(norm, colors)
        figure.colorbar(mapped, ax=[above, below], location="bottom", aspect=30, pad=0.02)
    figure.legend(
        [Line2D([], [], color="black", lw=1.2, ls=style) for style in ("--", ":")],
        ["p = ½, between the regimes", "d = n$^{2p}$: the drift has acted for a unit of time"],
        loc="outside upper center",
        ncols=2,
    )
    axes[0, 0].set_ylabel(f"depth over width, d/n, at n = {widest:g}")
    axes[1, 0].set_ylabel(f"width n, at d = {near:g} n" if near != 1 else "width n, at d = n")
    letter(axes.flat)
    return figure


def median_correlation(study: Groups) -> Array:
    """Median of ρ at the last layer [point]."""
    table = group(study, "laws")["quantile"].load().sel(observable="correlation", level=0.5)
    last = table.layer.argmax("record").drop_vars(table.coords, errors="ignore")
    found: Array = table.isel(record=last).values
    return found


def distance_to_regime(study: Groups) -> Array:
    """Distance in ρ to the limit of the regime [point]: Wasserstein's to the SDE of p = ½ and to that of
    linear networks above, root mean square to the ODE below, which is a number.
    """
    p = points(study).exponent.values
    ode, sde, linear = (
        distance(study, name).values[:, entry_of(study, "correlation", limit)]
        for name, limit in (
            ("rms", "correlation_ode"),
            ("wasserstein", "correlation_sde"),
            ("wasserstein", "linear"),
        )
    )
    found: Array = np.where(p < _HALF, ode, np.where(p == _HALF, sde, linear))
    return found


def distance_to_matched(study: Groups) -> Array:
    """Kolmogorov distance to the matched SDE [point]."""
    found: Array = distance(study, "ks").values[:, entry_of(study, "correlation", "matched_sde")]
    return found


def _logarithmic(value: Array) -> LogNorm:
    from matplotlib.colors import LogNorm

    finite = value[np.isfinite(value) & (value > 0)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (1e-3, 1.0)
    return LogNorm(low, max(high, 1.01 * low))


def _table(x: Array, y: Array, value: Array) -> tuple[Array, Array, Array]:
    """Values of x and of y, and the values at each pair [y, x]."""
    columns, rows = np.unique(x), np.unique(y)
    table = np.full((len(rows), len(columns)), np.nan)
    table[np.searchsorted(rows, y), np.searchsorted(columns, x)] = value
    return columns, rows, table


def _map(axis: Any, x: Array, y: Array, value: Array, norm: Normalize, colors: str) -> None:
    columns, rows, table = _table(x, y, value)
    axis.pcolormesh(
        _edges(columns), np.exp(_edges(np.log(rows))), table, cmap=colors, norm=norm, rasterized=True
    )
    axis.set_yscale("log")
    axis.set_yticks(rows, [f"{row:g}" for row in rows])
    axis.minorticks_off()


def _edges(middles: Array) -> Array:
    """Edges of cells about these middles, half-way between them."""
    if len(middles) == 1:
        return np.array([middles[0] - 0.5, middles[0] + 0.5])
    between = (middles[1:] + middles[:-1]) / 2
    return np.concatenate([[2 * middles[0] - between[0]], between, [2 * middles[-1] - between[-1]]])


def _contours(axis: Any, x: Array, y: Array, value: Array) -> None:
    """Lines of equal median, where there are such."""
    columns, rows, table = _table(x, y, value)
    levels = [level for level in _LEVELS if np.nanmin(table) < level < np.nanmax(table)]
    if levels and min(table.shape) > 1:
        lines = axis.contour(columns, rows, table, levels=levels, colors="black", linewidths=0.6)
        axis.clabel(lines, fmt=lambda level: f"{level:g}", fontsize=6)


def _drift_line(axis: Any, width: float, ratio: Array, color: str) -> None:
    """Where d = n^{2p}: the drift has acted for a unit of its time."""
    low, high = float(ratio.min()), float(ratio.max())
    y = np.array([low, high])
    axis.plot(_HALF + np.log(y) / (2 * np.log(width)), y, color=color, lw=1.2, ls=":")
