"""Limits that are numbers: ordinary differential equations and infinite width, against second solvers, closed
forms and networks; which limit a network gets by default."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import quad

from deeplimits.activations import Identity, ReluLike, Smooth
from deeplimits.api import predict
from deeplimits.engines import simulate_block
from deeplimits.errors import InputError
from deeplimits.limits import choose, registry
from deeplimits.limits.gradient_growth import mean_growth
from deeplimits.limits.mlp.covariance_ode import constants, explosion_time
from deeplimits.limits.recursion import PairCovariance, covariances, moments
from deeplimits.limits.times import network_time
from deeplimits.networks.network import Network, Shaping
from forked import deeplimits

GRAM = ((1.0, 0.3), (0.3, 1.0))
RELU = ReluLike()
TANH, SOFTPLUS = Smooth.of("tanh"), Smooth.of("softplus", 1.0, -1.0)


def perceptron(activation, exponent: float | None, width: int = 100, depth: int = 100, gram=GRAM) -> Network:
    shaping = None if exponent is None else Shaping("width", exponent)
    return Network(activation, width, depth, gram, shaping=shaping)


def residual(activation=RELU, width: int = 100, depth: int = 100, gram=GRAM, branch: float = 0.5) -> Network:
    return Network(activation, width, depth, gram, architecture="resnet", branch_exponent=branch)


def value(name: str, network: Network, layer: int, observable: str) -> float:
    return float(registry()[name].laws(network, [layer], observable)[0].mean)


def test_residual_networks_reach_the_known_values() -> None:
    """ρ(1) and V^{ab}(1) from ρ_0 = 0.3, and the latter by quadrature of dt = dρ / ν₁(ρ)."""
    network = residual()
    assert value("resnet_ode", network, 100, "correlation") == pytest.approx(0.3829466571, abs=1e-9)
    assert value("resnet_ode", network, 100, "covariance") == pytest.approx(0.6313722991, abs=1e-9)
    assert value("resnet_ode", network, 50, "log_variance") == pytest.approx(0.25, abs=1e-12)
    assert value("resnet_ode", network, 100, "log_activation") == pytest.approx(0.5 - np.log(2), abs=1e-12)
    end = value("resnet_ode", network, 50, "correlation")
    time, _ = quad(lambda r: 2 * np.pi / (np.sqrt(1 - r * r) - r * np.arccos(r)), 0.3, end)
    assert time == pytest.approx(0.5, abs=1e-8)
    printed = [value("ln24_eq_2_14_printed", network, 100, each) for each in ("variance", "covariance")]
    assert printed == pytest.approx([1.0, 0.3829466571], abs=1e-9)


@pytest.mark.slow
def test_the_ode_of_a_smooth_branch_is_that_of_its_closed_form() -> None:
    """φ = sin: E sin(u^a) sin(u^b) = e^{−(V^{aa} + V^{bb})/2} sinh V^{ab}; one derivative of the solution."""
    phi = Smooth.of("sin")
    network = residual(phi, gram=((1.3, 0.4), (0.4, 0.8)))
    image = moments(network.phi, PairCovariance(1.3, 0.8, 1 - 0.4 / np.sqrt(1.04)))
    product = (1 - image.gap) * np.sqrt(image.first * image.second)
    assert product == pytest.approx(np.exp(-1.05) * np.sinh(0.4), rel=1e-12)
    assert image.first == pytest.approx(np.exp(-1.3) * np.sinh(1.3), rel=1e-12)
    limit = registry()["resnet_ode"]
    step = 1e-3
    deep = replace(network, depth=1000)
    around = [float(limit.laws(deep, [layer], "covariance")[0].mean) for layer in (499, 501)]
    middle = [float(limit.laws(deep, [500], each)[0].mean) for each in ("covariance", "variance")]
    other = float(limit.laws(replace(deep, gram=((0.8, 0.4), (0.4, 1.3))), [500], "variance")[0].mean)
    expected = np.exp(-(middle[1] + other) / 2) * np.sinh(middle[0])
    assert (around[1] - around[0]) / (2 * step) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    "activation", [TANH, SOFTPLUS, Smooth.of("silu", 1.0, 0.3)], ids=lambda phi: phi.formula
)
def test_infinite_width_is_the_limit_of_wide_networks(activation: Smooth) -> None:
    """Two layers of 2,000 units without shaping: means of V and ρ within 4 standard errors and 5 / n, and one
    layer more or less is not."""
    network = Network(activation, 2000, 3, ((0.4, 0.3), (0.3, 0.9)))
    drawn = simulate_block(network, [2], 0, 512)
    for name, observable in (("log_variance", "log_variance"), ("correlation_gap", "correlation")):
        values = drawn[name][:, 0, 0].astype(float)
        values = values if observable == "log_variance" else 1 - values
        error = 4 * values.std() / np.sqrt(512) + 5 / 2000
        away = [
            abs(values.mean() - value("infinite_width", network, layer, observable)) for layer in (1, 2, 3)
        ]
        assert away[1] < error
        if observable == "log_variance":
            assert min(away[0], away[2]) > away[1]
            assert away[0] > error


@pytest.mark.slow
def test_residual_networks_of_infinite_width_approach_the_ode() -> None:
    """Errors at depth 50 and 100 in the ratio 2, for ReLU and a smooth branch."""
    for phi in (ReluLike(), TANH):
        errors = []
        for depth in (50, 100):
            network = residual(phi, depth=depth)
            layered = covariances(network, depth)[-1].observed("covariance", depth)
            errors.append(layered - value("resnet_ode", network, depth, "covariance"))
        assert errors[0] / errors[1] == pytest.approx(2, rel=0.05)


def test_the_covariance_ode_of_a_smooth_network() -> None:
    """The variance has its closed form and blow-up; dρ/dt is the drift of b; equal norms go to ½."""
    network = perceptron(SOFTPLUS, 0.25, 10_000, 100, ((1.5, 0.3), (0.3, 0.7)))
    quarter, growth = constants(network)
    second, third = float(SOFTPLUS.second), float(SOFTPLUS.third)
    assert growth == pytest.approx(0.75 * second**2 + third)
    blow_up = explosion_time(network)
    assert blow_up == pytest.approx(np.log(3.0) / growth)
    limit = registry()["covariance_ode"]
    before, after = int(0.99 * blow_up * 100), int(1.01 * blow_up * 100) + 1
    expected = 1 / (1 - (1 - 1 / 1.5) * np.exp(growth * before / 100))
    assert value("covariance_ode", network, before, "variance") == pytest.approx(expected, rel=1e-9)
    assert value("covariance_ode", network, after, "variance") == np.inf
    assert [limit.explosion_probability(network, layer) for layer in (before, after)] == [0.0, 1.0]
    assert limit.explosion_probability_ever(network) == 1.0
    rho, first, other = (
        value("covariance_ode", net, 20, each)
        for net, each in (
            (network, "correlation"),
            (network, "variance"),
            (replace(network, gram=((0.7, 0.3), (0.3, 1.5))), "variance"),
        )
    )
    slope = quarter * ((1 + 2 * rho**2) * np.sqrt(first * other) - 1.5 * rho * (first + other))
    around = [value("covariance_ode", network, layer, "correlation") for layer in (19, 21)]
    assert (around[1] - around[0]) / 0.02 == pytest.approx(slope, rel=1e-4)
    stable = perceptron(Smooth.of("softplus", 0.3, 1.0), 0.25, 10_000, 10_000)
    assert value("covariance_ode", stable, 10_000, "correlation") == pytest.approx(0.5, abs=1e-6)
    relu = perceptron(ReluLike(0.0, -1.0), 0.25, 10_000, 100)
    assert value("covariance_ode", relu, 100, "covariance") == pytest.approx(0.3829466571, abs=1e-10)
    assert value("covariance_ode", relu, 100, "variance") == 1.0


@pytest.mark.parametrize(("activation", "name"), [(SOFTPLUS, "softplus"), (ReluLike(0.5, -0.5), "relu")])
def test_networks_below_one_half_follow_the_covariance_ode(activation: Smooth | ReluLike, name: str) -> None:
    """p = 0.3 at n = 1,000: means of log V and ρ within 4 standard errors and n^{−2p} + d / n of the ODE."""
    network = perceptron(activation, 0.3, 1000, 63, ((0.8, 0.2), (0.2, 0.6)))
    drawn = simulate_block(network, [63], 0, 512)
    slack = 1000**-0.6 + 0.063
    for variable, observable in (("log_variance", "log_variance"), ("correlation_gap", "correlation")):
        values = drawn[variable][:, 0, 0].astype(float)
        values = values if observable == "log_variance" else 1 - values
        found = value("covariance_ode", network, 63, observable)
        assert abs(values.mean() - found) < 4 * values.std() / np.sqrt(512) + slack
        start = np.log(0.8) if observable == "log_variance" else network.correlation()
        if name == "softplus" or observable == "correlation":
            assert abs(values.mean() - found) < abs(values.mean() - start)


def test_odd_activations_below_one_quarter_decorrelate() -> None:
    """dρ/dt = −k ρ (1 − ρ²) at one point of the solution, the limit 0, and networks of tanh at p = 0.1."""
    network = perceptron(TANH, 0.1, 200, 200)
    limit, step = registry()["smooth_decay"], 1e-4
    assert limit.applies(network)
    rate = limit.time(network, 1)
    rho, later = (value("smooth_decay", network, layer, "correlation") for layer in (10, 11))
    middle = (rho + later) / 2
    assert (later - rho) / rate == pytest.approx(-(4 / 6) * middle * (1 - middle**2), rel=1e-2)
    assert value("smooth_decay", replace(network, depth=10_000), 10_000, "correlation") < step
    drawn = simulate_block(network, [200], 0, 2048)["correlation_gap"][:, 0, 0].astype(float)
    assert abs(np.mean(1 - drawn)) < 0.02
    for other in (perceptron(TANH, 0.3), perceptron(SOFTPLUS, 0.1), perceptron(ReluLike(), 0.1)):
        assert not limit.applies(other)


def test_gradients_grow_as_they_should() -> None:
    """ReLU-like exactly 1; residual (1 + 1/(2d))^d and (3/2)^d; smooth by its expansion in 1/s². At the input of a
    perceptron there is no gradient: the error names layer 1."""
    assert mean_growth(perceptron(ReluLike(0.0, -1.0), 0.5), [1, 50, 100]) == [0.0, 0.0, 0.0]
    for phi in (ReluLike(), TANH):
        with pytest.raises(InputError, match=r"'1'.*layer 1 or a later one"):
            registry()["gradient_growth"].laws(perceptron(phi, None), [0], "gradient_log_norm")
    for depth in (4, 1000):
        growth = mean_growth(residual(depth=depth), [0])[0]
        assert growth == pytest.approx(depth * np.log1p(0.5 / depth), rel=1e-12)
        growth = mean_growth(residual(depth=depth, branch=0.0), [0])[0]
        assert growth == pytest.approx(depth * np.log(1.5), rel=1e-12)
    assert mean_growth(residual(depth=1000), [0])[0] == pytest.approx(0.5, rel=4e-4)
    for phi in (TANH, SOFTPLUS):
        for variance in (0.5, 2.0):
            one = perceptron(phi, 0.5, 10_000, 1, ((variance,),))
            second, third = float(phi.second), float(phi.third)
            expected = (second**2 + third) * variance - 0.75 * second**2 - third
            measured = np.expm1(mean_growth(one, [1])[0]) * 10_000
            assert measured == pytest.approx(expected, rel=2e-3)


def test_time_is_the_sum_of_inverse_widths() -> None:
    uneven = replace(perceptron(Identity(), None, 40, 4), width=(10, 20, 40, 40))
    times = [network_time(uneven, layer) for layer in range(5)]
    assert times == pytest.approx([0, 0.1, 0.15, 0.175, 0.2])
    assert network_time(uneven, 1.5) == pytest.approx(0.125)
    limit = registry()["linear"]
    assert [limit.layer(uneven, time) for time in (*times, 0.16, 0.3)] == [0, 1, 2, 3, 4, 2, 5]
    even = perceptron(Identity(), None, 20, 4)
    assert [limit.layer(even, time) for time in (0.1, 0.2, 0.26, 1e308)] == [2, 4, 5, 5]
    assert value("variance", uneven, 4, "log_variance") == pytest.approx(-0.2)
    assert network_time(residual(depth=50), 25) == 0.5
    assert not registry()["unshaped"].applies(replace(uneven, activation=ReluLike()))


@pytest.mark.parametrize(
    ("network", "observable", "name"),
    [
        (perceptron(ReluLike(), None), "rescaled_correlation", "unshaped"),
        (perceptron(TANH, None), "correlation", "infinite_width_fluctuations"),
        (perceptron(TANH, None), "variance", "infinite_width_fluctuations"),
        (perceptron(ReluLike(), None), "covariance", "infinite_width_fluctuations"),
        (perceptron(ReluLike(), 0.3), "correlation", "correlation_ode"),
        (perceptron(ReluLike(), 0.3), "covariance", "covariance_ode"),
        (perceptron(SOFTPLUS, 0.3), "correlation", "covariance_ode"),
        (perceptron(SOFTPLUS, 0.3), "variance", "covariance_ode"),
        (perceptron(TANH, 0.1), "correlation", "smooth_decay"),
        (perceptron(TANH, 0.25), "correlation", "smooth_quarter"),
        (perceptron(TANH, 0.3), "correlation", "linear"),
        (perceptron(TANH, 0.5), "correlation", "linear"),
        (perceptron(SOFTPLUS, 0.5), "correlation", "covariance_sde"),
        (perceptron(SOFTPLUS, 0.5), "log_variance", "smooth_variance"),
        (perceptron(ReluLike(), 0.5), "covariance", "covariance_sde"),
        (perceptron(SOFTPLUS, 0.7), "covariance", "covariance_sde"),
        (perceptron(SOFTPLUS, 0.7), "correlation", "linear"),
        (perceptron(SOFTPLUS, 0.7), "variance", "variance"),
        (residual(), "correlation", "resnet_ode"),
        (residual(), "covariance", "resnet_ode"),
        (residual(branch=0.0), "correlation", "infinite_width_fluctuations"),
        (residual(), "gradient_log_norm", "gradient_growth"),
    ],
)
def test_every_regime_has_its_default(network: Network, observable: str, name: str) -> None:
    limit = choose(network, observable).limit
    assert limit.name == name
    assert limit.applies(network)


@pytest.mark.parametrize(
    ("network", "observable", "name"),
    [
        (perceptron(ReluLike(), 0.3), "correlation", "matched_sde"),
        (perceptron(Identity(), None), "correlation", "linear"),
        (perceptron(SOFTPLUS, 0.4), "correlation", "matched_covariance_sde"),
        (perceptron(SOFTPLUS, 0.4), "variance", "matched_variance"),
        (perceptron(ReluLike(), 0.4), "log_variance", "matched_variance"),
        (perceptron(ReluLike(), 0.4), "covariance", "matched_covariance_sde"),
        (perceptron(ReluLike(), None), "correlation", "unshaped"),
    ],
)
def test_every_network_has_its_matched_limit(network: Network, observable: str, name: str) -> None:
    limit = choose(network, observable, matched=True).limit
    assert limit.name == name
    assert limit.applies(network)


def test_an_observable_without_a_limit_is_refused() -> None:
    with pytest.raises(InputError, match="gradient_gap"):
        choose(perceptron(ReluLike(), None), "gradient_gap")


def test_every_limit_declares_a_rate_or_says_why_it_has_none() -> None:
    for limit in registry().values():
        assert (limit.rate is None) == bool(limit.rate_reason), limit.name


POINT = """
architecture: mlp
activation: {name: softplus, center: -1.0}
shaping: {by: width, exponent: 0.5}
width: 100
depth: 100
inputs: {correlation: 0.3}
"""


@pytest.mark.slow
def test_the_command_line_tells_the_explosion(tmp_path: Path) -> None:
    point = tmp_path / "point.yaml"
    point.write_text(POINT)

    def answer(*words: str) -> dict[str, float]:
        return json.loads(deeplimits("limit", str(point), "--json", *words).stdout)

    single = answer("--observable", "log_variance", "--limit", "smooth_variance")
    assert single["limit"] == "smooth_variance"
    assert 0 < single["explosion_probability"] < single["explosion_probability_ever"] < 1
    assert single["explosion_probability"] == pytest.approx(0.0965, abs=1e-3)
    pair = answer()
    assert pair["limit"] == "covariance_sde"
    assert (
        single["explosion_probability"] < pair["explosion_probability"] < 2 * single["explosion_probability"]
    )
    assert pair["explosion_probability"] < pair["explosion_probability_ever"] < 1
    low, high = pair["intervals"]["0.5"]
    assert low < pair["quantiles"]["0.5"] < high
    assert answer("--observable", "variance_1", "--matched")["limit"] == "matched_variance"
    point.write_text(POINT.replace("{name: softplus, center: -1.0}", "{name: relu}"))
    assert "explosion_probability" not in answer()


@pytest.mark.slow
def test_predictions_know_their_inputs() -> None:
    three = perceptron(SOFTPLUS, 0.5, gram=((1.0, 0.3, 0.1), (0.3, 2.0, 0.2), (0.1, 0.2, 0.5)))
    found = [
        predict(three, f"variance_{a}", None, None, ["0.5"], "test")["explosion_probability"]
        for a in range(3)
    ]
    assert found[1] > found[0] > found[2]


@pytest.mark.parametrize("exponent", [0.1, 0.4])
def test_the_correlation_ode_at_a_layer_does_not_depend_on_what_else_is_asked_for(exponent: float) -> None:
    """It is solved once for all times of a sweep, and is what quadrature gives: t = ∫ dρ / ν(ρ)."""
    network = Network(ReluLike(1.0, -1.0), 64, 96, ((1.0, 0.3), (0.3, 1.0)), 0, Shaping("width", exponent))
    ode = registry()["correlation_ode"]
    together = ode.laws(network, [0, 1, 17, 96], "correlation")
    for layer, law in zip([0, 1, 17, 96], together, strict=True):
        (alone,) = ode.laws(network, [layer], "correlation")
        assert alone.mean == law.mean
        time = quad(
            lambda rho: 2 * np.pi / 4 / (np.sqrt(1 - rho**2) - rho * np.arccos(rho)),
            0.3,
            law.mean,
            epsrel=1e-11,
        )[0]
        assert time == pytest.approx(ode.time(network, layer), rel=1e-8)
