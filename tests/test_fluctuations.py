"""Infinite width: numbers known by other means, correlations at both ends, and how networks of finite width
fluctuate about it."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy import stats

from deeplimits.activations import Identity, ReluLike, Smooth
from deeplimits.engines import simulate_block
from deeplimits.errors import InputError
from deeplimits.laws import kolmogorov
from deeplimits.limits import registry
from deeplimits.limits.fluctuations import spreads
from deeplimits.limits.gradient_growth import mean_growth
from deeplimits.limits.recursion import covariances
from deeplimits.networks.network import Network, Shaping

TANH, SOFTPLUS, GELU = Smooth.of("tanh"), Smooth.of("softplus"), Smooth.of("gelu", 1.0, 0.4)
PAIR = ((1.0, 0.3), (0.3, 0.7))


@pytest.fixture(autouse=True)
def no_warning():
    """Not one of NumPy."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def perceptron(phi, width=500, depth=5, gram=PAIR, shaping=None) -> Network:
    return Network(phi, width, depth, gram, shaping=shaping)


def residual(phi, width=500, depth=8, gram=PAIR, branch=0.5) -> Network:
    return Network(phi, width, depth, gram, architecture="resnet", branch_exponent=branch)


def test_known_numbers_of_infinite_width() -> None:
    """Unscaled residual tanh, where φ bends on a scale small beside √V, and chaotic tanh (σ_w = 4), by adaptive
    quadrature in 30 digits."""
    for depth, variance, growth in ((200, 177.364, 15.169), (50, 39.59353, 7.216)):
        network = residual(TANH, 300, depth, ((1.0,),), 0.0)
        assert covariances(network, depth)[-1].first == pytest.approx(variance, rel=1e-5)
        assert mean_growth(network, [0])[0] == pytest.approx(growth, abs=1e-3)
    chaotic = perceptron(Smooth.of("tanh", 0.2828), 1000, 10, ((1.0,),))
    assert [pair.first for pair in covariances(chaotic, 10)] == pytest.approx([1.0] * 11, rel=1e-9)
    assert np.exp(mean_growth(chaotic, [1])[0] / 10) == pytest.approx(2.377, abs=1e-3)


ENDS = [
    TANH,
    Smooth.of("sigmoid"),
    Smooth.of("erf", 0.3),
    SOFTPLUS,
    GELU,
    ReluLike(),
    ReluLike(0.5, -0.5),
    Identity(),
]


@pytest.mark.slow
@pytest.mark.parametrize("phi", ENDS, ids=str)
@pytest.mark.parametrize("build", [perceptron, residual])
def test_correlations_at_the_ends(phi, build) -> None:
    """Equal inputs stay equal; antipodal ones antipodal where φ is odd; 1 − ρ = 1e-12 grows like the derivative of the
    recursion at ρ = 1; forward at three pairs of three inputs, and nothing leaves [−1, 1]."""
    limit, odd = (
        registry()["infinite_width"],
        phi in (TANH, Smooth.of("sigmoid"), Smooth.of("erf", 0.3), Identity()),
    )
    gram = ((1.0, 1.0, -1.0), (1.0, 1.0, -1.0), (-1.0, -1.0, 1.0))
    network = build(phi, gram=gram)
    layers = range(network.depth + 1)
    assert {float(law.mean) for law in limit.marginals(network, layers, "correlation")} == {1.0}
    for name in ("correlation_0_2", "correlation_1_2"):
        found = [float(law.mean) for law in limit.marginals(network, layers, name)]
        assert min(found) >= -1 and max(found) <= 1
        if odd:
            assert set(found) == {-1.0}
    for gap in (1e-12, 1e-7, 2 - 1e-12):
        near = build(phi, gram=((1.0, 1 - gap), (1 - gap, 1.0)))
        gaps = [pair.gap for pair in covariances(near, near.depth)]
        assert all(0 <= each <= 2 for each in gaps)
        if gap < 1 and not isinstance(phi, ReluLike):
            start = float(near.gap())
            one, other = (
                covariances(build(phi, gram=((1.0, 1 - g), (1 - g, 1.0))), 3)[-1].gap / g
                for g in (2.0**-33, 2.0**-34)
            )
            assert gaps[3] / start == pytest.approx(one, rel=1e-5)
            assert one == pytest.approx(other, rel=1e-8)


CASES = {
    "tanh": perceptron(TANH),
    "softplus": perceptron(SOFTPLUS),
    "gelu": perceptron(GELU, depth=4),
    "relu": perceptron(ReluLike()),
    "shaped relu": perceptron(ReluLike(0.0, -1.0), 300, 6, shaping=Shaping("width", 0.3)),
    "linear": perceptron(Identity()),
    "uneven": perceptron(TANH, (200, 400, 800, 300, 500)),
    "uneven, shaped": perceptron(SOFTPLUS, (100, 400, 400, 400), 4, shaping=Shaping("width", 0.25)),
    "nearly equal": perceptron(TANH, gram=((1.0, 1 - 1e-5), (1 - 1e-5, 1.0))),
    "nearly antipodal": perceptron(TANH, gram=((1.0, -1 + 1e-4), (-1 + 1e-4, 1.0))),
    "residual tanh": residual(TANH, branch=0.0, depth=5),
    "residual relu": residual(ReluLike()),
    "residual softplus": residual(SOFTPLUS),
    "residual relu, unscaled": residual(ReluLike(), depth=3, branch=0.0),
}
QUICK = ("tanh", "relu", "uneven, shaped", "nearly equal", "residual tanh", "residual relu")


def drawn(network: Network, samples: int) -> np.ndarray:
    """(log V^{aa}, log V^{bb}, artanh ρ) of simulated networks, [3, sample]."""
    found = simulate_block(network, [network.depth], 0, samples)
    gap = found["correlation_gap"][:, 0, 0].astype(float)
    log_variance = found["log_variance"][:, 0].astype(float)
    return np.array([*log_variance.T, 0.5 * np.log((2 - gap) / gap)])


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in QUICK else pytest.mark.slow) for name in CASES]
)
def test_networks_fluctuate_as_they_should(name: str) -> None:
    """Variances, correlations and means of 4,096 networks: 9 comparisons of each case at a false-alarm rate of 1e-4
    together, beside what the next order may add, 4 % of a standard deviation; and half the width is found out."""
    network, samples = CASES[name], 4096
    spread = spreads(network, network.depth)[-1]
    std = np.sqrt(np.diag(spread.covariance))
    middle = [
        np.log(spread.pair.first),
        np.log(spread.pair.second),
        0.5 * np.log((2 - spread.pair.gap) / spread.pair.gap),
    ]
    raw = drawn(network, samples)
    z = (raw - np.array(middle)[:, None]) / std[:, None]
    allowed = stats.norm.isf(1e-4 / 18)
    # a variance of nearly Gaussian numbers has the standard deviation √(2/N), a correlation at most 1/√N
    ratios = z.var(axis=1)
    assert np.all(np.abs(ratios - 1) < allowed * np.sqrt(2 / samples) + 0.08), ratios
    expected = (spread.covariance / np.outer(std, std))[np.triu_indices(3, 1)]
    found = np.corrcoef(z)[np.triu_indices(3, 1)]
    assert np.all(np.abs(found - expected) < allowed / np.sqrt(samples) + 0.02), (found, expected)
    assert np.all(np.abs(z.mean(axis=1)) < allowed / np.sqrt(samples) + 0.15)
    limit = registry()["infinite_width_fluctuations"]
    for observable, values in (("log_variance", raw[0]), ("correlation", np.tanh(raw[2]))):
        law = limit.laws(network, [network.depth], observable)[0]
        noise = 2.0 / np.sqrt(samples)
        assert kolmogorov(law, values) < limit.error(network, network.depth, observable) + noise
    # the planted fault: the widths of another network
    assert np.all(np.abs(ratios / 2 - 1) > allowed * np.sqrt(2 / samples) + 0.08)


def test_one_input_alone_is_the_first_of_a_pair() -> None:
    for build in (perceptron, residual):
        for phi in (TANH, ReluLike()):
            alone, beside = build(phi, gram=((1.0,),)), build(phi)
            one, other = (spreads(network, network.depth)[-1] for network in (alone, beside))
            # the rest of a residual branch decorrelates with both inputs of a pair
            tolerance = 1e-3 if build is residual else 1e-9
            assert one.covariance[0, 0] == pytest.approx(other.covariance[0, 0], rel=tolerance)
            assert one.amplification == pytest.approx(other.amplification, rel=1e-9)


def test_closed_forms_of_fluctuations() -> None:
    """ReLU: Var log V = 5 ℓ/n, and Cov(log V^{aa}, log V^{bb}) = c² K₂ − 1 after a layer; linear: 2 ℓ/n, artanh ρ 1/n; a
    linear residual network: 2 (1 + β²)^ℓ-growth of V by products, (1 + 4β² + 2β⁴ …) through Isserlis."""
    rho = 0.3 / np.sqrt(0.7)
    first = spreads(perceptron(ReluLike(), 100, 1), 1)[-1].covariance * 100
    q = np.sqrt(1 - rho**2)
    k2 = (3 * rho * q + (1 + 2 * rho**2) * np.arccos(-rho)) / (2 * np.pi)
    assert first[:2, :2] == pytest.approx(np.array([[5, 4 * k2 - 1], [4 * k2 - 1, 5]]), rel=1e-10)
    k1, k31 = (
        (q + rho * np.arccos(-rho)) / (2 * np.pi),
        (q * (2 + rho**2) + 3 * rho * np.arccos(-rho)) / (2 * np.pi),
    )
    # the variance of a step of ρ: Li & Nica 2024, eq. (4.14), divided by (1 − ρ'²)²
    step = 2 * (k1**2 * (4 * k2 + 6) - 8 * k1 * k31 + 2 * k2)
    assert first[2, 2] == pytest.approx(step / (1 - 4 * k1**2) ** 2, rel=1e-9)
    linear = spreads(perceptron(Identity(), 100, 7), 7)[-1].covariance * 100
    assert linear[0, 0] == pytest.approx(14) and linear[2, 2] == pytest.approx(7)
    network = residual(Identity(), 100, 4, ((1.0,),), 0.0)
    # V_{ℓ+1} / V_ℓ = |e + g/√n|² for a Gaussian g: mean 2, variance (4 + 2)/n; V_0 a χ² over n
    found = spreads(network, 4)[-1].covariance[0, 0] * 100
    assert found == pytest.approx(2 + 4 * 6 / 4, rel=1e-9)


def test_laws_are_images_of_one_another() -> None:
    """Quantiles go over by the maps between observables; a correlation stays inside [−1, 1]; point masses at the ends."""
    limit = registry()["infinite_width_fluctuations"]
    network = perceptron(TANH, 5, 3, ((1.0, 0.9), (0.9, 1.0)))
    levels = np.array([1e-9, 0.1, 0.5, 0.9, 1 - 1e-9])
    laws = {name: limit.laws(network, [3], name)[0] for name in limit.observables}
    rho = laws["correlation"].quantile(levels)
    assert np.all(np.abs(rho) <= 1) and np.all(np.diff(rho) > 0)
    np.testing.assert_allclose(
        laws["rescaled_correlation"].quantile(1 - levels), np.log(9 * (1 - rho)), rtol=1e-6
    )
    np.testing.assert_allclose(
        np.log(laws["variance"].quantile(levels)), laws["log_variance"].quantile(levels), atol=1e-12
    )
    for law in laws.values():
        np.testing.assert_allclose(law.cdf(law.quantile(levels)), levels, rtol=1e-6)
        x = law.quantile(np.linspace(0.001, 0.999, 4001))
        assert np.trapezoid(law.density(x), x) == pytest.approx(0.998, abs=2e-3)
        sample = law.quantile((np.arange(20_000) + 0.5) / 20_000)
        assert law.mean == pytest.approx(sample.mean(), abs=0.01 * law.std)
        assert law.std == pytest.approx(sample.std(), rel=0.01)
    for gap in (0.0, 2.0):
        ends = perceptron(TANH, 50, 3, ((1.0, 1 - gap), (1 - gap, 1.0)))
        law = limit.laws(ends, [3], "correlation")[0]
        assert law.mean == 1 - gap and law.std == 0
        assert limit.laws(ends, [3], "covariance")[0].std > 0
    assert limit.laws(network, [0], "variance")[0].std == 0


def test_infinite_width_says_when_it_is_no_guide() -> None:
    """Unshaped softplus at d/n = 0.13 grows by 1.09 a layer; tanh of the same size does not; ReLU is too deep at d/n = 0.13,
    and not at 0.03."""
    limits = [
        registry()[name] for name in ("infinite_width", "infinite_width_fluctuations", "gradient_growth")
    ]
    gram = ((1.0, 0.0), (0.0, 1.0))

    def told(phi, width: int, depth: int = 40) -> list[str | None]:
        network = perceptron(phi, width, depth, gram)
        names = ("correlation", "log_variance", "gradient_log_norm")
        return [limit.warning(network, depth, name) for limit, name in zip(limits, names, strict=True)]

    for sentence in told(SOFTPLUS, 300):
        assert sentence is not None and "1.091 times" in sentence and "(log V)" in sentence
    assert told(TANH, 300) == [None, None, None]
    assert all("40 layers are not few" in str(sentence) for sentence in told(ReluLike(), 300))
    assert told(ReluLike(), 3000)[1:] == [None, None]


def test_an_expectation_out_of_reach_is_an_input_error() -> None:
    network = perceptron(Smooth.of("sinh(x)"), gram=((1e6,),))
    for name, observable in (("infinite_width", "variance"), ("infinite_width_fluctuations", "variance")):
        with pytest.raises(InputError, match="before layer 1"):
            registry()[name].laws(network, [5], observable)
