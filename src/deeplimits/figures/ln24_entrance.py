"""Li & Nica 2024, Section 4: the entrance of r_t = log ℓ²(1 − ρ_ℓ), which the paper leaves open.

Left: paths of r from the first layer on, on a logarithmic time axis, with quantile bands of the networks and
of the law that enters from w = 0. Right: w = t e^{−r/2} = 1/(n √(1 − ρ)), which has no singularity at t = 0,
for each start w₀ = 1/(n √(1 − ρ₀)) of the study.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from deeplimits.array_types import Array
from deeplimits.drawing.selections import at_point, entry_of, layers, limit_quantiles, points, quantiles
from deeplimits.drawing.style import (
    FOURTH,
    LIMIT,
    NETWORK,
    PAGE,
    SECOND,
    legend_below,
    letter,
    named,
    new_figure,
)
from deeplimits.store.study_groups import Groups
from deeplimits.sweep.figure_needs import UNSHAPED, AtLeast, Between, Compared, Kind, Needs

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CAPTION = """\
**How the rescaled correlation begins** ({{ samples }} networks at each point, {{ seeds }}; unshaped ReLU, n
= d = 150; study {{ study }}). *(a)* r = log ℓ²(1 − ρ) against t = ℓ/n, logarithmic; paths of twelve
networks, the band from 5 to 95 % of all, and median and band of the exact law that enters at t = 0 with
nothing given. The equation of r is singular at t = 0, where its drift draws r to r* = 2 log 3π/√2 = 3.79.
Networks come from r = log(1 − ρ₀) at the first layer, whatever ρ₀ is, and from layer 50 or so they lie in
the band of the limit. *(b)* The same in w = t e\\ :sup:`−r/2` = 1/(n √(1 − ρ)), whose equation dw = (κ +
2w) dt − √2 w dB has no singularity. It starts at w₀ = 1/(n √(1 − ρ₀)), which is the initial condition that
the paper leaves open. Medians and bands of networks, thin lines the SDE from the same w₀; the vermilion law
from w₀ = 0 holds where w₀ is small, n²(1 − ρ₀) ≫ 1, and not for ρ₀ = 0.99, whose networks stay ahead for
good.
"""
NEEDS = Needs(
    kinds=(
        Kind(
            {**UNSHAPED, "records": AtLeast(3), "correlation": Between(-1.0, 1.0)},
            differ={"correlation": (1, 3)},
        ),
    ),
    compared=(
        Compared("rescaled_correlation", "unshaped_entrance", "all"),
        Compared("rescaled_correlation", "unshaped", "all"),
    ),
)


_PATHS = 12
_BAND = (0.05, 0.95)
_ENTRANCE_POINT = 2 * np.log(3 * np.pi / np.sqrt(2))
"""r* = 2 log 1/κ, κ = √2 / (3π): where the drift of r vanishes as t → 0."""


def draw(study: Groups) -> Figure:
    """r of the first point, w of every point."""
    figure, (axes,) = new_figure(1, 2, PAGE, 3.5)
    _entrance(axes[0], study)
    _coordinate(axes[1], study)
    letter(axes)
    legend_below(figure, named(axes))
    return figure


def _times(study: Groups, point: int) -> Array:
    return np.asarray(layers(study, point) / points(study).width.values[point], float)


def _entrance(axis: Any, study: Groups) -> None:
    time, entry = _times(study, 0), entry_of(study, "rescaled_correlation", "unshaped_entrance")
    later = time > 0
    gaps = at_point(study, "paths", "correlation_gap", 0).isel(path=slice(_PATHS)).values.astype(float)
    recorded = layers(study, 0)
    for index, gap in enumerate(gaps[:, later]):
        with np.errstate(divide="ignore"):
            r = np.log(recorded[later] ** 2 * gap)
        label = f"{len(gaps)} networks" if index == 0 else None
        axis.plot(time[later], r, color=NETWORK, lw=0.5, alpha=0.55, label=label)
    low, high = (each[later] for each in quantiles(study, 0, "rescaled_correlation", _BAND))
    axis.fill_between(time[later], low, high, color=NETWORK, alpha=0.2, lw=0, label="networks, 5–95 %")
    laws = limit_quantiles(study, 0, entry, (_BAND[0], 0.5, _BAND[1]))
    looks = (("--", "entrance law, 5 and 95 %"), ("-", "entrance law, median"), ("--", None))
    for law, (style, label) in zip(laws, looks, strict=True):
        axis.plot(time[later], law[later], style, color=LIMIT, lw=1.2, label=label)
    axis.axhline(_ENTRANCE_POINT, color="0.4", ls=":", lw=0.9, label="r* = 2 log 3π/√2")
    first = points(study).isel(point=0)
    axis.set(
        xscale="log",
        xlabel="time t = ℓ/n",
        ylabel="r = log ℓ²(1 − ρ)",
        title=f"n = {first.width.item()}, ρ₀ = {first.correlation_0.item():g}",
    )


def _coordinate(axis: Any, study: Groups) -> None:
    held = points(study)
    looks = ((NETWORK, "o"), (SECOND, "s"), (FOURTH, "D"))
    starts = zip(held.width.values, held.correlation_0.values, looks, strict=False)
    for point, (width, correlation, (color, marker)) in enumerate(starts):
        time = _times(study, point)
        later = time > 0
        start = 1 / (width * np.sqrt(1 - correlation))
        low, middle, high = (
            _w(time, r) for r in quantiles(study, point, "rescaled_correlation", (_BAND[1], 0.5, _BAND[0]))
        )
        axis.fill_between(time[later], low, high, color=color, alpha=0.18, lw=0)
        label = f"network, ρ₀ = {correlation:g}: w₀ = {start:.3f}"
        axis.plot(
            np.append(0, time[later]),
            np.append(start, middle),
            marker=marker,
            markevery=0.15,
            ms=4,
            color=color,
            lw=2.2,
            alpha=0.6,
            label=label,
        )
        entry = entry_of(study, "rescaled_correlation", "unshaped")
        (exact,) = limit_quantiles(study, point, entry, [0.5])
        same = "SDE from the same w₀" if point == held.sizes["point"] - 1 else None
        axis.plot(time[later], _w(time, exact), color=color, lw=0.9, label=same)
    time, entry = _times(study, 0), entry_of(study, "rescaled_correlation", "unshaped_entrance")
    laws = limit_quantiles(study, 0, entry, (*_BAND, 0.5))
    for law, style in zip(laws, ("--", "--", "-"), strict=True):
        axis.plot(time[time > 0], _w(time, law), style, color=LIMIT, lw=1.2)
    axis.set(
        xlabel="time t = ℓ/n", ylabel="w = 1 / (n √(1 − ρ))", yscale="log", title="without a singularity"
    )


def _w(time: Array, r: Array) -> Array:
    """t e^{−r/2} at positive times."""
    later = time > 0
    return time[later] * np.exp(-r[later] / 2)
