"""Li, Nica & Roy 2022, Figure 2: shaped softplus networks explode or not, by where the activation is centred.

Left: paths of V at a centre that explodes and one that does not, up to the threshold V = s² = n. Right: the
probability of V ≥ s² by t = 1 against the centre x₀, for networks of growing width, with the exact law of the
narrowest of them, and of the limit at T = 1 and at T = ∞; the centre from which on nothing explodes is
log 7/4, not log 5/4 as printed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from deeplimits.activations import Smooth
from deeplimits.array_types import Array
from deeplimits.drawing.selections import at_point, group, layers, points, samples
from deeplimits.drawing.style import (
    FOURTH,
    LIMIT,
    NETWORK,
    PAGE,
    SECOND,
    legend_below,
    letter,
    named,
    new_figure,
    shades,
)
from deeplimits.limits.exact_variance import ExactVariance
from deeplimits.limits.mlp.smooth_variance import SmoothVariance
from deeplimits.networks.network import Network, Shaping
from deeplimits.store.study_groups import Groups
from deeplimits.sweep.columns import NEEDED, perceptron_of
from deeplimits.sweep.figure_needs import MARKERS, ONE_INPUT, SQUARE, WIDE, AtLeast, Kind, Needs

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CAPTION = """\
**Shaped softplus networks explode where their centre lies below log 7/4** ({{ samples }} networks at each
point, {{ seeds }}; a = 1, V₀ = 1, depth = width; study {{ study }}). *(a)* Paths of the variance V
through ten networks of width 100 at the lowest and ten at the highest centre, up to the threshold V = s² =
n, beyond which a network leaves the regime of its limit. *(b)* The part of the networks that reach the
threshold by t = 1, with two standard errors, against the centre x₀; of the narrowest networks also their
exact law, as dashes, for which none is drawn; the exact probability that the limit explodes by T = 1 (from
the Fokker–Planck equation of its dual) and ever (closed form). The networks approach the solid curve from
below as n grows. The dashed curve reaches zero at log 7/4 = 0.560. At log 5/4
= 0.223, which the paper prints as the threshold, one network in fourteen still explodes in the end.
"""
NEEDS = Needs(
    kinds=(
        Kind(
            {
                **WIDE,
                "activation": "softplus",
                "a": 1.0,
                "exponent": 0.5,
                "shaped_by": "width",
                **SQUARE,
                **ONE_INPUT,
                "records": AtLeast(2),
            },
            differ={"width": (1, MARKERS), "center": (2, 100)},
            whole=True,
        ),
    ),
)


_PATHS = 10
_WIDTH = 100
"""Width of the networks whose paths are drawn, where the study has it."""
_CURVE = 32
"""Centres at which the curves of the limit are computed, besides the threshold."""


def draw(study: Groups) -> Figure:
    """Paths, and probabilities with two standard errors."""
    figure, (axes,) = new_figure(1, 2, PAGE, 3.2)
    _paths(axes[0], study)
    _probabilities(axes[1], study)
    letter(axes)
    legend_below(figure, named(axes))
    return figure


def _paths(axis: Any, study: Groups) -> None:
    widths, centers = points(study).width.values, points(study).center.values
    width = _WIDTH if _WIDTH in widths else int(widths.min())
    members = np.flatnonzero(widths == width)
    ends = (members[np.argmin(centers[members])], members[np.argmax(centers[members])])
    for point, color, dash, kind in zip(
        ends, (FOURTH, NETWORK), ("-", (0, (3, 1))), ("unstable", "stable"), strict=True
    ):
        recorded = layers(study, int(point))
        paths = at_point(study, "paths", "log_variance", int(point)).isel(path=slice(_PATHS))
        for index, path in enumerate(np.exp(paths.values.astype(float))):
            beyond = np.flatnonzero(path >= width)
            stop = beyond[0] + 1 if beyond.size else len(path)
            label = f"x₀ = {centers[point]:g}, {kind}".replace("-", "−") if index == 0 else None
            axis.plot(recorded[:stop] / width, path[:stop], ls=dash, color=color, lw=0.8, label=label)
    axis.axhline(width, color="0.5", ls=":", lw=0.9)
    axis.annotate(
        "V = s²", (0, width), xytext=(2, 2), textcoords="offset points", fontsize=7, color="0.35", va="bottom"
    )
    axis.set(
        yscale="log",
        xlabel="time t = ℓ/n",
        ylabel="V",
        title=f"{min(_PATHS, samples(study))} networks each, n = {width}",
    )
    axis.set_ylim(top=width * 4)


def _probabilities(axis: Any, study: Groups) -> None:
    widths, centers = points(study).width.values, points(study).center.values
    count, sizes = samples(study), sorted(set(widths.tolist()))
    events = group(study, "events")
    exploded = events.exploded.isel(record=events.layer.argmax("record")).values
    for width, color, marker in zip(sizes, shades(len(sizes)), "osD^vPX*", strict=False):
        chosen = np.flatnonzero(widths == width)
        chosen = chosen[np.argsort(centers[chosen])]
        found = exploded[chosen] / count
        error = 2 * np.sqrt(found * (1 - found) / count)
        axis.errorbar(
            centers[chosen], found, error, fmt=marker, ms=3.2, color=color, lw=0.9, label=f"n = {width}"
        )
        if width == sizes[0]:
            exact = [_exact(study, int(point)) for point in chosen]
            if None not in exact:
                label = f"n = {width}, its exact law"
                axis.plot(
                    centers[chosen], exact, color=NETWORK, ls="", marker="_", ms=11, mew=1.2, label=label
                )
    x, by_one, ever = _limit(study, float(centers.min()), float(centers.max()))
    axis.plot(x, by_one, color=LIMIT, label="limit, T = 1", zorder=1)
    axis.plot(x, ever, "--", color=SECOND, label="limit, T = ∞", zorder=1)
    axis.set(xlabel="centre x₀", ylabel="probability of explosion", title="V ≥ s² by t = 1")
    axis.set_ylim(top=float(ever.max()) * 1.12)
    for factor, style, text in ((5, ":", "log 5/4,\nas printed"), (7, "-.", "log 7/4")):
        place = np.log(factor / 4)
        axis.axvline(place, ymax=0.32, color="0.4", ls=style, lw=0.9)
        axis.annotate(
            text,
            (place, 0.3 if factor == 7 else 0.2),
            xycoords=("data", "axes fraction"),
            xytext=(3 if factor == 7 else -3, 0),
            textcoords="offset points",
            fontsize=7,
            color="0.25",
            ha="left" if factor == 7 else "right",
            va="center",
        )


def _exact(study: Groups, point: int) -> float | None:
    """The probability for the network of a point, exactly; None where its law is not known."""
    held, law = points(study), ExactVariance()
    network = perceptron_of({name: held[name].values[point] for name in NEEDED})
    if network is None or not law.applies(network, "log_variance"):
        return None
    try:
        return law.explosion_probability(network, network.depth)
    except ArithmeticError:
        return None


def _limit(study: Groups, low: float, high: float) -> tuple[Array, ...]:
    """Centres, and what the limit gives at them by T = 1 and ever: exact, and the same at every width."""
    limit, x = SmoothVariance(), np.sort(np.append(np.linspace(low, high, _CURVE), np.log(7 / 4)))
    first = points(study).isel(point=0)
    formula, a = str(first.formula.item()), float(first.a)
    networks = [Network(Smooth(formula, a, float(at)), 1, 1, ((1.0,),), 0, Shaping()) for at in x]
    by_one = np.array([limit.explosion_probability(network, 1) for network in networks])
    return x, by_one, np.array([limit.explosion_probability_ever(network) for network in networks])
