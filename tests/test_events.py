"""Events are counted, their probabilities have intervals that cover, and the closed forms hold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from deeplimits.activations import Identity, ReluLike
from deeplimits.analysis.proportions import clopper_pearson
from deeplimits.limits.collapse import collapse_probability
from deeplimits.networks.network import Network

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
    assert collapse_probability(RESNET, 0) == 0
    assert np.isnan(collapse_probability(replace(RESNET, width=2), 5))
    assert np.isnan(collapse_probability(replace(RESNET, architecture="mlp"), 5))
