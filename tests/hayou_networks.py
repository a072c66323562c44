"""Residual networks with explicit weights, and comparisons, for the tests of their laws at finite width."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from deeplimits.activations import ReluLike
from deeplimits.laws import Law
from deeplimits.networks.network import Network

Array = NDArray[np.float64]
RESNET = Network(ReluLike(), 3, 200, ((1.0,),), architecture="resnet")
LEVELS = np.array([1e-4, 0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 1 - 1e-4])
RATE = 1e-4


def explicit(
    width: int,
    depth: int,
    samples: int,
    seed: int,
    slopes: tuple[float, float] = (1.0, 0.0),
    start: float | None = None,
    variance: float = 1.0,
) -> dict[str, Array]:
    """Networks with every weight drawn: log ‖φ‖² and log ‖X‖² at the first and the last layer."""
    generator = np.random.default_rng(seed)
    x = (
        np.sqrt(variance) * generator.normal(size=(samples, width))
        if start is None
        else np.full((samples, width), start)
    )

    def phi(x: Array) -> Array:
        return np.where(x > 0, slopes[0], slopes[1]) * x

    def square(x: Array) -> Array:
        with np.errstate(divide="ignore"):
            return np.log((x**2).sum(axis=1))

    first = square(phi(x))
    for _ in range(depth):
        weights = generator.normal(size=(samples, width, width))
        x = x + np.einsum("sij,sj->si", weights, phi(x)) / np.sqrt(depth * width)
    return {"first": first, "activation": square(phi(x)), "square": square(x)}


def is_law(law: Law, sample: Array) -> bool:
    """Whether a sample may come from a law."""
    return bool(stats.kstest(sample[np.isfinite(sample)], law.cdf).pvalue > RATE)


def same(first: Array, second: Array) -> float:
    """p-value of one law, dead networks as points of their own; rounded to 1e-6, for a start is an atom."""
    first, second = (np.round(np.where(np.isfinite(x), x, -1e3), 6) for x in (first, second))
    return float(stats.ks_2samp(first, second, method="asymp").pvalue)
