"""Networks of large but finite width: log V and y = artanh ρ are Gaussian about the recursion of infinite
width, with a covariance of order 1/n that follows by linearising it.

*Perceptron.* Given V_{ℓ−1} the units of layer ℓ are independent, so that Cov_ℓ = J Cov_{ℓ−1} Jᵀ + C / n_ℓ
with J and C of ``responses`` at the recursion's own V_{ℓ−1}; widths may differ from layer to layer.

*Residual network.* Units are independent given the branches' mean squares Q_k = (1/n) Σ φ(z) φ(z)ᵀ. With z a
Gaussian walk of covariance V_k, what n units make of V and Q beside their means is, in Hermite polynomials of
z, of degree 1 (m_k = n^{-1/2} Σ z, a walk with increments of covariance V_{k+1} − V_k), of degree 2 (the
deviation of V itself, whose increments are Isserlis' for V_{k+1} less those for V_k) and a rest R_k. Hence

    δV_{k+1} = δV_k + β² (J_k δV_k + D_k m_k + R_k) + dY_k,     β = d^{−b},

J_k = ∂ E φ φᵀ / ∂V and D_k = E ∇(φ φᵀ), exact but for how R_k and R_l go together: their correlation is taken
to be that of polynomials of degree 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from deeplimits import gaussian
from deeplimits.activations import Phi
from deeplimits.gaussian import SLOPE, SQUARE, VALUE, Power
from deeplimits.limits.infinite_width import Pair, matrices, unreachable
from deeplimits.limits.responses import TILTED, alone, of_pair
from deeplimits.networks.network import Network

Array = NDArray[np.float64]

_NAME = "infinite_width_fluctuations"
_BOTH, _CUBE, _FOURTH = Power(value=1, slope=1), Power(value=3), Power(value=4)
_GROWTH = Power(argument=1, value=1, slope=1)
_REST = 4
"""Degree of the polynomials as which the rest of a residual branch is taken to decorrelate."""


@dataclass(frozen=True)
class Spread:
    """Where a network is about infinite width, at one layer.

    Parameters
    ----------
    pair
        V of infinite width.
    covariance
        Of (log V^{aa}, log V^{bb}, y), [3, 3]; the row and the column of y are 0 where ρ is ± 1.
    amplification
        By how much a deviation of log V^{aa} at layer 0 has grown.
    """

    pair: Pair
    covariance: Array
    amplification: float


def spreads(network: Network, depth: int) -> tuple[Spread, ...]:
    """Spreads of the first pair (of one input, beside itself) at layers 0 … ``depth``.

    Raises
    ------
    InputError
        If an expectation cannot be had.
    """
    return _spreads(network.of_inputs(tuple(range(min(2, network.inputs)))), depth)


@lru_cache(maxsize=16)
def _spreads(network: Network, depth: int) -> tuple[Spread, ...]:
    pairs = matrices(network, depth)
    return tuple(_residual(network, pairs) if network.residual else _perceptron(network, pairs))


def _perceptron(network: Network, pairs: list[Pair]) -> list[Spread]:
    covariance, grown = np.zeros((3, 3)), 1.0
    found = [Spread(pairs[0], covariance, grown)]
    for layer, (before, after) in enumerate(pairwise(pairs), 1):
        here = network.layers[layer - 1]
        try:
            if network.inputs == 1:
                slope, extra = alone(here.phi, before.first)
                growth, noise = np.diag([slope, slope, 0.0]), np.zeros((3, 3))
                noise[:2, :2] = extra
            else:
                response = of_pair(here.phi, before, after)
                growth, noise = response.growth, response.noise
        except gaussian.Unreachable as error:
            raise unreachable(_NAME, layer, before.first, error) from None
        covariance = growth @ covariance @ growth.T + noise / here.units
        grown *= growth[0, 0]
        found.append(Spread(after, covariance, grown))
    return found


def _residual(network: Network, pairs: list[Pair]) -> list[Spread]:
    """A linear recursion of δV, m and R, 8 numbers, in the entries (V^{aa}, V^{bb}, V^{ab})."""
    weight, units = float(network.depth) ** (-2 * network.branch_exponent), network.units
    state = np.zeros((8, 8))
    state[:3, :3], state[3:5, 3:5] = _isserlis(pairs[0]), _matrix(pairs[0])
    grown = 1.0
    found = [Spread(pairs[0], _in_logarithms(pairs[0], state[:3, :3] / units), grown)]
    for layer, (before, after) in enumerate(pairwise(pairs), 1):
        try:
            branch = _branch(network.phi, before)
        except gaussian.Unreachable as error:
            raise unreachable(_NAME, layer, before.first, error) from None
        root = np.linalg.cholesky(
            branch.rest + 1e-14 * np.trace(branch.rest) * np.eye(3) + 1e-300 * np.eye(3)
        )
        if layer == 1:
            state[5:, 5:] = np.eye(3)
        step = np.eye(8)
        step[:3, :3] += weight * branch.slope
        step[:3, 3:5] = weight * branch.gradient
        step[:3, 5:] = weight * root
        kept = float(np.sqrt(before.first * before.second / (after.first * after.second))) ** (_REST / 2)
        step[5:, 5:] *= kept
        added = np.zeros((8, 8))
        added[:3, :3] = _isserlis(after) - _isserlis(before)
        added[3:5, 3:5] = _matrix(after) - _matrix(before)
        added[5:, 5:] = (1 - kept**2) * np.eye(3)
        state = step @ state @ step.T + added
        grown *= step[0, 0] * before.first / after.first
        found.append(Spread(after, _in_logarithms(after, state[:3, :3] / units), grown))
    return found


@dataclass(frozen=True)
class _Branch:
    """Of φ φᵀ in the entries aa, bb, ab: the derivative by V [3, 3], the mean gradient [3, 2], and the
    covariance of what is of no degree up to 2 [3, 3].
    """

    slope: Array
    gradient: Array
    rest: Array


def _branch(phi: Phi, pair: Pair) -> _Branch:
    functions = [VALUE, SQUARE, SLOPE, TILTED, _CUBE]
    found = gaussian.correlated(phi, functions, functions, pair.first, pair.second, pair.gap)
    own = [
        gaussian.mean(phi, [SQUARE, _FOURTH, _GROWTH, _BOTH], variance)
        for variance in (pair.first, pair.second)
    ]
    cross = (1 - pair.gap) * float(np.sqrt(pair.first * pair.second))
    slope, gradient = np.zeros((3, 3)), np.zeros((3, 2))
    for index, variance in enumerate((pair.first, pair.second)):
        slope[index, index] = own[index][2] / variance
        gradient[index, index] = 2 * own[index][3]
        tilted = found[3, 0] if index == 0 else found[0, 3]
        slope[2, index] = (tilted - cross * found[2, 2]) / (2 * variance)
    slope[2, 2] = found[2, 2]
    gradient[2] = found[2, 0], found[0, 2]
    means = np.array([own[0][0], own[1][0], found[0, 0]])
    whole = np.array(
        [
            [own[0][1], found[1, 1], found[4, 0]],
            [found[1, 1], own[1][1], found[0, 4]],
            [found[4, 0], found[0, 4], found[1, 1]],
        ]
    ) - np.outer(means, means)
    rest = whole - slope @ _isserlis(pair) @ slope.T - gradient @ _matrix(pair) @ gradient.T
    values, vectors = np.linalg.eigh(rest)
    return _Branch(slope, gradient, vectors * np.maximum(values, 0.0) @ vectors.T)


def _matrix(pair: Pair) -> Array:
    """V of a pair, [2, 2]."""
    cross = (1 - pair.gap) * float(np.sqrt(pair.first * pair.second))
    return np.array([[pair.first, cross], [cross, pair.second]])


def _isserlis(pair: Pair) -> Array:
    """The covariance of z^a z^b for z ~ N(0, V), in the entries aa, bb, ab."""
    (a, c), (_, b) = _matrix(pair).tolist()
    return np.array(
        [
            [2 * a * a, 2 * c * c, 2 * a * c],
            [2 * c * c, 2 * b * b, 2 * b * c],
            [2 * a * c, 2 * b * c, a * b + c * c],
        ]
    )


def _in_logarithms(pair: Pair, covariance: Array) -> Array:
    """The covariance of (log V^{aa}, log V^{bb}, y) from that of (V^{aa}, V^{bb}, V^{ab})."""
    rho, inside = 1 - pair.gap, pair.gap * (2 - pair.gap)
    change = np.diag([1 / pair.first, 1 / pair.second, 0.0])
    if inside > 0:
        root = float(np.sqrt(pair.first * pair.second))
        change[2] = np.array([-rho / (2 * pair.first), -rho / (2 * pair.second), 1 / root]) / inside
    return change @ covariance @ change.T
