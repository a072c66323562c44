"""The weight-free engine draws from the law of networks with explicit weight matrices.

Family-wise false-alarm rate: 1e-3 over all comparisons in this file, by Bonferroni; seeds are fixed. The
planted faults show that the same tests, at the same threshold, would see an off-by-one layer and a wrong
normaliser.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cached_property

import mpmath
import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from deeplimits.activations import Identity, ReluLike, Smooth
from deeplimits.architectures.mlp import oracle as mlp
from deeplimits.engines import simulate_block
from deeplimits.networks.network import Layer, Network, Shaping
from laws_agree import Sample, smallest
from tiers import everyday

GRAM = ((1.0, 0.3, -0.2), (0.3, 2.0, 0.6), (-0.2, 0.6, 0.5))
SHAPED = Shaping("width", 0.5)

SMALL = {
    "relu-2x1": Network(ReluLike(), 2, 1, GRAM),
    "relu-3x4": Network(ReluLike(), 3, 4, GRAM),
    "relu-8x6": Network(ReluLike(), 8, 6, GRAM),
    "shaped-2x6": Network(ReluLike(0.0, -1.0), 2, 6, GRAM, shaping=SHAPED),
    "symmetric-5x3": Network(ReluLike(0.5, -0.5), 5, 3, GRAM, shaping=SHAPED),
    "by-depth-4x5": Network(ReluLike(0.3, -0.8), 4, 5, GRAM, shaping=Shaping("depth", 0.25)),
    "linear-6x2": Network(Identity(), 6, 2, GRAM),
    "wide-8x1": Network(ReluLike(-0.5, 0.7), 8, 1, GRAM, shaping=SHAPED),
    "tanh-3x4": Network(Smooth.of("tanh"), 3, 4, GRAM, shaping=SHAPED),
    "unshaped-tanh-2x3": Network(Smooth.of("tanh", 0.4), 2, 3, GRAM),
    "sigmoid-4x2": Network(Smooth.of("sigmoid", 0.5, 1.0), 4, 2, GRAM),
    "softplus-5x3": Network(Smooth.of("softplus", 0.3, -1.0), 5, 3, GRAM, shaping=SHAPED),
    "erf-2x5": Network(Smooth.of("erf", 0.7), 2, 5, GRAM, shaping=Shaping("depth", 0.3)),
    "arctan-3x2": Network(Smooth.of("arctan", 0.3, 0.5), 3, 2, GRAM),
    "sin-4x3": Network(Smooth.of("sin", 1.5, 0.3), 4, 3, GRAM, shaping=SHAPED),
    "gelu-3x3": Network(Smooth.of("gelu", 0.8, 0.2), 3, 3, GRAM, shaping=SHAPED),
    "silu-6x2": Network(Smooth.of("silu", 0.2), 6, 2, GRAM, shaping=SHAPED),
    "formula-4x4": Network(Smooth.of("x + tanh(x)**2 / 2", 0.6, 0.1), 4, 4, GRAM, shaping=SHAPED),
}
LARGE = Network(ReluLike(0.0, -1.0), 64, 64, GRAM, shaping=SHAPED)
COMPARISONS = 3 * (len(SMALL) + 2) + 6
THRESHOLD = 1e-3 / COMPARISONS


def marginal(sample: Sample, inputs: int) -> Sample:
    """The law of the first ``inputs`` inputs of three."""
    pairs = {1: [], 2: [0], 3: [0, 1, 2]}[inputs]
    kept = {
        "log_variance": sample["log_variance"][:, :, :inputs],
        "correlation_gap": sample["correlation_gap"][:, :, pairs],
    }
    return kept | ({"exploded_at": sample["exploded_at"][:, :inputs]} if "exploded_at" in sample else {})


def with_inputs(network: Network, inputs: int) -> Network:
    return replace(network, gram=tuple(row[:inputs] for row in network.gram[:inputs]))


def oracle(network: Network, samples: int, seed: int) -> Sample:
    """Samples from explicit weights, on two threads with two streams."""
    seeds = np.random.SeedSequence(seed).spawn(2)
    # threads of BLAS would fight with these two for the cores
    with threadpool_limits(1), ThreadPoolExecutor(2) as pool:
        halves = list(
            pool.map(
                lambda s: mlp.simulate(network, [network.depth], samples // 2, np.random.default_rng(s)),
                seeds,
            )
        )
    return {name: np.concatenate([half[name] for half in halves]) for name in halves[0]}


def check(network: Network, drawn: Sample) -> None:
    samples = len(drawn["log_variance"])
    for inputs in (1, 2, 3):
        ours = simulate_block(with_inputs(network, inputs), [network.depth], 0, samples)
        assert smallest(ours, marginal(drawn, inputs)) > THRESHOLD, f"m = {inputs}"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["relu-3x4", "softplus-5x3"])
def test_small_network_quickly(name: str) -> None:
    check(SMALL[name], oracle(SMALL[name], 100_000, 1))


@pytest.mark.slow
@pytest.mark.parametrize("name", everyday(SMALL, 5))
def test_small_networks(name: str) -> None:
    check(SMALL[name], oracle(SMALL[name], 1_000_000, list(SMALL).index(name) + 10))


@pytest.fixture(scope="module")
def drawn_large() -> Sample:
    return oracle(LARGE, 20_000, 2)


@pytest.mark.slow
def test_large_network(drawn_large: Sample) -> None:
    check(LARGE, drawn_large)


class WrongLayer(Layer):
    """A layer that is one per cent too large."""

    @property
    def normalizer(self) -> mpmath.mpf:
        return super().normalizer * 1.01


class WrongNormalizer(Network):
    """A network of such layers."""

    @cached_property
    def layer_kinds(self) -> dict[int, Layer]:
        return {units: WrongLayer(units, layer.phi) for units, layer in super().layer_kinds.items()}


@pytest.mark.parametrize("name", ["by-depth-4x5", "tanh-3x4"])
@pytest.mark.parametrize("inputs", [1, 2, 3])
@pytest.mark.slow
def test_planted_faults_are_caught(name: str, inputs: int) -> None:
    network = with_inputs(SMALL[name], inputs)
    samples, layer = 300_000, network.depth - 1
    truth = marginal(mlp.simulate(SMALL[name], [layer], samples, np.random.default_rng(3)), inputs)
    right = simulate_block(network, [layer], 0, samples)
    assert smallest(right, truth) > THRESHOLD
    for wrong_layer in (layer - 1, layer + 1):
        assert smallest(simulate_block(network, [wrong_layer], 0, samples), truth) < THRESHOLD
    wrong = WrongNormalizer(
        network.activation, network.width, network.depth, network.gram, network.seed, network.shaping
    )
    assert smallest(simulate_block(wrong, [layer], 0, samples), truth) < THRESHOLD
