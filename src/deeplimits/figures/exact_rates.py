"""How far finite networks are from their limits, by their exact laws: width times the Kolmogorov distance to
laws of first order, and its square times that to laws of second order. Nothing is drawn at random.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np

from deeplimits.analysis.exact_laws import law_at
from deeplimits.drawing.selections import points
from deeplimits.drawing.style import PAGE, PALETTE, legend_below, letter, new_figure
from deeplimits.drawing.titles import series_text
from deeplimits.drawing.wording import limit_text
from deeplimits.errors import InputError
from deeplimits.figures.ks_against_width import depth_text
from deeplimits.limits.accuracy import apart
from deeplimits.networks.network import Network
from deeplimits.store.study_groups import Groups
from deeplimits.sweep.columns import NEEDED, perceptron_of
from deeplimits.sweep.figure_needs import WIDE, Kind, Needs

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

CAPTION = """\
**How far finite networks are from their limits, exactly** (study {{ study }}: {{ title }}; its
{{ samples }} networks at each point, {{ seeds }}, only name the points). The law of the correlation of a
network of width n is known without sampling; here is its Kolmogorov distance to limits, without error bars,
since nothing is drawn at random. *First order:* n times the distance; where a curve is level, the distance
falls like 1/n. *Unshaped:* that to their SDE grows like log n; the leading 1/n term of the drift takes the
logarithm off, though the curve is level only from some thousand units on. *Second order:* n² times the
distance, level from 16 units on.
"""
NEEDS = Needs(kinds=(Kind(WIDE, agree=("architecture",)),))

PANELS = (
    ("first order", 1, ("correlation_sde", "matched_sde", "linear")),
    ("first order, unshaped", 1, ("unshaped", "unshaped_corrected")),
    ("second order", 2, ("second_order_sde", "linear_second_order")),
)
"""Title, power of n, and limits."""
_LIMITS = [name for *_, names in PANELS for name in names]
_MARKERS = "osD^vPX*"
_DASHES = ("-", "--", "-.", ":")


def draw(study: Groups) -> Figure:
    """A curve for each limit and series of points that differ in width alone: n · KS, and n² · KS where the
    law is right to second order; of the correlation of the first two inputs at the last layer.
    """
    held = points(study)
    networks = [
        perceptron_of({name: held[name].values[place] for name in NEEDED})
        for place in range(held.sizes["point"])
    ]
    series = held.width_series.values.tolist()
    widths, depths = (held[name].values.astype(float) for name in ("width", "depth"))
    found = [(title, power, _curves(networks, series, names)) for title, power, names in PANELS]
    shown = [panel for panel in found if panel[2]]
    if not shown:
        figure, ((axis,),) = new_figure(1, 1, PAGE / 2, 1.5)
        axis.text(0.5, 0.5, "no exact law beside such a limit", ha="center", transform=axis.transAxes)
        axis.set_axis_off()
        return figure
    order = {curve: place for place, curve in enumerate(sorted({each for *_, c in shown for each, _ in c}))}
    handles = _handles(study, order, [limit for *_, curves in shown for _, limit in curves])
    figure, (axes,) = new_figure(1, len(shown), PAGE, 2.4)
    for axis, (title, power, curves) in zip(axes, shown, strict=True):
        for (curve, limit), distances in curves.items():
            n, distance = np.array(sorted(distances)).T
            axis.plot(n, n**power * distance, **_look(order[curve], limit))
        axis.set(
            xscale="log",
            xlabel=f"width n{depth_text(widths, depths)}",
            ylabel=("n" if power == 1 else "n²") + " · Kolmogorov distance",
            title=title,
        )
        top = max(n**power * distance for pairs in curves.values() for n, distance in pairs)
        # numbers that are right have no distance at all
        axis.set_ylim(0, 1.1 * top or 1.0)
        ticks = sorted({int(each) for pairs in curves.values() for each, _ in pairs})
        axis.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        axis.minorticks_off()
    letter(axes)
    rows = legend_below(figure, handles)
    # a legend of many series is taller than what is below the axes
    figure.set_figheight(2.4 + 0.16 * rows)
    return figure


def _look(series: int, limit: str) -> dict[str, Any]:
    """A colour for each series, and a marker and a dash for each limit."""
    place = _LIMITS.index(limit)
    return {
        "color": PALETTE[series % len(PALETTE)],
        "marker": _MARKERS[(place + series // len(PALETTE)) % len(_MARKERS)],
        "ls": _DASHES[place % len(_DASHES)],
        "ms": 3.5,
        "lw": 0.9,
    }


def _handles(study: Groups, order: dict[int, int], limits: list[str]) -> dict[str, Line2D]:
    """What a legend shows: the limits and, where there are several, the series."""
    from matplotlib.lines import Line2D

    shown = {}
    if len(order) > 1:
        for curve, place in order.items():
            shown[series_text(study, curve)] = Line2D([], [], color=PALETTE[place % len(PALETTE)])
    for limit in sorted(set(limits), key=_LIMITS.index):
        look = _look(0, limit) | ({"color": "0.4"} if len(order) > 1 else {})
        shown[f"to {limit_text(limit)}"] = Line2D([], [], **look)
    return shown


def _curves(
    networks: list[Network | None], series: list[int], names: tuple[str, ...]
) -> dict[tuple[int, str], list[tuple[int, float]]]:
    """Widths and distances by series and limit, where both laws can be had."""
    found: dict[tuple[int, str], list[tuple[int, float]]] = defaultdict(list)
    for network, curve in zip(networks, series, strict=True):
        if network is None or network.inputs < 2 or not network.piecewise_linear:
            continue
        for name in names:
            # of a linear network these are ``linear`` by another name
            if name in ("correlation_sde", "matched_sde") and network.slopes.plus == network.slopes.minus:
                continue
            try:
                limit = law_at(network, network.depth, "correlation", name)
                exact = None if limit is None else law_at(network, network.depth, "correlation")
            except InputError:
                continue
            if limit is not None and exact is not None:
                found[curve, name].append((network.units, apart(limit, exact)))
    return found
