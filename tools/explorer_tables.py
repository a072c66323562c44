"""Compute the tables of the explorer: ``python tools/explorer_tables.py`` (minutes).

The law of the correlation of two inputs for a grid of shaped networks: of the network itself, exactly where
that is known and from samples elsewhere, of its limit n → ∞, and of the equation with its own constants.
"""

from __future__ import annotations

import contextlib
import itertools
import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

import deeplimits
from deeplimits.explorer import AXES, LEVELS, TABLES, Y
from deeplimits.laws import EmpiricalLaw

SAMPLES = 1 << 16
EXACT_FROM = 32
"""Narrower networks are drawn: their exact laws take ten times as long."""
FINE = np.linspace(Y[0] - 4, Y[-1] + 4, 4001)
"""Where distribution functions are compared: artanh ρ, far beyond what is drawn."""


def network(
    slopes: tuple[float, float], exponent: float, width: int, ratio: float, rho: float
) -> dict[str, Any]:
    """A point of the grid."""
    return {
        "activation": {"name": "relu", "c_plus": slopes[0], "c_minus": slopes[1]},
        "shaping": {"by": "width", "exponent": exponent},
        "width": width,
        "depth": max(round(ratio * width), 1),
        "inputs": {"correlation": rho},
    }


def law_of(point: dict[str, Any]) -> tuple[deeplimits.Law, bool]:
    """The law of the network, and whether it is exact."""
    if point["width"] >= EXACT_FROM:
        with contextlib.suppress(deeplimits.InputError):
            return deeplimits.limit(point, name="exact"), True
    drawn = deeplimits.simulate(point, SAMPLES, layers=[point["depth"]])
    return EmpiricalLaw.of(1 - drawn.correlation_gap.values.ravel().astype(float)), False


def limits_of(point: dict[str, Any]) -> list[deeplimits.Law]:
    """The limit of the regime, and the matched equation."""
    exponent = point["shaping"]["exponent"]
    name = "correlation_ode" if exponent < 0.5 else "correlation_sde" if exponent == 0.5 else "linear"
    return [deeplimits.limit(point, name=name), deeplimits.limit(point, name="matched_sde")]


def density(law: deeplimits.Law) -> NDArray[np.float64]:
    """The density of artanh ρ on the grid, from differences of F; a law that is one number has none."""
    if law.std == 0:
        return np.zeros(len(Y))
    half = (Y[1] - Y[0]) / 2
    edges = np.tanh(np.append(Y - half, Y[-1] + half))
    return np.diff(law.cdf(edges)) / (2 * half)


def main() -> None:
    """Compute and write."""
    shape = tuple(len(values) for values in AXES.values())
    drawn = np.zeros((*shape, 3, len(Y)), np.uint16)
    quantiles = np.zeros((*shape, 3, len(LEVELS)), np.float32)
    distances = np.zeros((*shape, 2), np.float32)
    exact = np.zeros(shape, np.uint8)
    for place in itertools.product(*(range(size) for size in shape)):
        point = network(*(values[index] for values, index in zip(AXES.values(), place, strict=True)))
        law, exact[place] = law_of(point)
        laws = [law, *limits_of(point)]
        for kind, each in enumerate(laws):
            drawn[(*place, kind)] = np.minimum(np.rint(density(each) * 1e4), 65535)
            quantiles[(*place, kind)] = each.quantile(list(LEVELS))
        at = np.tanh(FINE)
        distances[place] = [np.abs(law.cdf(at) - each.cdf(at)).max() for each in laws[1:]]
        if not any(place[3:]):
            sys.stdout.write(f"{point}\n")
            sys.stdout.flush()
    np.savez_compressed(TABLES, density=drawn, quantiles=quantiles, distances=distances, exact=exact)


if __name__ == "__main__":
    main()
