"""log V of a piecewise-linear network of finite width: a sum of independent steps, by one Fourier integral.

V' / V = (c/n) (s₊² A + s₋² B), A ~ χ²_K and B ~ χ²_{n−K} for K ~ Bin(n, ½) positive units. In polar form
that is (c/n) S times s₊² sin² θ + s₋² cos² θ: the radius S ~ χ²_n is independent of the angle, of which sin²
θ ~ Beta(K/2, (n−K)/2) given K, and 1 or 0 where K is n or 0. So

    E (V'/V)^{iω} = (2c/n)^{iω} Γ(n/2 + iω) / Γ(n/2) · E (s₊² sin² θ + s₋² cos² θ)^{iω},

and where s₋ = 0 the last expectation, over K > 0, is a sum of Gamma functions as well: an input dies with K =
0. The law of log V_d / V_0 is the inverse Fourier transform of a product over the layers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deeplimits.activations import Slopes
from deeplimits.array_types import Array
from deeplimits.laws import TabulatedLaw, Transform
from deeplimits.limits.tables import from_derivatives

Complex = NDArray[np.complex128]

_NOTHING = 1e-17
"""Of a weight that is left out."""
_LEFT = 1e-14
"""Probability of what lies beyond the range of a table."""
_REACH = 8.5
"""Standard deviations of a table on either side, at least."""
_SMALL = 36.0
"""−log |E e^{iωu}| from which on it is nothing."""
_FINER = 1.6
"""Nodes of a table over a radian of the last frequency."""
_MOST = 1 << 16
"""Nodes, and frequencies."""
_ANGLES = 24
"""Nodes of a panel of angles."""


@dataclass(frozen=True)
class Factors:
    """What a piecewise-linear network multiplies V by.

    Parameters
    ----------
    layers
        How many layers there are of each kind: slopes and units.
    """

    layers: tuple[tuple[Slopes, int, int], ...]

    @property
    def alive(self) -> float:
        """The probability that an input has not died."""
        found = 1.0
        for slopes, units, count in self.layers:
            if slopes.plus * slopes.minus == 0:
                found *= (1 - 0.5**units) ** count
        return found

    def characteristic(self, omega: Array) -> Complex:
        """E e^{iω log(V/V_0)} of inputs that live, [frequency]."""
        found = np.ones(len(omega), complex)
        for slopes, units, count in self.layers:
            found *= characteristic(slopes, units, omega) ** count
        return found

    def law(self, transform: Transform) -> TabulatedLaw:
        """The law of log V/V_0 of inputs that live, as that of what ``transform`` makes of it."""
        mean, std = self._moments
        low, high = self._ends(mean, std)
        last = self._last(1 / std)
        spacing = 2 * np.pi / (high - low)
        count = int(np.ceil(last / spacing)) + 1
        nodes = np.linspace(low, high, max(int(np.ceil((high - low) * last * _FINER)), 257))
        if max(count, len(nodes)) > _MOST:
            raise ArithmeticError("so few units have a law of log V with too long a tail")
        omega = spacing * np.arange(1.0, count + 1)
        values = self.characteristic(omega)
        # F' and its first two derivatives, by sums over frequencies in pieces that fit a cache
        columns = np.empty((3, len(nodes)))
        columns[:] = np.array([[1.0], [0.0], [0.0]])
        weights = np.stack([values, -1j * omega * values, -(omega**2) * values])
        for start in range(0, len(nodes), 1024):
            part = nodes[start : start + 1024]
            phase = np.exp(-1j * part[:, None] * omega)
            columns[:, start : start + 1024] += 2 * np.real(weights @ phase.T)
        return from_derivatives(nodes, columns * spacing / (2 * np.pi), transform)

    @property
    def _moments(self) -> tuple[float, float]:
        """Moments of log V/V_0, from its characteristic function near 0."""
        small, mean, variance = 1e-2, 0.0, 1.0
        for _ in range(3):
            values = np.log(self.characteristic(np.array([small, 2 * small])))
            # κ₁ and κ₂ to fourth order in ω
            mean = float((8 * values[0].imag - values[1].imag) / (6 * small))
            variance = float(-(16 * values[0].real - values[1].real) / (6 * small**2))
            small = 0.05 / float(np.sqrt(variance))
        return mean, float(np.sqrt(variance))

    def _ends(self, mean: float, std: float) -> tuple[float, float]:
        """Between which log V/V_0 lies but for ``_LEFT``: by the smallest bound that a moment E (V/V_0)^{±a}
        gives.
        """
        need = -np.log(_LEFT)
        powers = np.geomspace(1e-3, 1.0, 60)
        ends = []
        for sign in (-1, 1):
            largest = (
                min(
                    (0.5 if slopes.plus * slopes.minus == 0 else units / 2)
                    for slopes, units, _ in self.layers
                )
                * (1 - 1e-6)
                if sign < 0
                else 60 / std
            )
            bounds = []
            for power in powers * largest:
                moment = self._log_moment(sign * power)
                if np.isfinite(moment):
                    bounds.append((moment + need) / power)
            ends.append(sign * min(bounds))
        return min(ends[0], mean - _REACH * std), max(ends[1], mean + _REACH * std)

    def _log_moment(self, power: float) -> float:
        """log E (V/V_0)^power of inputs that live."""
        total = 0.0
        with np.errstate(over="ignore", invalid="ignore"):
            for slopes, units, count in self.layers:
                moment = np.real(characteristic(slopes, units, np.array([-1j * power]))[0])
                total += count * float(np.log(moment))
        return total

    def _last(self, first: float) -> float:
        """A frequency beyond which there is nothing."""
        omega = first
        while True:
            around = omega * np.linspace(1.0, 1.3, 7)
            if np.abs(self.characteristic(around)).max() < np.exp(-_SMALL):
                return omega
            omega *= 1.25
            if omega > 1e7 * first:
                raise ArithmeticError("so few units have a law of log V that is not smooth")


def characteristic(slopes: Slopes, units: int, omega: Array | Complex) -> Complex:
    """E (V'/V)^{iω} of a layer, of inputs that live after it, [frequency]."""
    from scipy.special import loggamma

    plus, minus = float(slopes.plus) ** 2, float(slopes.minus) ** 2
    half, i_omega = units / 2, 1j * np.asarray(omega)
    radius = loggamma(half + i_omega) - loggamma(half)
    c = 2 / (plus + minus)
    if plus == minus:
        return np.asarray(np.exp(radius + i_omega * np.log(2 * c * plus / units)))
    if plus * minus == 0:
        positive, log_weight = _binomial(units)
        positive, log_weight = positive[positive > 0], log_weight[positive > 0]
        some = log_weight > log_weight.max() + np.log(_NOTHING) - 20
        weight = np.exp(log_weight[some])
        weight /= weight.sum() if units > 60 else 1 - 0.5**units
        half_k = positive[some] / 2
        terms = loggamma(half_k + i_omega[:, None]) - loggamma(half_k)
        return np.asarray(np.exp(terms) @ weight * np.exp(i_omega * np.log(2 * c * (plus + minus) / units)))
    values, weights = _angular(plus, minus, units)
    return np.asarray(
        np.exp(radius + i_omega * np.log(2 * c / units)) * (np.exp(i_omega[:, None] * values) @ weights)
    )


def _binomial(units: int) -> tuple[Array, Array]:
    """K = 0 … n and log P(K)."""
    from scipy.special import gammaln

    k = np.arange(units + 1.0)
    return k, gammaln(units + 1) - gammaln(k + 1) - gammaln(units - k + 1) - units * np.log(2)


def _angular(plus: float, minus: float, units: int) -> tuple[Array, Array]:
    """Nodes log(s₊² sin² θ + s₋² cos² θ) and weights of the law of the angle."""
    from scipy.special import gammaln

    # the logarithm has branch points at tan θ = ± i s₋/s₊, beside 0 or beside π/2
    nearest = np.arctan(np.sqrt(min(plus, minus) / max(plus, minus)))
    width = min(np.pi / 8, 4 / np.sqrt(units))
    graded = np.concatenate([[0.0], nearest * 2.0 ** np.arange(0, 60)])
    graded = graded[graded < np.pi / 2]
    breaks = np.concatenate(
        [graded, np.pi / 2 - graded, np.linspace(0, np.pi / 2, int(np.pi / 2 / width) + 1)]
    )
    breaks = np.unique(np.clip(breaks, 0.0, np.pi / 2))
    breaks = np.concatenate([breaks[:1], breaks[1:][np.diff(breaks) > 1e-14]])
    points, parts = np.polynomial.legendre.leggauss(_ANGLES)
    lengths = np.diff(breaks)[:, None] / 2
    theta = (breaks[:-1, None] + lengths * (points + 1)).ravel()
    weights = (lengths * parts).ravel()
    k, log_weight = _binomial(units)
    inside = (k > 0) & (k < units) & (log_weight > log_weight.max() + np.log(_NOTHING) - 20)
    k, log_weight = k[inside], log_weight[inside]
    beta = gammaln(units / 2) - gammaln(k / 2) - gammaln((units - k) / 2) + np.log(2)
    powers = np.log(np.sin(theta))[:, None] * (k - 1) + np.log(np.cos(theta))[:, None] * (units - k - 1)
    density = np.exp(powers + (log_weight + beta)).sum(axis=1)
    values = np.log(plus * np.sin(theta) ** 2 + minus * np.cos(theta) ** 2)
    weights = weights * density
    some = weights > _NOTHING
    alone = 0.5**units
    return (
        np.concatenate([values[some], [np.log(plus), np.log(minus)]]),
        np.concatenate([weights[some], [alone, alone]]),
    )
