"""Infinite width at finite depth, a layer at a time: V' = c E φ_s(u) φ_s(u)ᵀ with u ~ N(0, V), and V' = V +
d^{−2b} E φ(u) φ(u)ᵀ in a residual network.

For piecewise-linear φ it is exact, c K₁(ρ) = ρ + A (q − ρ arccos ρ) / π (Cho & Saul 2009; Li & Nica 2024, eq.
(4.11)); for any other φ by Gauss–Hermite quadrature in two dimensions. 1 − ρ is carried, never ρ.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from deeplimits.activations import Phi, Slopes
from deeplimits.laws import Law, PointMass
from deeplimits.limits.base import Limit, asymmetry
from deeplimits.limits.correlation import excess
from deeplimits.limits.regime import Regime
from deeplimits.networks.network import Network

Array = NDArray[np.float64]

NODES = 120
"""Of the quadrature, in each dimension."""


@dataclass(frozen=True, slots=True)
class Pair:
    """V^{aa}, V^{bb} and 1 − ρ of two inputs."""

    first: float
    second: float
    gap: float

    @classmethod
    def of(cls, network: Network) -> Pair:
        """V_0 of the first two inputs; of one, beside itself."""
        if network.inputs == 1:
            return cls(network.gram[0][0], network.gram[0][0], 0.0)
        return cls(network.gram[0][0], network.gram[1][1], float(network.gap()))

    def observed(self, observable: str, layer: int) -> float:
        """An observable of this matrix."""
        with np.errstate(divide="ignore"):
            values = {
                "correlation": 1 - self.gap,
                "rescaled_correlation": float(np.log(layer**2 * np.float64(self.gap))),
                "covariance": (1 - self.gap) * float(np.sqrt(self.first * self.second)),
                "variance": self.first,
                "log_variance": float(np.log(self.first)),
            }
        return values[observable]

    def plus(self, other: Pair, weight: float) -> Pair:
        """The sum with a multiple of another; 1 − ρ of it without cancellation."""
        first, second = self.first + weight * other.first, self.second + weight * other.second
        here, there = (np.sqrt([pair.first, pair.second]) for pair in (self, other))
        one, two = float(here[0] * here[1]), weight * float(there[0] * there[1])
        root = float(np.sqrt(first) * np.sqrt(second))
        apart = weight * float(here[0] * there[1] - there[0] * here[1]) ** 2
        return Pair(first, second, (apart / (root + one + two) + one * self.gap + two * other.gap) / root)


@lru_cache
def _hermite() -> tuple[Array, Array]:
    nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
    kept = weights > 1e-20 * weights.max()
    return nodes[kept], weights[kept] / weights.sum()


def gaussian_mean(function: Callable[[Array], Array], variance: float) -> float:
    """E f(√v g) for a function of arrays, g ~ N(0, 1)."""
    nodes, weights = _hermite()
    return float(weights @ function(np.sqrt(variance) * nodes))


def moments(phi: Phi, pair: Pair) -> Pair:
    """E φ(u) φ(u)ᵀ for u ~ N(0, V)."""
    if isinstance(phi, Slopes):
        scale = float(1 / phi.normalizer)
        return Pair(scale * pair.first, scale * pair.second, next_gap(pair.gap, asymmetry(phi)))
    nodes, weights = _hermite()
    one = phi(np.sqrt(pair.first) * nodes)
    root = float(np.sqrt(pair.gap * (2 - pair.gap)))
    other = phi(np.sqrt(pair.second) * ((1 - pair.gap) * nodes[:, None] + root * nodes))
    first, second = float(weights @ one**2), float(weights @ other**2 @ weights)
    apart = float(weights @ (one[:, None] - other) ** 2 @ weights)
    between = 2 * float(np.sqrt(first * second))
    return Pair(first, second, (apart - float(np.sqrt(first) - np.sqrt(second)) ** 2) / between)


def next_gap(gap: float, strength: float) -> float:
    """1 − c K₁(ρ) from 1 − ρ, with A = ``strength``."""
    theta = np.asarray(2 * np.arcsin(np.sqrt(min(gap, 2.0) / 2)))
    return max(0.0, gap - strength * float(excess(theta)) / np.pi)


def matrices(network: Network, depth: int) -> list[Pair]:
    """V of the first pair at layers 0 … ``depth``."""
    found, pair = [Pair.of(network)], Pair.of(network)
    branch = float(network.depth) ** (-2 * network.branch_exponent) if network.residual else 0.0
    for layer in network.layers[:depth]:
        after = moments(layer.phi, pair)
        if network.residual:
            pair = pair.plus(after, branch)
        elif isinstance(layer.phi, Slopes):
            pair = Pair(pair.first, pair.second, after.gap)
        else:
            normalizer = float(layer.normalizer)
            pair = Pair(normalizer * after.first, normalizer * after.second, max(0.0, after.gap))
        found.append(pair)
    return found


class InfiniteWidth(Limit):
    """The matrix V of a network of infinite width and finite depth: a number at every layer."""

    name = "infinite_width"
    label = "infinite width, a layer at a time"
    observables = ("correlation", "rescaled_correlation", "covariance", "variance", "log_variance")
    regimes = (
        Regime("mlp", ("linear", "relu_like", "smooth"), uneven=True),
        Regime("resnet", ("linear", "relu_like", "smooth", "ornstein_uhlenbeck")),
    )
    kind = "number"
    precedence = 100
    rate_reason = "fluctuations of size √(d/n) at depth d: a number has no rate of its own"
    source = "Li & Nica 2024, eq. (4.11), c K₁; Cho & Saul 2009"

    def laws(self, network: Network, layers: Sequence[int], observable: str) -> list[Law]:
        found = matrices(network, max(layers))
        return [PointMass(found[layer].observed(observable, layer)) for layer in layers]
