"""Hayou 2022, Figure 7: correlation of two inputs through a residual ReLU network of width 20 and depth 100.

No limit at finite width is known; as the width grows too, the correlation follows the ODE dρ = ν₁(ρ) dt of Li
& Nica 2024, section 2.3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from deeplimits.drawing.selections import at_point, entry_of, layers, limit_quantiles, quantiles
from deeplimits.drawing.style import LIMIT, NETWORK, PAGE, new_figure
from deeplimits.store.study_groups import Groups
from deeplimits.sweep.figure_needs import ONCE, PAIR, RESNET, AtLeast, Compared, Kind, Needs

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CAPTION = """\
**Correlations do not degenerate in a deep residual network** ({{ samples }} networks, {{ seeds }}; ReLU, n
= 20, L = 100, inputs with correlation 0.3; study {{ study }}). Thirty paths of the correlation of the
pre-activations against t = ℓ/L, with the median and the central 90 % of all networks, and the ODE of
infinite width and depth. The correlation at layer 0 is that of 20 random features of the inputs, so that it
varies already; from there on the median follows the ODE slowly upwards, single networks move about it with
noise of the order of n\\ :sup:`−1/2`, and nothing runs into 1. At finite width the law of the correlation
is not known.
"""
NEEDS = Needs(
    kinds=(Kind({**RESNET, **PAIR, "records": AtLeast(2)}, points=ONCE),),
    compared=(Compared("correlation", "resnet_ode", "all"),),
)


_PATHS = 30


def draw(study: Groups) -> Figure:
    """Thirty paths, median and central 90 % of all networks, and the limit of infinite width."""
    figure, axes = new_figure(1, 1, PAGE * 0.72, 3.0)
    axis = axes[0, 0]
    recorded = layers(study, 0)
    time = recorded / int(recorded[-1])
    gaps = at_point(study, "paths", "correlation_gap", 0).isel(path=slice(_PATHS)).values
    for index, gap in enumerate(gaps):
        label = f"{len(gaps)} networks" if index == 0 else None
        axis.plot(time, 1 - gap.astype(float), color=NETWORK, lw=0.6, alpha=0.7, label=label)
    # the ODE runs along the median, which is drawn wide enough to be seen beneath it
    looks = (("-", 3.2, "median of all"), ("--", 1.1, "5 % and 95 % of all"), ("--", 1.1, None))
    for values, (style, width, label) in zip(
        quantiles(study, 0, "correlation", (0.5, 0.05, 0.95)), looks, strict=True
    ):
        axis.plot(time, values, style, color="0.15", lw=width, label=label, zorder=3)
    (ode,) = limit_quantiles(study, 0, entry_of(study, "correlation", "resnet_ode"), [0.5])
    axis.plot(time, ode, color=LIMIT, label="ODE, infinite width", zorder=4)
    axis.set(xlabel="time t = ℓ/L", ylabel="correlation ρ", xlim=(0, 1), ylim=(None, 1))
    axis.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return figure
