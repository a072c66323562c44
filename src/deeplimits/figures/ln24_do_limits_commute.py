"""Li & Nica 2024: do the limits of width and depth commute? Root mean square distance of the correlation to
one ODE, dρ = ν dt, over a grid of widths and depths.

Above, heat maps for networks shaped by depth and for residual networks, with the same colours. Below, what
each distance is a function of: of d/n for shaped networks, whose limits do not commute; for residual
networks it is bounded by a term of the width and a term of the depth, and goes to zero in any order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from deeplimits.array_types import Array
from deeplimits.drawing.selections import distance, entry_of, points, residual
from deeplimits.drawing.style import LIMIT, PAGE, legend_below, letter, named, new_figure, shades
from deeplimits.store.study_groups import Groups
from deeplimits.sweep.figure_needs import PAIR, RELU, RESNET, WIDE, Compared, Kind, Needs

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CAPTION = """\
**Do the limits of width and depth commute?** ({{ samples }} networks at each of 2 × 64 points, {{ seeds }};
ρ₀ = 0.3; study {{ study }}.) *(a, b)* Root mean square distance of the correlation at the last layer to the
ODE dρ = ν dt, for every pair of width and depth, on one scale of colours; in (a) for networks whose slopes
1 ± ½ d\\ :sup:`−1/2` are shaped by the depth, in (b) for residual networks with ReLU branches. *(c, d)*
What the distances depend on. Those of shaped networks fall on one curve against d/n, √(d/n) times a
constant where d/n is small: what counts is how depth and width grow together, and their limits do not
commute. Those of residual networks stay below a small multiple, given in the legend, of a term of the width
plus a term of the depth, both fitted to all points; the second is too small to be seen beside the first at
these widths. Both limits lead to the ODE, in any order.
"""
NEEDS = Needs(
    kinds=(
        Kind(
            {**WIDE, "activation": "relu", "shaped_by": "depth", "exponent": 0.5, **PAIR},
            differ={"width": (2, 20), "depth": (2, 20)},
            whole=True,
        ),
        Kind({**RESNET, **RELU, **PAIR}, differ={"width": (2, 20), "depth": (2, 20)}, whole=True),
    ),
    compared=(
        Compared("correlation", "correlation_ode", distance="rms"),
        Compared("correlation", "resnet_ode", kinds=(1,), distance="rms"),
    ),
)


_WIDE = 16
"""Width from which on the spread at equal d/n is stated."""
_TICKS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5]


def draw(study: Groups) -> Figure:
    """Two heat maps, and below each the check of what it says."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import LogNorm

    figure, axes = new_figure(2, 2, PAGE, 5.8)
    shaped, residual = grids(study)
    values = np.concatenate([shaped[2].ravel(), residual[2].ravel()])
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    norm = LogNorm(low, high)
    for axis, (widths, depths, value), title in zip(
        axes[0], (shaped, residual), ("shaped by depth", "ResNet"), strict=True
    ):
        axis.pcolormesh(value, cmap="viridis", norm=norm, edgecolors="white", lw=0.4)
        axis.set_xticks(np.arange(len(depths)) + 0.5, [f"{d:g}" for d in depths])
        axis.set_yticks(np.arange(len(widths)) + 0.5, [f"{n:g}" for n in widths])
        axis.set(xlabel="depth d", ylabel="width n", title=title)
        axis.set_aspect("equal")
    bar = figure.colorbar(
        ScalarMappable(norm, "viridis"), ax=list(axes[0]), label="√E (ρ − ρ$_{ODE}$)² at t = 1", shrink=0.9
    )
    ticks = [tick for tick in _TICKS if low <= tick <= high]
    bar.set_ticks(ticks, labels=[f"{tick:g}" for tick in ticks])
    bar.minorticks_off()
    _against_ratio(axes[1, 0], *shaped)
    _against_sum(axes[1, 1], *residual)
    letter(axes.flat)
    legend_below(figure, named(axes[1]))
    return figure


def grids(study: Groups) -> list[tuple[Array, Array, Array]]:
    """Widths, depths and distances [width, depth] of shaped networks, and of residual ones."""
    held, branched, found = points(study), residual(study), []
    for limit, branch in (("correlation_ode", False), ("resnet_ode", True)):
        members = branched == branch
        n, d = (held[name].values[members].astype(float) for name in ("width", "depth"))
        widths, depths = np.unique(n), np.unique(d)
        table = np.full((len(widths), len(depths)), np.nan)
        values = distance(study, "rms")[members, entry_of(study, "correlation", limit)]
        table[np.searchsorted(widths, n), np.searchsorted(depths, d)] = values
        found.append((widths, depths, table))
    return found


def two_terms(widths: Array, depths: Array, value: Array) -> tuple[float, float, float]:
    """A, B and the smallest factor C with value ≤ C (A n^{−1/2} + B d^{−1}), A, B ≥ 0 by relative least
    squares.
    """
    from scipy.optimize import nnls

    columns = np.stack(np.broadcast_arrays(widths[:, None] ** -0.5, 1 / depths[None, :]), -1).reshape(-1, 2)
    flat = value.ravel()
    (a, b), _ = nnls(columns / flat[:, None], np.ones(len(flat)))
    return float(a), float(b), float((flat / (columns @ [a, b])).max())


def _against_ratio(axis: Any, widths: Array, depths: Array, value: Array) -> None:
    ratio = depths[None, :] / widths[:, None]
    for row, (width, color) in enumerate(zip(widths, shades(len(widths)), strict=True)):
        label = f"n = {width:g}" if row in (0, len(widths) - 1) else None
        axis.plot(ratio[row], value[row], "o-", ms=2.8, lw=0.6, color=color, label=label)
    small = ratio <= 0.25
    if small.any():
        constant = float(np.exp(np.mean(np.log(value[small] / np.sqrt(ratio[small])))))
        x = np.array([ratio.min(), 1.0])
        axis.plot(x, constant * np.sqrt(x), color=LIMIT, lw=1.1, zorder=0, label=f"(c) {constant:.2f} √(d/n)")
    spread = f"spread at equal d/n,\nn ≥ {_WIDE}: {_spread(widths, ratio, value):.0%}"
    axis.text(0.96, 0.06, spread, transform=axis.transAxes, ha="right", va="bottom", fontsize=7)
    axis.set(xscale="log", yscale="log", xlabel="d/n", ylabel="distance", title="a function of d/n")
    _plain(axis.yaxis)


def _spread(widths: Array, ratio: Array, value: Array) -> float:
    """By how much the largest distance exceeds the smallest at the same d/n, at most."""
    wide = widths >= min(_WIDE, widths[-1])
    near, found = np.round(np.log2(ratio[wide]), 6), value[wide]
    return float(max(found[near == each].max() / found[near == each].min() for each in np.unique(near)) - 1)


def _plain(axis: Any) -> None:
    """Ticks at 1, 2 and 5 times powers of ten, as numbers."""
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axis.set_minor_formatter(NullFormatter())


def _against_sum(axis: Any, widths: Array, depths: Array, value: Array) -> None:
    a, b, factor = two_terms(widths, depths, value)
    total = a * widths[:, None] ** -0.5 + b / depths[None, :]
    for row, (width, color) in enumerate(zip(widths, shades(len(widths)), strict=True)):
        label = f"n = {width:g}" if row in (0, len(widths) - 1) else None
        axis.plot(total[row], value[row], "o", ms=2.8, color=color, label=label)
    x = np.array([total.min(), total.max()])
    axis.plot(x, x, color=LIMIT, lw=1.1, zorder=0, label="(d) equal")
    axis.plot(x, factor * x, ":", color="0.35", lw=1.0, zorder=0, label=f"(d) bound: {factor:.2f} times")
    axis.set(
        xscale="log",
        yscale="log",
        xlabel=f"{a:.2f} n$^{{-1/2}}$ + {b:.3f} d$^{{-1}}$",
        ylabel="distance",
        title="bounded by a term of n and one of d",
    )
    _plain(axis.xaxis)
    _plain(axis.yaxis)
