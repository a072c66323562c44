"""Li & Nica 2024, Figure 1: the density of r = log ℓ²(1 − ρ) at t = 1, with the law that Theorem 4.1 prints
beside the one that networks follow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from deeplimits.drawing.selections import (
    distance,
    entry_of,
    histogram,
    layers,
    limit_density,
    points,
    samples,
)
from deeplimits.drawing.style import FOURTH, LIMIT, NETWORK, PAGE, SECOND, new_figure
from deeplimits.laws import noise_floor
from deeplimits.store.study_groups import Groups
from deeplimits.sweep.figure_needs import ONCE, SQUARE, UNSHAPED, Compared, Kind, Needs

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CAPTION = """\
**Which law the rescaled correlation follows** ({{ samples }} networks, {{ seeds }}; unshaped ReLU, n = d =
150, ρ₀ = 0.3; study {{ study }}). The density of r = log ℓ²(1 − ρ) at t = 1: histogram of the network, and
four laws with their Kolmogorov distances to it. The SDE with the sign of equation (4.8) fits, better still
with the term of order 1/n that its drift has at finite width. The law of Theorem 4.1 as it is printed, with
the opposite sign, lies far to the left: the sign slips between the paper's equations (4.18) and (4.19). The
paper's own scheme (4.9), step 0.01 from r₀ = log 0.7, has the right sign and a bias of its step. Pure noise
would give a distance of {{ noise }}.
"""
NEEDS = Needs(
    kinds=(Kind({**UNSHAPED, **SQUARE}, points=ONCE),),
    compared=tuple(
        Compared("rescaled_correlation", limit, distance="ks")
        for limit in ("unshaped", "unshaped_corrected", "ln24_theorem_4_1_printed", "unshaped_euler")
    ),
)


def draw(study: Groups) -> Figure:
    """Histogram of the network and four laws, each with its Kolmogorov distance to the network."""
    figure, axes = new_figure(1, 1, PAGE * 0.8, 3.4)
    axis = axes[0, 0]
    layer = int(layers(study, 0)[-1])
    edges, density = histogram(study, 0, "rescaled_correlation", layer)
    axis.stairs(
        density,
        edges,
        fill=True,
        color=NETWORK,
        alpha=0.35,
        label=f"network, n = d = {points(study).width.values[0]}",
    )
    for limit, label, style, color in (
        ("unshaped", "SDE, + sign (4.8), exact", "-", LIMIT),
        ("unshaped_corrected", "… with the 1/n term of the drift", "--", FOURTH),
        ("ln24_theorem_4_1_printed", "Theorem 4.1 as printed (− sign)", "-.", SECOND),
        ("unshaped_euler", "scheme (4.9), step 0.01", ":", "0.25"),
    ):
        entry = entry_of(study, "rescaled_correlation", limit)
        x, y = limit_density(study, 0, entry)
        found = float(distance(study, "ks")[0, entry])
        axis.plot(x, y, style, color=color, label=f"{label}: KS {found:.3f}")
    axis.set(xlim=(-8, 10), ylim=(0, None), xlabel="r = log ℓ²(1 − ρ) at t = 1", ylabel="density")
    count = samples(study)
    axis.plot([], [], " ", label=f"noise alone, {count:,} samples: KS {noise_floor(count):.3f}")
    figure.legend(loc="outside lower center", ncols=2)
    return figure
