"""Residual networks of finite width and infinite depth: the sampled SDE against explicit weights, closed forms
against both, and the mean growth against the formulas that are printed and corrected.

Unless a test says otherwise it is a statistical one with a false-alarm rate of 1e-4."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats
from scipy.integrate import quad

from deeplimits.activations import Identity, ReluLike, Smooth
from deeplimits.analysis.aggregate import build_tree
from deeplimits.analysis.growth import extrapolation, mean_log_growth
from deeplimits.analysis.strong_error import strong_error
from deeplimits.engines import simulate_block
from deeplimits.engines.residual_paths import residual_paths
from deeplimits.laws import Law, NormalLaw, PointMass, kolmogorov, noise_floor
from deeplimits.limits import default_limit, hayou_sampled, registry
from deeplimits.limits.compound import FoldedLaw, MixtureLaw, convolved, log_chi_square
from deeplimits.limits.hayou_growth import (
    growth_rate,
    initial_rate,
    mean_growth,
    mean_growth_printed,
    variance_bound,
)
from deeplimits.limits.hayou_one_unit import affine_log_square
from deeplimits.networks.network import Network
from deeplimits.store.catalogue import Catalogue
from tiny import project, simulated

Array = NDArray[np.float64]
RESNET = Network(ReluLike(), 3, 200, ((1.0,),), architecture="resnet")
LEVELS = np.array([1e-4, 0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 1 - 1e-4])
RATE = 1e-4


def explicit(
    width: int,
    depth: int,
    samples: int,
    seed: int,
    slopes: tuple[float, float] = (1.0, 0.0),
    start: float | None = None,
    variance: float = 1.0,
) -> dict[str, Array]:
    """Networks with every weight drawn: log ‖φ‖² and log ‖X‖² at the first and the last layer."""
    generator = np.random.default_rng(seed)
    x = (
        np.sqrt(variance) * generator.normal(size=(samples, width))
        if start is None
        else np.full((samples, width), start)
    )

    def phi(x: Array) -> Array:
        return np.where(x > 0, slopes[0], slopes[1]) * x

    def square(x: Array) -> Array:
        with np.errstate(divide="ignore"):
            return np.log((x**2).sum(axis=1))

    first = square(phi(x))
    for _ in range(depth):
        weights = generator.normal(size=(samples, width, width))
        x = x + np.einsum("sij,sj->si", weights, phi(x)) / np.sqrt(depth * width)
    return {"first": first, "activation": square(phi(x)), "square": square(x)}


def is_law(law: Law, sample: Array) -> bool:
    """Whether a sample may come from a law."""
    return bool(stats.kstest(sample[np.isfinite(sample)], law.cdf).pvalue > RATE)


def same(first: Array, second: Array) -> float:
    """p-value of one law, dead networks as points of their own; rounded to 1e-6, for a start is an atom."""
    first, second = (np.round(np.where(np.isfinite(x), x, -1e3), 6) for x in (first, second))
    return float(stats.ks_2samp(first, second, method="asymp").pvalue)


@pytest.mark.parametrize(
    ("width", "slopes", "start"),
    [(1, (1.0, 0.0), None), (3, (1.0, 0.0), None), (5, (1.5, -0.5), None), (3, (1.0, 0.0), 0.7)],
)
def test_paths_are_residual_networks(width: int, slopes: tuple[float, float], start: float | None) -> None:
    """Two levels of four and of two layers against explicit weights, three observables each: false-alarm rate
    6e-4 each; with a layer too few the growth is another."""
    samples = 40_000
    paths = residual_paths(width, (2, 4), (0.0, 1.0), 0, samples, slopes=slopes, start=start, variance=2.0)
    for level, depth in enumerate((2, 4)):
        drawn = explicit(width, depth, samples, depth, slopes, start, 2.0)
        assert same(paths.log_activation[:, level, 0], drawn["first"]) > RATE
        assert same(paths.log_activation[:, level, 1], drawn["activation"]) > RATE
        assert same(paths.log_square[:, level, 1], drawn["square"]) > RATE
    wrong = explicit(width, 4, samples, 7, tuple(np.sqrt(0.8) * np.array(slopes)), start, 2.0)  # type: ignore[arg-type]
    with np.errstate(invalid="ignore"):
        growth = paths.log_activation[:, 1, 1] - paths.log_activation[:, 1, 0]
        other = wrong["activation"] - wrong["first"]
    assert same(growth, other) < 1e-6


def test_paths_have_the_same_bits_for_any_split_thread_count_and_choice_of_levels() -> None:
    whole = residual_paths(3, (2, 4), (0.5, 1.0), 0, 300, threads=1)
    parts = [
        residual_paths(3, (2, 4), (1.0,), a, b - a, threads=2) for a, b in ((0, 7), (7, 200), (200, 300))
    ]
    alone = residual_paths(3, (4,), (1.0,), 0, 300, threads=2)
    for name in ("log_activation", "log_square", "control", "positive"):
        expected = np.ascontiguousarray(getattr(whole, name)[:, :, 1])
        assert (
            expected.tobytes() == np.concatenate([getattr(part, name)[:, :, 0] for part in parts]).tobytes()
        )
        assert expected[:, 1].tobytes() == getattr(alone, name)[:, 0, 0].tobytes()


def digest() -> str:
    """Of a few paths at two step sizes."""
    paths = residual_paths(7, (4, 8), (0.0, 1.0), 0, 37, slopes=(1.3, -0.4), seed=3)
    parts = (paths.log_activation, paths.log_square, paths.control, paths.positive)
    return hashlib.sha256(b"".join(np.ascontiguousarray(part).tobytes() for part in parts)).hexdigest()[:16]


def test_paths_have_the_known_bits() -> None:
    """What the number contract gives is fixed."""
    assert digest() == "f4541f2f0f4f48d9"


@pytest.mark.slow
def test_the_instruction_set_leaves_no_trace_in_paths(tmp_path: Path) -> None:
    """The kernel compiled for a processor without vector multiply-add, in a process of its own."""
    code = "import sys; sys.path.insert(0, sys.argv[1]); import test_hayou as t; print(t.digest())"
    environment = os.environ | {
        "NUMBA_CPU_NAME": "generic",
        "NUMBA_CPU_FEATURES": "",
        "NUMBA_CACHE_DIR": str(tmp_path),
    }
    done = subprocess.run(
        [sys.executable, "-c", code, str(Path(__file__).parent)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "f4541f2f0f4f48d9"


def test_the_control_variate_has_mean_zero_and_is_nearly_all_of_the_noise() -> None:
    """Six widths and slopes: false-alarm rate 1e-5 each."""
    for width, slopes in ((1, (1.0, 0.0)), (2, (1.0, 0.0)), (20, (1.0, 0.0)), (3, (1.2, -0.4))):
        paths = residual_paths(width, (20,), (0.0, 0.5, 1.0), 0, 1 << 15, slopes=slopes)
        alive = np.isfinite(paths.log_activation[:, 0, 2])
        for record in (1, 2):
            control = paths.control[:, 0, record]
            assert abs(control.mean()) < 4.4 * control.std() / np.sqrt(len(control))
            growth = paths.log_activation[alive, 0, record] - paths.log_activation[alive, 0, 0]
            assert np.var(growth - control[alive]) < 0.12 * np.var(growth)


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


@pytest.mark.parametrize(
    ("network", "name"),
    [
        (replace(RESNET, activation=Identity()), "hayou_linear"),
        (replace(RESNET, activation=Identity(), width=1), "hayou_linear"),
        (replace(RESNET, activation=ReluLike(0.5, 0.5), gram=((2.0,),)), "hayou_linear"),
        (replace(RESNET, activation=Identity(), start=2.0, gram=((4.0,),)), "hayou_linear"),
        (replace(RESNET, width=1), "hayou_relu_n1"),
        (replace(RESNET, width=1, start=2.0, gram=((4.0,),)), "hayou_relu_n1"),
        (replace(RESNET, width=1, activation=ReluLike(0.2, -1.5)), "hayou_relu_n1"),
        (replace(RESNET, width=1, activation=ReluLike(0.2, -1.5), start=-1.0), "hayou_relu_n1"),
    ],
)
@pytest.mark.parametrize("time", [0.25, 1.0])
def test_closed_forms_at_finite_width(network: Network, name: str, time: float) -> None:
    """20,000 networks of 400 layers, three observables. The error of the depth moves F by less than 0.002,
    the noise by 0.006 on average."""
    limit, samples = registry()[name], 20_000
    assert limit.applies(network)
    paths = residual_paths(
        network.width,
        (400,),
        (0.0, time),
        0,
        samples,
        slopes=(float(network.slopes.plus), float(network.slopes.minus)),
        start=network.start,
        variance=network.gram[0][0],
        seed=3,
    )
    for observable in ("log_growth", "log_variance", "log_activation"):
        sample = hayou_sampled.observed(paths, network.width, observable)[:, 0, 1]
        law = limit.laws(network, [round(200 * time)], observable)[0]
        assert is_law(law, sample), observable
        assert not is_law(law, sample + 0.15), observable


def test_a_dead_unit_stays_where_it_is() -> None:
    network = replace(RESNET, width=1)
    limit = registry()["hayou_relu_n1"]
    first, last = limit.laws(network, [0, 200], "log_variance")
    # far to the right only living units are, far to the left as good as only those
    assert first.cdf(0.0) == pytest.approx(stats.chi2(1).cdf(1.0), abs=1e-9)
    alive = limit.laws(network, [200], "log_activation")[0]
    assert last.cdf(0.5) == pytest.approx((first.cdf(0.5) + alive.cdf(0.5)) / 2, abs=1e-9)
    assert limit.laws(network, [0], "log_growth") == [PointMass(0.0)]
    assert not limit.applies(replace(network, start=-1.0))
    assert not limit.applies(replace(network, branch_exponent=0.0))
    assert not limit.applies(replace(network, architecture="mlp"))


@pytest.mark.parametrize(("start", "alpha", "beta"), [(1.0, 1.0, 0.5), (0.3, -0.8, -0.6), (-1.0, 0.7, 0.1)])
def test_an_affine_branch_of_one_unit(start: float, alpha: float, beta: float) -> None:
    """20,000 paths of 2,000 Euler steps."""
    generator = np.random.default_rng(1)
    x = np.full(20_000, start)
    for _ in range(2000):
        x += (alpha * x + beta) * generator.normal(0, np.sqrt(1 / 2000), len(x))
    law = affine_log_square(start, alpha, beta, 1.0)
    assert is_law(law, np.log(x**2))
    assert not is_law(affine_log_square(start, alpha, beta + 0.1, 1.0), np.log(x**2))
    at = law.quantile(LEVELS[1:-1])
    np.testing.assert_allclose(law.density(at), (law.cdf(at + 1e-5) - law.cdf(at - 1e-5)) / 2e-5, rtol=1e-5)


@pytest.mark.parametrize("width", [1, 4, 20])
def test_networks_of_the_engine_are_the_paths_and_follow_the_laws(width: int) -> None:
    """16,384 networks of 100 layers against paths of as many steps, and linear ones of 400 against the closed
    form, through what studies store; and not a layer earlier by a tenth."""
    network = replace(RESNET, width=width, depth=100)
    found = simulate_block(network, [0, 90, 100], 0, 1 << 14)
    paths = residual_paths(width, (100,), (0.0, 1.0), 0, 1 << 14, seed=1)
    with np.errstate(invalid="ignore"):
        growth = (found["log_activation"] - found["log_activation"][:, :1])[:, :, 0] / 2
    drawn = hayou_sampled.observed(paths, width, "log_growth")[:, 0, 1]
    assert same(growth[:, 2], drawn) > RATE
    assert (
        same(found["log_variance"][:, 2, 0], hayou_sampled.observed(paths, width, "log_variance")[:, 0, 1])
        > RATE
    )
    linear = replace(RESNET, width=width, depth=400, activation=Identity())
    found = simulate_block(linear, [0, 360, 400], 0, 1 << 14)
    growth = (found["log_activation"] - found["log_activation"][:, :1])[:, :, 0].astype(float) / 2
    for observable, sample in (
        ("log_growth", growth[:, 2]),
        ("log_variance", found["log_variance"][:, 2, 0]),
        ("log_activation", found["log_activation"][:, 2, 0]),
    ):
        assert is_law(registry()["hayou_linear"].laws(linear, [400], observable)[0], sample.astype(float))
    assert not is_law(registry()["hayou_linear"].laws(linear, [400], "log_growth")[0], growth[:, 1])


def test_the_sampled_law_is_the_closed_one_and_its_step_error_is_extrapolated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Linear, three units: 65,536 paths are within three noise floors of the closed form (false-alarm rate
    1e-5) even with four coarse steps, where networks of eight layers are not."""
    monkeypatch.setattr(hayou_sampled, "STEPS", 4)
    network = replace(RESNET, activation=Identity(), depth=4)
    sde, linear = registry()["hayou_sde"], registry()["hayou_linear"]
    floor = noise_floor(hayou_sampled.SAMPLES)
    for observable in ("log_growth", "log_variance", "log_activation"):
        law = sde.laws(network, [2, 4], observable)[1]
        exact = linear.laws(network, [4], observable)[0]
        assert kolmogorov(exact, law.samples) < 3 * floor  # type: ignore[attr-defined]
    paths = residual_paths(3, (8,), (0.0, 1.0), 0, hayou_sampled.SAMPLES, slopes=(1.0, 1.0))
    growth = hayou_sampled.observed(paths, 3, "log_growth")[:, 0, 1]
    assert kolmogorov(linear.laws(network, [4], "log_growth")[0], growth) > 4 * floor


@pytest.mark.parametrize("start", [None, 1.0])
def test_deep_relu_networks_follow_the_sde(start: float | None) -> None:
    """Width 3, 300 layers, explicit weights, 10,000 networks, at half time and at the end."""
    network = replace(RESNET, start=start)
    drawn = explicit(3, 300, 10_000, 5, start=start)
    law = registry()["hayou_sde"].laws(network, [100, 200], "log_activation")[1]
    sample = drawn["activation"] - np.log(3)
    assert same(law.samples, sample[np.isfinite(sample)]) > RATE  # type: ignore[attr-defined]
    shifted = registry()["hayou_sde"].laws(network, [100], "log_activation")[0]
    assert same(shifted.samples, sample[np.isfinite(sample)]) < 1e-6  # type: ignore[attr-defined]


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
    """Of every depth, against explicit weights: false-alarm rate 1e-5 each; and less noise, by ten times."""
    growth = mean_log_growth(2, (5, 10), 1 << 15)
    for level, depth in enumerate((5, 10)):
        drawn = explicit(2, depth, 100_000, depth)
        alive = np.isfinite(drawn["activation"])
        plain = (drawn["activation"][alive] - drawn["first"][alive]) / 2
        error = np.hypot(growth.errors[level], plain.std() / np.sqrt(len(plain)))
        # 1 − Φ-like chances of a collapse, which both leave out, are below 1e-5
        assert abs(growth.by_depth[level] - plain.mean()) < 4.4 * error
    assert growth.errors[1] < 0.1 * np.sqrt(growth.variance / growth.samples) * 2
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
    """The variance to a relative 4.4 √(2/N) at three widths; it is above that of the martingale alone."""
    for width in (2, 6, 20):
        growth = mean_log_growth(width, (50, 100), 1 << 16)
        noise = 4.4 * growth.variance * np.sqrt(2 / growth.samples)
        # Var K is nearly constant in time
        assert growth.variance + noise < variance_bound(width, 1.0, growth.positive_variance)
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


@pytest.mark.parametrize(
    ("slopes", "start"), [((1.0, 0.0), None), ((1.0, 0.0), 0.7), ((1.0, 0.0), -0.7), ((1.4, -0.5), -0.3)]
)
def test_wide_networks_are_a_mckean_vlasov_process(slopes: tuple[float, float], start: float | None) -> None:
    """600 units, 100 layers, 512 networks: means within 2 (1/n + 1/L), and a spread of order n^{−1/2}."""
    variance = 2.0 if start is None else start**2
    branch = ReluLike(slopes[0] - 1, slopes[1] - 1)
    network = replace(RESNET, activation=branch, width=600, gram=((variance,),), start=start)
    limit = registry()["mckean_vlasov"]
    paths = residual_paths(600, (100,), (0.0, 0.5, 1.0), 0, 512, slopes=slopes, variance=2.0, start=start)
    for observable in ("log_variance", "log_activation", "log_growth"):
        sample = hayou_sampled.observed(paths, 600, observable)[:, 0]
        laws = limit.laws(network, [0, 100, 200], observable)
        if start == -0.7 and observable != "log_variance":
            assert laws[0].mean == -np.inf or np.isnan(laws[0].mean)
            continue
        for record, law in enumerate(laws):
            spread = sample[:, record].std()
            error = 2 * (1 / 600 + 1 / 100) + 4.4 * spread / np.sqrt(512)
            assert abs(sample[:, record].mean() - law.mean) < error
            assert spread < 4 / np.sqrt(600)


def test_mckean_vlasov_of_relu() -> None:
    """Growth by e^{t/2} from a Gaussian start; a negative start stays where it is."""
    limit, network = registry()["mckean_vlasov"], replace(RESNET, width=600, gram=((2.0,),))
    assert [law.mean for law in limit.laws(network, [0, 200], "log_growth")] == pytest.approx([0.0, 0.25])
    output = limit.laws(network, [200], "output")[0]
    assert (output.mean, output.std) == pytest.approx((0.0, np.sqrt(2 * np.exp(0.5))))
    dead = replace(network, start=-2.0, gram=((4.0,),))
    assert limit.laws(dead, [200], "log_variance") == [PointMass(pytest.approx(np.log(4.0)))]


def test_mckean_vlasov_of_a_smooth_branch() -> None:
    """dv/dt = E tanh(√v g)², against a particle system of 200,000 units: within 4.4 standard errors."""
    network = replace(RESNET, activation=Smooth.of("tanh"), gram=((1.5,),))
    law = registry()["mckean_vlasov"].laws(network, [100, 200], "log_variance")[1]
    generator = np.random.default_rng(4)
    x = generator.normal(0, np.sqrt(1.5), 200_000)
    for _ in range(200):
        x += np.sqrt(np.mean(np.tanh(x) ** 2) / 200) * generator.normal(size=len(x))
    # the particles' own mean square carries the noise of all steps, at most twice that of the last
    assert abs(np.log(np.mean(x**2)) - law.mean) < 2 * 4.4 * np.sqrt(2 / len(x)) + 1 / 400


@pytest.mark.slow
@pytest.mark.parametrize(
    ("width", "activation", "name"),
    [(1, Identity(), "hayou_linear"), (2, Identity(), "hayou_linear"), (1, ReluLike(), "hayou_relu_n1")],
)
def test_distances_fall_with_the_depth_at_the_rate_that_is_declared(
    width: int, activation: Identity | ReluLike, name: str
) -> None:
    """524,288 networks of 8 to 64 layers: the fitted exponent is within 0.15 of it. The noise moves it by 0.02
    (one standard deviation), the next order in 1/L by less than 0.11."""
    distances, depths = [], (8, 16, 32, 64)
    for depth in depths:
        network = replace(RESNET, width=width, activation=activation, depth=depth)
        slopes = (1.0, float(network.slopes.minus))
        paths = residual_paths(width, (depth,), (0.0, 1.0), 0, 1 << 19, slopes=slopes, seed=depth)
        growth = hayou_sampled.observed(paths, width, "log_growth")[:, 0, 1]
        law = registry()[name].laws(network, [depth], "log_growth")[0]
        distances.append(kolmogorov(law, growth[np.isfinite(growth)]))
    rate = -float(np.polyfit(np.log(depths), np.log(distances), 1)[0])
    declared = registry()[name].rate
    assert declared is not None
    assert abs(rate - declared) < 0.15


@pytest.mark.slow
def test_distances_to_the_sampled_law_fall_at_its_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    """ReLU, three units: 524,288 networks of 4, 8 and 16 layers against as many paths. The noise moves the
    exponent by 0.04 (one standard deviation), the next order in 1/L by less."""
    monkeypatch.setattr(hayou_sampled, "SAMPLES", 1 << 19)
    sde, distances, depths = registry()["hayou_sde"], [], (4, 8, 16)
    law = sde.laws(replace(RESNET, depth=16), [16], "log_growth")[0].samples  # type: ignore[attr-defined]
    for depth in depths:
        paths = residual_paths(3, (depth,), (0.0, 1.0), 0, 1 << 19, seed=depth)
        growth = hayou_sampled.observed(paths, 3, "log_growth")[:, 0, 1]
        distances.append(stats.ks_2samp(growth[np.isfinite(growth)], law, method="asymp").statistic)
    rate = -float(np.polyfit(np.log(depths), np.log(distances), 1)[0])
    assert sde.rate is not None
    assert abs(rate - sde.rate) < 0.15


def test_paths_approach_those_of_the_sde_like_the_root_of_the_depth() -> None:
    """Hayou 2022, Proposition 1: ½, to 0.06, of which the noise has 0.004 and the next order the rest."""
    for width, slopes in ((2, (1.0, 1.0)), (3, (1.0, 0.0)), (20, (1.0, 0.0))):
        found = strong_error(width, slopes=slopes, samples=1 << 14)
        assert found.rate_error < 0.007
        assert abs(found.rate - 0.5) < 0.06
        assert all(error < 0.02 * value for error, value in zip(found.errors, found.differences, strict=True))


def test_no_limit_is_about_both_architectures() -> None:
    pair = ((1.0, 0.3), (0.3, 1.0))
    for network in (RESNET, replace(RESNET, gram=pair), replace(RESNET, activation=Identity(), gram=pair)):
        about = {name for name, limit in registry().items() if limit.applies(network)}
        perceptron = replace(network, architecture="mlp")
        assert about
        both = about & {name for name, limit in registry().items() if limit.applies(perceptron)}
        assert both == {"infinite_width", "gradient_growth"}, "which take a layer at a time of either"


@pytest.mark.parametrize(
    ("network", "name"),
    [
        (RESNET, "mckean_vlasov"),
        (replace(RESNET, width=1), "hayou_relu_n1"),
        (replace(RESNET, activation=Identity()), "hayou_linear"),
    ],
)
def test_the_default_of_a_residual_network(network: Network, name: str) -> None:
    assert default_limit(network, "log_variance").name == name


def test_a_study_holds_networks_against_the_laws(tmp_path: Path) -> None:
    """From YAML to distances: the closed form of one unit fits, and the sampled law fits three units, each with
    its noise floor."""
    study = """
title: One and three units
networks: [{architecture: resnet, activation: {name: relu}, branch_exponent: 0.5}]
grid: {width: [1, 3], depth: 200, start: 1.0}
samples: 8192
record: {layers: 3}
compare:
  - {observable: log_activation, limit: hayou_relu_n1}
  - {observable: log_growth, limit: hayou_sde}
  - {observable: log_growth, limit: mckean_vlasov}
"""
    config = project(tmp_path, study)
    simulated(config)
    comparison = build_tree(config.study("tiny"), Catalogue(config.results))["comparison"]
    distances = comparison["ks_value"].values
    assert np.isnan(distances[1, 0])
    # 2.35 √(1/N + 1/M): false-alarm rate 1e-4 for all three, and 0.004 for the depth
    assert np.all(distances[[0, 0, 1], [0, 1, 1]] < 2.35 * np.sqrt(1 / 8192 + 1 / 65_536) + 0.004)
