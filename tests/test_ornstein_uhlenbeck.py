"""One unit and the branch under which it is an Ornstein–Uhlenbeck process, and the sampled SDE of branches that
are not piecewise linear: closed forms against networks, drawn here and by the engine.

Unless a test says otherwise it is a statistical one with a false-alarm rate of 1e-4."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from deeplimits.activations import OrnsteinUhlenbeck, ReluLike, Smooth
from deeplimits.engines import simulate_block
from deeplimits.laws import NormalLaw, PointMass
from deeplimits.limits import choose, registry
from deeplimits.limits.resnet import hayou_sampled
from deeplimits.limits.resnet.ornstein_uhlenbeck import coordinate_law
from deeplimits.networks.network import Network
from deeplimits.observables import parse

Array = NDArray[np.float64]
ORNSTEIN_UHLENBECK = Network(OrnsteinUhlenbeck(), 1, 400, ((1.0,),), architecture="resnet")
CASES = [
    replace(ORNSTEIN_UHLENBECK, start=1.0),
    replace(ORNSTEIN_UHLENBECK, activation=OrnsteinUhlenbeck(1.2, -0.5), start=0.3, gram=((0.09,),)),
    ORNSTEIN_UHLENBECK,
    replace(ORNSTEIN_UHLENBECK, activation=OrnsteinUhlenbeck(-0.7, 0.4), gram=((2.0,),)),
]
RATE = 1e-4


def drawn(network: Network, layers: list[int], samples: int, seed: int) -> dict[int, Array]:
    """X of networks of one unit."""
    generator = np.random.default_rng(seed)
    phi = network.activation
    assert isinstance(phi, OrnsteinUhlenbeck)
    root = np.sqrt(network.gram[0][0])
    x = root * generator.normal(size=samples) if network.start is None else np.full(samples, network.start)
    found = {}
    for layer in range(network.depth + 1):
        if layer in layers:
            found[layer] = x
        x = x + phi(x) * generator.normal(size=samples) / np.sqrt(network.depth)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("network", CASES, ids=["started", "started, shifted", "random", "random, shifted"])
def test_the_process_is_that_of_ornstein_and_uhlenbeck(network: Network) -> None:
    """8,000 networks of 200 layers, U itself and the three observables, at two times. The error of the depth
    moves F by less than 0.005, the noise by 0.01 on average."""
    limit, network = registry()["ornstein_uhlenbeck"], replace(network, depth=200)
    phi = network.activation
    assert isinstance(phi, OrnsteinUhlenbeck)
    for layer, x in drawn(network, [50, 200], 8000, 1).items():
        u = phi.inverse(phi.alpha * x + phi.beta)
        law = coordinate_law(network, layer / 200)
        assert stats.kstest(u, law.cdf).pvalue > RATE
        assert stats.kstest(u + 0.1, law.cdf).pvalue < 1e-6
        samples = {
            "ou_coordinate": np.abs(u),
            "log_activation": 2 * np.log(phi(x)),
            "log_variance": np.log(x**2),
        }
        for observable, sample in samples.items():
            law = limit.laws(network, [layer], observable)[0]
            assert stats.kstest(sample, law.cdf).pvalue > RATE, observable
            assert abs(law.mean - sample.mean()) < 0.008 + 4 * sample.std() / np.sqrt(len(sample))


@pytest.mark.parametrize("network", CASES, ids=["started", "started, shifted", "random", "random, shifted"])
def test_quantiles_and_densities_belong_to_the_same_law(network: Network) -> None:
    levels = np.array([0.001, 0.1, 0.5, 0.9, 0.999])
    for observable in registry()["ornstein_uhlenbeck"].observables:
        law = registry()["ornstein_uhlenbeck"].laws(network, [200], observable)[0]
        x = law.quantile(levels)
        np.testing.assert_allclose(law.cdf(x), levels, atol=1e-12)
        # the density of log φ² has a pole at 0, where a difference is no derivative
        x = x[x > 1e-3] if observable == "log_activation" else x
        step = 1e-5 * np.minimum(1, np.abs(x))
        np.testing.assert_allclose(
            law.density(x), (law.cdf(x + step) - law.cdf(x - step)) / (2 * step), rtol=1e-5
        )


def test_laws_of_a_start() -> None:
    """U_0 of Y_0 = 1 and the moments printed in Proposition 4; nothing has moved at layer 0."""
    network = CASES[0]
    law = coordinate_law(network, 1.0)
    assert isinstance(law, NormalLaw)
    from scipy.special import erfi

    assert erfi(law.mean * np.exp(np.pi / 4)) == pytest.approx(1.0)
    assert law.std**2 == pytest.approx((1 - np.exp(-np.pi / 2)) / 2)
    assert registry()["ornstein_uhlenbeck"].laws(network, [0], "log_variance") == [
        PointMass(pytest.approx(0.0))
    ]
    assert choose(network, "log_activation").limit.name == "ornstein_uhlenbeck"
    assert not registry()["ornstein_uhlenbeck"].applies(replace(network, width=2))


@pytest.mark.slow
def test_networks_of_the_engine_follow_the_closed_form() -> None:
    """16,384 networks of 400 layers, through the observables of studies. The error of the depth moves F by
    less than 0.003, the noise by 0.007 on average."""
    limit, network = registry()["ornstein_uhlenbeck"], CASES[3]
    found = simulate_block(network, [400], 0, 1 << 14)
    for name in limit.observables:
        values = parse(name).of_arrays(found, 0, 400, network)
        law = limit.laws(network, [400], name)[0]
        assert stats.kstest(values, law.cdf).pvalue > RATE, name
        assert stats.kstest(values + 0.25, law.cdf).pvalue < 1e-6, name


def depth_distance(network: Network, cells: int = 2000, reach: float = 10.0) -> float:
    """Kolmogorov distance of X at the last layer to its law at infinite depth, without sampling: densities on
    a grid equally spaced in arsinh X, one layer after another."""
    phi = network.activation
    assert isinstance(phi, OrnsteinUhlenbeck)
    nodes = np.linspace(-reach, reach, cells + 1)
    x, weights = np.sinh(nodes), np.cosh(nodes) * (nodes[1] - nodes[0])
    std = phi(x) / np.sqrt(network.depth)
    step = stats.norm.pdf(x[:, None], x, std) * weights
    density, layers = stats.norm.pdf(x, 0, np.sqrt(network.gram[0][0])), network.depth
    if network.start is not None:
        density, layers = (
            stats.norm.pdf(x, network.start, phi(np.array(network.start)) / np.sqrt(layers)),
            layers - 1,
        )
    for _ in range(layers):
        density = step @ density
    mass = density * weights
    exact = coordinate_law(network, 1.0).cdf(phi.inverse(phi.alpha * x + phi.beta))
    exact = exact if phi.alpha > 0 else 1 - exact
    return float(np.abs(np.cumsum(mass) - mass / 2 - exact).max())


@pytest.mark.slow
@pytest.mark.parametrize(
    "network", [CASES[0], CASES[2], CASES[3]], ids=["started", "random", "random, shifted"]
)
def test_the_distance_to_networks_falls_with_their_depth_at_the_rate_that_is_declared(
    network: Network,
) -> None:
    """Exact distances, of 256 and 512 layers: the exponent is within 0.12 of its limit."""
    first, second = (depth_distance(replace(network, depth=depth)) for depth in (256, 512))
    assert np.log2(first / second) == pytest.approx(registry()["ornstein_uhlenbeck"].rate, abs=0.12)


@pytest.mark.slow
def test_the_sampled_sde_serves_every_branch(monkeypatch: pytest.MonkeyPatch) -> None:
    """tanh, three units and two inputs, against 10,000 networks of 300 layers with explicit weights: norms and
    correlation; and the process above against its closed form."""
    monkeypatch.setattr(hayou_sampled, "SAMPLES", 1 << 13)
    network = Network(Smooth.of("tanh"), 3, 100, ((2.0, 0.6), (0.6, 1.0)), architecture="resnet")
    generator = np.random.default_rng(2)
    inputs = generator.normal(size=(10_000, 3, 2)) @ np.linalg.cholesky(np.array(network.gram)).T
    x = inputs
    for _ in range(300):
        x = x + np.einsum("sij,sja->sia", generator.normal(size=(10_000, 3, 3)), np.tanh(x)) / np.sqrt(900)
    square = (x**2).sum(axis=1)
    samples = {
        "log_variance": np.log(square[:, 0] / 3),
        "log_activation": np.log((np.tanh(x[:, :, 0]) ** 2).sum(axis=1) / 3),
        "log_growth": np.log(
            (np.tanh(x[:, :, 0]) ** 2).sum(axis=1) / (np.tanh(inputs[:, :, 0]) ** 2).sum(axis=1)
        )
        / 2,
        "correlation": (x[:, :, 0] * x[:, :, 1]).sum(axis=1) / np.sqrt(square.prod(axis=1)),
    }
    limit = registry()["hayou_sde"]
    for observable, sample in samples.items():
        law = limit.laws(network, [100], observable)[0]
        assert stats.ks_2samp(law.samples, sample, method="asymp").pvalue > RATE, observable
        early = limit.laws(network, [30], observable)[0]
        assert stats.ks_2samp(early.samples, sample, method="asymp").pvalue < 1e-6, observable
    law = limit.laws(ORNSTEIN_UHLENBECK, [400], "log_activation")[0]
    exact = registry()["ornstein_uhlenbeck"].laws(ORNSTEIN_UHLENBECK, [400], "log_activation")[0]
    assert stats.kstest(law.samples, exact.cdf).pvalue > RATE


def test_a_network_is_not_compared_with_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """As deep as the sampled law's own networks, and with another seed: equal in law, unequal in every bit."""
    monkeypatch.setattr(hayou_sampled, "SAMPLES", 1 << 12)
    network = Network(Smooth.of("tanh"), 2, 400, ((1.0,),), architecture="resnet")
    law = registry()["hayou_sde"].laws(network, [400], "log_variance")[0]
    own = simulate_block(network, [0, 400], 0, 1 << 12)["log_variance"][:, 1, 0].astype(float)
    assert np.isin(own, law.samples).mean() < 0.05


def test_defaults() -> None:
    pair = ((1.0, 0.3), (0.3, 1.0))
    tanh = Network(Smooth.of("tanh"), 50, 10, pair, architecture="resnet")
    assert choose(tanh, "log_variance").limit.name == "mckean_vlasov"
    assert choose(replace(tanh, activation=ReluLike()), "log_growth").limit.name == "mckean_vlasov"
