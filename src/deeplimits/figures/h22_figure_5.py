"""Hayou 2022, Figures 5 and 14 to 17: standardised norms of the post-activations of a residual ReLU network,
L = 100, at several layers and widths, against the Gaussian.

Theorem 1: the growth log ‖φ(Y_ℓ)‖ / ‖φ(Y_0)‖ is nearly Gaussian. The norm itself also carries that of layer
0, which is far from log-normal in narrow networks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from deeplimits.array_types import Array
from deeplimits.drawing.selections import at_point, density_of, layers, points
from deeplimits.drawing.style import GROWTH, LIMIT, NETWORK, PAGE, SECOND, letter, new_figure
from deeplimits.store.study_groups import Groups
from deeplimits.sweep.figure_needs import FROM_ZERO, RELU, RESNET, AtLeast, Compared, Kind, Needs

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

CAPTION = """\
**The growth of the post-activations is nearly log-normal** ({{ samples }} networks of each width, {{ seeds
}}; residual ReLU networks of depth 100; study {{ study }}). Histograms at four layers (columns) and six
widths (rows), standardised, beside the Gaussian: the growth log ‖φ(Y_ℓ)‖ / ‖φ(Y₀)‖ of Theorem 1 (blue), and
the logarithm of the norm itself (green). The numbers are the largest gaps between their distribution
functions and the Gaussian's; noise alone gives less than {{ noise }}. The growth is close to Gaussian
everywhere, least at the first layer of narrow networks. The norm carries that of layer 0 as well, which is
far from log-normal in narrow networks; it comes closer with every layer, as the growth outweighs it, and
with the width.
"""
NEEDS = Needs(
    kinds=(Kind({**RESNET, **RELU, **FROM_ZERO, "records": AtLeast(2)}, differ={"width": (1, 10)}),),
    compared=(Compared("log_activation"),),
    samples=2,
)


_REACH = 4.2


def draw(study: Groups) -> Figure:
    """A row for each width, a column for each layer; in each panel the largest gaps between the distribution
    functions.
    """
    later, widths = layers(study, 0)[1:], points(study).width.values
    figure, axes = new_figure(
        len(widths), len(later), PAGE, 0.95 * len(widths) + 0.7, sharex=True, sharey=True
    )
    for point, width in enumerate(widths):
        held = _held(study, point)
        for axis, layer in zip(axes[point], later, strict=True):
            _panel(axis, held, int(layer))
        axes[point, 0].set_ylabel(f"n = {width}")
    for axis, layer in zip(axes[0], later, strict=True):
        axis.set_title(f"layer {layer}")
    letter(axes.flat, inside=True)
    figure.supxlabel("standardised", fontsize=8)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=3)
    return figure


def _held(study: Groups, point: int) -> xr.Dataset:
    """Moments and histograms of a point at all layers."""
    import xarray as xr

    named = {"moments": ("mean", "std", "count"), "laws": ("bin_edge", "bin_count")}
    return xr.Dataset(
        {name: at_point(study, of, name, point) for of, names in named.items() for name in names}
    )


def _panel(axis: Any, held: xr.Dataset, layer: int) -> None:
    edges, density = _standardised(held, layer, "log_growth")
    axis.stairs(density, edges, fill=True, color=NETWORK, alpha=0.35, label=GROWTH)
    own_edges, own = _standardised(held, layer, "log_activation")
    axis.stairs(own, own_edges, color=SECOND, lw=0.8, label=r"$\log\,\Vert\varphi(Y_\ell)\Vert$")
    x = np.linspace(-_REACH, _REACH, 201)
    axis.plot(x, np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi), color=LIMIT, lw=1, label="Gaussian")
    for height, color, gap in (
        (0.97, NETWORK, largest_gap(edges, density)),
        (0.77, SECOND, largest_gap(own_edges, own)),
    ):
        axis.text(
            0.99,
            height,
            f"{gap:.3f}",
            transform=axis.transAxes,
            ha="right",
            va="top",
            fontsize=7,
            color=color,
        )
    axis.set(xlim=(-_REACH, _REACH), yticks=[])
    axis.spines["left"].set_visible(False)


def _standardised(held: xr.Dataset, layer: int, observable: str) -> tuple[Array, Array]:
    """Ends of the bins and density, in standard units."""
    at = held.sel(observable=observable, layer=layer)
    mean, std = float(at["mean"]), float(at["std"])
    edges, density = density_of(at.bin_edge.values, at.bin_count.values, int(at["count"]))
    return (edges - mean) / std, density * std


def largest_gap(edges: Array, density: Array) -> float:
    """Largest difference to the Gaussian's distribution function at the edges of the bins; what lies outside
    of them is shared by both sides.
    """
    from scipy.special import ndtr

    inside = density * np.diff(edges)
    below = (1 - inside.sum()) / 2 + np.append(0.0, np.cumsum(inside))
    return float(np.abs(below - ndtr(edges)).max())
