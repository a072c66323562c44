"""Paths of every sampled limit, short ones: each a draw that any engine may do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from deeplimits.engines.sde import paths
from deeplimits.engines.sde.covariance import Drift, covariance_paths

Draw = Callable[[], Sequence[Any]]

# A coarse step of the covariance is twice as long; some inputs explode, some start nearly parallel.
PATHS: dict[str, Draw] = {
    "chain": lambda: paths.chain_gaps(0.7, 20, [0, 3, 40], 5, 300),
    "correlation": lambda: paths.correlation_gaps(0.7, 1.0, 0.01, [0, 3, 100], 5, 300),
    "rescaled": lambda: [paths.rescaled_correlations(1.0, 0.01, [1, 3, 100], 5, 300)],
}


def covariance(inputs: int, drift: Drift, coarse: bool) -> Draw:
    pairs = inputs * (inputs - 1) // 2
    gaps = [1e-6] * pairs if drift.kappa else [0.3 + 0.02 * pair for pair in range(pairs)]
    variances = [1.0 + 0.4 * a for a in range(inputs)]

    def draw() -> Sequence[Any]:
        found = covariance_paths(variances, gaps, drift, 0.02, [0.0, 0.1, 0.35], 3, 40, coarse=coarse)
        return found.log_variance, found.correlation_gap, found.explosion_time

    return draw


DRIFTS = {"no drift": Drift(), "relu": Drift(kappa=1.0), "smooth": Drift(a=1.5, b=0.5)}
for size in range(1, 9):
    for kind, drift in DRIFTS.items():
        PATHS[f"covariance {size}, {kind}"] = covariance(size, drift, coarse=size % 2 == 0)
