"""Li, Nica & Roy 2022, Figure 1: the correlation of two inputs through an unshaped and a shaped ReLU network,
n = d = 150, ρ_0 = 0.3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from deeplimits.drawing.selections import (
    entry_of,
    histogram,
    layers,
    limit_density,
    limit_quantiles,
    point_of,
    points,
    quantiles,
    samples,
)
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
)
from deeplimits.store.study_groups import Groups
from deeplimits.sweep.figure_needs import ONCE, RELU, SHAPED, SQUARE, UNSHAPED, AtLeast, Compared, Kind, Needs

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CAPTION = """\
**The correlation of two inputs through 150 layers of width 150** ({{ samples }} networks each, {{ seeds }};
ρ₀ = 0.3; study {{ study }}). *Unshaped ReLU.* (a) The median of 1 − ρ at every layer, for the network, the
Markov chain (2.10) and the recursion of infinite width; (c) the densities at the last layer, with the exact
law of the stochastic limit. The chain follows the network; infinite width, a single point, misses both its
spread and its median. *Shaped ReLU with slopes 1 and 1 − 1/√n.* (b) The median of ρ against t = ℓ/n, with
two standard errors as a band; (d) the densities at t = 1. The SDE follows the network, in its median and in
its whole law, and the ODE of infinite width goes elsewhere. Slopes with c₊ + c₋ ≠ 0, such as these, have a
drift of their own that differs from the limit's by a part of order n\\ :sup:`−1/2`; the SDE that is matched
to it (matched κ) is drawn too, and at this width and sample count the two cannot be told apart. The SDE's
density solves the Fokker–Planck equation; its Euler sample, step 0.01, is drawn beside it as a kernel
estimate, which rounds off the peak at ρ = 1.
"""
NEEDS = Needs(
    kinds=(
        Kind({**UNSHAPED, "records": AtLeast(2)}, points=ONCE),
        Kind({**SHAPED, **RELU, **SQUARE, "exponent": 0.5, "records": AtLeast(2)}, points=ONCE),
    ),
    compared=(
        Compared("correlation", "markov_chain", "all"),
        Compared("correlation", "infinite_width", "all"),
        Compared("correlation", "unshaped"),
        Compared("correlation", "correlation_sde", "all", (1,)),
        Compared("correlation", "correlation_sde_euler", kinds=(1,)),
        Compared("correlation", "matched_sde", "all", (1,)),
        Compared("correlation", "correlation_ode", "all", (1,)),
    ),
)


_UNSHAPED_LABEL = "unshaped ReLU"
_SHAPED_LABEL = "ReLU (0, -1), p = 0.5"
_NO_NOISE = "infinite width: recursion, ODE dρ = ν dt"


def draw(study: Groups) -> Figure:
    """Medians against depth above, densities at the last layer below; unshaped left, shaped right."""
    figure, axes = new_figure(2, 2, PAGE, 5.3)
    _unshaped_median(axes[0, 0], study)
    _unshaped_density(axes[1, 0], study)
    _shaped_median(axes[0, 1], study)
    _shaped_density(axes[1, 1], study)
    letter(axes.flat)
    legend_below(figure, named(axes.T.flat))
    return figure


def _unshaped_median(axis: Any, study: Groups) -> None:
    point = point_of(study, _UNSHAPED_LABEL)
    recorded = layers(study, point)
    (median,) = quantiles(study, point, "correlation", [0.5])
    axis.semilogy(recorded, 1 - median, color=NETWORK, lw=3, alpha=0.45, label="network")
    for limit, label, style, color in (
        ("markov_chain", "Markov chain (2.10)", "--", LIMIT),
        ("infinite_width", _NO_NOISE, ":", SECOND),
    ):
        (law,) = limit_quantiles(study, point, entry_of(study, "correlation", limit), [0.5])
        axis.semilogy(recorded, 1 - law, style, color=color, label=label)
    axis.set(title="unshaped ReLU", xlabel="layer ℓ", ylabel="median of 1 − ρ")


def _unshaped_density(axis: Any, study: Groups) -> None:
    point = point_of(study, _UNSHAPED_LABEL)
    layer = int(layers(study, point)[-1])
    edges, density = histogram(study, point, "correlation", layer)
    axis.stairs(density, edges, fill=True, color=NETWORK, alpha=0.35, label="network")
    x, chain = limit_density(study, point, entry_of(study, "correlation", "markov_chain"))
    axis.plot(x, chain, "--", color=LIMIT, label="Markov chain (2.10)")
    x, exact = limit_density(study, point, entry_of(study, "correlation", "unshaped"))
    axis.plot(x, exact, color=FOURTH, lw=1, label="SDE of r, exact")
    (wide,) = limit_quantiles(study, point, entry_of(study, "correlation", "infinite_width"), [0.5])
    axis.axvline(wide[-1], ls=":", color=SECOND, label=_NO_NOISE)
    axis.set(
        xlim=(edges[0], 1.0),
        yscale="log",
        ylim=(max(density.max() * 1e-4, 1e-3), max(density.max(), 1.0) * 6),
        xlabel=f"ρ at layer {layer}",
        ylabel="density",
    )


def _shaped_median(axis: Any, study: Groups) -> None:
    point = point_of(study, _SHAPED_LABEL)
    time = layers(study, point) / points(study).width.values[point]
    low, middle, high = quantiles(study, point, "correlation", (0.25, 0.5, 0.75))
    # 1 / (2 f √N), with half of the mass between the quartiles for the density f
    error = (high - low) / np.sqrt(samples(study))
    axis.fill_between(time, middle - 2 * error, middle + 2 * error, color=NETWORK, alpha=0.2, lw=0)
    axis.plot(time, middle, color=NETWORK, lw=3, alpha=0.45, label="network")
    for limit, label, style, color in (
        ("correlation_sde", "SDE", "-", LIMIT),
        ("matched_sde", "SDE, matched κ", "--", FOURTH),
        ("correlation_ode", _NO_NOISE, ":", SECOND),
    ):
        (law,) = limit_quantiles(study, point, entry_of(study, "correlation", limit), [0.5])
        axis.plot(time, law, style, color=color, label=label)
    axis.set(title="shaped ReLU, c₊ = 0, c₋ = −1", xlabel="time t = ℓ/n", ylabel="median of ρ")


def _shaped_density(axis: Any, study: Groups) -> None:
    point = point_of(study, _SHAPED_LABEL)
    edges, density = histogram(study, point, "correlation", int(layers(study, point)[-1]))
    axis.stairs(density, edges, fill=True, color=NETWORK, alpha=0.35, label="network")
    x, exact = limit_density(study, point, entry_of(study, "correlation", "correlation_sde"))
    axis.plot(x, exact, color=LIMIT, label="SDE")
    x, euler = limit_density(study, point, entry_of(study, "correlation", "correlation_sde_euler"))
    axis.plot(x, euler, "--", color="0.35", lw=1, label="SDE, Euler step 0.01")
    (ode,) = limit_quantiles(study, point, entry_of(study, "correlation", "correlation_ode"), [0.5])
    axis.axvline(ode[-1], ymax=0.64, ls=":", color=SECOND, label=_NO_NOISE)
    axis.set(xlim=(-1, 1), ylim=(0, float(np.nanmax(density)) * 1.15), xlabel="ρ at t = 1", ylabel="density")
