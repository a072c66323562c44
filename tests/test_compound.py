"""Laws of sums, mixtures and absolute values, against samples and quadrature.

Unless a test says otherwise it is a statistical one with a false-alarm rate of 1e-4.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad

from deeplimits.laws import NormalLaw
from deeplimits.limits.solvers.compound import FoldedLaw, MixtureLaw, convolved, log_chi_square
from hayou_networks import LEVELS, is_law


@pytest.mark.parametrize("spread", [0.0, 0.05, 0.7, 5.0])
@pytest.mark.parametrize("width", [1, 2, 50, 5000])
def test_sums_with_a_gaussian_variable(width: int, spread: float) -> None:
    law = convolved(log_chi_square(width), 1.0, 0.3, spread)
    generator = np.random.default_rng(width)
    sample = np.log(generator.chisquare(width, 20_000) / width) + 0.3 + spread * generator.normal(size=20_000)
    assert is_law(law, sample)
    x = law.quantile(LEVELS)
    np.testing.assert_allclose(law.cdf(x), LEVELS, atol=1e-12)
    step = 1e-4 * law.std
    np.testing.assert_allclose(
        law.density(x), (law.cdf(x + step) - law.cdf(x - step)) / (2 * step), rtol=2e-6
    )
    variance = stats.loggamma(width / 2).var() + spread**2
    assert law.std == pytest.approx(np.sqrt(variance), rel=1e-7)


@pytest.mark.parametrize(("width", "spread"), [(1, 0.02), (1, 2.0), (5, 1.0), (50, 0.3)])
def test_sums_are_exact(width: int, spread: float) -> None:
    """Against adaptive quadrature, to 1e-10."""
    law = convolved(log_chi_square(width), 1.0, 0.0, spread)

    def integrand(z: float, x: float) -> float:
        mean_square = np.exp(min(x - spread * z, 100.0))
        return float(stats.norm.pdf(z) * stats.chi2.cdf(width * mean_square, width))

    for x in law.quantile(np.array([0.01, 0.5, 0.999])):
        middle = [float(np.clip(x / spread, -11, 11))]
        exact, _ = quad(integrand, -12, 12, args=(x,), epsabs=1e-14, limit=500, points=middle)
        assert law.cdf(x) == pytest.approx(exact, abs=1e-10)


def test_mixtures_and_folded_laws_agree_with_their_samples() -> None:
    generator = np.random.default_rng(0)
    mixed = MixtureLaw((0.3, 0.7), (NormalLaw(-2, 0.5), NormalLaw(1, 2)))
    side = generator.random(20_000) < 0.3
    sample = np.where(side, generator.normal(-2, 0.5, 20_000), generator.normal(1, 2, 20_000))
    assert is_law(mixed, sample)
    folded = FoldedLaw(
        NormalLaw(0.4, 0.7), np.abs, lambda x: (-x, x), lambda x: (np.ones_like(x), np.ones_like(x))
    )
    assert is_law(folded, np.abs(generator.normal(0.4, 0.7, 20_000)))
    exact = stats.foldnorm(0.4 / 0.7, scale=0.7)
    assert (folded.mean, folded.std) == pytest.approx((exact.mean(), exact.std()), abs=1e-4)
    np.testing.assert_allclose(folded.quantile(LEVELS), exact.ppf(LEVELS), atol=1e-9)
    assert (mixed.mean, mixed.std) == pytest.approx((0.1, np.sqrt(0.3 * 4.25 + 0.7 * 5 - 0.01)))
    for law in (mixed, folded):
        x = law.quantile(LEVELS[1:])
        np.testing.assert_allclose(law.cdf(x), LEVELS[1:], atol=1e-12)
        np.testing.assert_allclose(law.density(x), (law.cdf(x + 1e-5) - law.cdf(x - 1e-5)) / 2e-5, rtol=1e-6)
