"""Kolmogorov distance of networks to their limits against width, with intervals, fitted rates and the noise
floor.
"""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, StrMethodFormatter

from deeplimits.figures.data import StudyData
from deeplimits.figures.style import PAGE, PALETTE, new_figure

_MARKERS = "osD^vPX*"
_OBSERVED = {"correlation": "ρ", "log_variance": "log V", "variance": "V", "rescaled_correlation": "r"}
_LIMITS = {"correlation_sde": "its SDE", "smooth_variance": "its SDE", "linear": "a linear network’s SDE"}


def draw(data: StudyData) -> Figure:
    """One curve for each network and limit; distances have the noise taken off."""
    figure, axes = new_figure(1, 1, PAGE, 3.7)
    axis = axes[0, 0]
    labels = [str(label) for label in data.array("comparison", "network")]
    widths = np.array([float(data.coordinate("width", point)) for point in range(data.points)])
    columns = ("entry", "network", "distance", "exponent", "low", "high", "constant")
    rates = {name: data.array("rates", name) for name in columns}
    curves = [(j, limit, label) for label in dict.fromkeys(labels) for j, limit in data.entries()]
    drawn = 0
    for j, limit, label in curves:
        members = [
            i
            for i in range(data.points)
            if labels[i] == label and np.isfinite(data.compared("ks_value", i, j))
        ]
        if not members:
            continue
        values, low, high = (
            np.array([data.compared(f"ks_{part}", i, j) for i in members])
            for part in ("estimate", "low", "high")
        )
        color, marker = PALETTE[drawn % len(PALETTE)], _MARKERS[drawn % len(_MARKERS)]
        observed = str(data.array("comparison", "compared")[j])
        text = (
            f"{label.replace('-', '−')}: {_OBSERVED.get(observed, observed.replace('_', ' '))} to "
            + _LIMITS.get(limit, f"the {limit.replace('_', ' ').replace('sde', 'SDE')}")
        )
        matching = [
            k
            for k in range(len(rates["entry"]))
            if int(rates["entry"][k]) == j
            and str(rates["network"][k]) == label
            and str(rates["distance"][k]) == "ks"
        ]
        if matching:
            exponent, bottom, top, constant = (
                float(rates[name][matching[0]]) for name in ("exponent", "low", "high", "constant")
            )
            text += f"\n   n^(−{exponent:.2f} ± {(top - bottom) / 2:.2f})"
            axis.plot(widths[members], constant * widths[members] ** -exponent, color=color, lw=0.9)
        errors = np.abs(np.vstack([values - low, high - values]))
        axis.errorbar(
            widths[members], values, errors, fmt=marker, ms=3.5, color=color, lw=0.9, capsize=2, label=text
        )
        drawn += 1
    floor = float(np.nanmin(data.array("comparison", "ks_floor")))
    axis.axhline(floor, color="0.5", ls=":", lw=0.9, label=f"noise floor, {data.samples:,} samples")
    axis.set(
        xscale="log", yscale="log", xlabel="width n (depth d = n)", ylabel="Kolmogorov distance at t = 1"
    )
    ticks = sorted(set(widths.tolist()))
    axis.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axis.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axis.minorticks_off()
    axis.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), labelspacing=0.8)
    return figure
