"""Residual networks and multilayer perceptrons with a width per layer: the weight-free engine draws from the law
of networks with explicit weight matrices, and where there is a closed form from that.

Family-wise false-alarm rate: 1e-3 over all comparisons in this file, by Bonferroni; seeds are fixed. Planted
faults show that the same tests, at the same threshold, would see a wrong branch exponent, a wrong constant, an
off-by-one layer and a layer of the wrong width.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from deeplimits.activations import Identity, OrnsteinUhlenbeck, ReluLike, Smooth
from deeplimits.architectures.mlp import oracle as mlp
from deeplimits.architectures.resnet import oracle as resnet
from deeplimits.engines import simulate_block
from deeplimits.networks.network import Gram, Network, Shaping
from laws_agree import Sample, smallest
from tiers import everyday

GRAM = ((1.0, 0.3, -0.2), (0.3, 2.0, 0.6), (-0.2, 0.6, 0.5))
SHAPED = Shaping("width", 0.5)


def residual(
    activation: ReluLike | Identity | Smooth | OrnsteinUhlenbeck,
    width: int,
    depth: int,
    branch_exponent: float = 0.5,
    gram: Gram = GRAM,
    start: float | None = None,
) -> Network:
    return Network(
        activation, width, depth, gram, architecture="resnet", branch_exponent=branch_exponent, start=start
    )


def layered(activation: ReluLike | Smooth, widths: tuple[int, ...], shaping: Shaping = SHAPED) -> Network:
    return Network(activation, widths, len(widths), GRAM, shaping=shaping)


SMALL = {
    "relu-1x6": residual(ReluLike(), 1, 6),
    "relu-2x1": residual(ReluLike(), 2, 1),
    "relu-3x4": residual(ReluLike(), 3, 4),
    "relu-8x6-unscaled": residual(ReluLike(), 8, 6, 0.0),
    "slopes-4x5": residual(ReluLike(0.3, -1.4), 4, 5, 0.25),
    "linear-6x2": residual(Identity(), 6, 2),
    "linear-2x6-unscaled": residual(Identity(), 2, 6, 0.0),
    "tanh-3x4": residual(Smooth.of("tanh", 0.7), 3, 4),
    # with a smaller a the formula log(1 + exp(x)) overflows in the oracle's float64
    "softplus-5x3": residual(Smooth.of("softplus", 1.0, -1.0), 5, 3),
    "sin-1x5": residual(Smooth.of("sin", 0.5), 1, 5),
    "gelu-7x2": residual(Smooth.of("gelu", 0.8, 0.2), 7, 2),
    "silu-4x6": residual(Smooth.of("silu", 1.2), 4, 6, 0.3),
    "ornstein-1x6": residual(OrnsteinUhlenbeck(), 1, 6),
    "ornstein-5x3": residual(OrnsteinUhlenbeck(0.7, 0.4), 5, 3),
    "ornstein-2x4": residual(OrnsteinUhlenbeck(-1.5, 1.0), 2, 4),
    "layered-relu": layered(ReluLike(0.0, -1.0), (3, 8, 2, 5)),
    "layered-symmetric": layered(ReluLike(0.5, -0.5), (1, 6, 3)),
    "layered-tanh": layered(Smooth.of("tanh", 0.8), (2, 7, 4, 1)),
    "layered-by-depth": layered(Smooth.of("softplus", 0.6, -1.0), (6, 2, 3), Shaping("depth", 0.4)),
}
STARTED = {
    "relu": residual(ReluLike(), 3, 4, gram=((1.0,),), start=1.0),
    "relu-negative": residual(ReluLike(0.0, -0.5), 2, 3, gram=((2.25,),), start=-1.5),
    "tanh": residual(Smooth.of("tanh"), 4, 3, gram=((4.0,),), start=2.0),
    "ornstein": residual(OrnsteinUhlenbeck(1.0, 0.5), 1, 5, gram=((0.25,),), start=0.5),
}
COMPARISONS = 3 * len(SMALL) + 6 + len(STARTED) + 12 + 10
THRESHOLD = 1e-3 / COMPARISONS


def with_inputs(network: Network, inputs: int) -> Network:
    return replace(network, gram=tuple(row[:inputs] for row in network.gram[:inputs]))


def marginal(sample: Sample, inputs: int) -> Sample:
    """The law of the first ``inputs`` inputs of three."""
    pairs = {1: [], 2: [0], 3: [0, 1, 2]}[inputs]
    return {
        name: array[..., pairs] if name == "correlation_gap" else array[..., :inputs]
        for name, array in sample.items()
    }


def oracle(network: Network, layer: int, samples: int, seed: int) -> Sample:
    simulate = resnet.simulate if network.residual else mlp.simulate
    return simulate(network, [layer], samples, np.random.default_rng(seed))


def check(network: Network, samples: int, seed: int) -> None:
    drawn = oracle(network, network.depth, samples, seed)
    for inputs in (1, 2, 3):
        ours = simulate_block(with_inputs(network, inputs), [network.depth], 0, samples)
        assert smallest(ours, marginal(drawn, inputs)) > THRESHOLD, f"m = {inputs}"


@pytest.mark.parametrize("name", ["relu-3x4", "ornstein-5x3"])
@pytest.mark.slow
def test_small_network_quickly(name: str) -> None:
    check(SMALL[name], 100_000, 1)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "samples"),
    [
        *((name, 200_000) for name in everyday(SMALL, 5) if isinstance(name, str)),
        *(pytest.param(name, 1_000_000, marks=pytest.mark.exhaustive) for name in SMALL),
    ],
)
def test_small_networks(name: str, samples: int) -> None:
    check(SMALL[name], samples, list(SMALL).index(name) + 20)


@pytest.mark.parametrize("name", STARTED)
@pytest.mark.slow
def test_networks_that_start_from_one_number(name: str) -> None:
    network = STARTED[name]
    ours = simulate_block(network, [0, network.depth], 0, 100_000)
    drawn = resnet.simulate(network, [0, network.depth], 100_000, np.random.default_rng(4))
    assert smallest(ours, drawn) > THRESHOLD
    assert (ours["log_variance"][:, 0] == np.float32(2 * np.log(abs(network.start or 0)))).all()
    assert ours["log_activation"][:, 0] == pytest.approx(drawn["log_activation"][:, 0], abs=2e-6)


@pytest.mark.parametrize("name", everyday(["slopes-4x5", "tanh-3x4", "ornstein-5x3", "layered-tanh"], 2))
@pytest.mark.parametrize("inputs", [1, 2, 3])
@pytest.mark.slow
def test_planted_faults_are_caught(name: str, inputs: int) -> None:
    network = with_inputs(SMALL[name], inputs)
    samples, layer = 100_000, network.depth - 1
    truth = marginal(oracle(SMALL[name], layer, samples, 3), inputs)
    assert smallest(simulate_block(network, [layer], 0, samples), truth) > THRESHOLD
    if network.residual:
        # d^{-b} ten per cent too large
        exponent = network.branch_exponent - float(np.log(1.1) / np.log(network.depth))
        faults = [
            (replace(network, branch_exponent=exponent), layer),
            (network, layer - 1),
            (network, layer + 1),
        ]
    else:
        widths = network.widths
        faults = [(replace(network, width=(*widths[1:], widths[0])), layer), (network, layer - 1)]
    for fault, at in faults:
        assert smallest(simulate_block(fault, [at], 0, samples), truth) < THRESHOLD


@pytest.mark.parametrize("depth", [1, 2, 5, 10, 20])
def test_one_unit_collapses_as_often_as_it_should(depth: int) -> None:
    """1 − Φ(√L)^L given a positive start, within Clopper–Pearson at the rate of this file."""
    samples = 1 << 18
    network = residual(ReluLike(), 1, depth, gram=((1.0,),), start=1.0)
    collapsed = int((simulate_block(network, [depth], 0, samples)["collapsed_at"] >= 0).sum())
    expected = 1 - stats.norm.cdf(np.sqrt(depth)) ** depth
    interval = stats.binomtest(collapsed, samples).proportion_ci(1 - THRESHOLD, "exact")
    assert interval.low <= expected <= interval.high
