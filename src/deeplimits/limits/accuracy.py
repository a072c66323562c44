"""How far a network of finite width is from a limit: Kolmogorov distances to leading order, from the moments
of one layer.

A law of a limit is right where the mean, the variance and the third cumulant of each layer's step are those
of the network. What is left of them is known in closed form, or by quadrature, to the next order in 1/n; it
adds up over the layers, and moves the distribution function by

    −φ(x) [δm + δv x / 2 + k₃ (x² − 1) / 6],

x standardised, δm and δv the errors of mean and variance in units of the spread, k₃ the skewness left out
(Edgeworth's first term). The largest of it, times a margin that was measured on other networks, is what a
limit states.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from deeplimits import gaussian
from deeplimits.activations import Slopes
from deeplimits.array_types import Array
from deeplimits.gaussian import Power
from deeplimits.laws import Law
from deeplimits.limits.coefficients import square_variance
from deeplimits.limits.step_moments import step
from deeplimits.limits.times import network_time
from deeplimits.networks.network import Layer, Network

_X = np.linspace(-5.0, 5.0, 401)
_PHI = np.exp(-(_X**2) / 2) / np.sqrt(2 * np.pi)
_LEVELS = np.array([0.05, 0.2, 0.35, 0.5, 0.65, 0.8, 0.95])
_COMPARED = np.linspace(0.001, 0.999, 333)


def edgeworth(mean: float, variance: float, skewness: float) -> float:
    """sup |F − Φ| to first order, for a variable whose mean is off by ``mean`` and whose variance by
    ``variance`` in
    units of the standard deviation and the variance, and whose skewness is ``skewness``.
    """
    return float(np.max(np.abs(_PHI * (mean + variance * _X / 2 + skewness * (_X**2 - 1) / 6))))


def apart(one: Law, other: Law) -> float:
    """sup |F − G| over quantiles of both laws, from the left as well: an atom begins there."""
    at = np.concatenate([one.quantile(_COMPARED), other.quantile(_COMPARED)])
    from_left = np.abs(np.asarray(one.below(at)) - other.below(at))
    return float(max(np.max(np.abs(one.cdf(at) - other.cdf(at))), np.max(from_left)))


def mean_inverse_width(network: Network, layer: int) -> float:
    """Σ 1/n_ℓ² over Σ 1/n_ℓ up to ``layer``: 1 / n where all layers have n units."""
    if not network.uneven:
        return 1 / network.units
    widths = np.array(network.widths[: max(layer, 1)], float)
    return float((1 / widths**2).sum() / (1 / widths).sum())


@dataclass(frozen=True)
class Moments:
    """Variance and third central moment of X = c φ_s(g)², whose mean is 1."""

    variance: float
    third: float

    @classmethod
    def of(cls, slopes: Slopes) -> Moments:
        """The moments for a piecewise-linear φ_s, from E g⁶ = 15."""
        plus, minus = float(slopes.plus), float(slopes.minus)
        variance = square_variance(slopes)
        cube = 60 * (plus**6 + minus**6) / (plus**2 + minus**2) ** 3
        return cls(variance, cube - 3 * (variance + 1) + 2)


def log_mean_error(network: Network, layer: int, moments: Callable[[int], Moments]) -> float:
    """The distance of log V_ℓ of a network whose layers are independent factors from the normal law with mean
    −½ Σ v/n and variance Σ v/n: log of a mean of n copies of X has the mean −v/2n + (m₃/3 − ¾ v²)/n², the
    variance v/n + (5 v²/2 − m₃)/n² and the third cumulant (m₃ − 3 v²)/n².
    """
    mean = spread = variance = third = 0.0
    for units, count in _counts(network, layer).items():
        found = moments(units)
        v, m3 = found.variance, found.third
        spread += count * v / units
        mean += count * (m3 / 3 - 0.75 * v**2) / units**2
        variance += count * (2.5 * v**2 - m3) / units**2
        third += count * (m3 - 3 * v**2) / units**2
    if spread == 0:
        return 0.0
    return edgeworth(mean / spread**0.5, variance / spread, third / spread**1.5)


def death(network: Network, layer: int) -> float:
    """The probability that all units of a ReLU network are negative at one of its layers up to ``layer``."""
    alive = 1.0
    for units, count in _counts(network, layer).items():
        slopes = network.layer_kinds[units].slopes
        if slopes.minus == 0 or slopes.plus == 0:
            alive *= (1 - 0.5**units) ** count
    return 1 - alive


def _counts(network: Network, layer: int) -> dict[int, int]:
    """How many of the first layers have so many units."""
    if not network.uneven:
        return {network.units: layer}
    units, counts = np.unique(network.widths[:layer], return_counts=True)
    return {int(each): int(count) for each, count in zip(units, counts, strict=True)}


def correlation_error(
    network: Network, layer: int, law: Law, drift: Sequence[Callable[[Array], Array]]
) -> float:
    """The distance of ρ_ℓ of a ReLU-like network from a law whose diffusion dy = a(ρ) dt + dB has the drift
    a: that of steps which are small but not infinitely so, and what drift and variance leave out on the way,
    from ρ₀ to the law.

    Parameters
    ----------
    drift
        a(ρ) in a layer of each number of units that occurs, in ascending order.
    """
    time = network_time(network, layer)
    between = np.linspace(0.0, 1.0, len(_LEVELS))
    start, end = (
        np.arctanh(np.clip(network.correlation(), -_END, _END)),
        np.arctanh(np.clip(law.quantile(_LEVELS), -_END, _END)),
    )
    y = np.concatenate([end, start + between * (float(end[3]) - start)])
    moved = varied = 0.0
    counts = _counts(network, layer)
    for (units, here), a in zip(network.layer_kinds.items(), drift, strict=True):
        if units not in counts:
            continue
        share = counts[units] / units / time
        exact = step(here.slopes, y)
        left = units * exact.moved + exact.shift - a(np.tanh(y))
        moved += share * float(np.sqrt(np.mean(left**2)))
        varied += share * float(np.sqrt(np.mean((exact.spread - 1) ** 2)))
    base = mean_inverse_width(network, layer) * _STEPS * (1 + np.sqrt(time))
    spread = np.sqrt(time)
    return min(1.0, float(base + _MARGIN * (_PHI.max() * moved * time / spread + 0.121 * varied)))


def smooth_correlation_error(
    network: Network, layer: int, law: Law, drift: Sequence[Callable[[float, float, float], float]]
) -> float:
    """As ``correlation_error``, for a smooth activation: the mean step is that of infinite width, at V_0 and
    where V is after ``layer`` in the middle, of a linear network and of infinite width, and the variance that
    of the fourth moment of φ.

    Parameters
    ----------
    drift
        a(ρ, V^{aa}, V^{bb}) in a layer of each number of units that occurs, in ascending order.
    """
    time = network_time(network, layer)
    settled = float(np.exp(-time))
    first, second = network.gram[0][0], network.gram[1][1]
    states = [(network.correlation(), first, second)]
    states += [(float(rho), settled * first, settled * second) for rho in law.quantile(_LEVELS[[0, 3, 6]])]
    states = [(min(max(rho, -_END), _END), one, two) for rho, one, two in states]
    counts, moved, varied = _counts(network, layer), 0.0, 0.0
    for (units, here), a in zip(network.layer_kinds.items(), drift, strict=True):
        if units not in counts:
            continue
        try:
            own = [_carried(here, variance, counts[units]) for variance in (first, second)]
            met = [*states, *((state[0], *own) for state in states[2:3])]
            after = [(state, gaussian.image(here.phi, state[1], state[2], 1 - state[0])) for state in met]
            square, fourth = gaussian.mean(here.phi, [Power(value=2), Power(value=4)], own[0])
        except gaussian.Unreachable:
            return 1.0
        steps = [
            units * float(_artanh(found.gap) - np.arctanh(state[0])) + state[0] / 2 - a(*state)
            for state, found in after
        ]
        share = counts[units] / units / time
        moved += share * float(np.sqrt(np.mean(np.square(steps))))
        varied += share * abs(fourth / square**2 - 3) / 2
    base = mean_inverse_width(network, layer) * _STEPS * (1 + np.sqrt(time))
    return min(1.0, float(base + _MARGIN * (_PHI.max() * moved * np.sqrt(time) + 0.121 * varied)))


def _carried(layer: Layer, variance: float, count: int) -> float:
    """V after so many such layers of infinite width: a few steps tell, for what moves fast settles."""
    start = variance
    for _ in range(min(count, _STEPS_LOOKED_AT)):
        variance *= _growth(layer, variance)
    grown = float(np.clip(np.log(_growth(layer, start)) * count, -_FAR, _FAR))
    # what moves slowly has moved on as it began
    slow = count > _STEPS_LOOKED_AT and abs(grown) < 1
    return start * float(np.exp(grown)) if slow else variance


def _growth(layer: Layer, variance: float) -> float:
    """c E φ_s(u)² / V, u ~ N(0, V)."""
    (square,) = gaussian.mean(layer.phi, [Power(value=2)], variance)
    return float(layer.normalizer) * float(square) / variance


def smooth_variance_error(network: Network, layer: int, observable: str, law: Law, beta: float) -> float:
    """The distance of V_ℓ of a smooth network from a law of dV = β V (V − 1) dt + √2 V dB: that of a linear
    network, and
    what drift and variance leave out, from V_0 to the law; where V grows, so does what is left out.
    """
    time = network_time(network, layer)
    values = np.asarray(law.quantile(_LEVELS[[0, 3, 6]]), float)
    logs = values if observable == "log_variance" else np.log(values)
    logs = np.array([np.log(network.gram[0][0]), *logs[np.isfinite(logs)]])
    counts, moved, varied = _counts(network, layer), 0.0, 0.0
    for units, here in network.layer_kinds.items():
        if units not in counts:
            continue
        try:
            found = [
                gaussian.mean(here.phi, [Power(value=2), Power(value=4)], float(np.exp(u))) for u in logs
            ]
        except gaussian.Unreachable:
            return 1.0
        square, fourth = np.array(found).T
        steps = units * (np.log(float(here.normalizer) * square) - logs) - beta * np.expm1(logs)
        share = counts[units] / units / time
        moved += share * float(np.sqrt(np.mean(steps**2)))
        varied += share * float(np.sqrt(np.mean((fourth / square**2 - 3) ** 2)))
    linear = log_mean_error(network, layer, lambda _: Moments(2.0, 8.0))
    growth = float(np.exp(min(max(beta, 0.0) * time, _LARGEST_GROWTH)))
    error = _MARGIN * (linear + growth * (_PHI.max() * moved * np.sqrt(time / 2) + 0.121 * varied / 2))
    # a finite network grows, but does not explode
    return min(1.0, float(error) + law.mass(np.inf))


def sampled(count: int) -> float:
    """How far ``count`` draws may be from their own law: exceeded with a chance of 2e-4."""
    return 2.14 / float(np.sqrt(count))


def depth_error(network: Network, layer: int, slope: float, spread: float) -> float:
    """The distance of log ‖X‖² of a residual network of finite depth from its law at infinite depth, for a
    branch that grows like ``slope`` x: what steps of size 1/d leave out of mean and variance, (1 + s²/d)^d
    for e^{s²}, and of the skewness.

    Parameters
    ----------
    spread
        Standard deviation of log ‖X‖² at the layer.
    """
    if layer == 0 or spread == 0:
        return 0.0
    depth, width, time = network.depth, network.units, layer / network.depth
    mean = slope**4 * time / (2 * depth) * (1 + 2 / width)
    variance = 1.2 * slope**2 / depth * (1 + 1 / width)
    skewness = _SKEWNESS * slope / float(np.sqrt(width * depth * layer))
    return edgeworth(_MARGIN * mean / spread, variance, 0.0) + skewness + _TABLES


def _artanh(gap: float) -> float:
    """artanh ρ from 1 − ρ."""
    inside = min(max(gap, 1 - _END), 1 + _END)
    return 0.5 * float(np.log((2 - inside) / inside))


_END = 1 - 1e-9
"""|ρ| up to which a step is looked at."""
_STEPS = 0.27
"""n (1 + √T) times the distance that finite steps of the correlation make, in linear networks of 8 to 90
units.
"""
_MARGIN = 1.25
"""What the terms to leading order are multiplied by."""
_LARGEST_GROWTH = 3.0
_STEPS_LOOKED_AT = 4
_FAR = 300.0
_SKEWNESS = 0.27
"""√(n d ℓ) / s times the distance that the skewness of a residual network's steps makes."""
_TABLES = 5e-4
"""What float32 and the tables of activations leave of a distance."""
