"""Li & Nica 2024, Figure 1: the density of r = log ℓ²(1 − ρ) at t = 1, with the law that Theorem 4.1 prints
beside the one that networks follow.
"""

from __future__ import annotations

from matplotlib.figure import Figure

from deeplimits.figures.selections import (
    distance,
    entry_of,
    histogram,
    layers,
    limit_density,
    points,
    samples,
)
from deeplimits.figures.style import FOURTH, LIMIT, NETWORK, PAGE, SECOND, new_figure
from deeplimits.laws import noise_floor
from deeplimits.store.study_groups import Groups


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
