"""Residual networks of finite width and infinite depth, dX = n^{-1/2} ‖φ(X)‖ dB at time ℓ / d (Hayou 2022):
what has a closed form at every width, and the limit of large widths.

*Linear* φ(y) = s y: log ‖X_t‖ / ‖X_0‖ ~ N(s² (½ − 1/n) t, s² t / n) exactly, for X_t / ‖X_t‖ has no influence
on the norm. *ReLU*: the same but for the drift, which is (½ K_t − 1) / n with K_t positive units: a *quasi*
geometric Brownian motion, N(mean, t / n) up to the variance of that drift. *Large widths*: units become
independent solutions of the McKean–Vlasov equation dX = (E φ(X)²)^{1/2} dB, each Gaussian with variance V_0
e^{t/2} for ReLU.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from deeplimits import gaussian
from deeplimits.activations import Slopes
from deeplimits.errors import InputError
from deeplimits.laws import Law, NormalLaw, PointMass
from deeplimits.limits.accuracy import depth_error, sampled
from deeplimits.limits.base import Limit
from deeplimits.limits.conditions import RELU
from deeplimits.limits.ode import solved
from deeplimits.limits.regime import residual
from deeplimits.limits.resnet.hayou_growth import mean_growth, mean_growth_printed
from deeplimits.limits.solvers.compound import convolved, log_chi_square
from deeplimits.networks.network import Network


class ResidualLimit(Limit):
    """A limit of infinite depth; the branch is scaled by d^{-1/2}, the time of a layer is ℓ / d.

    ``rate`` is the exponent with which the Kolmogorov distance falls with the depth.
    """

    def time(self, network: Network, layer: float) -> float:
        return layer / network.depth


def normal(mean: float, std: float) -> Law:
    """N(mean, std²), a point mass where it has no spread."""
    return NormalLaw(mean, std) if std > 0 else PointMass(mean)


def from_start(network: Network, mean: float, std: float) -> Law:
    """The law of log ‖X_0‖² / n plus an independent N(mean, std²)."""
    origin = float(np.log(network.gram[0][0]))
    if network.start is not None:
        return normal(origin + mean, std)
    return convolved(log_chi_square(network.units), 1.0, origin + mean, std)


_MIXED = 0.3
_GROWN = 0.08
"""d / g² times the distance of N(0, 1) from N(0, e^{g²/2d}), and a margin of a quarter."""
_LARGEST = 700.0
"""log V that float64 holds the exponential of."""


class HayouLinear(ResidualLimit):
    """A linear branch φ(y) = s y, at any width: the norm is a geometric Brownian motion."""

    name = "hayou_linear"
    label = "the geometric Brownian motion of a linear residual network at finite width, d → ∞"
    observables = ("log_growth", "log_variance", "log_activation")
    regimes = (residual(("linear",), branch_exponents=(0.5,), from_number=True),)
    precedence = 10
    rate = 1.0
    equation = "log ‖X_t‖/‖X_0‖ ~ N(s² (½ − 1/n) t, s² t/n)"
    source = "Hayou 2022, Propositions 2 and 9"

    def laws(self, network: Network, layers: Sequence[int], observable: str) -> list[Law]:
        slope, width = float(network.slopes.plus), network.units
        laws: list[Law] = []
        for layer in layers:
            time = slope**2 * self.time(network, layer)
            mean, std = (0.5 - 1 / width) * time, float(np.sqrt(time / width))
            if observable == "log_growth":
                laws.append(normal(mean, std))
            else:
                extra = 2 * float(np.log(abs(slope))) if observable == "log_activation" else 0.0
                laws.append(from_start(network, 2 * mean + extra, 2 * std))
        return laws

    def _error(self, network: Network, layer: int, observable: str, law: Law) -> float:
        scale = 2.0 if observable == "log_growth" else 1.0
        return depth_error(network, layer, abs(float(network.slopes.plus)), scale * law.std)


class QuasiGbm(ResidualLimit):
    """ReLU: the Gaussian with which the paper compares the growth, with its mean right to O(n⁻²).

    Its variance t / n leaves out that of the drift, and its shape is an approximation: ``hayou_sde`` has the
    law itself.
    """

    name = "hayou_quasi_gbm"
    label = "the quasi geometric Brownian motion of a ReLU residual network at finite width, d → ∞"
    observables = ("log_growth",)
    regimes = (residual(("relu_like",), branch_exponents=(0.5,), conditions=(RELU,)),)
    rate_reason = "an approximation at every depth, for its shape and variance"
    equation = "N(mean, t/n), mean right to O(n⁻²)"
    source = "Hayou 2022, Theorem 1, with its mean corrected"

    def mean(self, width: int, time: float) -> float:
        """E log ‖φ(X_t)‖ / ‖φ(X_0)‖."""
        return mean_growth(width, time)

    def laws(self, network: Network, layers: Sequence[int], observable: str) -> list[Law]:
        times = [self.time(network, layer) for layer in layers]
        width = network.units
        return [normal(self.mean(width, time), float(np.sqrt(time / width))) for time in times]

    def _error(self, network: Network, layer: int, observable: str, law: Law) -> float:
        return _SHAPE * layer / network.depth + depth_error(network, layer, 1.0, 2 * law.std)


class PrintedTheorem1(QuasiGbm):
    """The mean that the paper prints, to be refuted where 0 < t and n > 1."""

    name = "h22_theorem_1_printed"
    label = "Theorem 1 as printed, which networks do not follow"
    rate_reason = "networks do not approach it"
    equation = "`hayou_quasi_gbm` with the mean that the paper prints"
    source = "Hayou 2022, Theorem 1, as printed"

    def _error(self, network: Network, layer: int, observable: str, law: Law) -> float:
        return 1.0

    def mean(self, width: int, time: float) -> float:
        return mean_growth_printed(width, time)


_SHAPE = 0.014
"""The distance that the spread of the drift makes by time 1, measured on networks of 2 to 21 units."""


class McKeanVlasov(ResidualLimit):
    """Infinite depth, then infinite width: each unit is N(x_0, v), with x_0 = 0 unless every unit starts at
    the same number, and norms are numbers, dv/dt = E φ(x_0 + √v g)². ``output`` reads the last layer and is
    N(0, x_0² + v).
    """

    name = "mckean_vlasov"
    label = "the McKean–Vlasov equation of residual networks, d → ∞, then n → ∞"
    observables = ("log_growth", "log_variance", "log_activation", "output")
    regimes = (
        residual(
            ("linear", "relu_like", "smooth", "ornstein_uhlenbeck"), branch_exponents=(0.5,), from_number=True
        ),
    )
    kind = "number"
    random = ("output",)
    precedence = 40
    rate_reason = "a number; the error is a width term, n^{−½}, and a depth term, 1/d"
    equation = "dv/dt = E φ(√v g)², n → ∞"
    source = "Hayou 2022, Theorems 2 and 3"

    def laws(self, network: Network, layers: Sequence[int], observable: str) -> list[Law]:
        start = network.start or 0.0
        times = [self.time(network, layer) for layer in layers]
        if network.start is None and isinstance(network.phi, Slopes):
            return self._closed(network, times, observable)
        variances = self.variances(network, times)
        squares = [start**2 + value for value in variances]
        if observable == "log_variance":
            return [PointMass(float(np.log(value))) for value in squares]
        if observable == "output":
            return [NormalLaw(0.0, float(np.sqrt(value))) for value in squares]
        logs = [self._log_activation(network, value) for value in variances]
        if observable == "log_activation":
            return [PointMass(value) for value in logs]
        (first,) = self.variances(network, [0.0])
        origin = self._log_activation(network, first)
        return [PointMass((value - origin) / 2) for value in logs]

    def _closed(self, network: Network, times: Sequence[float], observable: str) -> list[Law]:
        """V_0 e^{s² t}, s² = E φ(g)², in logarithms, which hold it however large it grows."""
        rate, origin = mean_square(network, 0.0, 1.0), float(np.log(network.gram[0][0]))
        if observable == "log_growth":
            return [PointMass(rate * time / 2) for time in times]
        logs = [origin + rate * time for time in times]
        if observable == "output":
            if max(logs) > _LARGEST:
                raise ArithmeticError("float64 does not hold its variance")
            return [NormalLaw(0.0, float(np.exp(value / 2))) for value in logs]
        extra = float(np.log(rate)) if observable == "log_activation" else 0.0
        return [PointMass(value + extra) for value in logs]

    def _error(self, network: Network, layer: int, observable: str, law: Law) -> float:
        """1 for numbers; an output is a mixture of normal laws, whose variance, grown by e^g, fluctuates by
        (1 + 2 g) / n, and with steps of 1/d grows by e^{g − g²/2d} alone.
        """
        if observable != "output":
            return 1.0
        origin = network.gram[0][0] if network.start is None else network.start**2
        grown = max(0.0, 2 * float(np.log(law.std)) - float(np.log(origin)))
        steps = max(_MIXED, _GROWN * grown**2) / network.depth
        return _MIXED * (1 + 2 * grown) / network.units + steps + sampled(1 << 24)

    def variances(self, network: Network, times: Sequence[float]) -> list[float]:
        """v at ``times`` (ascending)."""
        start = network.start or 0.0
        origin = network.gram[0][0] if network.start is None else 0.0
        (path,) = solved(
            lambda _, v: np.array([mean_square(network, start, float(v[0]))]), [origin], times, 1e-11, 1e-13
        )
        return path.tolist()

    @staticmethod
    def _log_activation(network: Network, variance: float) -> float:
        with np.errstate(divide="ignore"):
            return float(np.log(mean_square(network, network.start or 0.0, variance)))


def mean_square(network: Network, mean: float, variance: float) -> float:
    """E φ(x)², x ~ N(``mean``, ``variance``).

    Raises
    ------
    InputError
        If it cannot be had.
    """
    from scipy.special import ndtr

    std = float(np.sqrt(variance))
    if isinstance(network.phi, Slopes):
        square = mean**2 + variance
        side = square * float(mean > 0)
        if std > 0:
            ratio = mean / std
            density = float(np.exp(-(ratio**2) / 2) / np.sqrt(2 * np.pi))
            side = square * float(ndtr(ratio)) + mean * std * density
        return float(network.phi.plus**2) * side + float(network.phi.minus**2) * (square - side)
    try:
        return float(gaussian.mean(network.phi, [gaussian.SQUARE], variance, mean)[0])
    except gaussian.Unreachable as error:
        found = f"<units of mean {mean:.4g} and variance {variance:.4g}>"
        expected = f"an activation whose mean square there can be had: {error}"
        raise InputError("limit", "mckean_vlasov", found, expected) from None
