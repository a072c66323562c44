"""Numbers that formulas of the papers predict for one layer or for moments of a whole network, by name, so
that a claim can hold simulated networks of their recursions against them.

Notation: n width, p shaping exponent, s± slopes, c = 2 / (s₊² + s₋²), V_0 the Gram matrix of the inputs, ρ
their correlation, x = 1 − ρ, K_{p,r}(ρ) = E φ(g)^p φ(ĝ)^r for plain ReLU φ and standard normal g, ĝ of
correlation ρ, K_p = K_{p,p} (Li & Nica 2024, eq. (4.11)).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from deeplimits.array_types import Array
from deeplimits.limits.setting import Setting


def _q(rho: float) -> float:
    return float(np.sqrt((1 - rho) * (1 + rho)))


def _k1(rho: float) -> float:
    return float((_q(rho) + rho * np.arccos(-rho)) / (2 * np.pi))


def _k2(rho: float) -> float:
    return float((3 * rho * _q(rho) + (1 + 2 * rho**2) * np.arccos(-rho)) / (2 * np.pi))


def _k31(rho: float) -> float:
    return float((_q(rho) * (2 + rho**2) + 3 * rho * np.arccos(-rho)) / (2 * np.pi))


M2 = 5.0
"""E [c φ(g)² − 1]² for ReLU: Li & Nica 2024, eq. (4.12)."""


def exact_kernel(setting: Setting) -> float:
    """E V_1^{12} = V_0-scaled c K_1(ρ) = ρ + A (q − ρ arccos ρ) / π, for any slopes."""
    plus, minus = setting.slopes
    rho = setting.rho
    asymmetry = (plus - minus) ** 2 / (plus**2 + minus**2)
    return setting.norm * float(rho + asymmetry * (_q(rho) - rho * np.arccos(rho)) / np.pi)


def relu_gradient_gap(setting: Setting) -> float:
    """1 − 2 K_0(ρ), K_0 = arccos(−ρ) / 2π: 1 − cos of the gradients φ'(z) ⊙ u of two inputs, for one u and
    infinite width, plain ReLU.
    """
    return float(1 - np.arccos(-setting.rho) / np.pi)


def relu_kernel_1(setting: Setting) -> float:
    """E V_1^{12} = c K_1(ρ), plain ReLU."""
    return setting.norm * 2 * _k1(setting.rho)


def relu_kernel_2(setting: Setting) -> float:
    """n Cov(V_1^{11}, V_1^{22}) = c² K_2(ρ) − 1, plain ReLU and inputs of unit norm; divided by n."""
    return (4 * _k2(setting.rho) - 1) / setting.width


def relu_kernel_31(setting: Setting) -> float:
    """n Cov(V_1^{11}, V_1^{12}) = c² K_{3,1}(ρ) − c K_1(ρ), plain ReLU and inputs of unit norm; over n."""
    return (4 * _k31(setting.rho) - 2 * _k1(setting.rho)) / setting.width


def relu_fourth(setting: Setting) -> float:
    """Var V_1^{11} = M_2 / n."""
    return M2 / setting.width


def step_drift(setting: Setting) -> float:
    """μ_r / n, μ_r = (c/4) [K_1 (c² K_2 + 3 M_2 + 3) − 4 c K_{3,1}]: eq. (4.14)."""
    k1, k2, k31 = _k1(setting.rho), _k2(setting.rho), _k31(setting.rho)
    return 0.5 * (k1 * (4 * k2 + 3 * M2 + 3) - 8 * k31) / setting.width


def step_mean(setting: Setting) -> float:
    """E ρ_1 = c K_1 + μ_r / n: eqs. (4.13) and (4.14)."""
    return 2 * _k1(setting.rho) + step_drift(setting)


def relu_fourth_printed(setting: Setting) -> float:
    """M_2 / n², from V_1 = V_0 (1 + R / √n) with R = (1/n) Σ (c φ² − 1): Li, Nica & Roy 2022, eq. (2.5) with
    the R printed before it.
    """
    return M2 / setting.width**2


def step_variance(setting: Setting) -> float:
    """Var ρ_1 = σ_r² / n, σ_r² = (c²/2) [K_1² (c² K_2 + M_2 + 1) − 4 c K_1 K_{3,1} + 2 K_2]: eq. (4.14)."""
    k1, k2, k31 = _k1(setting.rho), _k2(setting.rho), _k31(setting.rho)
    return 2 * (k1**2 * (4 * k2 + M2 + 1) - 8 * k1 * k31 + 2 * k2) / setting.width


def near_one_drift(setting: Setting) -> float:
    """μ_r / n expanded about ρ = 1: eq. (4.16)."""
    x, root = 1 - setting.rho, np.sqrt(2.0) / np.pi
    return float((-2 * x + 4 * root * x**1.5 + 3 * x**2 - 73 * root / 15 * x**2.5) / setting.width)


def near_one_mean(setting: Setting) -> float:
    """E ρ_1 expanded about ρ = 1: eq. (4.16)."""
    x, root = 1 - setting.rho, np.sqrt(2.0) / np.pi
    return float(setting.rho + 2 * root / 3 * x**1.5 + root / 30 * x**2.5 + near_one_drift(setting))


def near_one_variance(setting: Setting) -> float:
    """Var ρ_1 expanded about ρ = 1: eq. (4.16)."""
    x = 1 - setting.rho
    return float((2 * np.sqrt(2.0) * x - 56 / (15 * np.pi) * x**1.5) ** 2 / setting.width)


def infinite_width_near_one(setting: Setting) -> float:
    """ρ + c_1 (1 − ρ)^{3/2}, c_1 = 2√2 / 3π: eq. (4.3)."""
    return float(setting.rho + 2 * np.sqrt(2.0) / (3 * np.pi) * (1 - setting.rho) ** 1.5)


def _shaped(setting: Setting, sign: float) -> float:
    rho = setting.rho
    nu = (setting.c_plus - setting.c_minus) ** 2 / (2 * np.pi) * (_q(rho) + sign * rho * np.arccos(rho))
    return setting.norm * float(rho + nu * float(setting.width) ** (-2 * setting.exponent))


def shaped_step(setting: Setting) -> float:
    """ρ + ν(ρ) n^{−2p}, ν = (c₊ − c₋)²/2π (q − ρ arccos ρ): Lemma B.1 with the sign of eq. (2.8)."""
    return _shaped(setting, -1.0)


def shaped_step_printed(setting: Setting) -> float:
    """The same with the sign that eqs. (3.7), (3.12) and (B.5) print."""
    return _shaped(setting, 1.0)


def isserlis(setting: Setting) -> float:
    """Cov(V_1^{ab}, V_1^{cd}) = (V_0^{ac} V_0^{bd} + V_0^{ad} V_0^{bc}) / n: Lemmas B.2 and B.3."""
    (a, b), (c, d) = setting.entries
    gram = setting.gram
    return float(gram[a, c] * gram[b, d] + gram[a, d] * gram[b, c]) / setting.width


def isserlis_printed(setting: Setting) -> float:
    """(Σ Σᵀ)_{ab,cd} / n, the covariance of Σ(V_0) ξ / √n over the entries a ≤ b: eq. (3.16) as printed, with
    Σ in place of Σ^{1/2}.
    """
    first, second = np.triu_indices(len(setting.gram))

    def row(a: int, b: int) -> Array:
        gram = setting.gram
        return np.asarray(gram[a, first] * gram[b, second] + gram[a, second] * gram[b, first])

    (a, b), (c, d) = setting.entries
    return float(row(a, b) @ row(c, d)) / setting.width


def linear_log_variance(setting: Setting) -> float:
    """Var log V_T = 2 T, one input, from dV = Σ(V)^{1/2} dB = √2 V dB."""
    return 2 * setting.time


def linear_log_variance_printed(setting: Setting) -> float:
    """The same from dV = Σ(V) dB = 2 V² dB, V_0 = 1: 1 / 2V is a Bessel process of dimension 3 from ½, the
    distance of ½ e + √T g from 0 for g ~ N(0, I_3).

    The distance r has the density r (e^{−(r − ½)²/2T} − e^{−(r + ½)²/2T}) / (½ √(2πT)).
    """
    from scipy.integrate import quad

    time = setting.time
    end = 0.5 + 40 * float(np.sqrt(time))

    def weighted(power: int) -> float:
        def integrand(r: float) -> float:
            density = np.exp(-((r - 0.5) ** 2) / (2 * time)) - np.exp(-((r + 0.5) ** 2) / (2 * time))
            return float(2 * r * density / np.sqrt(2 * np.pi * time) * np.log(r) ** power)

        # the density is concentrated on a few √T about ½
        breaks = [at for at in 0.5 + np.sqrt(time) * np.array([-8, -4, -2, 0, 2, 4, 8]) if at > 0]
        return float(quad(integrand, 0.0, end, points=breaks, epsabs=0, epsrel=1e-11, limit=200)[0])

    return weighted(2) - weighted(1) ** 2


def linear_determinant(setting: Setting) -> float:
    """E det V_T = e^{−T} det V_0, two inputs, from dV = Σ(V)^{1/2} dB."""
    return float(np.exp(-setting.time) * np.linalg.det(setting.gram))


def linear_product(setting: Setting) -> float:
    """E (V_T^{12})² = [(1 + 2ρ²) e^{2T} − (1 − ρ²) e^{−T}] / 3, inputs of unit norm, linear network."""
    square, time = setting.rho**2, setting.time
    return float(((1 + 2 * square) * np.exp(2 * time) - (1 - square) * np.exp(-time)) / 3)


def _ode_correlation(setting: Setting, kappa: float) -> float:
    """ρ at time 1 of dρ/dt = κ/2π (q − ρ arccos ρ)."""
    from scipy.integrate import solve_ivp

    def drift(_: float, rho: Array) -> Array:
        inside = np.clip(rho, -1.0, 1.0)
        return np.asarray(kappa / (2 * np.pi) * (np.sqrt(1 - inside**2) - inside * np.arccos(inside)))

    return float(solve_ivp(drift, (0.0, 1.0), [setting.rho], rtol=1e-11, atol=1e-13).y[0, -1])


def ode_correlation(setting: Setting) -> float:
    """ρ at t = 1 of the ODE that ResNets and shaped MLPs with (c₊ − c₋)² = 1 share: dρ/dt = ν(ρ)."""
    return _ode_correlation(setting, 1.0)


def resnet_covariance(setting: Setting) -> float:
    """V^{ab} of a ResNet at t = 1: dV^{ab}/dt = (ν(ρ) + ρ/2) √(V^{aa} V^{bb}), so that V^{aa} grows like
    e^{t/2} (Li & Nica 2024, Theorem 2.2).
    """
    return float(np.exp(0.5)) * resnet_covariance_printed(setting)


def resnet_covariance_printed(setting: Setting) -> float:
    """V^{ab} at t = 1 by eq. (2.14) as printed, dV^{ab}/dt = ν(ρ) √(V^{aa} V^{bb}): that of a shaped MLP."""
    a, b = setting.entries[0]
    return float(setting.gram[a, a]) if a == b else setting.norm * _ode_correlation(setting, 1.0)


def growth_variance(setting: Setting) -> float:
    """(n^{−1/2} + Γ)² with Γ² = Var K / 4n² and Var K = n/4: Hayou 2022, Theorem 1's bound at t = 1 with its
    smallest Γ, that of independent signs.
    """
    return float((1 + 0.25) ** 2 / setting.width)


def normal_growth_variance(setting: Setting) -> float:
    """1/n: the variance at t = 1 of the Brownian part B_t / √n."""
    return 1 / setting.width


def growth_mean(setting: Setting) -> float:
    """E log ‖φ(X_1)‖ / ‖φ(X_0)‖ of a ReLU ResNet of infinite depth, up to O(n⁻²)."""
    from deeplimits.limits.resnet.hayou_growth import mean_growth

    return mean_growth(setting.width, 1.0)


def growth_mean_printed(setting: Setting) -> float:
    """1 / (4 (1 − 2⁻ⁿ)) − 1/n: Hayou 2022, Theorem 1 as printed, at t = 1."""
    from deeplimits.limits.resnet.hayou_growth import mean_growth_printed

    return mean_growth_printed(setting.width, 1.0)


def start(setting: Setting) -> float:
    """V_0^{ab}: nothing moves on average."""
    a, b = setting.entries[0]
    return float(setting.gram[a, b])


ENTRIES = {
    "isserlis": 2,
    "isserlis_printed": 2,
    "resnet_covariance": 1,
    "resnet_covariance_printed": 1,
    "start": 1,
}
"""How many entries V^{ab} a prediction is about, where it is about any."""

PREDICTIONS: dict[str, Callable[[Setting], float]] = {
    function.__name__: function
    for function in (
        exact_kernel,
        relu_gradient_gap,
        relu_kernel_1,
        relu_kernel_2,
        relu_kernel_31,
        relu_fourth,
        relu_fourth_printed,
        step_drift,
        step_mean,
        step_variance,
        near_one_drift,
        near_one_mean,
        near_one_variance,
        infinite_width_near_one,
        shaped_step,
        shaped_step_printed,
        isserlis,
        isserlis_printed,
        linear_log_variance,
        linear_log_variance_printed,
        linear_determinant,
        linear_product,
        ode_correlation,
        resnet_covariance,
        resnet_covariance_printed,
        growth_variance,
        normal_growth_variance,
        growth_mean,
        growth_mean_printed,
        start,
    )
}
