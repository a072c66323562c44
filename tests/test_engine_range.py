"""Digits and range: small angles keep their digits, wide and deep networks stay in range, and one step has
the moments of theory."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from deeplimits.activations import Identity, ReluLike, Slopes
from deeplimits.engines import simulate_block
from deeplimits.engines.contract.arithmetic import kernel, u4
from deeplimits.engines.contract.normals import cosine_sine, minus_two_log, normal_pair
from deeplimits.engines.contract.philox import philox
from deeplimits.errors import InputError
from deeplimits.networks.network import Network, Shaping


@kernel
def polar(words, radius, cosine, sine):
    """R², cos θ, sin θ of units 2j and 2j + 1 for counters and keys in ``words`` [j, 6]."""
    for j in range(len(words)):
        w = words[j]
        w0, w1, w2, w3 = philox(u4(w[0]), u4(w[1]), u4(w[2]), u4(w[3]), u4(w[4]), u4(w[5]))
        radius[2 * j], radius[2 * j + 1] = minus_two_log(w0), minus_two_log(w2)
        cosine[2 * j], sine[2 * j] = cosine_sine(w1)
        cosine[2 * j + 1], sine[2 * j + 1] = cosine_sine(w3)


@kernel
def four_normals(words, out):
    for j in range(len(words)):
        w = words[j]
        w0, w1, w2, w3 = philox(u4(w[0]), u4(w[1]), u4(w[2]), u4(w[3]), u4(w[4]), u4(w[5]))
        out[j, 0], out[j, 1] = normal_pair(w0, w1)
        out[j, 2], out[j, 3] = normal_pair(w2, w3)


def counters(network: Network, blocks: int, sample: int) -> np.ndarray:
    words = np.zeros((blocks, 6), np.uint32)
    words[:, 0] = np.arange(blocks)
    words[:, 2] = sample
    words[:, 4], words[:, 5] = network.key & 0xFFFFFFFF, network.key >> 32
    return words


def observe(vectors: np.ndarray, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """log V and 1 − ρ of vectors [unit, input], in extended precision and with nothing clever but a
    difference of unit vectors."""
    norms = np.sqrt((vectors**2).sum(axis=0))
    units = vectors / norms
    first, second = np.triu_indices(vectors.shape[1], k=1)
    return 2 * np.log(norms) + np.log(scale), ((units[:, first] - units[:, second]) ** 2).sum(axis=0) / 2


def phi(slopes: Slopes, z: np.ndarray) -> np.ndarray:
    return np.where(z > 0, np.longdouble(float(slopes.plus)), np.longdouble(float(slopes.minus))) * z


@pytest.mark.parametrize("gap", [1.0, 1e-3, 1e-6, 1e-9, 1e-12])
@pytest.mark.parametrize(
    "activation", [ReluLike(), ReluLike(0.2, -0.4), Identity()], ids=["relu", "slopes", "linear"]
)
def test_two_inputs_keep_three_digits(activation: ReluLike | Identity, gap: float) -> None:
    """One layer against extended precision from the same normals: 1 − ρ to 1e-3 of itself, log V to 2e-6."""
    network = Network(activation, 300, 1, ((1.0, 1.0 - gap), (1.0 - gap, 1.0)))
    radius, cosine, sine = (np.empty(300, np.float32) for _ in range(3))
    angle = np.longdouble(float(network.gap())) / 2
    for sample in range(5):
        polar(counters(network, 150, sample), radius, cosine, sine)
        along = np.sqrt(radius.astype(np.longdouble)) * cosine * np.sqrt(1 - angle)
        across = np.sqrt(radius.astype(np.longdouble)) * sine * np.sqrt(angle)
        vectors = phi(network.slopes, np.stack([along + across, along - across], axis=1))
        log_variance, gaps = observe(vectors, float(network.normalizer) / 300)
        ours = simulate_block(network, [1], sample, 1)
        np.testing.assert_allclose(ours["log_variance"][0, 0], log_variance.astype(float), atol=2e-6)
        np.testing.assert_allclose(ours["correlation_gap"][0, 0], gaps.astype(float), rtol=2e-5)


@pytest.mark.parametrize("gap", [0.5, 1e-6, 1e-12])
def test_many_inputs_keep_three_digits(gap: float) -> None:
    """Three inputs, two of them at a small angle and one far away: the hardest case for a Cholesky factor."""
    base = np.array([[1.0, 0.4, 0.4], [0.4, 1.0, 1.0 - gap], [0.4, 1.0 - gap, 1.0]])
    network = Network(ReluLike(0.2, -0.6), 300, 1, tuple(map(tuple, base.tolist())))
    normals = np.empty((300, 4), np.float32)
    four_normals(counters(network, 300, 0), normals)
    gram = np.array(base, np.longdouble)
    factor = np.zeros((3, 3), np.longdouble)
    for a in range(3):
        for b in range(a + 1):
            value = gram[a, b] - (factor[a, :b] * factor[b, :b]).sum()
            factor[a, b] = np.sqrt(value) if a == b else value / factor[b, b]
    vectors = phi(network.slopes, normals[:, :3].astype(np.longdouble) @ factor.T)
    log_variance, gaps = observe(vectors, float(network.normalizer) / 300)
    ours = simulate_block(network, [1], 0, 1)
    np.testing.assert_allclose(ours["log_variance"][0, 0], log_variance.astype(float), atol=2e-6)
    np.testing.assert_allclose(ours["correlation_gap"][0, 0], gaps.astype(float), rtol=1e-3)


@pytest.mark.parametrize(
    "gram", [((3.0,),), ((1e30, 0.0), (0.0, 1e-30)), ((1.0, 0.3, 0.1), (0.3, 1.0, 0.2), (0.1, 0.2, 1.0))]
)
def test_a_hundred_times_deeper_than_wide_stays_in_range(gram: tuple[tuple[float, ...], ...]) -> None:
    """log V falls to about −5/2 · 100 at d = 100 n, far below what float32 could hold as V."""
    network = Network(ReluLike(), 32, 3200, gram)
    sample = simulate_block(network, [0, 100, 3200], 0, 64)
    assert np.isfinite(sample["log_variance"]).all()
    assert np.nanmin(sample["log_variance"]) < -150
    assert ((sample["correlation_gap"] >= 0) & (sample["correlation_gap"] <= 2)).all()
    linear = simulate_block(Network(Identity(), 32, 3200, gram), [3200], 0, 64)
    assert np.isfinite(linear["log_variance"]).all()


@pytest.mark.parametrize("rho", [0.9, 0.3, -0.5])
@pytest.mark.parametrize("width", [100, 400])
def test_one_step_of_unshaped_relu_has_the_moments_of_theory(rho: float, width: int) -> None:
    """Mean and variance of ρ after one layer against Li & Nica 2024, eq. (4.14): sampling error at a
    false-alarm rate of 1e-4, plus 1/n²."""
    samples = 400_000
    sample = simulate_block(Network(ReluLike(), width, 1, ((1.0, rho), (rho, 1.0))), [1], 0, samples)
    after = 1.0 - sample["correlation_gap"][:, 0, 0].astype(float)
    q, angle = np.sqrt(1 - rho**2), np.arccos(-rho)
    c, m2 = 2.0, 5.0
    k1 = (q + rho * angle) / (2 * np.pi)
    k2 = (3 * rho * q + (1 + 2 * rho**2) * angle) / (2 * np.pi)
    k31 = (q * (2 + rho**2) + 3 * rho * angle) / (2 * np.pi)
    drift = c / 4 * (k1 * (c**2 * k2 + 3 * m2 + 3) - 4 * c * k31)
    variance = c**2 / 2 * (k1**2 * (c**2 * k2 + m2 + 1) - 4 * c * k1 * k31 + 2 * k2)
    z = stats.norm.isf(0.5e-4 / 12)
    tolerance = z * after.std() / np.sqrt(samples) + 1 / width**2
    assert abs(after.mean() - (c * k1 + drift / width)) <= tolerance
    error = z * np.sqrt(2 + abs(stats.kurtosis(after))) * variance / width / np.sqrt(samples)
    assert abs(after.var() - variance / width) <= error + 1 / width**2
    if rho != 0.3 and width == 100:  # the 1/n terms are within reach of the test
        assert abs(after.mean() - c * k1) > tolerance
        assert abs(after.var() - variance / width * 1.3) > error + 1 / width**2


def test_ordinary_relu_networks_die_as_often_as_they_should() -> None:
    """n = 1: every layer dies with probability 1/2, and stays dead."""
    sample = simulate_block(Network(ReluLike(), 1, 3, ((1.0, 0.2), (0.2, 1.0))), [1, 2, 3], 0, 40_000)
    alive = np.isfinite(sample["log_variance"][:, :, 0])
    for layer in range(3):
        assert stats.binomtest(int(alive[:, layer].sum()), 40_000, 0.5 ** (layer + 1)).pvalue > 1e-4
    assert not (alive[:, 1:] & ~alive[:, :-1]).any()
    both = np.isfinite(sample["log_variance"]).all(axis=2)
    assert np.array_equal(both, ~np.isnan(sample["correlation_gap"][:, :, 0]))


def test_identical_inputs_stay_identical_and_opposite_ones_stay_opposite() -> None:
    same = simulate_block(Network(ReluLike(), 50, 4, ((1.0, 1.0), (1.0, 1.0))), [4], 0, 100)
    assert (same["correlation_gap"] == 0).all()
    opposite = simulate_block(Network(Identity(), 50, 4, ((1.0, -1.0), (-1.0, 1.0))), [4], 0, 100)
    np.testing.assert_allclose(opposite["correlation_gap"], 2.0, rtol=1e-6)


@pytest.mark.parametrize(
    ("layers", "first", "count"),
    [([], 0, 1), ([3, 1], 0, 1), ([9], 0, 1), ([-1], 0, 1), ([1], -1, 1), ([1], 1 << 56, 1)],
)
def test_nonsense_is_refused(layers: list[int], first: int, count: int) -> None:
    with pytest.raises(InputError):
        simulate_block(Network(ReluLike(), 8, 4, ((1.0,),), shaping=Shaping()), layers, first, count)


@pytest.mark.parametrize("inputs", [2, 3])
def test_inputs_of_unequal_norms_stay_orthogonal(inputs: int) -> None:
    """Two ReLU units: where each input keeps another one, ρ = 0 exactly, however much the norms differ."""
    gram = tuple(tuple(1.0 if a == b else 0.3 for b in range(inputs)) for a in range(inputs))
    drawn = simulate_block(Network(ReluLike(), 2, 1, gram), [1], 0, 200_000)
    gap = drawn["correlation_gap"][:, 0, 0]
    apart = np.abs(gap - 1) < 1e-2
    # P(ρ < 0.01) without the atom is a few per cent of the atom's own probability
    assert np.mean(np.abs(gap[apart] - 1) < 5e-7) > 0.9
    near_miss = np.abs(gap[apart] - 1)
    assert not np.any((near_miss > 5e-7) & (near_miss < 1e-5) & (gap[apart] > 1))
