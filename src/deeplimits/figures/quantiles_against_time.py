"""Quantiles of an observable through the network beside those of its limits: the first look at any study of
one's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from deeplimits.architectures import architecture
from deeplimits.drawing.panels import in_two_columns
from deeplimits.drawing.selections import (
    entries,
    first_observable,
    layers,
    limit_quantiles,
    panels,
    points,
    quantiles,
)
from deeplimits.drawing.style import NETWORK, legend_below, letter, look, named
from deeplimits.drawing.titles import title
from deeplimits.drawing.wording import limit_text, observable_text
from deeplimits.store.study_groups import Groups
from deeplimits.sweep.figure_needs import Needs

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CAPTION = """\
**An observable through the network, beside its limits** ({{ samples }} networks at each point, {{ seeds }};
study {{ study }}: {{ title }}). One panel for each of at most six points, the first of every network before
the second of any. Blue: median and central half (25 % to 75 %) of the networks at every recorded layer,
against time ℓ/n, or ℓ/d of a residual network. Vermilion, and other colours where there are more: median
(solid) and quartiles (dashed) of each limit, or a marker and bars where it was compared at one time only.
Where the two sets of lines lie on each other, the limit describes the network.
"""
NEEDS = Needs(shown=2)


_PANELS = 6
_CENTRAL_HALF = (0.25, 0.5, 0.75)
_MARKERS = "Ds^v"


def draw(study: Groups) -> Figure:
    """A panel for each of six points, the first of every network before the second of any: median and the
    central half of the network, and of every limit, at the layers where it is compared.
    """
    observable = first_observable(study)
    chosen = panels(study, _PANELS, observable)
    figure, axes = in_two_columns(len(chosen))
    for axis, point in zip(axes, chosen, strict=True):
        _panel(study, axis, point, observable)
    letter(axes)
    legend_below(figure, named(axes))
    return figure


def _panel(study: Groups, axis: Axes, point: int, observable: str) -> None:
    held = points(study).isel(point=point)
    residual = architecture(str(held.architecture.values)).residual
    time = layers(study, point) / held["depth" if residual else "width"].values
    low, middle, high = quantiles(study, point, observable, _CENTRAL_HALF)
    axis.fill_between(time, low, high, color=NETWORK, alpha=0.25, lw=0)
    axis.plot(time, middle, color=NETWORK, lw=2.2, alpha=0.6, label="network: median, central half")
    limits = list(dict.fromkeys(limit for _, limit in entries(study, observable)))
    for j, limit in entries(study, observable):
        low, middle, high = limit_quantiles(study, point, j, _CENTRAL_HALF)
        known = np.isfinite(middle)
        if not known.any():
            continue
        place = limits.index(limit)
        (color, _), marker = look(place), _MARKERS[place % len(_MARKERS)]
        if known.sum() > 1:
            # marks where those of the others are not: limits that agree are both seen
            marks: dict[str, Any] = {"marker": marker, "markevery": (0.06 * place, 0.24), "ms": 3.5}
            if len(limits) == 1:
                marks = {}
            axis.plot(time[known], middle[known], color=color, label=limit_text(limit), **marks)
            for quantile in (low, high):
                axis.plot(time[known], quantile[known], "--", color=color, lw=0.8)
        else:
            # hollow and larger each time, so that limits that agree are both seen
            axis.plot(
                time[known],
                middle[known],
                marker,
                ms=4 + 2.5 * place,
                color=color,
                mfc="none" if place else color,
                label=limit_text(limit),
            )
            for quantile in (low, high):
                axis.plot(time[known], quantile[known], "_", ms=6 + 4 * place, color=color, lw=0.8)
    axis.set(
        title=title(study, point),
        xlabel="time ℓ/d" if residual else "time ℓ/n",
        ylabel=observable_text(observable),
    )
