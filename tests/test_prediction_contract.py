"""Every formula that claims are held against, by a second way to the same number: quadrature over two Gaussians, moments of
linear networks of a million units, an integral in place of an equation. A formula without one fails.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import gamma, polygamma
from scipy.stats import binom, multivariate_normal, poisson

from deeplimits.limits.predictions import ENTRIES, PREDICTIONS
from deeplimits.limits.setting import Setting, UnpredictableError

NODES, WEIGHTS = np.polynomial.legendre.leggauss(24)


def expected(rho: float, first: int, second: int, slopes: tuple[float, float] = (1.0, 0.0)) -> float:
    """E φ(g)^first φ(ĝ)^second in polar coordinates, between the lines where a unit changes its sign."""
    plus, minus = slopes
    turn = float(np.arccos(rho))
    breaks = np.sort([-np.pi / 2, turn - np.pi / 2, np.pi / 2, turn + np.pi / 2, 3 * np.pi / 2])
    middle, half = (breaks[1:] + breaks[:-1]) / 2, (breaks[1:] - breaks[:-1]) / 2
    angles = middle[:, None] + half[:, None] * NODES
    one, two = (np.where(u > 0, plus, minus) * u for u in (np.cos(angles), np.cos(angles - turn)))
    power = (first + second) / 2
    over_angles = (half[:, None] * WEIGHTS * one**first * two**second).sum() / (2 * np.pi)
    return float(over_angles * 2**power * gamma(power + 1))


def covariance_of_a_unit(rho: float) -> np.ndarray:
    """Of 2 (φ(g)², φ(ĝ)², φ(g) φ(ĝ)), φ ReLU, [3, 3]."""
    powers = ((2, 0), (0, 2), (1, 1))
    means = [2 * expected(rho, *each) for each in powers]
    return np.array(
        [
            [4 * expected(rho, a[0] + b[0], a[1] + b[1]) - means[i] * means[j] for j, b in enumerate(powers)]
            for i, a in enumerate(powers)
        ]
    )


def of_a_step(rho: float) -> tuple[float, float, float]:
    """c K₁, and n times drift and variance of a step of ρ' = P / √(S₁ S₂), by its derivatives at the means."""
    mean, noise = 2 * expected(rho, 1, 1), covariance_of_a_unit(rho)
    gradient = np.array([-mean / 2, -mean / 2, 1.0])
    second = np.array([[0.75 * mean, mean / 4, -0.5], [mean / 4, 0.75 * mean, -0.5], [-0.5, -0.5, 0.0]])
    return mean, float((second * noise).sum() / 2), float(gradient @ noise @ gradient)


def second_moments(setting: Setting, width: int = 1_000_000) -> np.ndarray:
    """E (V^{12})² and E V^{11} V^{22} of linear networks so wide that they are at their limit, [2]."""
    step = np.array([[1 + 1 / width, 1 / width], [2 / width, 1.0]])
    start = [setting.gram[0, 1] ** 2, setting.gram[0, 0] * setting.gram[1, 1]]
    return np.linalg.matrix_power(step, round(setting.time * width)) @ start


def fourth_moment(setting: Setting, first: tuple[int, int], second: tuple[int, int]) -> float:
    """Cov(z_a z_b, z_c z_d) for z ~ N(0, V_0), by a quadrature that is exact for polynomials of degree 7."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(4)
    size = len(setting.gram)
    normals = np.array(list(product(nodes, repeat=size))).T
    masses = np.array([np.prod(each) for each in product(weights / weights.sum(), repeat=size)])
    z = np.linalg.cholesky(setting.gram) @ normals
    one, two = (z[a] * z[b] for a, b in (first, second))
    return float(masses @ (one * two) - (masses @ one) * (masses @ two))


def time_to(setting: Setting, rho: float) -> float:
    """How long dρ/dt = (q − ρ arccos ρ)/2π takes from ρ_0 to ρ."""
    return float(quad(lambda r: 2 * np.pi / (np.sqrt(1 - r * r) - r * np.arccos(r)), setting.rho, rho)[0])


def shaped_term(setting: Setting) -> float:
    """What n^{−2p} is multiplied by in the step of shaped slopes: of twice as many units, ever more nearly."""
    gram = setting.gram / setting.norm
    sizes = []
    for width in (1e10, 4e10):
        slopes = tuple(1 + c * width**-setting.exponent for c in (setting.c_plus, setting.c_minus))
        c = 2 / (slopes[0] ** 2 + slopes[1] ** 2)
        moved = c * expected(setting.rho, 1, 1, slopes) - gram[setting.pair]
        sizes.append(moved * width ** (2 * setting.exponent))
    # the next term is of relative order n^{−p}
    ratio = 4.0**setting.exponent
    return (ratio * sizes[1] - sizes[0]) / (ratio - 1)


def own_kernel(setting: Setting) -> float:
    plus, minus = setting.slopes
    return setting.norm * 2 / (plus**2 + minus**2) * expected(setting.rho, 1, 1, setting.slopes)


def printed_shaped(setting: Setting) -> float:
    """The other sign in front of ρ arccos ρ."""
    wrong = (setting.c_plus - setting.c_minus) ** 2 / np.pi * setting.rho * np.arccos(setting.rho)
    return shaped(setting) + setting.norm * float(wrong) * setting.width ** (-2 * setting.exponent)


def shaped(setting: Setting) -> float:
    return setting.norm * (setting.rho + shaped_term(setting) * setting.width ** (-2 * setting.exponent))


def printed_isserlis(setting: Setting) -> float:
    """Σ Σᵀ, over the entries on and above the diagonal."""
    (one, two), size = setting.entries, len(setting.gram)
    pairs = [(a, b) for a in range(size) for b in range(a, size)]
    return sum(fourth_moment(setting, one, p) * fourth_moment(setting, two, p) for p in pairs) / setting.width


def printed_log_variance(setting: Setting) -> float:
    """Var log ‖½ e + √T g‖, g ~ N(0, I₃): ‖·‖² is T times noncentral χ² of 3 degrees of freedom, a mixture over N ~
    Poisson(1/8T) of χ²_{3 + 2N}, whose logarithm has moments by ψ.
    """
    counts = np.arange(400)
    weights = poisson.pmf(counts, 1 / (8 * setting.time))
    means = polygamma(0, 1.5 + counts)
    second = polygamma(1, 1.5 + counts) + means**2
    return float((weights @ second - (weights @ means) ** 2) / 4)


def grown(setting: Setting) -> float:
    """The rate at 0, less that which units whose sign has changed take: by quadrature over time."""
    width = setting.width

    def rate(t: float) -> float:
        # E φ'(g)² φ'(ĝ)² at the correlation e^{−t/4} of X_0 and X_t, and what it is of ĝ² beside
        angle = np.arccos(np.exp(-t / 4))
        beside = 0.5 - quad(lambda u: np.cos(u) ** 2, angle - np.pi / 2, np.pi / 2)[0] / np.pi
        return 1 / (4 * (1 - 0.5**width)) - (1 + beside) / width

    return -0.5 if width == 1 else float(quad(rate, 0, 1)[0])


ORACLES: dict[str, Callable[[Setting], float]] = {
    "exact_kernel": own_kernel,
    # both units live
    "relu_gradient_gap": lambda s: 1 - 2 * float(multivariate_normal(cov=gram_of(s.rho)).cdf([0, 0])),
    "relu_kernel_1": lambda s: s.norm * 2 * expected(s.rho, 1, 1),
    "relu_kernel_2": lambda s: covariance_of_a_unit(s.rho)[0, 1] / s.width,
    "relu_kernel_31": lambda s: covariance_of_a_unit(s.rho)[0, 2] / s.width,
    "relu_fourth": lambda s: covariance_of_a_unit(s.rho)[0, 0] / s.width,
    "relu_fourth_printed": lambda s: covariance_of_a_unit(s.rho)[0, 0] / s.width**2,
    "step_drift": lambda s: of_a_step(s.rho)[1] / s.width,
    "step_mean": lambda s: of_a_step(s.rho)[0] + of_a_step(s.rho)[1] / s.width,
    "step_variance": lambda s: of_a_step(s.rho)[2] / s.width,
    "shaped_step": shaped,
    "shaped_step_printed": printed_shaped,
    "isserlis": lambda s: fourth_moment(s, *s.entries) / s.width,
    "isserlis_printed": printed_isserlis,
    # one input: E V² = e^{2T} and V is log-normal with mean 1
    "linear_log_variance": lambda s: s.time * np.log(1 + 2e-6) * 1e6,
    "linear_log_variance_printed": printed_log_variance,
    "linear_determinant": lambda s: float(second_moments(s) @ [-1, 1]),
    "linear_product": lambda s: float(second_moments(s)[0]),
    "growth_variance": lambda s: (s.width**-0.5 + np.sqrt(binom(s.width, 0.5).var()) / (2 * s.width)) ** 2,
    "normal_growth_variance": lambda s: 1 / s.width,
    "growth_mean": grown,
    "growth_mean_printed": lambda s: 1 / (4 * (1 - 0.5**s.width)) - 1 / s.width,
    "start": lambda s: s.gram[s.entries[0]],
}
"""What else gives the same number."""

NEAR_ONE = {
    # the formula that is expanded, and the power of x = 1 − ρ that is left out
    "near_one_drift": ("step_drift", 3.0),
    "near_one_mean": ("step_mean", 3.0),
    "near_one_variance": ("step_variance", 3.0),
    "infinite_width_near_one": ("exact_kernel", 2.5),
}
TIMED = ("ode_correlation", "resnet_covariance", "resnet_covariance_printed")


def gram_of(rho: float, first: float = 1.0, second: float = 1.0) -> np.ndarray:
    return np.array([[first, rho * np.sqrt(first * second)], [rho * np.sqrt(first * second), second]])


THREE = np.array([[1.0, 0.3, -0.2], [0.3, 1.5, 0.4], [-0.2, 0.4, 0.8]])
UNIT = [Setting(7, 5, 0.4, 0.5, -1.2, gram_of(rho), ((0, 1),)) for rho in (-0.7, 0.0, 0.3, 0.95)]
LONG = [Setting(7, 5, 0.4, 0.5, -1.2, gram_of(rho, 0.6, 2.3), ((0, 1),)) for rho in (-0.7, 0.3)]
MATRIX = [
    Setting(5, 3, 0.4, 0.5, -1.2, THREE, each)
    for each in (((0, 1), (0, 2)), ((1, 1), (1, 2)), ((0, 2), (1, 1)))
]
LENGTHS = {
    "exact_kernel",
    "relu_kernel_1",
    "shaped_step",
    "shaped_step_printed",
    "linear_determinant",
    "start",
}
"""Of inputs of any length."""
ANY_WIDTH = {"growth_mean", "growth_mean_printed", "growth_variance"}


def settings(name: str) -> list[Setting]:
    """Networks that a formula is about."""
    if ENTRIES.get(name) == 2:
        return MATRIX
    narrow = [Setting(width, 1, 0.0, 0.0, -1.0, np.eye(2)) for width in (1, 2, 3, 20)]
    return [*UNIT, *(LONG if name in LENGTHS else ()), *(narrow if name in ANY_WIDTH else ())]


def test_every_formula_is_held_against_something() -> None:
    assert {*ORACLES, *NEAR_ONE, *TIMED} == set(PREDICTIONS)


@pytest.mark.parametrize("name", ORACLES)
def test_a_formula_is_what_it_predicts(name: str) -> None:
    tolerance = 1e-5 if name.startswith(("linear", "shaped")) else 1e-9
    for setting in settings(name):
        found = PREDICTIONS[name](setting)
        assert found == pytest.approx(ORACLES[name](setting), rel=tolerance, abs=1e-12), setting


@pytest.mark.parametrize("name", NEAR_ONE)
def test_an_expansion_leaves_out_the_next_power(name: str) -> None:
    """Of 1 − ρ: what is left of the formula falls like it, to within a tenth of an order."""
    whole, power = NEAR_ONE[name]

    def left(x: float) -> float:
        setting = Setting(1, 1, 0.0, 0.0, -1.0, gram_of(1 - x))
        return abs(PREDICTIONS[name](setting) - PREDICTIONS[whole](setting))

    assert np.log(left(4e-3) / left(1e-3)) / np.log(4) >= power - 0.1


@pytest.mark.parametrize("name", TIMED)
def test_equations_take_the_time_that_they_say(name: str) -> None:
    for setting in (*UNIT, *LONG):
        growth = np.exp(0.5) if name == "resnet_covariance" else 1.0
        norm = 1.0 if name == "ode_correlation" else setting.norm
        found = PREDICTIONS[name](setting) / growth / norm
        assert time_to(setting, found) == pytest.approx(1, abs=1e-7)
        if name != "ode_correlation":
            alone = Setting(7, 5, 0.4, 0.5, -1.2, setting.gram, ((1, 1),))
            assert PREDICTIONS[name](alone) == pytest.approx(growth * setting.gram[1, 1])


def test_a_formula_of_inputs_that_there_are_not_says_so() -> None:
    with pytest.raises(UnpredictableError, match="inputs 2 and 3, and there are 2"):
        PREDICTIONS["exact_kernel"](Setting(7, 5, 0.4, 0.5, -1.2, gram_of(0.3), ((1, 2),)))
