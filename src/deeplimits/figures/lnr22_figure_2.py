"""Li, Nica & Roy 2022, Figure 2: shaped softplus networks explode or not, by where the activation is centred.

Left: paths of V at a centre that explodes and one that does not, up to the threshold V = s² = n. Right: the
probability of V ≥ s² by t = 1 against the centre x₀, for networks of growing width, with the exact law of the
limit at T = 1 and at T = ∞; the centre from which on nothing explodes is log 7/4, not log 5/4 as printed.
"""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from deeplimits.figures.data import StudyData
from deeplimits.figures.style import LIMIT, NETWORK, PAGE, PALETTE, SECOND, new_figure

_PATHS = 10


def draw(data: StudyData) -> Figure:
    """Paths, and probabilities with two standard errors."""
    figure, (axes,) = new_figure(1, 2, PAGE, 2.8)
    widths = data.array("moments", "width")
    centers = data.array("moments", "center")
    narrow = np.flatnonzero(widths == widths.min())
    ends = (narrow[np.argmin(centers[narrow])], narrow[np.argmax(centers[narrow])])
    for point, color in zip(ends, (LIMIT, NETWORK), strict=True):
        layers = data.layers(int(point))
        paths = np.exp(data.array("paths", "log_variance")[point, :_PATHS, : len(layers)].astype(float))
        threshold = float(widths[point])
        for index, path in enumerate(paths):
            beyond = np.flatnonzero(path >= threshold)
            stop = beyond[0] + 1 if beyond.size else len(path)
            label = f"x₀ = {centers[point]:g}" if index == 0 else None
            axes[0].plot(layers[:stop] / threshold, path[:stop], color=color, lw=0.8, label=label)
    axes[0].axhline(widths.min(), color="0.5", ls=":", lw=0.9, label="V = s²")
    axes[0].set(
        yscale="log", xlabel="time t = ℓ/n", ylabel="V", title=f"10 networks each, n = {widths.min()}"
    )
    axes[0].legend()

    samples = data.samples
    for index, width in enumerate(sorted(set(widths.tolist()))):
        chosen = np.flatnonzero(widths == width)
        chosen = chosen[np.argsort(centers[chosen])]
        last = [len(data.layers(int(point))) - 1 for point in chosen]
        found = data.array("events", "exploded")[chosen, last] / samples
        error = 2 * np.sqrt(found * (1 - found) / samples)
        color = PALETTE[(0, 4, 9)[index % 3]]
        axes[1].errorbar(
            centers[chosen],
            found,
            error,
            fmt="osD"[index % 3],
            ms=3,
            color=color,
            lw=0.9,
            label=f"n = {width}",
        )
    chosen = narrow[np.argsort(centers[narrow])]
    for name, label, color, style in (
        ("explosion_probability", "limit, T = 1", LIMIT, "-"),
        ("explosion_probability_ever", "limit, T = ∞", SECOND, "--"),
    ):
        axes[1].plot(centers[chosen], data.array("events", name)[chosen], style, color=color, label=label)
    for factor, style in ((7, "-."), (5, ":")):
        printed = ", as printed" if factor == 5 else ""
        axes[1].axvline(np.log(factor / 4), color="0.4", ls=style, lw=0.9, label=f"log {factor}/4{printed}")
    axes[1].set(xlabel="centre x₀", ylabel="probability of explosion", title="V ≥ s² by t = 1")
    axes[1].legend(loc="upper right", frameon=True, framealpha=1.0, edgecolor="none")
    return figure
