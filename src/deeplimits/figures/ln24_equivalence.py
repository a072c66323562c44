"""Li & Nica 2024, Section 3: a shaped network with p < ½, one with p = ½, and a residual network on one time
axis, and where they part.

Left: the correlation. The first and the last share an ODE, the other follows an SDE. Right: the variance of
one input, constant, a geometric Brownian motion, and growing like e^{t/2}.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from deeplimits.array_types import Array
from deeplimits.drawing.selections import at_point, entry_of, limit_quantiles, points, quantiles, residual
from deeplimits.drawing.style import FOURTH, LIMIT, NETWORK, PAGE, SECOND, letter, new_figure
from deeplimits.store.study_groups import Groups
from deeplimits.sweep.figure_needs import (
    ONCE,
    ONE_INPUT,
    PAIR,
    RELU,
    RESNET,
    SHAPED,
    SYMMETRIC,
    AtLeast,
    Between,
    Compared,
    Kind,
    Needs,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CAPTION = """\
**Where shaped and residual networks part** ({{ samples }} networks each, {{ seeds }}; ρ₀ = 0.3, V₀ = 1;
study {{ study }}). Median (line) and central half (band) of three networks on one axis of time: shaped with
p < ½ (time ℓ/n\\ :sup:`2p`), shaped with p = ½ (ℓ/n), and residual with ReLU branches (ℓ/d); in vermilion,
the limits. *(a)* The correlation: shaped networks with p < ½ and residual networks share one ODE, dρ = ν
dt, about which they fluctuate by their finite width; at p = ½ the correlation is random in the limit too,
and its median follows the SDE. *(b)* The variance of one input: it is constant for p < ½, a geometric
Brownian motion for p = ½, whose median falls like e\\ :sup:`−t`, and grows like e\\ :sup:`t/2` in the
residual network. The two networks of the ODE are equivalent in their correlation only: the covariance ODE
that the paper prints for both, (2.14) and Remark 3.1, is not shared.
"""
_SHAPED = {**SHAPED, **SYMMETRIC, **ONE_INPUT, "records": AtLeast(2)}
NEEDS = Needs(
    kinds=(
        Kind({**_SHAPED, "exponent": Between(0.0, 0.5)}, points=ONCE),
        Kind({**_SHAPED, "exponent": 0.5}, points=ONCE),
        Kind({**RESNET, **RELU, **PAIR, **ONE_INPUT, "records": AtLeast(2)}, points=ONCE),
    ),
    compared=(
        Compared("correlation", "correlation_ode", "all"),
        Compared("correlation", "correlation_sde", "all", (1,)),
        Compared("correlation", "resnet_ode", "all", (2,)),
    ),
)


def draw(study: Groups) -> Figure:
    """Median and central half of every network, and the median of its limit."""
    figure, (axes,) = new_figure(1, 2, PAGE, 3.1)
    held = points(study)
    exponents, resnet = held.exponent.values, residual(study)

    def first(chosen: NDArray[np.bool_]) -> int:
        return int(np.flatnonzero(chosen)[0])

    kinds = (
        ("shaped, p = {p:g}", (FOURTH, "o"), first(~resnet & (exponents < 0.5)), "correlation_ode"),
        ("shaped, p = ½", (NETWORK, "s"), first(~resnet & (exponents == 0.5)), "correlation_sde"),
        ("ResNet", (SECOND, "D"), first(resnet), "resnet_ode"),
    )
    for name, look, point, limit in kinds:
        width, depth = held.width.values[point], held.depth.values[point]
        label = f"{name.format(p=exponents[point])}: n = {width}, d = {depth}"
        correlation = entry_of(study, "correlation", limit)
        time = at_point(study, "limits", "time", point).isel(entry=correlation).values
        _band(axes[0], time, quantiles(study, point, "correlation", (0.25, 0.5, 0.75)), look, label)
        log_v = quantiles(study, point, "log_variance", (0.25, 0.5, 0.75))
        _band(axes[1], time, [np.exp(each) for each in log_v], look, label)
        if limit != "correlation_ode":
            (median,) = limit_quantiles(study, point, correlation, [0.5])
            _curve(axes[0], time, median, limit)
        if limit == "resnet_ode":
            _curve(axes[1], time, np.exp(time / 2), "V₀ e^{t/2}")
        elif limit == "correlation_sde":
            _curve(axes[1], time, np.exp(-time), "median of V₀ e^{√2 B − t}")
        else:
            _curve(axes[1], time, np.ones_like(time), "V₀")
    axes[0].set(xlabel="time t", ylabel="correlation ρ", title="correlation")
    axes[1].set(xlabel="time t", ylabel="V of one input", title="variance", yscale="log")
    axes[1].set_yticks([0.25, 0.5, 1, 2], ["0.25", "0.5", "1", "2"])
    axes[1].minorticks_off()
    letter(axes)
    handles, labels = axes[0].get_legend_handles_labels()
    order = [i for i, text in enumerate(labels) if "n =" in text] + [
        i for i, text in enumerate(labels) if "n =" not in text
    ]
    figure.legend(
        [handles[i] for i in order], [labels[i] for i in order], loc="outside lower center", ncols=3
    )
    return figure


def _band(axis: Any, time: Array, quantiles: list[Array], look: Any, label: str) -> None:
    (low, middle, high), (color, marker) = quantiles, look
    axis.fill_between(time, low, high, color=color, alpha=0.2, lw=0)
    seen = {"marker": marker, "markevery": 0.2, "ms": 4.5}
    axis.plot(time, middle, color=color, lw=2.4, alpha=0.7, label=label, **seen)


_STYLES = {
    "correlation_sde": (":", "SDE, median"),
    "resnet_ode": ("--", "ODE"),
    "V₀": ("--", None),
    "V₀ e^{t/2}": ("--", None),
    "median of V₀ e^{√2 B − t}": (":", None),
}


def _curve(axis: Any, time: Array, values: Array, name: str) -> None:
    style, label = _STYLES[name]
    axis.plot(time, values, style, color=LIMIT, lw=1.2, label=label, zorder=4)
