"""Hayou 2022, Figures 3, 11 and 12: a residual network of one unit with the activation of Figure 2 from Y_0 =
1, at three depths.

Proposition 4: as the depth grows, U = h⁻¹(α Y + β), h = erfi, becomes an Ornstein–Uhlenbeck process, Gaussian
at every time. What is stored of a layer are squares, so |U| is drawn, with the folded law.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
)
from deeplimits.drawing.style import LIMIT, NETWORK
from deeplimits.observables import parse
from deeplimits.store.study_groups import Groups
from deeplimits.sweep.figure_needs import RESNET, AtLeast, Compared, Kind, Needs

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CAPTION = """\
**The same network with another activation becomes an Ornstein–Uhlenbeck process** ({{ samples }} networks
at each depth, {{ seeds }}; n = 1, Y₀ = 1, (α, β) = (1, 0); study {{ study }}). *Above:* histogram of
\\|U_L\\|, U = h⁻¹(αY + β), at depths L = 5, 50 and 100, with the exact law at infinite depth, a Gaussian
folded at zero, and the Kolmogorov distance to it; noise alone would give {{ noise }}. *Below:* 30 paths of
\\|U_ℓ\\| against t = ℓ/L, with median, 5 % and 95 % of the limit. What is stored of a layer are squares,
which do not know the sign of U. The same architecture has a log-normal limit with ReLU and this one here:
at finite width there is no universal law.
"""
NEEDS = Needs(
    kinds=(
        Kind(
            {
                **RESNET,
                "activation": "ornstein_uhlenbeck",
                "alpha": 1.0,
                "beta": 0.0,
                "width": 1,
                "start": 1.0,
                "records": AtLeast(2),
            },
            differ={"depth": (1, 5)},
        ),
    ),
    compared=(Compared("ou_coordinate", "ornstein_uhlenbeck", "all", distance="ks"),),
)


_PATHS = 30
_RANGE = (0.0, 2.6)


def draw(study: Groups) -> Figure:
    """Above, histograms of |U_L| with the exact law; below, paths of |U_ℓ|."""
    return laws_above_paths(study, _law, _paths, r"$|U_\ell|$")


def _law(axis: Any, study: Groups, point: int) -> None:
    depth, entry = int(points(study).depth[point]), entry_of(study, "ou_coordinate", "ornstein_uhlenbeck")
    edges, density = histogram(study, point, "ou_coordinate", depth)
    axis.stairs(density, edges, fill=True, color=NETWORK, alpha=0.35, label="networks: law")
    x, exact = limit_density(study, point, entry)
    axis.plot(x[x >= 0], exact[x >= 0], color=LIMIT, label="exact law")
    found = float(distance(study, "ks")[point, entry])
    axis.set(title=f"L = {depth}: KS {found:.3f}", xlabel=r"$|U_L|$", xlim=_RANGE)


def _paths(axis: Any, study: Groups, point: int) -> None:
    entry, recorded = entry_of(study, "ou_coordinate", "ornstein_uhlenbeck"), layers(study, point)
    time = recorded / int(recorded[-1])
    paths = at_point(study, "paths", "log_activation", point).isel(path=slice(_PATHS))
    for path in parse("ou_coordinate").values(paths.values, 0):
        axis.plot(time, path, color=NETWORK, lw=0.6, alpha=0.8, label="networks: paths")
    laws = limit_quantiles(study, point, entry, (0.5, 0.05, 0.95))
    looks = (("-", "median of the limit"), ("--", "its 5 % and 95 %"), ("--", None))
    for law, (style, label) in zip(laws, looks, strict=True):
        axis.plot(time, law, style, color=LIMIT, lw=1, label=label, zorder=3)
    axis.set_ylim(bottom=0)
