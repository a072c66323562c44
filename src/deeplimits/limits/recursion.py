"""The recursion of infinite width, a layer at a time: V' = c E φ_s(u) φ_s(u)ᵀ with u ~ N(0, V), and V' = V +
d^{−2b} E φ(u) φ(u)ᵀ in a residual network.

For piecewise-linear φ it is exact, c K₁(ρ) = ρ + A (q − ρ arccos ρ) / π (Cho & Saul 2009; Li & Nica 2024, eq.
(4.11)); any other φ goes through ``gaussian``. 1 − ρ is carried, never ρ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deeplimits import gaussian
from deeplimits.activations import Phi, Slopes
from deeplimits.errors import InputError
from deeplimits.laws import Law, PointMass
from deeplimits.limits.coefficients import asymmetry
from deeplimits.limits.mlp.correlation import excess
from deeplimits.networks.network import Network
from deeplimits.observables import OBSERVABLES

_ROUNDED = 1e-15
"""Relative difference of two layers that is none."""


@dataclass(frozen=True, slots=True)
class PairCovariance:
    """V^{aa}, V^{bb} and 1 − ρ of two inputs."""

    first: float
    second: float
    gap: float

    @classmethod
    def of(cls, network: Network) -> PairCovariance:
        """V_0 of the first two inputs; of one, beside itself."""
        if network.inputs == 1:
            return cls(network.gram[0][0], network.gram[0][0], 0.0)
        return cls(network.gram[0][0], network.gram[1][1], float(network.gap()))

    def observed(self, observable: str, layer: int) -> float:
        """An observable of this matrix."""
        of_matrix = OBSERVABLES[observable].of_matrix
        assert of_matrix is not None, f"{observable} is no function of V"
        with np.errstate(divide="ignore"):
            return of_matrix(self, layer)

    def plus(self, other: PairCovariance, weight: float) -> PairCovariance:
        """The sum with a multiple of another; 1 − ρ of it, or 1 + ρ where that is less, without
        cancellation.
        """
        first, second = self.first + weight * other.first, self.second + weight * other.second
        one = float(np.sqrt(self.first) * np.sqrt(self.second))
        two = weight * float(np.sqrt(other.first) * np.sqrt(other.second))
        root = float(np.sqrt(first) * np.sqrt(second))
        cross = float(
            np.sqrt(self.first) * np.sqrt(other.second) - np.sqrt(other.first) * np.sqrt(self.second)
        )
        apart = weight * cross**2 / (root + one + two)
        if one * self.gap + two * other.gap <= one + two:
            return PairCovariance(first, second, min((apart + one * self.gap + two * other.gap) / root, 2.0))
        together = (apart + one * (2 - self.gap) + two * (2 - other.gap)) / root
        return PairCovariance(first, second, max(2 - together, 0.0))

    def times(self, factor: float) -> PairCovariance:
        """A multiple."""
        return PairCovariance(factor * self.first, factor * self.second, self.gap)


def numbers(pairs: Sequence[PairCovariance], layers: Sequence[int], observable: str) -> list[Law]:
    """An observable of the matrix at each of ``layers``, as laws."""
    return [PointMass(pair.observed(observable, layer)) for layer, pair in zip(layers, pairs, strict=True)]


def moments(phi: Phi, pair: PairCovariance) -> PairCovariance:
    """E φ(u) φ(u)ᵀ for u ~ N(0, V).

    Raises
    ------
    Unreachable
        If float64 does not hold it.
    """
    if isinstance(phi, Slopes):
        scale = float(1 / phi.normalizer)
        return PairCovariance(scale * pair.first, scale * pair.second, next_gap(pair.gap, asymmetry(phi)))
    found = gaussian.image(phi, pair.first, pair.second, pair.gap)
    return PairCovariance(found.first, found.second, found.gap)


def next_gap(gap: float, strength: float) -> float:
    """1 − c K₁(ρ) from 1 − ρ, with A = ``strength``."""
    theta = np.asarray(2 * np.arcsin(np.sqrt(min(gap, 2.0) / 2)))
    return max(0.0, gap - strength * float(excess(theta)) / np.pi)


def after_layer(network: Network, layer: int, pair: PairCovariance) -> PairCovariance:
    """V_ℓ from V_{ℓ−1} of the first pair.

    Raises
    ------
    InputError
        If the expectations cannot be had.
    """
    here = network.layers[layer - 1]
    try:
        found: PairCovariance = network.kind.infinite_width_step(network, here, pair, moments)
        return found
    except gaussian.Unreachable as error:
        raise unreachable("infinite_width", layer, pair.first, error) from None


def unreachable(limit: str, layer: int, variance: float, error: gaussian.Unreachable) -> InputError:
    """What a user reads where an expectation cannot be had."""
    found = f"<V = {variance:.4g} before layer {layer}>"
    return InputError("limit", limit, found, f"an activation whose expectation there can be had: {error}")


def covariances(network: Network, depth: int) -> list[PairCovariance]:
    """V of the first pair at layers 0 … ``depth``.

    Raises
    ------
    InputError
        If an expectation cannot be had, or float64 does not hold V.
    """
    found = [PairCovariance.of(network)]
    alike = len({layer.phi for layer in network.layer_kinds.values()}) == 1
    for layer in range(1, depth + 1):
        before = found[-1]
        if alike and layer > 2 and _settled(before, found[-2]) and _settled(before, found[-3]):
            return found + [before] * (depth + 1 - layer)
        with np.errstate(over="ignore", invalid="ignore"):
            after = after_layer(network, layer, before)
        if not (0 < after.first < np.inf and 0 < after.second < np.inf):
            expected = f"a layer before {layer}, from which on float64 does not hold V of infinite width"
            raise InputError("limit", "layer", depth, expected)
        found.append(after)
    return found


def _settled(one: PairCovariance, other: PairCovariance) -> bool:
    """Whether two matrices differ by rounding alone."""
    pairs = zip(
        (one.first, one.second, one.gap, 2 - one.gap),
        (other.first, other.second, other.gap, 2 - other.gap),
        strict=True,
    )
    return all(abs(x - y) <= _ROUNDED * x for x, y in pairs)
