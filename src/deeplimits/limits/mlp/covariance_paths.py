"""Sampled paths of the covariance SDE: drawn once for networks that share them, observed, and extrapolated in
the step.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from deeplimits.array_types import Array
from deeplimits.engines.sde.covariance import Drift, Paths, covariance_paths
from deeplimits.laws import EmpiricalLaw, Law, PointMass
from deeplimits.networks.network import Network

_STRETCHED: dict[str, tuple[np.ufunc, np.ufunc]] = {
    "variance": (np.log, np.exp),
    "covariance": (np.arcsinh, np.sinh),
}
"""Scales on which the error of a step is small close to an explosion as well, and the ways back: a variance
that was extrapolated as it is could be negative."""


def extrapolated(fine: Array, coarse: Array, observable: str) -> Law:
    """The law of an observable with the quantiles x + (x − x_coarse) / 3, as the second order of the scheme
    asks, of a sample and of one drawn with twice its step by the same noise; NaN is left out, and what is
    infinite in either stays what it is in the finer.
    """
    there, back = _STRETCHED.get(observable, (np.positive, np.positive))
    bounded = observable == "correlation"
    with np.errstate(divide="ignore"):  # a variance below the smallest number
        one, other = EmpiricalLaw.of(there(fine)).samples, EmpiricalLaw.of(there(coarse))
    if one[0] == one[-1]:
        return PointMass(float(back(one[0])))
    beside = other.quantile((np.arange(len(one)) + 0.5) / len(one))
    with np.errstate(invalid="ignore"):
        moved = one + (one - beside) / 3
    with np.errstate(over="ignore"):
        values = back(np.where(np.isfinite(one) & np.isfinite(beside), moved, one))
    return EmpiricalLaw.of(np.clip(values, -1.0, 1.0) if bounded else values, bounded=bounded)


def observed(paths: Paths, observable: str) -> Array:
    """An observable of the first input or pair [sample, record]; +∞ or NaN after an explosion."""
    if observable == "correlation":
        return 1 - paths.correlation_gap[:, :, 0]
    if observable == "log_variance":
        return paths.log_variance[:, :, 0]
    if observable == "variance":
        return np.asarray(np.exp(paths.log_variance[:, :, 0]))
    return (1 - paths.correlation_gap[:, :, 0]) * np.exp(paths.log_variance[:, :, :2].sum(axis=2) / 2)


_KEPT = 8
"""Draws kept: the fine and the coarse paths of four sets of inputs, which widths of a study share."""


def drawn_paths(
    network: Network,
    drift: Drift,
    step: float,
    times: tuple[float, ...],
    samples: tuple[int, int],
    coarse: bool,
) -> Paths:
    """Paths from the inputs of a network, drawn with these steps; those of networks alike are drawn once."""
    pairs = [(a, b) for a in range(network.inputs) for b in range(a + 1, network.inputs)]
    variances = tuple(network.gram[a][a] for a in range(network.inputs))
    gaps = tuple(float(network.gap(a, b)) for a, b in pairs)
    return _paths(variances, gaps, drift, step, times, samples, network.seed, coarse)


@lru_cache(maxsize=_KEPT)
def _paths(
    variances: tuple[float, ...],
    gaps: tuple[float, ...],
    drift: Drift,
    step: float,
    times: tuple[float, ...],
    samples: tuple[int, int],
    seed: int,
    coarse: bool,
) -> Paths:
    """The paths depend on a network by these alone: its width has a part in its drift and its times."""
    first, stop = samples
    return covariance_paths(variances, gaps, drift, step, times, first, stop - first, seed, coarse=coarse)
