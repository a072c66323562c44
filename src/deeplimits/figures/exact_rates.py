"""How far finite networks are from their limits, by their exact laws: width times the Kolmogorov distance to
laws of first order, and its square times that to laws of second order. Nothing is drawn at random.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

from deeplimits.analysis.exact_laws import law_at
from deeplimits.drawing.selections import points
from deeplimits.drawing.style import PAGE, PALETTE, letter, new_figure
from deeplimits.drawing.titles import folded, series_text
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

CAPTION = """\
**How far finite networks are from their limits, exactly** (study {{ study }}: {{ title }}; its
{{ samples }} networks at each point, {{ seeds }}, only name the points). The law of the correlation of a
network of width n is known without sampling; here is its Kolmogorov distance to limits, without error bars,
since nothing is drawn at random. *(a)* n times the distance to laws of first order: where a curve is
level, the distance falls like 1/n. *(b)* That of unshaped networks to their SDE grows like log n; the
leading 1/n term of the drift takes the logarithm off, though the curve is level only from some thousand
units on. *(c)* n² times the distance to the laws of second order, level from 16 units on.
"""
NEEDS = Needs(kinds=(Kind(WIDE, agree=("architecture",)),))

PANELS = (
    ("first order", 1, ("correlation_sde", "matched_sde", "linear")),
    ("first order, unshaped", 1, ("unshaped", "unshaped_corrected")),
    ("second order", 2, ("second_order_sde", "linear_second_order")),
)
"""Title, power of n, and limits."""
_MARKERS = "osD^vPX*"


def draw(study: Groups) -> Figure:
    """A curve for each limit and series of points that differ in width alone: n · KS, and n² · KS where the
    law is right to second order; of the correlation of the first two inputs at the last layer.
    """
    figure, (axes,) = new_figure(1, 3, PAGE, 3.3)
    held = points(study)
    networks = [
        perceptron_of({name: held[name].values[place] for name in NEEDED})
        for place in range(held.sizes["point"])
    ]
    series = held.width_series.values.tolist()
    widths, depths = (held[name].values.astype(float) for name in ("width", "depth"))
    lines = 0
    for axis, (title, power, names) in zip(axes, PANELS, strict=True):
        curves = _curves(networks, series, names)
        for drawn, ((curve, limit), found) in enumerate(curves.items()):
            color, marker = PALETTE[drawn % len(PALETTE)], _MARKERS[drawn % len(_MARKERS)]
            n, distances = np.array(sorted(found)).T
            text = f"{series_text(study, curve)}:\n   to {limit_text(limit)}"
            axis.plot(n, n**power * distances, marker=marker, ms=3.5, color=color, lw=0.9, label=folded(text))
        if not curves:
            axis.text(0.5, 0.5, "no exact law\nbeside such a limit", ha="center", transform=axis.transAxes)
            axis.set_axis_off()
            continue
        axis.set(
            xscale="log",
            xlabel=f"width n{depth_text(widths, depths)}",
            ylabel=("n" if power == 1 else "n²") + " · Kolmogorov distance",
            title=title,
        )
        top = max(n**power * distance for found in curves.values() for n, distance in found)
        # numbers that are right have no distance at all
        axis.set_ylim(0, 1.1 * top or 1.0)
        ticks = sorted({int(each) for found in curves.values() for each, _ in found})
        axis.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        axis.minorticks_off()
        legend = axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.3), labelspacing=0.6)
        lines = max(lines, sum(1 + text.get_text().count("\n") for text in legend.get_texts()))
    # a legend of many curves is taller than what is below the axes
    figure.set_figheight(max(figure.get_figheight(), 2.0 + 0.22 * lines))
    letter(axes)
    return figure


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
