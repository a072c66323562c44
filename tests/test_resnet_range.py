"""Residual networks at the ends of their range: nearly parallel inputs, growth beyond float32, inputs that
part, and the activation of the Ornstein–Uhlenbeck process over the whole line.

False-alarm rate of each statistical comparison: 1e-4; seeds are fixed.
"""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from deeplimits.activations import Identity, OrnsteinUhlenbeck, ReluLike, Smooth
from deeplimits.architectures.resnet import oracle as resnet
from deeplimits.engines import simulate_block
from deeplimits.engines.contract.arithmetic import kernel
from deeplimits.engines.contract.ornstein_uhlenbeck_table import BITS, rows
from deeplimits.engines.resnet.layer import ornstein_uhlenbeck
from deeplimits.networks.network import Gram, Network

ALARM = 1e-4


def residual(
    activation: ReluLike | Identity | Smooth | OrnsteinUhlenbeck,
    width: int,
    depth: int,
    gram: Gram,
    branch_exponent: float = 0.5,
) -> Network:
    return Network(activation, width, depth, gram, architecture="resnet", branch_exponent=branch_exponent)


def agree(first: NDArray[np.float32], second: NDArray[np.float32]) -> bool:
    """Kolmogorov–Smirnov, column by column."""
    columns = zip(first.reshape(len(first), -1).T, second.reshape(len(second), -1).T, strict=True)
    values = [stats.ks_2samp(x, y, method="asymp").pvalue for x, y in columns]
    return min(values) * len(values) > ALARM


@pytest.mark.parametrize("gap", [1e-4, 1e-8, 1e-12])
@pytest.mark.parametrize(
    "activation", [ReluLike(), Identity(), Smooth.of("tanh", 0.5)], ids=["relu", "linear", "tanh"]
)
def test_nearly_parallel_inputs_keep_their_distance(
    activation: ReluLike | Identity | Smooth, gap: float
) -> None:
    """log(1 − ρ) has the law of the oracle's, which is in float64."""
    if gap < 1e-8 and isinstance(activation, Smooth):
        pytest.skip("a difference of two values of φ keeps seven digits of φ")
    network = residual(activation, 6, 5, ((1.0, 1.0 - gap), (1.0 - gap, 1.0)))
    ours = simulate_block(network, [0, 2, 5], 0, 20_000)["correlation_gap"]
    drawn = resnet.simulate(network, [0, 2, 5], 20_000, np.random.default_rng(1))["correlation_gap"]
    assert (ours > 0).all()
    assert agree(np.log(ours), np.log(drawn))


@pytest.mark.parametrize("inputs", [2, 3])
def test_collinear_inputs_stay_so(inputs: int) -> None:
    norms = (1.0, 2.0, 0.25)[:inputs]
    gram = tuple(tuple(a * b for b in norms) for a in norms)
    sample = simulate_block(residual(ReluLike(), 20, 40, gram), range(41), 0, 200)
    assert (sample["correlation_gap"] == 0).all()
    for a in range(1, inputs):
        shift = sample["log_variance"][:, :, a] - sample["log_variance"][:, :, 0]
        assert shift == pytest.approx(2 * np.log(norms[a]), abs=4e-6)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("activation", "width", "depth"),
    [
        (Identity(), 3, 250),
        (Identity(), 1, 200),
        (ReluLike(0.0, -0.6), 2, 400),
        (Smooth.of("gelu", 0.5, 0.1), 4, 400),
        (OrnsteinUhlenbeck(), 2, 24),
    ],
    ids=["linear", "one-unit", "slopes", "gelu", "exotic"],
)
def test_growth_beyond_float32(
    activation: ReluLike | Identity | Smooth | OrnsteinUhlenbeck, width: int, depth: int
) -> None:
    """Branches that are not scaled: square norms leave 2^±60, where powers of two are taken out."""
    network = residual(activation, width, depth, ((1.0, 0.3), (0.3, 2.0)), 0.0)
    ours = simulate_block(network, [depth // 3, depth], 0, 4000)
    drawn = resnet.simulate(network, [depth // 3, depth], 4000, np.random.default_rng(2))
    for name in ("log_variance", "log_activation"):
        assert np.isfinite(ours[name]).all()
        assert agree(ours[name], drawn[name]), name
    # unscaled branches make inputs parallel, to more digits than 1 − ρ is carried with
    assert agree(np.round(1 - ours["correlation_gap"], 3), np.round(1 - drawn["correlation_gap"], 3))
    assert np.abs(ours["log_variance"]).max() > 60 * np.log(2)


def test_an_input_that_collapsed_stays_where_it_is_while_others_grow() -> None:
    """One unit, opposite inputs: one of them is collapsed from the start."""
    network = residual(ReluLike(1.0, -1.0), 1, 400, ((1.0, -1.0), (-1.0, 1.0)), 0.0)
    layers = [0, 100, 400]
    sample = simulate_block(network, layers, 0, 4000)
    collapsed = sample["collapsed_at"] == 0
    assert (collapsed.sum(axis=1) == 1).all()
    kept = sample["log_variance"].transpose(0, 2, 1)[collapsed]
    assert kept == pytest.approx(np.repeat(kept[:, :1], 3, axis=1), abs=1e-6)
    assert np.isneginf(sample["log_activation"].transpose(0, 2, 1)[collapsed]).all()
    assert sample["correlation_gap"][:, 0] == pytest.approx(2)


@pytest.mark.parametrize("scale", [1e-60, 1e60])
def test_inputs_of_any_size(scale: float) -> None:
    network = residual(ReluLike(), 5, 4, ((1.0, 0.3), (0.3, 1.0)))
    unit = simulate_block(network, [0, 4], 0, 100)
    gram = ((scale**2, 0.3 * scale), (0.3 * scale, 1.0))
    scaled = simulate_block(residual(ReluLike(), 5, 4, gram), [0, 4], 0, 4000)
    drawn = resnet.simulate(network, [0, 4], 4000, np.random.default_rng(3))
    assert np.isfinite(unit["log_variance"]).all()
    moved = scaled["log_variance"] - np.array([2 * np.log(scale), 0.0], np.float32)
    assert agree(np.round(moved, 3), np.round(drawn["log_variance"], 3))
    assert agree(scaled["correlation_gap"], drawn["correlation_gap"])


@kernel
def exotic_of(y, reach, offset, inside, table, bits, phi, lanes):
    for start in range(0, len(y), 16):
        end = start + 16
        ornstein_uhlenbeck(
            y[start:end], reach, offset, np.float32(1), inside, table, bits, phi[start:end], lanes
        )


def exact_exotic(v: mpmath.mpf) -> mpmath.mpf:
    """exp(h⁻¹(v)²), by bisection on erfi."""
    context = mpmath.MPContext()
    context.dps = 25
    low, high = context.mpf(0), context.mpf(12)
    for _ in range(70):
        middle = (low + high) / 2
        low, high = (middle, high) if context.erfi(middle) < abs(v) else (low, middle)
    return context.exp(low**2)


@pytest.mark.slow
def test_the_exotic_activation_to_2e_7() -> None:
    """Relative error over the whole line; α y + β is rounded once before."""
    generator = np.random.default_rng(4)
    y = np.concatenate(
        [
            [0.0, 2.0**-5, -(2.0**-5), np.nextafter(np.float32(2.0**-5), np.float32(0)), 2.0**40, 2.0**100],
            generator.uniform(-4, 4, 250),
            generator.uniform(-0.05, 0.05, 64),
            np.exp2(generator.uniform(-20, 40, 160)) * generator.choice([-1, 1], 160),
        ]
    ).astype(np.float32)
    for alpha, beta in ((1.0, 0.0), (0.5, -0.25)):
        phi = np.empty_like(y)
        ones = np.ones(16, np.float32)
        arguments = (np.float32(alpha), np.float32(beta), ones, rows(), np.int32(BITS))
        exotic_of(y, *arguments, phi, np.zeros(16, np.float32))
        v = (np.float64(alpha) * y + beta).astype(np.float32).astype(float)
        exact = np.array([float(exact_exotic(mpmath.mpf(value))) for value in v])
        assert np.max(np.abs(phi / exact - 1)) <= 2e-7
        assert OrnsteinUhlenbeck(alpha, beta)(y.astype(float)) == pytest.approx(exact, rel=2e-7)


@pytest.mark.slow
def test_the_exotic_activation_makes_an_ornstein_uhlenbeck_process() -> None:
    """U = h⁻¹(z) of one unit has Hayou's Gaussian law at time 1, to what depth 400 leaves of it."""
    network = Network(OrnsteinUhlenbeck(), 1, 400, ((1.0,),), architecture="resnet", start=1.0)
    size = np.exp(simulate_block(network, [400], 0, 20_000)["log_activation"][:, 0, 0].astype(float) / 2)
    mean = float(OrnsteinUhlenbeck.inverse(np.array([1.0]))[0] * np.exp(-np.pi / 4))
    deviation = np.sqrt((1 - np.exp(-np.pi / 2)) / 2)

    def folded(u: NDArray[np.float64]) -> NDArray[np.float64]:
        """P(|U| ≤ u): log φ = U² does not know the sign."""
        return np.asarray(stats.norm.cdf(u, mean, deviation) - stats.norm.cdf(-u, mean, deviation))

    distance = stats.kstest(np.sqrt(np.log(size)), folded).statistic
    assert distance < np.sqrt(np.log(2 / ALARM) / 2 / len(size)) + 1 / np.sqrt(400) / 4
