"""Hayou 2022, Figures 1, 9 and 10: a residual ReLU network of one unit from Y_0 = 1, at three depths.

Proposition 3: as the depth L grows, Y becomes a geometric Brownian motion, log Y_L ~ N(−½, 1). Networks whose
last layer is negative have collapsed and have no logarithm; their part is named.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from deeplimits.drawing.panels import laws_above_paths
from deeplimits.drawing.selections import (
    at_point,
    distance,
    entry_of,
    histogram,
    layers,
    limit_density,
    limit_quantiles,
    points,
    samples,
)
from deeplimits.drawing.style import LIMIT, NETWORK
from deeplimits.store.study_groups import Groups
from deeplimits.sweep.figure_needs import FROM_ZERO, RELU, RESNET, AtLeast, Compared, Kind, Needs

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CAPTION = """\
**A residual ReLU network of one unit becomes a geometric Brownian motion** ({{ samples }} networks at each
depth, {{ seeds }}; n = 1, Y₀ = 1; study {{ study }}). *Above:* histogram of log Y_L at depths L = 5, 50 and
100, of the networks whose last layer is positive, with the normal law N(−½, 1) of infinite depth and the
Kolmogorov distance to it; noise alone would give {{ noise }}. *Below:* 30 paths of log Y_ℓ against t = ℓ/L,
with the median and the central 90 % of the limit. At L = 5 the step is too coarse: one network in sixteen
steps over zero on its way, where it stays for ever (crosses), and the law of the others has a long tail to
the left. At L = 50 and 100 the limit describes the network, and none collapses.
"""
NEEDS = Needs(
    kinds=(
        Kind(
            {**RESNET, **RELU, "width": 1, "start": 1.0, **FROM_ZERO, "records": AtLeast(2)},
            differ={"depth": (1, 5)},
        ),
    ),
    compared=(Compared("log_growth", "hayou_relu_n1", "all", distance="ks"),),
)


_PATHS = 30
_RANGE = (-5.0, 3.5)


def draw(study: Groups) -> Figure:
    """Above, histograms of log Y_L with the exact normal law; below, paths of log Y_ℓ."""
    return laws_above_paths(study, _law, _paths, r"$\log\,Y_\ell$")


def _law(axis: Any, study: Groups, point: int) -> None:
    depth, entry = int(points(study).depth[point]), entry_of(study, "log_growth", "hayou_relu_n1")
    edges, density = histogram(study, point, "log_growth", depth)
    axis.stairs(density, edges, fill=True, color=NETWORK, alpha=0.35, label="networks: law")
    axis.plot(*limit_density(study, point, entry), color=LIMIT, label="N(−½, 1)")
    found = float(distance(study, "ks")[point, entry])
    collapsed = int(at_point(study, "events", "collapsed", point)[-1])
    part = f", {collapsed / samples(study):.1%} collapsed" if collapsed else ""
    axis.set(title=f"L = {depth}: KS {found:.3f}{part}", xlabel=r"$\log\,Y_L$")
    axis.set_xlim(_RANGE)


def _paths(axis: Any, study: Groups, point: int) -> None:
    entry, recorded = entry_of(study, "log_growth", "hayou_relu_n1"), layers(study, point)
    time = recorded / int(recorded[-1])
    low, middle, high = limit_quantiles(study, point, entry, (0.05, 0.5, 0.95))
    axis.fill_between(time, low, high, color=LIMIT, alpha=0.12, lw=0, label="90 % of the limit")
    paths = at_point(study, "paths", "log_activation", point).isel(path=slice(_PATHS))
    for path in paths.values.astype(float) / 2:
        alive = np.isfinite(path)
        axis.plot(time[alive], path[alive], color=NETWORK, lw=0.6, alpha=0.8, label="networks: paths")
        if not alive.all():
            axis.plot(time[alive][-1], path[alive][-1], "x", color="0.2", ms=4)
    axis.plot(time, middle, color=LIMIT, label="its median")
    axis.plot([], [], "x", color="0.2", ms=4, label="collapses next")
