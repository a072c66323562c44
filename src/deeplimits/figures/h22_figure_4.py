"""Hayou 2022, Figure 4: the probability that a residual ReLU network collapses, every unit negative at some
layer, against its depth; given that layer 0 is alive.

It vanishes as the depth grows at any width (Lemmas 2 and 3), for one unit exactly as 1 − Φ(√L)^L.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from deeplimits.activations import ReluLike
from deeplimits.analysis.proportions import clopper_pearson
from deeplimits.array_types import Array
from deeplimits.drawing.selections import group, points
from deeplimits.drawing.style import LIMIT, PAGE, new_figure, shades
from deeplimits.limits.resnet.collapse import collapse_probability
from deeplimits.networks.network import Network
from deeplimits.store.study_groups import Groups
from deeplimits.sweep.figure_needs import MARKERS, RELU, RESNET, Kind, Needs

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CAPTION = """\
**Deep networks do not collapse** ({{ samples }} networks at each point, {{ seeds }}; residual ReLU
networks, one input; study {{ study }}). The probability that every unit is negative at some layer up to the
last, given that this is not so at layer 0, against depth, for widths 1 to 6. Bars are intervals of Clopper
and Pearson of 95 %; where not one network collapsed, an open triangle marks their upper end. The line is
exact for one unit, 1 − Φ(√L)\\ :sup:`L`. Collapse becomes rarer with depth at every width, and with width
at every depth.
"""
NEEDS = Needs(
    kinds=(Kind({**RESNET, **RELU, "drawn": True}, differ={"width": (1, MARKERS), "depth": (1, 20)}),)
)


_MARKERS = "osD^vPX*"


def draw(study: Groups) -> Figure:
    """A curve for each width, with 95 % intervals; where nothing collapsed, their upper end alone."""
    figure, axes = new_figure(1, 1, PAGE * 0.72, 3.2)
    axis = axes[0, 0]
    widths, depths = points(study).width.values, points(study).depth.values
    events = group(study, "events")
    last = events.layer.argmax("record")
    collapsed, alive = events.collapsed.isel(record=last).values, events.alive.values
    low, high = clopper_pearson(collapsed, alive)
    known = alive > 0
    sizes = sorted(set(widths.tolist()))
    for width, color, marker in zip(sizes, shades(len(sizes)), _MARKERS, strict=False):
        chosen = np.flatnonzero((widths == width) & known)
        chosen = chosen[np.argsort(depths[chosen])]
        seen, none = chosen[collapsed[chosen] > 0], chosen[collapsed[chosen] == 0]
        found = collapsed[seen] / alive[seen]
        axis.errorbar(
            depths[seen],
            found,
            [found - low[seen], high[seen] - found],
            fmt=marker + "-",
            ms=3.5,
            lw=0.9,
            capsize=2,
            color=color,
            label=f"n = {width}",
        )
        # a rule of three: nothing seen bounds the probability from above only
        axis.plot(depths[none[:1]], high[none[:1]], "v", mfc="none", ms=4, color=color)
    fine = np.unique(np.geomspace(1, depths.max(), 200).round().astype(int)).tolist()
    shown = str(points(study).architecture.values[0])
    exact = [Network(ReluLike(), 1, depth, ((1.0,),), architecture=shown) for depth in fine]
    axis.plot(
        fine,
        [collapse_probability(network, network.depth) for network in exact],
        color=LIMIT,
        lw=1,
        label="1 − Φ(√L)$^L$, exact for n = 1",
        zorder=1,
    )
    axis.plot([], [], "v", mfc="none", ms=4, color="0.4", label="none seen: upper end of 95 %")
    axis.set(
        xscale="log",
        yscale="log",
        xlabel="depth L",
        ylabel="probability of collapse",
        ylim=(_lowest(collapsed, alive, high), 0.5),
    )
    ticks = sorted(set(depths.tolist()))
    axis.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axis.minorticks_off()
    handles, labels = axis.get_legend_handles_labels()
    widths_first = sorted(range(len(labels)), key=lambda index: not labels[index].startswith("n ="))
    axis.legend(
        [handles[index] for index in widths_first],
        [labels[index] for index in widths_first],
        loc="upper left",
        bbox_to_anchor=(1.0, 1.0),
    )
    return figure


def _lowest(collapsed: NDArray[np.int64], alive: NDArray[np.int64], high: Array) -> float:
    """Where the axis begins: below the rarest collapse that was seen, or below the bounds where none was."""
    seen = collapsed > 0
    found = (collapsed[seen] / alive[seen]).tolist() or high[alive > 0].tolist() or [0.1]
    return min(0.25, float(min(found)) / 2)
