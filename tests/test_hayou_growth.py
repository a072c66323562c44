"""The mean growth of residual networks against the formulas that are printed and corrected.

Unless a test says otherwise it is a statistical one with a false-alarm rate of 1e-4.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from deeplimits.activations import ReluLike
from deeplimits.analysis.growth import extrapolation, mean_log_growth
from deeplimits.limits import registry
from deeplimits.limits.resnet.hayou_growth import (
    growth_rate,
    initial_rate,
    mean_growth,
    mean_growth_printed,
)
from hayou_networks import RESNET, explicit


@pytest.mark.slow
def test_mean_growth_refutes_the_printed_formula_and_changes_its_sign_between_three_and_four() -> None:
    """At t = 1, a standard error of 1e-4 or less; false-alarm rate 1e-5 each: up to 20 units beyond 4.4
    standard errors of the printed formula, for 3 and 4 units beyond 4.4 of 0."""
    found = {
        width: mean_log_growth(width, samples=1 << power)
        for width, power in ((2, 20), (3, 19), (4, 19), (6, 18), (20, 17), (100, 15))
    }
    for width, growth in found.items():
        assert growth.error <= 1e-4
        if width <= 20:
            assert growth.mean < mean_growth_printed(width, 1.0) - 4.4 * growth.error
        # what the corrected formula leaves out is of order n⁻²
        assert abs(growth.mean - mean_growth(width, 1.0)) < 4.4 * growth.error + 0.02 / width**2
    assert found[3].mean < -4.4 * found[3].error
    assert found[4].mean > 4.4 * found[4].error


def test_mean_growth_agrees_with_the_printed_formula_at_first() -> None:
    """At t = 0.02, within 4.4 standard errors (false-alarm rate 1e-5 each), of which the rate has less than
    0.0008."""
    for width in (2, 3, 4, 6, 20):
        growth = mean_log_growth(width, samples=1 << 16, time=0.02)
        assert growth.error / 0.02 < 8e-4
        assert abs(growth.mean - mean_growth_printed(width, 0.02)) < 4.4 * growth.error


def test_the_estimator_is_that_of_plain_networks() -> None:
    """Of every depth, against explicit weights: false-alarm rate 1e-5 each; and less noise, by seven times."""
    growth = mean_log_growth(2, (5, 10), 1 << 15)
    for level, depth in enumerate((5, 10)):
        drawn = explicit(2, depth, 100_000, depth)
        alive = np.isfinite(drawn["activation"])
        plain = (drawn["activation"][alive] - drawn["first"][alive]) / 2
        error = np.hypot(growth.errors[level], plain.std() / np.sqrt(len(plain)))
        # 1 − Φ-like chances of a collapse, which both leave out, are below 1e-5
        assert abs(growth.by_depth[level] - plain.mean()) < 4.4 * error
    assert growth.errors[1] < np.sqrt(growth.variance / growth.samples) / 7
    assert growth.mean == pytest.approx(2 * growth.by_depth[1] - growth.by_depth[0])


def test_one_unit_grows_as_the_closed_form_says() -> None:
    """E log X_t / X_0 = −t/2: within 4.4 standard errors at two times, the plain value at 50 layers is not."""
    for time in (0.5, 1.0):
        growth = mean_log_growth(1, samples=1 << 16, time=time)
        assert growth.error < 2e-4
        assert abs(growth.mean + time / 2) < 4.4 * growth.error
        assert abs(growth.by_depth[0] + time / 2) > 10 * growth.errors[0]
        assert mean_growth(1, time) == pytest.approx(-time / 2)


def test_extrapolation_is_exact_for_polynomials() -> None:
    depths = (3, 6, 24)
    values = [2 + 5 / depth - 7 / depth**2 for depth in depths]
    assert extrapolation(depths) @ values == pytest.approx(2)


@pytest.mark.parametrize("slopes", [(1.0, 0.0), (0.0, 0.5), (1.0, 0.5), (0.8, -0.8), (1.0, -0.3)])
@pytest.mark.parametrize("width", [1, 2, 5])
def test_the_initial_rate_is_its_expectation(width: int, slopes: tuple[float, float]) -> None:
    """Against 400,000 draws of X_0, false-alarm rate 1e-5 each."""
    x = np.random.default_rng(width).normal(size=(400_000, width))
    a, b = (np.where(sign * x > 0, x**2, 0.0).sum(axis=1) for sign in (1, -1))
    square, fourth = (slopes[0] ** k * a + slopes[1] ** k * b for k in (2, 4))
    alive = square > 0
    slope_squares = np.where(x > 0, slopes[0] ** 2, slopes[1] ** 2).sum(axis=1)
    drift = (slope_squares[alive] / 2 - fourth[alive] / square[alive]) / width
    error = drift.std() / np.sqrt(len(drift))
    assert abs(drift.mean() - initial_rate(width, *slopes)) <= 4.4 * error + 1e-12
    if abs(slopes[0]) == abs(slopes[1]):
        assert initial_rate(width, *slopes) == pytest.approx(slopes[0] ** 2 * (0.5 - 1 / width))


def test_growth_has_a_constant_rate_only_for_slopes_of_one_size() -> None:
    """Proposition 10 (Hayou 2022): for |α| = |β| within 4.4 standard errors of the initial rate, else beyond."""
    for slopes in ((1.0, 1.0), (1.0, -1.0)):
        growth = mean_log_growth(3, samples=1 << 15, slopes=slopes)
        assert abs(growth.mean - initial_rate(3, *slopes)) < 4.4 * growth.error
    growth = mean_log_growth(3, samples=1 << 16, slopes=(1.0, 0.3))
    assert abs(growth.mean - initial_rate(3, 1.0, 0.3)) > 4.4 * growth.error


def test_the_variance_is_below_the_bound_of_the_theorem() -> None:
    """Theorem 1 (Hayou 2022): (n^{−1/2} + Γ √t)² t with Γ² = (1 / 4n² t) ∫₀ᵗ Var K_u du bounds the variance of log
    ‖φ(X_t)‖ / ‖φ(X_0)‖, found to a relative 4.4 √(2/N) at three widths; it is above that of the martingale alone.
    """
    for width in (2, 6, 20):
        growth = mean_log_growth(width, (50, 100), 1 << 16)
        noise = 4.4 * growth.variance * np.sqrt(2 / growth.samples)
        # Var K is nearly constant in time
        bound = (1 / np.sqrt(width) + np.sqrt(growth.positive_variance) / (2 * width)) ** 2
        assert growth.variance + noise < bound
        assert growth.variance - noise > 1 / width


def test_the_corrected_growth_starts_as_printed_and_slows_down() -> None:
    for width in (2, 4, 50):
        assert growth_rate(width, 0.0) == pytest.approx(initial_rate(width))
        assert growth_rate(width, 1.0) < growth_rate(width, 0.5) < growth_rate(width, 0.0)
        assert mean_growth(width, 1e-3) == pytest.approx(mean_growth_printed(width, 1e-3), abs=1e-6)
    quasi, printed = registry()["hayou_quasi_gbm"], registry()["h22_theorem_1_printed"]
    law = quasi.laws(RESNET, [100], "log_growth")[0]
    assert (law.mean, law.std) == pytest.approx((mean_growth(3, 0.5), np.sqrt(0.5 / 3)))
    assert printed.laws(RESNET, [100], "log_growth")[0].mean == pytest.approx(0.5 * (2 / 7 - 1 / 3))
    assert not quasi.applies(replace(RESNET, activation=ReluLike(0.0, -0.5)))
    assert not quasi.applies(replace(RESNET, start=1.0))


@pytest.mark.parametrize("width", [1, 2, 5])
@pytest.mark.parametrize("slopes", [(1.0, 0.0), (1.0, 0.3), (2.0, -0.5)])
def test_the_initial_rate_has_the_symmetries_of_the_slopes(width: int, slopes: tuple[float, float]) -> None:
    """X and −X have one law, the norm does not see a sign, and a factor of φ is one of time, squared."""
    plus, minus = slopes
    rate = initial_rate(width, plus, minus)
    assert initial_rate(width, minus, plus) == pytest.approx(rate)
    assert initial_rate(width, plus, -minus) == pytest.approx(rate)
    assert initial_rate(width, 3 * plus, 3 * minus) == pytest.approx(9 * rate)
    with pytest.raises(ValueError, match="not 0"):
        initial_rate(width, 0.0, 0.0)
