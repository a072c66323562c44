"""Li & Nica 2024, Figure 1: the density of r = log ℓ²(1 − ρ) at t = 1, with the law that Theorem 4.1 prints
beside the one that networks follow.
"""

from __future__ import annotations

from matplotlib.figure import Figure

from deeplimits.figures.data import StudyData
from deeplimits.figures.style import FOURTH, LIMIT, NETWORK, PAGE, SECOND, new_figure
from deeplimits.laws import noise_floor


def draw(data: StudyData) -> Figure:
    """Histogram of the network and four laws, each with its Kolmogorov distance to the network."""
    figure, axes = new_figure(1, 1, PAGE * 0.8, 3.4)
    axis = axes[0, 0]
    layer = int(data.layers(0)[-1])
    edges, density = data.density(0, "rescaled_correlation", layer)
    axis.stairs(
        density,
        edges,
        fill=True,
        color=NETWORK,
        alpha=0.35,
        label=f"network, n = d = {data.coordinate('width', 0)}",
    )
    for limit, label, style, color in (
        ("unshaped", "SDE, + sign (4.8), exact", "-", LIMIT),
        ("unshaped_corrected", "… with the 1/n term of the drift", "--", FOURTH),
        ("ln24_theorem_4_1_printed", "Theorem 4.1 as printed (− sign)", "-.", SECOND),
        ("unshaped_euler", "scheme (4.9), step 0.01", ":", "0.25"),
    ):
        entry = data.entry("rescaled_correlation", limit)
        x, y = data.limit_density(0, entry)
        axis.plot(x, y, style, color=color, label=f"{label}: KS {data.compared('ks_value', 0, entry):.3f}")
    axis.set(xlim=(-8, 10), ylim=(0, None), xlabel="r = log ℓ²(1 − ρ) at t = 1", ylabel="density")
    axis.plot([], [], " ", label=f"noise alone, {data.samples:,} samples: KS {noise_floor(data.samples):.3f}")
    figure.legend(loc="outside lower center", ncols=2)
    return figure
