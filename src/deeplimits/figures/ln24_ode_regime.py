"""Li & Nica 2024, Proposition 3.4: shaped networks with p < ½ and depth n^{2p} approach the correlation ODE.

Left: networks of growing width around the ODE, at one p. Right: root mean square distance at the last layer
against the width, for each p, with fitted rates; the size of the fluctuation, √(d/n), makes them ½ − p.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from deeplimits.array_types import Array
from deeplimits.drawing.selections import (
    at_point,
    distance,
    entry_of,
    group,
    limit_quantiles,
    points,
    quantiles,
)
from deeplimits.drawing.style import LIMIT, PAGE, PALETTE, legend_below, letter, named, new_figure, shades
from deeplimits.store.study_groups import Groups
from deeplimits.sweep.figure_needs import SHAPED, AtLeast, Between, Compared, Kind, Needs

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CAPTION = """\
**Below the critical exponent correlations follow an ODE** ({{ samples }} networks at each point,
{{ seeds }}; slopes 1 ± ½ n\\ :sup:`−p`, depth n\\ :sup:`2p`, ρ₀ = 0.3; study {{ study }}). *(a)* The band
from 5 to 95 % of networks of growing width at one p, against t = ℓ/n\\ :sup:`2p`, and the ODE dρ = ν(ρ) dt.
*(b)* Root mean square distance of the correlation to the ODE at the last layer against the width, 95 %
intervals smaller than the marks, and fitted powers with 95 % intervals. What is left is the fluctuation of
a network of finite width over its depth, √(d/n) = n\\ :sup:`p − ½`: the rates follow ½ − p, and the ODE is
approached more slowly the nearer p comes to ½, where an SDE takes over. (A root mean square has no noise
floor: its square is estimated without bias.)
"""
NEEDS = Needs(
    kinds=(
        Kind(
            {
                **SHAPED,
                "activation": "relu",
                "exponent": Between(0.0, 0.5),
                "depth_is_n_to_2p": True,
                "records": AtLeast(2),
            },
            differ={"exponent": (1, 3), "width": (1, 100)},
        ),
    ),
    compared=(Compared("correlation", "correlation_ode", "all", distance="rms"),),
)


_SHOWN = 3
"""Widths whose bands are drawn."""


def draw(study: Groups) -> Figure:
    """Bands of the middle p, distances of all."""
    figure, (axes,) = new_figure(1, 2, PAGE, 3.2)
    powers = sorted(set(points(study).exponent.values.tolist()))
    _bands(axes[0], study, powers[len(powers) // 2])
    _distances(axes[1], study, powers)
    letter(axes)
    legend_below(figure, named(axes))
    return figure


def _bands(axis: Any, study: Groups, p: float) -> None:
    held = points(study)
    widths, depths = held.width.values, held.depth.values
    members = np.flatnonzero(held.exponent == p)
    members = members[np.argsort(widths[members])]
    picked = [
        int(members[i]) for i in np.unique(np.linspace(0, len(members) - 1, _SHOWN).round().astype(int))
    ]
    entry = entry_of(study, "correlation", "correlation_ode")
    for point, color in zip(picked, shades(len(picked)), strict=True):
        time = _times(study, point, entry)
        low, high = quantiles(study, point, "correlation", (0.05, 0.95))
        label = f"n = {widths[point]}, d = {depths[point]}"
        axis.fill_between(time, low, high, color=color, alpha=0.55, lw=0, label=label)
    last = picked[-1]
    (ode,) = limit_quantiles(study, last, entry, [0.5])
    axis.plot(_times(study, last, entry), ode, color=LIMIT, label="ODE dρ = ν dt")
    axis.set(
        xlabel=f"time t = ℓ/n$^{{{2 * p:g}}}$",
        ylabel="ρ, 5 to 95 % of networks",
        title=f"p = {p:g}",
        ylim=(None, 1),
    )


def _times(study: Groups, point: int, entry: int) -> Array:
    times: Array = at_point(study, "limits", "time", point).isel(entry=entry).values
    return times


def _distances(axis: Any, study: Groups, powers: list[float]) -> None:
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    held, entry = points(study), entry_of(study, "correlation", "correlation_ode")
    widths, series = held.width.values.astype(float), held.width_series.values
    rates = group(study, "rates").load()
    fits = (rates.entry == entry) & (rates.distance == "rms") & (rates.rate_in == "width")
    rms = {part: distance(study, "rms", part).values[:, entry] for part in ("value", "low", "high")}
    for p, color, marker in zip(powers, (PALETTE[0], PALETTE[2], PALETTE[4]), "osD", strict=False):
        members = np.flatnonzero(held.exponent == p)
        n = widths[members]
        value, low, high = (rms[part][members] for part in ("value", "low", "high"))
        text = f"p = {p:g}"
        fitted = rates.isel(rate=fits & (rates.series == series[members[0]]))
        if fitted.sizes["rate"]:
            rate, bottom, top, constant = (
                float(fitted[name][0]) for name in ("exponent", "low", "high", "constant")
            )
            axis.plot(n, constant * n**-rate, color=color, lw=0.9)
            text += f": rate {rate:.3f} ± {(top - bottom) / 2:.3f}, ½ − p = {0.5 - p:g}"
        axis.errorbar(
            n,
            value,
            np.vstack([value - low, high - value]),
            fmt=marker,
            ms=3.5,
            color=color,
            lw=0.9,
            label=text,
        )
    ticks = sorted(set(widths.tolist()))
    axis.set(xscale="log", yscale="log", xlabel="width n", ylabel="√E (ρ − ρ$_{ODE}$)² at t = 1")
    axis.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axis.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axis.yaxis.set_minor_formatter(NullFormatter())
    axis.minorticks_off()
    # down to a tick
    axis.set_ylim(bottom=axis.get_ylim()[0] / 1.25)
