"""The neural tangent SDE: its exact moments, networks that have its law and would not have that of simpler equations, refusals, and
a study that is compared with it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import deeplimits
from deeplimits.activations import Identity, ReluLike, Smooth
from deeplimits.analysis.beside import drawn
from deeplimits.jobs.aggregate import aggregate_study
from deeplimits.laws import kolmogorov
from deeplimits.limits import registry
from deeplimits.limits.coefficients import square_variance
from deeplimits.limits.mlp import neural_tangent, neural_tangent_paths
from deeplimits.limits.mlp.neural_tangent_paths import kernel_paths
from deeplimits.limits.mlp.tangent_kernel import limiting_second_moment, second_moment
from deeplimits.networks.network import Network, Shaping
from tiny import project, simulated

HALF = Shaping("width", 0.5)
PAIR = ((1.0, 0.3), (0.3, 1.0))
LIMIT = registry()["neural_tangent_sde"]


def apart(one: np.ndarray, other: np.ndarray) -> float:
    """sup |F − G| of two samples."""
    both = np.concatenate([one, other])
    cumulative = [np.searchsorted(np.sort(x), both, side="right") / len(x) for x in (one, other)]
    return float(np.abs(cumulative[0] - cumulative[1]).max())


def test_one_input_has_the_second_moment_of_networks() -> None:
    """To 4 standard errors, and were forward and backward independent it would be 6 of them away."""
    time, count = 0.5, 1 << 19
    found = kernel_paths((2.0,), None, 0.0, time, 16, count).first / (2 * time)
    assert abs(found.mean() - 1) < 4 * found.std() / np.sqrt(count)
    square = found**2
    error = square.std() / np.sqrt(count)
    assert abs(square.mean() - limiting_second_moment(time, 2.0)) < 4 * error
    independent = np.exp(2 * time) * (2 * time - 1 + np.exp(-2 * time)) / (2 * time**2)
    assert abs(square.mean() - independent) > 6 * error


@pytest.mark.parametrize(("slopes", "units", "depth"), [((0.5, -0.5), 8, 4), ((0.2, 0.2), 5, 4)])
def test_networks_of_any_slopes_have_the_second_moment(
    slopes: tuple[float, float], units: int, depth: int
) -> None:
    network, count = Network(ReluLike(*slopes), units, depth, ((1.0,),), shaping=HALF), 1 << 17
    square = drawn(network, "ntk", depth, count) ** 2 / (depth + 1) ** 2
    exact = second_moment(units, depth, square_variance(network.slopes))
    assert abs(square.mean() - exact) < 4 * square.std() / np.sqrt(count)
    assert limiting_second_moment(1.0, 2.0) == pytest.approx(second_moment(2000, 2000, 2.0), rel=2e-3)


def test_a_pair_has_each_input_and_steps_leave_nothing() -> None:
    count = 1 << 13
    pair = kernel_paths((1.0, 1.0), 0.7, 4.0, 1.0, 32, count)
    alone = kernel_paths((1.0,), None, 0.0, 1.0, 64, count, seed=1).first
    finer = kernel_paths((1.0, 1.0), 0.7, 4.0, 1.0, 96, count, seed=2)
    noise = 1.95 * np.sqrt(2 / count)  # 1e-3 each
    assert apart(pair.first, alone) < noise
    assert apart(pair.second, alone) < noise
    assert apart(pair.cross, finer.cross) < noise
    determinant = pair.first * pair.second - pair.cross**2
    assert (determinant > 0).all()


def test_networks_have_its_alignment(monkeypatch: pytest.MonkeyPatch) -> None:
    """κ = 9, n = d = 32: 0.03 away, where the noise of C alone makes 0.09."""
    network = Network(ReluLike(1.5, -1.5), 32, 32, PAIR, shaping=HALF)
    values = drawn(network, "ntk_alignment", 32, 1 << 13)

    monkeypatch.setattr(neural_tangent, "SAMPLES", 1 << 14)

    def distance() -> float:
        neural_tangent._paths.cache_clear()
        return kolmogorov(LIMIT.marginals(network, [32], "ntk_alignment")[0], values)

    assert distance() < 0.045
    monkeypatch.setattr(neural_tangent_paths._Backward, "_spread", lambda *_: None)
    assert distance() > 0.07
    neural_tangent._paths.cache_clear()


@pytest.mark.parametrize("units", [16, 64])
def test_the_kernel_of_networks_of_all_times_is_within_what_it_states(units: int) -> None:
    for depth in (units // 4, 2 * units):
        network = Network(Identity(), units, depth, ((3.0,),))
        law = deeplimits.limit(network, "ntk", "neural_tangent_sde")
        values = drawn(network, "ntk", depth, 1 << 12)
        error = LIMIT.error(network, depth, "ntk")
        assert law.about is not None and law.about.error == error
        assert law.distance(values) < error + 1.95 / 2**6


@pytest.mark.parametrize(
    ("network", "why"),
    [
        (Network(ReluLike(), 32, 16, PAIR), "p > 0.5"),
        (Network(ReluLike(), 32, 16, PAIR, shaping=Shaping("width", 0.3)), "p = 0.3"),
        (Network(Smooth.of("tanh"), 32, 16, PAIR, shaping=HALF), "one that is smooth"),
        (Network(ReluLike(), 32, 16, PAIR, architecture="resnet"), "the architecture mlp"),
        (Network(ReluLike(), (8, 16), 2, PAIR, shaping=HALF), "one width"),
        (Network(ReluLike(), 32, 16, ((1.0, 1.0), (1.0, 1.0)), shaping=HALF), "1 − ρ = 0"),
    ],
)
def test_other_networks_are_refused(network: Network, why: str) -> None:
    assert why in str(LIMIT.refusal(network, "ntk_cross"))


STUDY = """
title: Tangent kernels of shaped networks
networks: [{activation: {name: relu, c_plus: 0.5, c_minus: -0.5}, shaping: {by: width, exponent: 0.5}}]
grid: {width: 8, depth: 6, correlation: 0.3}
samples: 2048
record: {layers: all, gradients: true}
compare: [{observable: ntk_0_1, limit: neural_tangent_sde}, {observable: ntk_1, limit: neural_tangent_sde}]
figures: [law_against_limit]
"""


@pytest.mark.slow
def test_a_study_is_compared_with_it(tmp_path: Path) -> None:
    config = project(tmp_path, STUDY)
    simulated(config)
    aggregate_study(config.study("tiny"), config.results)
    rows = deeplimits.query(
        "SELECT compared, width, value FROM comparison WHERE distance = 'ks' ORDER BY width",
        config=config.path,
    )
    for point in config.study("tiny").points:
        for name in ("ntk_cross", "ntk_1"):
            law = LIMIT.marginals(point.network, [point.network.depth], name)[0]
            values = drawn(point.network, name, point.network.depth, 2048)
            (stored,) = rows.value[(rows.compared == name) & (rows.width == point.network.width)]
            assert stored == pytest.approx(kolmogorov(law, values[np.isfinite(values)]), abs=2**-13)
    with pytest.raises(deeplimits.InputError, match="with layers: all"):
        project(tmp_path, STUDY.replace("layers: all", "layers: 3")).study("tiny")
