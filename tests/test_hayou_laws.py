"""Residual networks of finite width and infinite depth: the sampled SDE and closed forms against networks.

Unless a test says otherwise it is a statistical one with a false-alarm rate of 1e-4.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from deeplimits.activations import Identity, ReluLike
from deeplimits.engines import simulate_block
from deeplimits.engines.sde.residual_paths import residual_paths
from deeplimits.laws import PointMass, kolmogorov, noise_floor
from deeplimits.limits import choose, registry
from deeplimits.limits.resnet import hayou_sampled
from deeplimits.networks.network import Network
from hayou_networks import RATE, RESNET, explicit, is_law, same
from strong_error import strong_error
from tiny import project, reduced, simulated


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


@pytest.mark.parametrize("width", [1, 4, 20])
@pytest.mark.slow
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
        assert kolmogorov(exact, law.samples) < 3 * floor
    paths = residual_paths(3, (8,), (0.0, 1.0), 0, hayou_sampled.SAMPLES, slopes=(1.0, 1.0))
    growth = hayou_sampled.observed(paths, 3, "log_growth")[:, 0, 1]
    assert kolmogorov(linear.laws(network, [4], "log_growth")[0], growth) > 4 * floor


@pytest.mark.parametrize("start", [None, 1.0])
@pytest.mark.slow
def test_deep_relu_networks_follow_the_sde(start: float | None) -> None:
    """Width 3, 300 layers, explicit weights, 10,000 networks, at half time and at the end."""
    network = replace(RESNET, start=start)
    drawn = explicit(3, 300, 10_000, 5, start=start)
    law = registry()["hayou_sde"].laws(network, [100, 200], "log_activation")[1]
    sample = drawn["activation"] - np.log(3)
    assert same(law.samples, sample[np.isfinite(sample)]) > RATE
    shifted = registry()["hayou_sde"].laws(network, [100], "log_activation")[0]
    assert same(shifted.samples, sample[np.isfinite(sample)]) < 1e-6


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
    law = sde.laws(replace(RESNET, depth=16), [16], "log_growth")[0].samples
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
        assert both == {"infinite_width", "infinite_width_fluctuations", "gradient_growth"}, (
            "which take a layer at a time of either"
        )


@pytest.mark.parametrize(
    ("network", "name"),
    [
        (RESNET, "mckean_vlasov"),
        (replace(RESNET, width=1), "hayou_relu_n1"),
        (replace(RESNET, activation=Identity()), "hayou_linear"),
    ],
)
def test_the_default_of_a_residual_network(network: Network, name: str) -> None:
    assert choose(network, "log_variance").limit.name == name


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
    comparison = reduced(config)["comparison"]
    distances = comparison["value"].sel(distance="ks").values
    assert np.isnan(distances[1, 0])
    # 2.35 √(1/N + 1/M): false-alarm rate 1e-4 for all three, and 0.004 for the depth
    assert np.all(distances[[0, 0, 1], [0, 1, 1]] < 2.35 * np.sqrt(1 / 8192 + 1 / 65_536) + 0.004)
