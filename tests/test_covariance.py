"""The covariance SDE of several inputs: positive semi-definite always, right where a closed form or another
solver knows the answer, and the law of networks of several inputs.

Statistical tests are of paths with fixed seeds; each states how often it would fail without cause.
"""

from __future__ import annotations

import hashlib
import warnings
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray

from deeplimits.activations import Identity, ReluLike, Smooth
from deeplimits.engines import simulate_block
from deeplimits.engines.sde.covariance import Drift, Paths, covariance_paths, triangle
from deeplimits.laws import EmpiricalLaw, kolmogorov, noise_floor
from deeplimits.limits import registry
from deeplimits.limits.mlp.covariance import CovarianceSde
from deeplimits.networks.network import Network, Shaping
from tiers import everyday

Array = NDArray[np.float64]

CORRELATIONS = (0.3, -0.2, 0.5)
GAPS = [1 - rho for rho in CORRELATIONS]
PAIRS = list(combinations(range(3), 2))
GRAM = ((1.0, 0.3, -0.2), (0.3, 1.0, 0.5), (-0.2, 0.5, 1.0))
SHAPED = Shaping("width", 0.5)
THREE_SIGMA = 2.7e-3
"""False-alarm rate of one comparison to three standard errors."""


def covariances(paths: Paths, record: int = 0) -> Array:
    """V [sample, input, input]."""
    roots = np.exp(paths.log_variance[:, record] / 2)
    inputs = roots.shape[1]
    matrix = np.ones((len(roots), inputs, inputs))
    for k, (a, b) in enumerate(combinations(range(inputs), 2)):
        matrix[:, a, b] = matrix[:, b, a] = 1 - paths.correlation_gap[:, record, k]
    return roots[:, :, None] * matrix * roots[:, None, :]


def smallest_correlation_eigenvalue(paths: Paths) -> float:
    matrix = covariances(Paths(0 * paths.log_variance, paths.correlation_gap, paths.explosion_time))
    return float(np.linalg.eigvalsh(matrix)[:, 0].min())


def linear_square(rho: float, time: float) -> float:
    """E (V^{12}_t)² of a linear network with unit diagonal."""
    return ((1 + 2 * rho**2) * np.exp(2 * time) - (1 - rho**2) * np.exp(-time)) / 3


def check_linear(count: int, step: float, time: float) -> None:
    """E det V and the three E (V^{ab})², extrapolated in the step, to three standard errors: false-alarm rate
    at most 1.1e-2."""
    fine, coarse = (
        covariance_paths([1.0] * 3, GAPS, Drift(), step, [time], 0, count, coarse=coarse)
        for coarse in (False, True)
    )
    assert smallest_correlation_eigenvalue(fine) >= 0
    one, other = covariances(fine), covariances(coarse)
    start = np.linalg.det(np.array(GRAM))
    measured = [(np.linalg.det(one), np.linalg.det(other), start * np.exp(-3 * time))]
    for (a, b), rho in zip(PAIRS, CORRELATIONS, strict=True):
        measured.append((one[:, a, b] ** 2, other[:, a, b] ** 2, linear_square(rho, time)))
    for values, beside, expected in measured:
        extrapolated = values + (values - beside) / 3
        error = extrapolated.std() / np.sqrt(count)
        assert abs(extrapolated.mean() - expected) < 3 * error, (extrapolated.mean(), expected, error)


def test_a_linear_network_has_its_closed_forms() -> None:
    check_linear(1 << 15, 1 / 8, 0.25)


@pytest.mark.slow
def test_a_linear_network_has_its_closed_forms_with_many_paths() -> None:
    check_linear(1 << 20, 1 / 16, 0.5)


@pytest.mark.parametrize(
    "inputs", [1, 2, 3, pytest.param(5, marks=pytest.mark.slow), pytest.param(8, marks=pytest.mark.slow)]
)
@pytest.mark.parametrize(
    "drift", [Drift(), Drift(kappa=3.0), Drift(a=0.3, b=-0.6)], ids=["linear", "relu", "smooth"]
)
def test_no_path_leaves_the_matrices(inputs: int, drift: Drift) -> None:
    """Never a negative eigenvalue, from inputs that are nearly one and from ones that are opposite, at steps
    as long as the drift allows."""
    generator = np.random.default_rng(inputs)
    pairs = inputs * (inputs - 1) // 2
    near = [2e-7] * pairs
    vectors = generator.normal(size=(inputs, inputs))
    vectors /= np.linalg.norm(vectors, axis=1)[:, None]
    far = [1 - float(vectors[a] @ vectors[b]) for a, b in combinations(range(inputs), 2)]
    for gaps in (near, far):
        step = min(0.5, 1 / drift.strength) if drift.strength else 0.5
        paths = covariance_paths([0.7] * inputs, gaps, drift, step, [2.0], 0, 2000)
        assert np.isfinite(paths.log_variance).all()
        if inputs > 1:
            assert paths.correlation_gap.min() >= 0
            assert smallest_correlation_eigenvalue(paths) >= -1e-15 * inputs
    with pytest.raises(ValueError, match="at most"):
        covariance_paths([0.7] * inputs, near, Drift(kappa=100.0), 0.5, [2.0], 0, 1)


def test_the_start_has_the_same_bits_on_any_processor() -> None:
    """Products of BLAS do not: those of Haswell and SkylakeX give other last digits here than those of Nehalem."""
    gaps = [0.3 + 0.02 * pair for pair in range(28)]
    bits = triangle([1.0 + 0.4 * a for a in range(8)], gaps).tobytes()
    assert hashlib.sha256(bits).hexdigest()[:16] == "f7cdc83fe371aa5c"


def test_the_start_is_the_matrix_that_was_given() -> None:
    for gaps in (GAPS, [0.0, 0.4, 0.4], [1e-9, 3e-9, 2e-9], [2.0, 1.0, 1.0]):
        lower = triangle([1.0, 2.0, 0.5], gaps)
        roots = np.sqrt([1.0, 2.0, 0.5])
        rows = lower / roots[:, None]
        for k, (a, b) in enumerate(PAIRS):
            assert ((rows[a] - rows[b]) ** 2).sum() / 2 == pytest.approx(gaps[k], rel=1e-6, abs=1e-15)
        assert (lower**2).sum(axis=1) == pytest.approx([1.0, 2.0, 0.5])


@pytest.mark.parametrize("kappa", [0.0, 1.0, 8.0])
def test_a_pair_has_the_law_of_the_correlation_sde(kappa: float) -> None:
    """Against Fokker–Planck: Kolmogorov distance below 1.95 / √N, which a sample of the law itself exceeds at
    a rate of 1e-3; and a drift a quarter too strong is caught."""
    from deeplimits.limits.mlp.correlation import correlation_laws

    network = Network(ReluLike(0.0, -1.0), 100, 100, ((1.0, 0.3), (0.3, 1.0)), shaping=SHAPED)
    law, count = correlation_laws(network, [(1.0, kappa)], [1.0], "test")[0], 1 << 15
    for step in (1 / 32, 1 / 16):
        paths = covariance_paths([1.0, 1.0], [0.7], Drift(kappa=kappa), step, [1.0], 0, count)
        assert kolmogorov(law, 1 - paths.correlation_gap[:, 0, 0]) < 1.95 / np.sqrt(count)
    paths = covariance_paths([1.0, 1.0], [0.7], Drift(kappa=1.25 * kappa + 0.5), 1 / 32, [1.0], 0, count)
    assert kolmogorov(law, 1 - paths.correlation_gap[:, 0, 0]) > 1.95 / np.sqrt(count)


def test_the_step_error_is_of_second_order() -> None:
    """E ρ at strong drift: errors at steps of ¼ and ⅛ differ by a factor between 2.5 and 10, and one Richardson
    step takes most of what is left."""
    from deeplimits.limits.mlp.correlation import correlation_laws

    network = Network(ReluLike(0.0, -1.0), 100, 100, ((1.0, 0.3), (0.3, 1.0)), shaping=SHAPED)
    exact, count = correlation_laws(network, [(1.0, 8.0)], [1.0], "test")[0].mean, 1 << 17
    drift = Drift(kappa=8.0)
    fine = covariance_paths([1.0, 1.0], [0.7], drift, 1 / 8, [1.0], 0, count)
    coarse = covariance_paths([1.0, 1.0], [0.7], drift, 1 / 8, [1.0], 0, count, coarse=True)
    errors = [1 - paths.correlation_gap.mean() - exact for paths in (coarse, fine)]
    noise = fine.correlation_gap.std() / np.sqrt(count)
    assert errors[0] < -8 * noise
    assert 2.5 < errors[0] / errors[1] < 10
    assert abs(errors[1] + (errors[1] - errors[0]) / 3) < 4 * noise


@pytest.mark.slow
def test_one_input_is_a_geometric_brownian_motion_or_explodes_as_often_as_it_should() -> None:
    """Within four standard errors of the law without noise (6e-5 each) and, for the explosion, half a per
    mille."""
    count = 1 << 16
    paths = covariance_paths([2.0], [], Drift(), 1 / 4, [0.5, 1.0], 0, count)
    values = paths.log_variance[:, 1, 0] - np.log(2.0)
    assert abs(values.mean() + 1) < 4 * np.sqrt(2 / count)
    assert abs(values.var() / 2 - 1) < 4 * np.sqrt(2 / count)
    smooth = registry()["smooth_variance"]
    for center in (-1.0, 1.0):
        network = Network(Smooth.of("softplus", 1.0, center), 100, 100, ((1.0,),), shaping=SHAPED)
        paths = CovarianceSde().paths(network, [100], (0, count))
        law = smooth.laws(network, [100], "log_variance")[0]
        expected = smooth.explosion_probability(network, 100) or 0.0
        found = (paths.explosion_time[:, 0] <= 1).mean()
        assert abs(found - expected) <= 4 * np.sqrt(expected * (1 - expected) / count) + 5e-4
        for level in (0.1, 0.5, 0.8):
            part = (paths.log_variance[:, 0, 0] <= float(law.quantile(np.array([level]))[0])).mean()
            assert abs(part - level) < 4 * np.sqrt(level * (1 - level) / count) + 1e-3


def test_paths_have_the_same_bits_for_any_split_thread_count_and_recording() -> None:
    drift = Drift(a=0.2, b=0.1)
    arguments = ([1.0] * 3, GAPS, drift, 1 / 16)
    whole = covariance_paths(*arguments, [0.3, 1.0], 0, 200, threads=1)
    parts = [
        covariance_paths(*arguments, [1.0], a, b - a, threads=2) for a, b in ((0, 3), (3, 100), (100, 200))
    ]
    for name in ("log_variance", "correlation_gap"):
        joined = np.concatenate([getattr(part, name) for part in parts])
        assert joined[:, 0].tobytes() == np.ascontiguousarray(getattr(whole, name)[:, 1]).tobytes()


def test_equal_norms_of_a_smooth_network_are_drawn_to_a_half() -> None:
    """φ'' ≠ 0 and V = 1 held by a strong φ''' < 0: without noise ρ = ½ is the attractor; a single step of the
    drift from there leaves ρ."""
    paths = covariance_paths([1.0, 1.0], [0.5], Drift(a=0.25, b=-0.375), 1e-6, [1e-6], 0, 64)
    assert np.abs(paths.correlation_gap - 0.5).max() < 5e-3
    inward = [
        0.5
        - covariance_paths([1.0, 1.0], [gap], Drift(a=20.0, b=-30.0), 1 / 256, [0.5], 0, 2000).correlation_gap
        for gap in (0.1, 0.9)
    ]
    assert abs(np.median(inward[0]) - np.median(inward[1])) < 0.1


def test_dependent_inputs_stay_dependent_in_a_linear_network() -> None:
    """Three inputs in a plane: V has rank two for ever."""
    gaps = [1 - np.cos(angle) for angle in (0.5, 1.2, 0.7)]
    paths = covariance_paths([1.0] * 3, gaps, Drift(), 1 / 8, [1.0], 0, 500)
    values = np.linalg.eigvalsh(covariances(paths))
    assert np.abs(values[:, 0] / values[:, 2]).max() < 1e-13


def network_of(activation: ReluLike | Identity | Smooth, width: int) -> Network:
    return Network(activation, width, width, GRAM, shaping=SHAPED)


def joint_distance(network: Network, count: int) -> tuple[float, float]:
    """Largest Kolmogorov distance of the network to the SDE over variances, correlations, and sums of pairs of
    them, and what noise alone would give one of them."""
    drawn = simulate_block(network, [network.depth], 0, count)
    paths = CovarianceSde().paths(network, [network.depth], (0, count))
    columns = [
        np.hstack([values["log_variance"][:, 0], 1 - values["correlation_gap"][:, 0]]).astype(float)
        for values in (drawn, {"log_variance": paths.log_variance, "correlation_gap": paths.correlation_gap})
    ]
    spread = columns[0].std(axis=0)
    scaled = [each / spread for each in columns]
    features = [*range(6), *combinations(range(6), 2)]
    found = []
    for feature in features:
        first, second = (
            each[:, feature] if isinstance(feature, int) else each[:, feature[0]] + each[:, feature[1]]
            for each in scaled
        )
        found.append(kolmogorov(EmpiricalLaw.of(first), second))
    return max(found), noise_floor(count) * np.sqrt(2)


@pytest.mark.slow
@pytest.mark.parametrize(
    "activation",
    everyday([ReluLike(0.5, -0.5), Identity(), Smooth.of("tanh"), Smooth.of("softplus", 1.0, 1.0)], 1),
    ids=["relu", "linear", "tanh", "softplus"],
)
def test_networks_of_three_inputs_follow_the_joint_law(activation: ReluLike | Identity | Smooth) -> None:
    """n = d = 256, variances and correlations and their sums in pairs: within 4 / n of the SDE beside three
    times the noise (21 comparisons, false-alarm rate below 1e-3); and the law at twice the time is not."""
    network = network_of(activation, 256)
    distance, noise = joint_distance(network, 1 << 15)
    assert distance < 4 / 256 + 2.3 * noise
    assert joint_distance(replace(network, depth=512), 1 << 12)[0] < 4 / 256 + 2.3 * noise * np.sqrt(8)
    later = CovarianceSde().paths(replace(network, depth=512), [512], (0, 1 << 15))
    drawn = simulate_block(network, [256], 0, 1 << 15)["log_variance"][:, 0, 0].astype(float)
    assert kolmogorov(EmpiricalLaw.of(later.log_variance[:, 0, 0]), drawn) > 0.1


def test_networks_of_three_inputs_are_near_the_joint_law() -> None:
    distance, noise = joint_distance(network_of(ReluLike(0.5, -0.5), 64), 1 << 13)
    assert distance < 4 / 64 + 2.3 * noise


def test_laws_come_with_intervals() -> None:
    """A sampled law of a linear pair against the exact one: 95 % intervals of seven quantiles and the mean hold
    the truth, but for at most two."""
    network = Network(Identity(), 100, 100, ((1.0, 0.3), (0.3, 1.0)))
    law = registry()["covariance_sde"].laws(network, [100], "correlation")[0]
    exact = registry()["linear"].laws(network, [100], "correlation")[0]
    assert isinstance(law, EmpiricalLaw)
    held = 0
    for level in (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95):
        low, high = law.quantile_interval(level)
        held += low <= float(exact.quantile(np.array([level]))[0]) <= high
        assert 0 < high - low < 0.02
    low, high = law.mean_interval()
    held += low <= exact.mean <= high
    assert held >= 6


@pytest.mark.slow
def test_a_variance_near_its_explosion_is_positive_and_that_of_its_logarithm() -> None:
    growing = Smooth.of("x + x**3 / (3 + 3 * x**2)")
    network = Network(growing, 24, 36, ((1.0, 0.5), (0.5, 1.0)), shaping=Shaping("depth", 0.5))
    limit = registry()["covariance_sde"]
    (law,), (logarithm,) = (limit.marginals(network, [12], name) for name in ("variance", "log_variance"))
    levels = np.array([1e-4, 0.1, 0.5, 0.9, 0.999])
    assert (law.quantile(levels) > 0).all()
    assert np.allclose(np.log(law.quantile(levels)), logarithm.quantile(levels), rtol=0, atol=1e-3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert 0 < limit.error(network, 12, "variance", law) <= 1
