"""Li & Nica 2024, Proposition 3.4: shaped networks with p < ½ and depth n^{2p} approach the correlation ODE.

Left: networks of growing width around the ODE, at one p. Right: root mean square distance at the last layer
against the width, for each p, with fitted rates; the size of the fluctuation, √(d/n), makes them ½ − p.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from deeplimits.figures.data import Array, StudyData
from deeplimits.figures.style import LIMIT, PAGE, PALETTE, new_figure, shades

_SHOWN = 3
"""Widths whose bands are drawn."""


def draw(data: StudyData) -> Figure:
    """Bands of the middle p, distances of all."""
    figure, (axes,) = new_figure(1, 2, PAGE, 2.9)
    exponents = data.array("moments", "exponent")
    powers = sorted(set(exponents.tolist()))
    _bands(axes[0], data, powers[len(powers) // 2])
    _distances(axes[1], data, powers)
    return figure


def _bands(axis: Any, data: StudyData, p: float) -> None:
    members = np.flatnonzero(data.array("moments", "exponent") == p)
    widths = data.array("moments", "width")[members]
    members = members[np.argsort(widths)]
    picked = [
        int(members[i]) for i in np.unique(np.linspace(0, len(members) - 1, _SHOWN).round().astype(int))
    ]
    entry = data.entry("correlation", "correlation_ode")
    for point, color in zip(picked, shades(len(picked)), strict=True):
        time = _times(data, point, entry)
        low, high = (data.quantile(point, "correlation", level) for level in (0.05, 0.95))
        width, depth = data.coordinate("width", point), data.coordinate("depth", point)
        axis.fill_between(time, low, high, color=color, alpha=0.55, lw=0, label=f"n = {width}, d = {depth}")
    last = picked[-1]
    axis.plot(
        _times(data, last, entry), data.limit_quantile(last, entry, 0.5), color=LIMIT, label="ODE dρ = ν dt"
    )
    axis.set(
        xlabel=f"time t = ℓ/n$^{{{2 * p:g}}}$",
        ylabel="ρ, 5 to 95 % of networks",
        title=f"p = {p:g}",
        ylim=(None, 1),
    )
    axis.legend(loc="lower left")


def _times(data: StudyData, point: int, entry: int) -> Array:
    return data.array("limits", "time")[point, : len(data.layers(point)), entry]


def _distances(axis: Any, data: StudyData, powers: list[float]) -> None:
    exponents, widths = data.array("moments", "exponent"), data.array("moments", "width").astype(float)
    series, entry = data.array("moments", "width_series"), data.entry("correlation", "correlation_ode")
    columns = ("entry", "distance", "rate_in", "series", "exponent", "low", "high", "constant")
    rates = {name: data.array("rates", name) for name in columns}
    fits = (rates["entry"] == entry) & (rates["distance"] == "rms") & (rates["rate_in"] == "width")
    for p, color, marker in zip(powers, (PALETTE[0], PALETTE[2], PALETTE[4]), "osD", strict=False):
        members = np.flatnonzero(exponents == p)
        n = widths[members]
        value, low, high = (
            np.array([data.compared(f"rms_{part}", int(i), entry) for i in members])
            for part in ("value", "low", "high")
        )
        text = f"p = {p:g}"
        fitted = np.flatnonzero(fits & (rates["series"] == series[members[0]]))
        if fitted.size:
            rate, bottom, top, constant = (
                float(rates[name][fitted[0]]) for name in ("exponent", "low", "high", "constant")
            )
            axis.plot(n, constant * n**-rate, color=color, lw=0.9)
            text += f": n^(−{rate:.3f} ± {(top - bottom) / 2:.3f}), ½ − p = {0.5 - p:g}"
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
    bottom, top = axis.get_ylim()
    axis.set_ylim(bottom / 2.6, top)
    axis.legend(loc="lower left")
