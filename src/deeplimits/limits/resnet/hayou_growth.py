"""Formulas for the logarithmic growth log ‖φ(X_t)‖ / ‖φ(X_0)‖ of a residual network of finite width and
infinite depth, given that layer 0 is alive.

Hayou 2022, Theorem 1 prints the mean growth of ReLU, (1 / (4 (1 − 2⁻ⁿ)) − 1/n) t, for all t; it is the exact
rate at t = 0, and exact for n = 1, but a unit that has changed its sign since t = 0 is no longer independent
of the norm, and the growth slows down. Proposition 10 prints a constant rate for slopes α and β, which holds
if |α| = |β|.
"""

from __future__ import annotations

import numpy as np

_NODES = 256
"""Of the quadrature over the angle between the positive part of X_0 and X_0."""


def initial_rate(width: int, plus: float = 1.0, minus: float = 0.0) -> float:
    """d/dt E log ‖φ(X_t)‖ at t = 0 for slopes s₊ and s₋, exactly: (s₊² + s₋²)/4 − (1/n) E (s₊⁴ A + s₋⁴ B) /
    (s₊² A + s₋² B), A and B the sums of X² over positive and over negative units.

    Given K positive units, A / (A + B) = sin² ω has a beta law. If a slope is 0 its units count for nothing,
    and that one is left is given. Hayou 2022, Theorem 1 and Proposition 10.
    """
    from scipy.special import gammaln

    if plus == 0 and minus == 0:
        raise ValueError("one of the slopes is not 0")
    if minus == 0 or plus == 0:
        slope = plus or minus
        return slope**2 * (1 / (4 * (1 - 0.5**width)) - 1 / width)
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    omega = np.pi / 4 * (nodes + 1)
    ratio = (plus**4 * np.sin(omega) ** 2 + minus**4 * np.cos(omega) ** 2) / (
        plus**2 * np.sin(omega) ** 2 + minus**2 * np.cos(omega) ** 2
    )
    total = 0.0
    for positive in range(width + 1):
        chance = np.exp(
            gammaln(width + 1) - gammaln(positive + 1) - gammaln(width - positive + 1) - width * np.log(2)
        )
        if positive in (0, width):
            total += chance * (plus if positive else minus) ** 2
            continue
        law = np.sin(omega) ** (positive - 1) * np.cos(omega) ** (width - positive - 1) * weights
        total += chance * float(law @ ratio / law.sum())
    return (plus**2 + minus**2) / 4 - total / width


def mean_growth_printed(width: int, time: float) -> float:
    """E log ‖φ(X_t)‖ / ‖φ(X_0)‖ of ReLU as Theorem 1 prints it."""
    return time * initial_rate(width)


def growth_rate(width: int, time: float) -> float:
    """d/dt of ``mean_growth``: 1 / (4 (1 − 2⁻ⁿ)) − (1/n) [1 + (θ − sin θ cos θ) / 2π] with θ = arccos
    e^{−t/4}.
    """
    if width == 1:
        return -0.5
    theta = float(np.arccos(np.exp(-time / 4)))
    return initial_rate(width) - (theta - np.sin(theta) * np.cos(theta)) / (2 * np.pi * width)


def mean_growth(width: int, time: float) -> float:
    """E log ‖φ(X_t)‖ / ‖φ(X_0)‖ of ReLU, up to O(n⁻²); exact for n = 1.

    θ is the angle between X_0 and X_t in the limit of large widths: θ / π of the units have another sign than
    at t = 0.
    """
    from scipy.integrate import quad

    return float(quad(lambda t: growth_rate(width, t), 0, time, epsabs=1e-12)[0])
