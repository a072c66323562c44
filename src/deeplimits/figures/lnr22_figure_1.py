"""Li, Nica & Roy 2022, Figure 1: the correlation of two inputs through an unshaped and a shaped ReLU network,
n = d = 150, ρ_0 = 0.3.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from deeplimits.figures.selections import (
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
from deeplimits.figures.style import FOURTH, LIMIT, NETWORK, PAGE, SECOND, new_figure
from deeplimits.store.study_groups import Groups

UNSHAPED = "unshaped ReLU"
SHAPED = "ReLU (0, -1), p = 0.5"


def draw(study: Groups) -> Figure:
    """Medians against depth above, densities at the last layer below; unshaped left, shaped right."""
    figure, axes = new_figure(2, 2, PAGE, 4.9)
    _unshaped_median(axes[0, 0], study)
    _unshaped_density(axes[1, 0], study)
    _shaped_median(axes[0, 1], study)
    _shaped_density(axes[1, 1], study)
    return figure


def _unshaped_median(axis: Any, study: Groups) -> None:
    point = point_of(study, UNSHAPED)
    recorded = layers(study, point)
    (median,) = quantiles(study, point, "correlation", [0.5])
    axis.semilogy(recorded, 1 - median, color=NETWORK, lw=3, alpha=0.45, label="network")
    for limit, label, style, color in (
        ("markov_chain", "Markov chain (2.10)", "--", LIMIT),
        ("infinite_width", "infinite width", ":", SECOND),
    ):
        (law,) = limit_quantiles(study, point, entry_of(study, "correlation", limit), [0.5])
        axis.semilogy(recorded, 1 - law, style, color=color, label=label)
    axis.set(title="unshaped ReLU", xlabel="layer ℓ", ylabel="median of 1 − ρ")
    axis.legend()


def _unshaped_density(axis: Any, study: Groups) -> None:
    point = point_of(study, UNSHAPED)
    layer = int(layers(study, point)[-1])
    edges, density = histogram(study, point, "correlation", layer)
    axis.stairs(density, edges, fill=True, color=NETWORK, alpha=0.35, label="network")
    x, chain = limit_density(study, point, entry_of(study, "correlation", "markov_chain"))
    axis.plot(x, chain, "--", color=LIMIT, label="Markov chain (2.10)")
    x, exact = limit_density(study, point, entry_of(study, "correlation", "unshaped"))
    axis.plot(x, exact, color=FOURTH, lw=1, label="SDE of r, exact")
    (wide,) = limit_quantiles(study, point, entry_of(study, "correlation", "infinite_width"), [0.5])
    axis.axvline(wide[-1], ls=":", color=SECOND, label="infinite width (a point)")
    axis.set(
        xlim=(edges[0], 1.0),
        yscale="log",
        ylim=(max(density.max() * 1e-4, 1e-3), max(density.max(), 1.0) * 6),
        xlabel=f"ρ at layer {layer}",
        ylabel="density",
    )
    axis.legend(loc="upper left")


def _shaped_median(axis: Any, study: Groups) -> None:
    point = point_of(study, SHAPED)
    time = layers(study, point) / points(study).width.values[point]
    low, middle, high = quantiles(study, point, "correlation", (0.25, 0.5, 0.75))
    # 1 / (2 f √N), with half of the mass between the quartiles for the density f
    error = (high - low) / np.sqrt(samples(study))
    axis.fill_between(time, middle - 2 * error, middle + 2 * error, color=NETWORK, alpha=0.2, lw=0)
    axis.plot(time, middle, color=NETWORK, lw=3, alpha=0.45, label="network, ± 2 standard errors")
    for limit, label, style, color in (
        ("correlation_sde", "SDE", "-", LIMIT),
        ("matched_sde", "SDE, matched κ", "--", FOURTH),
        ("correlation_ode", "ODE dρ = ν dt", ":", SECOND),
    ):
        (law,) = limit_quantiles(study, point, entry_of(study, "correlation", limit), [0.5])
        axis.plot(time, law, style, color=color, label=label)
    axis.set(title="shaped ReLU, c₊ = 0, c₋ = −1", xlabel="time t = ℓ/n", ylabel="median of ρ")
    axis.legend()


def _shaped_density(axis: Any, study: Groups) -> None:
    point = point_of(study, SHAPED)
    edges, density = histogram(study, point, "correlation", int(layers(study, point)[-1]))
    axis.stairs(density, edges, fill=True, color=NETWORK, alpha=0.35, label="network")
    x, exact = limit_density(study, point, entry_of(study, "correlation", "correlation_sde"))
    axis.plot(x, exact, color=LIMIT, label="SDE, exact (Fokker–Planck)")
    x, euler = limit_density(study, point, entry_of(study, "correlation", "correlation_sde_euler"))
    axis.plot(x, euler, "--", color="0.35", lw=1, label="SDE, Euler step 0.01 (kernel estimate)")
    (ode,) = limit_quantiles(study, point, entry_of(study, "correlation", "correlation_ode"), [0.5])
    axis.axvline(ode[-1], ymax=0.64, ls=":", color=SECOND, label="ODE (a point)")
    axis.set(xlim=(-1, 1), ylim=(0, float(np.nanmax(density)) * 1.15), xlabel="ρ at t = 1", ylabel="density")
    axis.legend(loc="upper left", frameon=True, framealpha=1.0, edgecolor="none")
