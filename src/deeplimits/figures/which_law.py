"""Which law to use for a network of width n and depth d: the distance of each law of its correlation to the
exact one, over n and d / n. Nothing is drawn at random.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from deeplimits.array_types import Array
from deeplimits.drawing.selections import points
from deeplimits.drawing.style import PAGE, SECOND, letter, new_figure
from deeplimits.drawing.titles import series_text
from deeplimits.drawing.wording import limit_text
from deeplimits.errors import InputError
from deeplimits.laws import Law
from deeplimits.limits import registry
from deeplimits.limits.accuracy import apart
from deeplimits.networks.network import Network
from deeplimits.store.study_groups import Groups
from deeplimits.sweep.columns import NEEDED, perceptron_of
from deeplimits.sweep.figure_needs import WIDE, Kind, Needs

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CAPTION = """\
**Which law to use** for a network of width n and depth d (study {{ study }}: {{ title }}; its
{{ samples }} networks at each point, {{ seeds }}, only name the points). Each cell holds the Kolmogorov
distance of a law to the exact law of the correlation of two inputs at the last layer, which is known
without sampling. A row of panels is for one activation, a column for one law: from left to right the limit
n → ∞, the law with the network's own constants, and the law to second order in 1/n. Take the first in which
the cell of a network is below the error that is to be borne; the line surrounds what is below 0.01, and
white cells have no exact law. The first two fall like 1/n and grow slowly with d / n, the third falls like
1/n².
"""
NEEDS = Needs(kinds=(Kind(WIDE, agree=("architecture",)),))

LAWS = (("correlation_sde", "matched_sde", "second_order_sde"), ("linear", "", "linear_second_order"))
"""Of shaped ReLU-like networks, and of linear ones, which have their own constants in the limit already."""
RATIOS = (0.125, 0.25, 0.5, 1.0, 2.0)
"""d / n."""
_BORNE = 0.01
_TITLES = ("the limit", "own constants", "second order")


def draw(study: Groups) -> Figure:
    """A map for each law of each series of points that differ in width alone, where the exact law and one of
    second order are to be had; depths are those of the map, whatever the points have.
    """
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import LogNorm

    maps = _maps(study)
    figure, axes = new_figure(max(len(maps), 1), 3, PAGE, 0.9 + 1.9 * max(len(maps), 1))
    finite = np.concatenate([[1e-3, 1e-1], *(each[each > 0] for _, _, found in maps for each in found)])
    norm = LogNorm(float(finite.min()), float(finite.max()))
    for row, (name, widths, found) in zip(axes, maps, strict=False):
        for axis, title, law, table in zip(row, _TITLES, name[1:], found, strict=True):
            if not law:
                axis.set_axis_off()
                continue
            axis.imshow(table, cmap="magma_r", norm=norm, origin="lower", aspect="auto")
            for (y, x), value in np.ndenumerate(table):
                if np.isfinite(value):
                    dark = norm(value) > _DARK
                    axis.text(
                        x, y, _number(value), ha="center", va="center", fontsize=6, color="w" if dark else "k"
                    )
            _surround(axis, table)
            axis.set_xticks(range(len(widths)), [f"{width:g}" for width in widths])
            axis.set_yticks(range(len(RATIOS)), [f"{ratio:g}" for ratio in RATIOS])
            axis.set_title(f"{title}\n{limit_text(law)}", fontsize=6.5)
            axis.spines[["top", "right"]].set_visible(True)
        row[0].set_ylabel(f"{name[0]}\nd / n", fontsize=7)
    for axis in axes[-1]:
        axis.set_xlabel("width n")
    if not maps:
        for axis in axes[0]:
            axis.set_axis_off()
        axes[0, 1].text(0.5, 0.5, "no exact law\nbeside one of second order", ha="center")
    else:
        figure.colorbar(
            ScalarMappable(norm, "magma_r"),
            ax=axes,
            location="bottom",
            aspect=50,
            label="Kolmogorov distance",
        )
    letter(axes.flat)
    return figure


_DARK = 0.55
"""Colours from which on a number is white."""
_Table = Array


def _number(value: float) -> str:
    """One digit and its power of ten, or two decimals where that is as short."""
    if value >= 0.995 * _BORNE:
        return f"{value:.2f}".removeprefix("0")
    digits, exponent = f"{value:.0e}".split("e")
    return f"{digits}e{int(exponent)}".replace("-", "−")


def _surround(axis: Axes, table: _Table) -> None:
    """A line between cells that are below what is borne and those that are not."""
    below = table < _BORNE
    for dy, dx in ((1, 0), (0, 1)):
        here = np.s_[: table.shape[0] - dy, : table.shape[1] - dx]
        known = np.isfinite(table[here]) & np.isfinite(table[dy:, dx:])
        for y, x in np.argwhere(known & (below[here] != below[dy:, dx:])):
            middle, along = np.array([x + dx / 2, y + dy / 2]), np.array([dy, dx]) / 2
            axis.plot(*zip(middle - along, middle + along, strict=True), color=SECOND, lw=2)


def _maps(study: Groups) -> list[tuple[tuple[str, ...], list[int], list[_Table]]]:
    """Name of a series and its laws, its widths, and a map of each law [d / n, n]."""
    held = points(study)
    series = held.width_series.values.tolist()
    of_series: dict[int, dict[int, Network]] = {}
    for place, curve in enumerate(series):
        network = perceptron_of({name: held[name].values[place] for name in NEEDED})
        by_depth = network is not None and network.shaping is not None and network.shaping.by == "depth"
        if network is not None and network.inputs > 1 and not network.uneven and not by_depth:
            of_series.setdefault(curve, {})[network.units] = network
    maps: list[tuple[tuple[str, ...], list[int], list[_Table]]] = []
    for curve, networks in of_series.items():
        for laws in LAWS:
            found = _found([networks[n] for n in sorted(networks)], laws)
            if found is not None:
                maps.append(((series_text(study, curve), *laws), sorted(networks), found))
                break
    return maps


def _found(networks: Sequence[Network], laws: Sequence[str]) -> list[_Table] | None:
    """The maps; None where one of the laws is for no network of them."""
    found = [np.full((len(RATIOS), len(networks)), np.nan) for _ in laws]
    for place, network in enumerate(networks):
        layers = [max(1, round(ratio * network.units)) for ratio in RATIOS]
        deep = replace(network, depth=layers[-1])
        if any(law and registry()[law].refusal(deep, "correlation") is not None for law in laws):
            continue
        exact: list[Law] = []
        # a narrow network may be known exactly up to some depth alone
        for known in range(len(layers), 0, -1):
            try:
                exact = registry()["exact"].marginals(deep, layers[:known], "correlation")
            except InputError:
                continue
            break
        for table, law in zip(found, laws, strict=True):
            if law:
                beside = registry()[law].marginals(deep, layers[: len(exact)], "correlation")
                table[: len(exact), place] = [apart(*both) for both in zip(beside, exact, strict=True)]
    return found if np.isfinite(found[-1]).any() else None
