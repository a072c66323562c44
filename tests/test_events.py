"""Events are counted, their probabilities have intervals that cover, and the closed forms hold."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from deeplimits.activations import Identity, ReluLike
from deeplimits.analysis.proportions import clopper_pearson
from deeplimits.engines import simulate_block
from deeplimits.limits.resnet.collapse import collapse_probability
from deeplimits.networks.network import Network
from tiny import STUDY, project, reduced, simulated

RESNET = Network(ReluLike(), 1, 5, ((1.0,),), architecture="resnet")


def test_intervals_of_probabilities_are_those_of_the_tables() -> None:
    low, high = clopper_pearson([0, 3, 10, 0], [10, 10, 10, 0])
    np.testing.assert_allclose(low, [0, 0.0667, 0.6915, 0], atol=5e-5)
    np.testing.assert_allclose(high, [0.3085, 0.6525, 1, 1], atol=5e-5)


@pytest.mark.parametrize("probability", [1e-3, 0.07, 0.5, 0.93])
def test_intervals_of_probabilities_cover(probability: float) -> None:
    """Exactly: the probability of all counts whose interval misses is at most the error, and not much less."""
    counts = np.arange(401)
    low, high = clopper_pearson(counts, 400, 0.05)
    parts = stats.binom.pmf(counts, 400, probability)
    for missed in (parts[probability < low].sum(), parts[probability > high].sum()):
        assert missed <= 0.025
    if 0.05 < probability < 0.95:
        assert parts[(probability < low) | (probability > high)].sum() > 0.02


@pytest.mark.parametrize(("layer", "exponent"), [(5, 0.5), (2, 0.5), (4, 0.0)])
def test_networks_of_one_unit_collapse_as_often_as_their_factors_change_sign(
    layer: int, exponent: float
) -> None:
    """200,000 networks with a Gaussian start, layer by layer; each within an interval of 1e-4, so that all
    three fail by chance once in 3,000 runs.
    """
    generator, depth = np.random.default_rng(1), RESNET.depth
    state = generator.standard_normal(200_000)
    started = state > 0
    for _ in range(layer):
        state = state + depth**-exponent * generator.standard_normal(len(state)) * np.maximum(state, 0)
    low, high = clopper_pearson(np.count_nonzero(started & (state <= 0)), np.count_nonzero(started), 1e-4)
    assert low < collapse_probability(replace(RESNET, branch_exponent=exponent), layer) < high


def test_what_cannot_collapse_and_what_has_no_closed_form() -> None:
    assert collapse_probability(replace(RESNET, activation=Identity()), 5) == 0
    assert np.isnan(collapse_probability(replace(RESNET, architecture="pre_norm_resnet"), 5))
    assert collapse_probability(RESNET, 0) == 0
    assert np.isnan(collapse_probability(replace(RESNET, width=2), 5))
    assert np.isnan(collapse_probability(replace(RESNET, architecture="mlp"), 5))


PATHS_OF_TWO = """
title: Two architectures
networks:
  - {architecture: resnet, activation: {name: relu}}
  - {architecture: mlp, activation: {name: relu}}
grid: {width: 5, depth: [3, 6], correlation: 0.5, seed: 0}
samples: 64
record: {layers: all}
"""
COLLAPSE = """
title: Collapse of one unit
networks: [{architecture: resnet, activation: {name: relu}}]
grid: {width: 1, depth: [1, 2, 5, 10, 20], gram: [[1.0]], seed: 0}
samples: 131072
record: {layers: 3}
"""


@pytest.mark.slow
def test_studies_count_collapses_as_often_as_they_happen(tmp_path: Path) -> None:
    """Of the networks that are alive at layer 0, half of all, as many have collapsed by each layer as the
    closed form says, within intervals of Clopper and Pearson of 1e-3: 14 of them, one of which is missed by
    chance once in 70 runs. One layer more or less, a start that counts as a collapse, or an unscaled branch
    would be noticed.
    """
    config = project(tmp_path, COLLAPSE)
    simulated(config)
    study = config.study("tiny")
    found = reduced(config)["events"]
    alive, collapsed = found["alive"].values, found["collapsed"].values
    exact = found["collapse_probability"].values
    for i, point in enumerate(study.points):
        low, high = clopper_pearson(alive[i], study.samples, 1e-3)
        assert low < 0.5 < high
        for record, layer in enumerate(point.layers):
            assert exact[i, record] == collapse_probability(point.network, layer)
            low, high = clopper_pearson(collapsed[i, record], alive[i], 1e-3)
            assert (layer == 0 and high < 1e-3) or low < exact[i, record] < high
    depths = np.array([point.network.depth for point in study.points])
    low, high = clopper_pearson(
        collapsed[np.arange(5), [len(p.layers) - 1 for p in study.points]], alive, 1e-3
    )
    faults = {
        "a layer more": 1 - stats.norm.cdf(np.sqrt(depths)) ** (depths + 1),
        "a layer less": 1 - stats.norm.cdf(np.sqrt(depths)) ** (depths - 1),
        "start counted": 1 - (1 - exact[:, -1]) / 2,
        "not scaled": 1 - stats.norm.cdf(1.0) ** depths,
        "of another depth": 1 - stats.norm.cdf(np.sqrt(depths + 1)) ** depths,
    }
    for name, wrong in faults.items():
        assert ((wrong < low) | (wrong > high)).any(), name


def test_stores_say_nothing_of_events_that_have_no_meaning(tmp_path: Path) -> None:
    config = project(tmp_path, STUDY.replace("8192", "64"))
    simulated(config)
    found = reduced(config)["events"]
    assert (found["exploded"] == -1).all()
    assert (found["collapsed"] == -1).all()
    assert (found["alive"] == -1).all()
    assert np.isnan(found["collapse_probability"]).all()


def test_the_first_samples_are_kept_whole(tmp_path: Path) -> None:
    """Across points of different depth, architecture and inputs; NaN where there is nothing."""
    config = project(tmp_path, PATHS_OF_TWO)
    simulated(config)
    study = config.study("tiny")
    kept = reduced(config)["paths"]
    assert set(kept) == {"log_variance", "correlation_gap", "log_activation"}
    assert dict(kept.sizes) == {"point": 4, "path": 32, "record": 7}
    for i, point in enumerate(study.points):
        drawn = simulate_block(point.network, point.layers, 0, 32)
        for name in kept:
            found = kept[name].values[i]
            if name in drawn:
                np.testing.assert_array_equal(found[:, : len(point.layers)], drawn[name][:, :, 0])
                found = found[:, len(point.layers) :]
            assert np.isnan(found).all()
