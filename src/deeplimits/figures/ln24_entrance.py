"""Li & Nica 2024, Section 4: the entrance of r_t = log ℓ²(1 − ρ_ℓ), which the paper leaves open.

Left: paths of r from the first layer on, on a logarithmic time axis, with quantile bands of the networks and
of the law that enters from w = 0. Right: w = t e^{−r/2} = 1/(n √(1 − ρ)), which has no singularity at t = 0,
for each start w₀ = 1/(n √(1 − ρ₀)) of the study.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from deeplimits.figures.data import Array, StudyData
from deeplimits.figures.style import FOURTH, LIMIT, NETWORK, PAGE, SECOND, new_figure

_PATHS = 12
_BAND = (0.05, 0.95)
_ENTRANCE_POINT = 2 * np.log(3 * np.pi / np.sqrt(2))
"""r* = 2 log 1/κ, κ = √2 / (3π): where the drift of r vanishes as t → 0."""


def draw(data: StudyData) -> Figure:
    """r of the first point, w of every point."""
    figure, (axes,) = new_figure(1, 2, PAGE, 3.0)
    _entrance(axes[0], data)
    _coordinate(axes[1], data)
    return figure


def _times(data: StudyData, point: int) -> Array:
    return np.asarray(data.layers(point) / data.coordinate("width", point), float)


def _entrance(axis: Any, data: StudyData) -> None:
    time, entry = _times(data, 0), data.entry("rescaled_correlation", "unshaped_entrance")
    later = time > 0
    gaps = data.array("paths", "correlation_gap")[0, :_PATHS, : len(time)].astype(float)
    layers = data.layers(0)
    for index, gap in enumerate(gaps[:, later]):
        with np.errstate(divide="ignore"):
            r = np.log(layers[later] ** 2 * gap)
        label = f"{len(gaps)} networks" if index == 0 else None
        axis.plot(time[later], r, color=NETWORK, lw=0.5, alpha=0.55, label=label)
    low, high = (data.quantile(0, "rescaled_correlation", level)[later] for level in _BAND)
    axis.fill_between(time[later], low, high, color=NETWORK, alpha=0.2, lw=0, label="networks, 5–95 %")
    for level, style in ((_BAND[0], "--"), (0.5, "-"), (_BAND[1], "--")):
        label = {0.5: "entrance law, median", _BAND[0]: "entrance law, 5 and 95 %"}.get(level)
        law = data.limit_quantile(0, entry, level)[later]
        axis.plot(time[later], law, style, color=LIMIT, lw=1.2, label=label)
    axis.axhline(_ENTRANCE_POINT, color="0.4", ls=":", lw=0.9, label="r* = 2 log 3π/√2")
    correlation = data.coordinate("correlation_0", 0)
    axis.set(
        xscale="log",
        xlabel="time t = ℓ/n",
        ylabel="r = log ℓ²(1 − ρ)",
        title=f"n = {data.coordinate('width', 0)}, ρ₀ = {correlation:g}",
    )
    axis.legend(loc="lower center")


def _coordinate(axis: Any, data: StudyData) -> None:
    for point, color in zip(range(data.points), (NETWORK, SECOND, FOURTH), strict=False):
        time = _times(data, point)
        later, correlation = time > 0, data.coordinate("correlation_0", point)
        start = 1 / (data.coordinate("width", point) * np.sqrt(1 - correlation))
        low, middle, high = (
            _w(time, data.quantile(point, "rescaled_correlation", level))
            for level in (_BAND[1], 0.5, _BAND[0])
        )
        axis.fill_between(time[later], low, high, color=color, alpha=0.18, lw=0)
        label = f"network, ρ₀ = {correlation:g}: w₀ = {start:.3f}"
        axis.plot(
            np.append(0, time[later]), np.append(start, middle), color=color, lw=2.2, alpha=0.6, label=label
        )
        exact = _w(time, data.limit_quantile(point, data.entry("rescaled_correlation", "unshaped"), 0.5))
        same = "SDE from the same w₀" if point == data.points - 1 else None
        axis.plot(time[later], exact, color=color, lw=0.9, label=same)
    time, entry = _times(data, 0), data.entry("rescaled_correlation", "unshaped_entrance")
    for level in (*_BAND, 0.5):
        law = _w(time, data.limit_quantile(0, entry, level))
        named = "entrance law, w₀ = 0 (median, 5 and 95 %)" if level == 0.5 else None
        axis.plot(time[time > 0], law, "--", color=LIMIT, lw=1.2, label=named)
    axis.set(
        xlabel="time t = ℓ/n", ylabel="w = 1 / (n √(1 − ρ))", yscale="log", title="without a singularity"
    )
    axis.legend(loc="lower right")


def _w(time: Array, r: Array) -> Array:
    """t e^{−r/2} at positive times."""
    later = time > 0
    return time[later] * np.exp(-r[later] / 2)
