"""Hayou 2022, Figure 2: the activation with which a residual network of one unit becomes an
Ornstein–Uhlenbeck process, φ(y) = exp(h⁻¹(α y + β)²), h = erfi.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from deeplimits.activations import OrnsteinUhlenbeck
from deeplimits.drawing.selections import points
from deeplimits.drawing.style import COLUMN, NETWORK, new_figure
from deeplimits.store.study_groups import Groups
from deeplimits.sweep.figure_needs import Kind, Needs

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CAPTION = """\
**The activation of the Ornstein–Uhlenbeck case**, φ(y) = exp(h⁻¹(αy + β)²), where h is the imaginary error
function, for (α, β) = (1, 0). It is positive everywhere and grows a little faster than the line \\|y\\|, so
that it is Lipschitz on every interval but not on the whole line. This is the activation of the {{ samples
}} networks ({{ seeds }}) of study {{ study }}.
"""
NEEDS = Needs(kinds=(Kind({"activation": "ornstein_uhlenbeck"}, agree=("alpha", "beta")),))


def draw(study: Groups) -> Figure:
    """φ beside |y|: it is smooth and positive, and grows a little faster than a line."""
    alpha, beta = (float(points(study)[name][0]) for name in ("alpha", "beta"))
    figure, axes = new_figure(1, 1, COLUMN, 2.4)
    axis = axes[0, 0]
    y = np.linspace(-5, 5, 401)
    axis.plot(y, OrnsteinUhlenbeck(alpha, beta)(y), color=NETWORK, label="φ(y)")
    axis.plot(y, np.abs(y), ":", color="0.45", lw=1, label="|y|")
    axis.set(xlabel="y", ylabel="φ(y)", xlim=(-5, 5), ylim=(0, None), title=f"α = {alpha:g}, β = {beta:g}")
    axis.legend(loc="upper center")
    return figure
