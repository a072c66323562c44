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

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from deeplimits import gaussian
from deeplimits.activations import Phi, Slopes
from deeplimits.array_types import Array
from deeplimits.gaussian import SLOPE, SQUARE, VALUE, Power
from deeplimits.limits.along import along
from deeplimits.limits.recursion import PairCovariance, covariances, moments, unreachable
from deeplimits.limits.regime import Regime, residual
from deeplimits.limits.responses import TILTED, alone, of_pair
from deeplimits.networks.network import Network

REGIMES = (
    Regime(("linear", "relu_like", "smooth"), uneven=True),
    residual(("linear", "relu_like", "smooth")),
)
"""Networks whose fluctuations are known."""
_NAME = "infinite_width_fluctuations"
_BOTH, _CUBE, _FOURTH = Power(value=1, slope=1), Power(value=3), Power(value=4)
_GROWTH = Power(argument=1, value=1, slope=1)
_HELD = 1e-5
"""1 − |ρ| at which nearly equal inputs are looked at: right to a thousandth, and far from cancelling."""
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

    pair: PairCovariance
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
    pairs = covariances(network, depth)
    return tuple(_residual(network, pairs) if network.residual else _perceptron(network, pairs))


def _perceptron(network: Network, pairs: list[PairCovariance]) -> list[Spread]:
    def response(layer: int) -> Array:
        before, after = pairs[layer], pairs[layer + 1]
        here = network.layers[layer]
        try:
            if network.inputs > 1:
                both = of_pair(here.phi, before, after)
                return np.concatenate([both.growth.ravel(), both.noise.ravel()])
            slope, extra = alone(here.phi, before.first)
        except gaussian.Unreachable as error:
            raise unreachable(_NAME, layer + 1, before.first, error) from None
        noise = np.zeros((3, 3))
        noise[:2, :2] = extra
        return np.concatenate([np.diag([slope, slope, 0.0]).ravel(), noise.ravel()])

    covariance, grown = np.zeros((3, 3)), 1.0
    found = [Spread(pairs[0], covariance, grown)]
    responses = _of_layers(network, response, len(pairs) - 1)
    for units, both, after in zip(network.widths, responses.reshape(-1, 2, 3, 3), pairs[1:], strict=False):
        growth, noise = both
        covariance = growth @ covariance @ growth.T + noise / units
        grown *= growth[0, 0]
        found.append(Spread(after, covariance, grown))
    return found


def _of_layers(network: Network, function: Callable[[int], Array], count: int) -> Array:
    """``function`` at layers 0 … ``count`` − 1, [layer, component]: of layers that are alike a smooth one."""
    if len({layer.phi for layer in network.layer_kinds.values()}) == 1:
        return along(function, count)
    return np.array([function(layer) for layer in range(count)])


def _residual(network: Network, pairs: list[PairCovariance]) -> list[Spread]:
    """A linear recursion of δV, m and R, 8 numbers, in the entries (V^{aa}, V^{bb}, V^{ab}), in units of V
    itself, so that nothing overflows where V grows.

    Where inputs are nearly equal or nearly antipodal, what is linearised does not depend on how near they
    are: it is had at 1 − |ρ| = ``_HELD``, below which its digits would cancel, and only passed on in the
    units of the difference of both.
    """
    weight, units = float(network.depth) ** (-2 * network.branch_exponent), network.units

    def effect(layer: int) -> Array:
        at = _held(pairs[layer])
        try:
            reached = pairs[layer + 1] if at == pairs[layer] else at.plus(moments(network.phi, at), weight)
            branch = _branch(network.phi, at)
        except gaussian.Unreachable as error:
            raise unreachable(_NAME, layer + 1, at.first, error) from None
        return np.concatenate(
            [
                branch.slope.ravel(),
                branch.gradient.ravel(),
                branch.rest.ravel(),
                [reached.first / at.first, reached.second / at.second, reached.gap],
            ]
        )

    effects = _of_layers(network, effect, len(pairs) - 1)
    held = _held(pairs[0])
    state = np.zeros((8, 8))
    state[:3, :3], state[3:5, 3:5] = _isserlis(held.gap), _matrix(held.gap)
    grown = 1.0
    found = [Spread(pairs[0], _in_logarithms(held.gap, state[:3, :3] / units), grown)]
    for layer, (numbers, after) in enumerate(zip(effects, pairs[1:], strict=True), 1):
        slope, gradient, rest = numbers[:9].reshape(3, 3), numbers[9:15].reshape(3, 2), numbers[15:24]
        first, second, gap = numbers[24:].tolist()
        # an interpolant may be a little below 0
        values, vectors = np.linalg.eigh(rest.reshape(3, 3))
        rest = vectors * np.maximum(values, 0.0) @ vectors.T
        root = np.linalg.cholesky(rest + 1e-14 * np.trace(rest) * np.eye(3) + 1e-300 * np.eye(3))
        if layer == 1:
            state[5:, 5:] = np.eye(3)
        ratios = _entries(1 / first, 1 / second)
        roots = np.sqrt(ratios[:2])
        kept = float(ratios[2]) ** (_REST / 2)
        step = np.zeros((8, 8))
        step[:3, :3] = ratios[:, None] * (np.eye(3) + weight * slope)
        step[:3, 3:5] = ratios[:, None] * (weight * gradient)
        step[:3, 5:] = ratios[:, None] * (weight * root)
        step[3:5, 3:5] = np.diag(roots)
        step[5:, 5:] = kept * np.eye(3)
        added = np.zeros((8, 8))
        added[:3, :3] = _isserlis(gap) - np.outer(ratios, ratios) * _isserlis(held.gap)
        added[3:5, 3:5] = _matrix(gap) - np.outer(roots, roots) * _matrix(held.gap)
        added[5:, 5:] = (1 - kept**2) * np.eye(3)
        state = step @ state @ step.T + added
        grown *= step[0, 0]
        held = _held(after)
        if held != after:
            change = _rescaled(gap, held.gap)
            state = change @ state @ change.T
        found.append(Spread(after, _in_logarithms(held.gap, state[:3, :3] / units), grown))
    return found


def _held(pair: PairCovariance) -> PairCovariance:
    """A pair that is no nearer to equal or antipodal inputs than ``_HELD``, unless it is just there."""
    near = min(pair.gap, 2 - pair.gap)
    if near == 0 or near >= _HELD:
        return pair
    return PairCovariance(pair.first, pair.second, _HELD if pair.gap < 1 else 2 - _HELD)


def _rescaled(gap: float, other: float) -> Array:
    """The change of the state that leaves what it is in units of the difference of both inputs, where 1 − ρ
    goes from ``gap`` to ``other``, [8, 8].
    """
    sign = 1.0 if gap < 1 else -1.0
    length = float(np.sqrt(min(other, 2 - other) / min(gap, 2 - gap)))
    # of a and b: a, and the difference D = ± b − a
    both = np.array([[1.0, 0.0], [-1.0, sign]])
    squares = np.array([[1.0, 0.0, 0.0], [1.0, 1.0, -2 * sign], [-1.0, 0.0, sign]])
    change = np.eye(8)
    change[:3, :3] = np.linalg.solve(squares, np.diag([1.0, length**2, length]) @ squares)
    change[3:5, 3:5] = np.linalg.solve(both, np.diag([1.0, length]) @ both)
    return change


@dataclass(frozen=True)
class _Branch:
    """What a branch makes of φ φᵀ, in the entries aa, bb, ab and in units of V: the derivative by V [3, 3],
    the mean gradient [3, 2], and the covariance of terms of degree 3 and more [3, 3].
    """

    slope: Array
    gradient: Array
    rest: Array


def _branch(phi: Phi, pair: PairCovariance) -> _Branch:
    if isinstance(phi, Slopes):
        # homogeneous
        pair = PairCovariance(1.0, 1.0, pair.gap)
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
    entries = _entries(pair.first, pair.second)
    slope, gradient = (
        slope * entries / entries[:, None],
        gradient * np.sqrt(entries[:2]) / entries[:, None],
    )
    whole = whole / np.outer(entries, entries)
    rest = whole - slope @ _isserlis(pair.gap) @ slope.T - gradient @ _matrix(pair.gap) @ gradient.T
    if not np.isfinite(rest).all():
        raise gaussian.Unreachable("a function overflows float64")
    return _Branch(slope, gradient, rest)


def _entries(first: float, second: float) -> Array:
    """The products aa, bb and ab, [3], of a number of each input."""
    return np.array([first, second, float(np.sqrt(first) * np.sqrt(second))])


def _matrix(gap: float) -> Array:
    """V of a pair in units of its variances, [2, 2]."""
    return np.array([[1.0, 1 - gap], [1 - gap, 1.0]])


def _isserlis(gap: float) -> Array:
    """The covariance of z^a z^b for z ~ N(0, V), in the entries aa, bb, ab, in units of V."""
    c = 1 - gap
    return np.array([[2.0, 2 * c * c, 2 * c], [2 * c * c, 2.0, 2 * c], [2 * c, 2 * c, 1 + c * c]])


def _in_logarithms(gap: float, covariance: Array) -> Array:
    """The covariance of (log V^{aa}, log V^{bb}, y) from that of (V^{aa}, V^{bb}, V^{ab}) in units of V."""
    rho, inside = 1 - gap, gap * (2 - gap)
    change = np.diag([1.0, 1.0, 0.0])
    if inside > 0:
        change[2] = np.array([-rho / 2, -rho / 2, 1.0]) / inside
    found = change @ covariance @ change.T
    # no variance is below 0 by rounding
    found[np.diag_indices(3)] = np.maximum(np.diag(found), 0.0)
    return np.asarray(found)
