"""Every limit's drift, against the exact step of a network of infinite width: numbers after many small steps, and the
constants of stochastic equations after one.
"""

from __future__ import annotations

import numpy as np
import pytest

from deeplimits.activations import Activation, Identity, ReluLike, Smooth
from deeplimits.limits import registry
from deeplimits.limits.mlp.covariance import CovarianceSde
from deeplimits.limits.mlp.smooth_variance import stability
from deeplimits.limits.normalised.layer_norm import LayerNormSde
from deeplimits.networks.network import Gram, Network, Shaping
from limit_networks import pair

GRAMS = {"norms": pair(0.3, 1.3, 0.7), "unit": pair(-0.4)}
SMOOTH = [
    Smooth.of(formula)
    for formula in (
        "tanh",
        "sigmoid",
        "2*sin(x)",
        "x + x**3 / (3 + 3 * x**2)",
        "3*x/sqrt(1+x**2) + x**2/(1+x**2)",
    )
]
SMOOTH += [Smooth.of("softplus", 1.0, -1.0), Smooth.of("softplus", 2.0, 1.0), Smooth.of("tanh", 0.7)]
STRAIGHT = [phi for phi in SMOOTH if phi.second == 0]
PIECES = [ReluLike(0.5, -0.5), ReluLike(-0.3, 0.6)]


def moved(name: str, network: Network, observable: str, layer: int) -> float:
    """By how much a number has moved from layer 0."""
    first, last = registry()[name].marginals(network, [0, layer], observable)
    return float(last.mean) - float(first.mean)


def check(name: str, network: Network, *, relative: float, absolute: float) -> None:
    """A limit moves as infinite width does, as far as it is to go by leading order."""
    limit = registry()[name]
    for observable in limit.observables:
        assert limit.refusal(network, observable) is None
        found, true = (moved(each, network, observable, network.depth) for each in (name, "infinite_width"))
        assert found == pytest.approx(true, rel=relative, abs=absolute), observable
        if observable == "correlation":
            # so that something is tested
            assert abs(true) > 30 * absolute or true == 0 or name == "covariance_ode", true


@pytest.mark.parametrize("gram", GRAMS.values(), ids=GRAMS)
@pytest.mark.parametrize("phi", [*PIECES, *SMOOTH], ids=str)
def test_covariances_move_as_at_infinite_width(phi: Activation, gram: Gram) -> None:
    """Sixty steps of order n^{−2p} = 1.6e-5, and what is left of order n^{−3p} at most."""
    network = Network(phi, 10**8, 60, gram, shaping=Shaping("width", 0.3))
    check("covariance_ode", network, relative=5e-3, absolute=1e-7)


@pytest.mark.parametrize("p", [0.2, 0.3, 0.45])
@pytest.mark.parametrize("phi", PIECES, ids=str)
def test_correlations_move_as_at_infinite_width(phi: Activation, p: float) -> None:
    network = Network(phi, 10**8, 1000, pair(0.3), shaping=Shaping("width", p))
    check("correlation_ode", network, relative=3e-2 if p == 0.2 else 5e-3, absolute=1e-9)


@pytest.mark.parametrize("phi", STRAIGHT, ids=str)
def test_correlations_decay_as_at_infinite_width(phi: Smooth) -> None:
    """From V = 1, where only ρ moves."""
    network = Network(phi, 10**8, 60, pair(0.3), shaping=Shaping("width", 0.2))
    if registry()["smooth_decay"].refusal(network, "correlation") is None:
        check("smooth_decay", network, relative=1e-2, absolute=1e-9)
    else:
        assert phi.third > 0


@pytest.mark.parametrize("gram", GRAMS.values(), ids=GRAMS)
@pytest.mark.parametrize("phi", [ReluLike(), ReluLike(0.0, -0.9), SMOOTH[0], SMOOTH[4]], ids=str)
def test_residual_networks_move_as_at_infinite_width(phi: Activation, gram: Gram) -> None:
    """By steps of 1/d, the error of which is taken off by those of half the depth."""
    for observable in ("correlation", "covariance", "log_variance"):
        whole, half = (
            moved("infinite_width", Network(phi, 100, depth, gram, architecture="resnet"), observable, depth)
            for depth in (64, 32)
        )
        network = Network(phi, 100, 64, gram, architecture="resnet")
        found = moved("resnet_ode", network, observable, 64)
        assert found == pytest.approx(2 * whole - half, rel=1e-3, abs=1e-6), observable


@pytest.mark.parametrize("gram", GRAMS.values(), ids=GRAMS)
@pytest.mark.parametrize("phi", [Identity(), ReluLike(), ReluLike(0.2, -0.9)], ids=str)
def test_pre_normalised_networks_move_as_at_infinite_width(phi: Activation, gram: Gram) -> None:
    network = Network(phi, 100, 1000, gram, architecture="pre_norm_resnet")
    for observable in registry()["pre_norm_ode"].observables:
        found, true = (moved(name, network, observable, 1000) for name in ("pre_norm_ode", "infinite_width"))
        assert found == pytest.approx(true, rel=5e-3, abs=1e-6), observable


WIDE = 10**6
HALF = Shaping("width", 0.5)


@pytest.mark.parametrize("gram", GRAMS.values(), ids=GRAMS)
@pytest.mark.parametrize("name", ["covariance_sde", "matched_covariance_sde"])
@pytest.mark.parametrize("phi", [*PIECES, *SMOOTH, Identity()], ids=str)
def test_the_drift_of_the_covariance_is_that_of_one_layer(phi: Activation, name: str, gram: Gram) -> None:
    """n times the step of V^{11} and V^{12}, p = ½."""
    network = Network(phi, WIDE, 1, gram, shaping=None if isinstance(phi, Identity) else HALF)
    limit = registry()[name]
    assert isinstance(limit, CovarianceSde)
    drift = limit.drift(network)
    one, two, cross = gram[0][0], gram[1][1], gram[0][1]
    norm = np.sqrt(one * two)
    rho = cross / norm
    bent = drift.kappa / (2 * np.pi) * (np.sqrt(1 - rho**2) - rho * np.arccos(rho)) * norm
    between = bent + drift.a * (one * two + cross * (2 * cross - 3)) + drift.b * cross * (one + two - 2)
    alone = (3 * drift.a + 2 * drift.b) * one * (one - 1)
    for observable, expected in (("covariance", between), ("variance", alone)):
        step = WIDE * moved("infinite_width", network, observable, 1)
        assert expected == pytest.approx(step, rel=5e-3, abs=1e-5), observable
    if isinstance(phi, Smooth) and name == "covariance_sde":
        assert stability(network) == pytest.approx(3 * drift.a + 2 * drift.b)


@pytest.mark.parametrize("slopes", [(0.5, -0.5), (0.0, -1.0), (300.0, -300.0)], ids=str)
@pytest.mark.parametrize("normed", [False, True])
def test_constants_of_the_correlation_are_those_of_one_layer(
    slopes: tuple[float, float], normed: bool
) -> None:
    """κ of the network itself to all digits, of steep slopes too, and that of the limit to n^{−½}."""
    architecture = "layer_norm_mlp" if normed else "mlp"
    network = Network(ReluLike(*slopes), WIDE, 1, pair(0.3), shaping=HALF, architecture=architecture)
    rho = 0.3
    unit = np.sqrt(1 - rho**2) - rho * np.arccos(rho) - (1 - rho) * normed
    kappa = 2 * np.pi * WIDE * moved("infinite_width", network, "correlation", 1) / unit
    names = ("layer_norm_sde", "matched_layer_norm_sde") if normed else ("correlation_sde", "matched_sde")
    limit, matched = (registry()[name] for name in names)
    assert isinstance(limit, LayerNormSde) == normed
    (own,) = matched.kappas(network)  # type: ignore[attr-defined]
    assert own == pytest.approx(kappa, rel=1e-6)
    if abs(slopes[0]) < 1:
        (limiting,) = limit.kappas(network)  # type: ignore[attr-defined]
        assert limiting == pytest.approx((slopes[0] - slopes[1]) ** 2)
        assert limiting == pytest.approx(kappa, rel=2e-3)
