"""Density of an observable at the compared layer, network against limits, a panel for each point."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from deeplimits.drawing.panels import in_two_columns
from deeplimits.drawing.selections import (
    compared,
    distance,
    entries,
    first_observable,
    histogram,
    layers,
    limit_density,
    panels,
)
from deeplimits.drawing.style import NETWORK, legend_below, letter, look
from deeplimits.drawing.titles import title
from deeplimits.drawing.wording import limit_text, observable_text
from deeplimits.store.study_groups import Groups
from deeplimits.sweep.figure_needs import Needs

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CAPTION = """\
**The law of an observable beside its limits** ({{ samples }} networks at each point, {{ seeds }}; study {{
study }}: {{ title }}). One panel for each of at most six points, the first of every network before the
second of any. Blue: histogram of the networks at the layer compared. Lines: densities of the limits, with
the Kolmogorov distance (KS) of the network to each; an upright line is a limit that is a number. Pure noise
would give a distance of {{ noise }}.
"""
NEEDS = Needs()


_PANELS = 6


def draw(study: Groups) -> Figure:
    """Histograms of six points, the first of every network before the second of any, and the density of every
    limit with its Kolmogorov distance; a limit that is a number as a line.
    """
    observable = first_observable(study)
    points = panels(study, _PANELS, observable)
    figure, axes = in_two_columns(len(points))
    shown: dict[str, Any] = {}
    for axis, point in zip(axes, points, strict=True):
        shown |= _panel(study, axis, point, observable)
    letter(axes)
    legend_below(figure, {name: shown[name] for name in _in_order(study, observable, shown)})
    return figure


def _in_order(study: Groups, observable: str, shown: dict[str, Any]) -> list[str]:
    """The network first, then the limits as the study has them."""
    limits = [limit_text(limit) for _, limit in entries(study, observable)]
    return sorted(shown, key=lambda name: limits.index(name) if name in limits else -1)


def _panel(study: Groups, axis: Axes, point: int, observable: str) -> dict[str, Any]:
    """Draw a panel, whose own legend has the distances; what it shows, by name, for that of all."""
    held = entries(study, observable)
    at_layers = [int(compared(study, "at_layer")[point, j]) for j, _ in held]
    layer = next((layer for layer in at_layers if layer >= 0), int(layers(study, point)[-1]))
    edges, density = histogram(study, point, observable, layer)
    bars = axis.stairs(density, edges, fill=True, color=NETWORK, alpha=0.35)
    shown: dict[str, Any] = {"network": bars}
    measured: list[tuple[Any, str]] = [] if density.any() else [(bars, "no finite value")]
    limits = list(dict.fromkeys(limit for _, limit in held))
    # laws of other layers are of another histogram
    for j, limit in [entry for entry, at in zip(held, at_layers, strict=True) if at == layer]:
        x, y = limit_density(study, point, j)
        mean, std = (float(compared(study, name)[point, j]) for name in ("limit_mean", "limit_std"))
        color, dash = look(limits.index(limit))
        if np.isfinite(y).any():
            (line,) = axis.plot(x, y, dash, color=color)
            found = float(distance(study, "ks")[point, j])
            if np.isfinite(found):
                measured.append((line, f"{found:.3f}"))
        elif std == 0 and np.isfinite(mean):
            line = axis.axvline(mean, ls=dash, color=color)
        else:
            continue
        shown[limit_text(limit)] = line
    axis.set(
        title=title(study, point),
        xlabel=f"{observable_text(observable)} at layer {layer}",
        ylabel="density",
        ylim=(0, None),
    )
    if measured:
        axis.legend(
            *zip(*measured, strict=True),
            title="KS",
            title_fontsize=7,
            frameon=True,
            framealpha=0.8,
            edgecolor="none",
            borderpad=0.2,
        )
    return shown
