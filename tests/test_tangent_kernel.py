"""The tangent kernel: that of explicit Jacobians, its second moment and the limit of that, and how it is asked for."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

import deeplimits
from deeplimits.activations import ReluLike, Smooth
from deeplimits.analysis.beside import drawn
from deeplimits.architectures.mlp.oracle import inputs_with_gram
from deeplimits.engines import simulate_block
from deeplimits.errors import InputError
from deeplimits.limits.mlp.tangent_kernel import limiting_second_moment, second_moment
from deeplimits.networks.network import Network, Shaping
from deeplimits.observables import Observable, parse
from deeplimits.store.errors import StoreError
from deeplimits.variables import STORED
from tiny import project, simulated


@pytest.mark.parametrize(("units", "depth"), [(4, 3), (16, 3), (1, 5), (100, 300)])
def test_the_closed_form_is_the_recursion(units: int, depth: int) -> None:
    between = [1.0]
    for k in range(depth):
        between.append((1 - 1 / units) * between[-1] + 2 / units * (1 + 5 / units) ** k)
    total = sum(
        (1 + 5 / units) ** (depth - abs(i - j)) * between[abs(i - j)]
        for i in range(depth + 1)
        for j in range(depth + 1)
    )
    assert second_moment(units, depth) == pytest.approx(total / (depth + 1) ** 2, rel=1e-12)


def test_known_values_and_the_limit() -> None:
    assert second_moment(16, 3) == pytest.approx(1.79517, abs=5e-6)
    assert second_moment(4, 3) == pytest.approx(6.89063, abs=5e-6)
    assert limiting_second_moment(0.25) == pytest.approx(2.659, abs=5e-4)
    errors = [second_moment(n, n // 4) - limiting_second_moment(0.25) for n in (1000, 2000)]
    assert errors[0] == pytest.approx(2 * errors[1], rel=0.01)


@pytest.mark.parametrize(
    ("units", "count"),
    [
        (16, 1 << 17),
        (4, 1 << 17),
        pytest.param(16, 1 << 20, marks=pytest.mark.exhaustive),
        pytest.param(4, 1 << 22, marks=pytest.mark.exhaustive),
    ],
)
def test_networks_have_this_second_moment(units: int, count: int) -> None:
    """By the observable; K = 0 of those that are dead. The fourth moment is large: n = 4 has few digits."""
    values = drawn(Network(ReluLike(), units, 3, ((1.0,),)), "ntk", 3, count)
    values = np.where(np.isfinite(values), values, 0.0)
    assert abs(values.mean() - 4) < 4 * values.std() / np.sqrt(count)
    squares = values**2 / 16
    assert abs(squares.mean() - second_moment(units, 3)) < 4 * squares.std() / np.sqrt(count)


GRAM = ((1.0, 0.3, 0.1), (0.3, 2.0, -0.2), (0.1, -0.2, 0.5))
NETWORKS = {
    "relu": Network(ReluLike(), 5, 3, GRAM),
    "shaped": Network(ReluLike(0.5, -0.5), 4, 4, GRAM, shaping=Shaping("width", 0.5)),
    "uneven": Network(ReluLike(0.5, -0.5), (3, 6, 4), 3, GRAM, shaping=Shaping("width", 0.5)),
    "smooth": Network(Smooth.of("tanh"), 5, 3, GRAM, shaping=Shaping("width", 0.5)),
    "residual": Network(ReluLike(), 5, 4, GRAM, architecture="resnet"),
    "residual, unscaled": Network(ReluLike(0.5, -1.5), 3, 3, GRAM, architecture="resnet", branch_exponent=0),
    "residual, smooth": Network(
        Smooth.of("tanh", 0.5, 0.3), 5, 3, GRAM, architecture="resnet", branch_exponent=0.25
    ),
    "collapsing": Network(ReluLike(0, -1), 2, 3, GRAM, architecture="resnet"),
    "from a number": Network(Smooth.of("tanh"), 4, 3, ((2.25,),), architecture="resnet", start=1.5),
}


def jacobians(network: Network, samples: int, seed: int, step: float = 1e-5) -> np.ndarray:
    """∂z_out/∂θ [sample, weight, input] by differences, a weight at a time, of the weights that the oracle
    draws with this seed.
    """
    generator, widths = np.random.default_rng(seed), network.widths
    x = inputs_with_gram(np.array(network.gram)).T / np.sqrt(network.inputs)
    shapes = [*zip(widths, (network.inputs, *widths), strict=False), (1, widths[-1])]
    if network.residual:
        first = [] if network.start is not None else [(widths[0], network.inputs)]
        shapes = [*first, *[(widths[0], widths[0])] * network.depth, (1, widths[0])]
    drawn = [generator.standard_normal((samples, *shape)) for shape in shapes]

    def output(weights: list[np.ndarray]) -> np.ndarray:
        state = np.broadcast_to(x, (samples, *x.shape))
        if network.residual:
            state = np.full((samples, widths[0], 1), network.start)
            if network.start is None:
                state = weights[0] @ x
            for matrix in weights[-1 - network.depth : -1]:
                branch = network.depth**-network.branch_exponent / np.sqrt(widths[0])
                state = state + branch * (matrix @ network.phi(state))
            return (weights[-1] @ state)[:, 0] / np.sqrt(widths[0])
        for matrix, layer, width in zip(weights[:-1], network.layers, widths, strict=True):
            state = np.sqrt(float(layer.normalizer) / width) * layer.phi(matrix @ state)
        return (weights[-1] @ state)[:, 0]

    found = []
    for matrix in drawn:
        for at in np.ndindex(matrix.shape[1:]):
            kept = matrix[:, *at].copy()
            ends = []
            for sign in (1, -1):
                matrix[:, *at] = kept + sign * step
                ends.append(output(drawn))
            matrix[:, *at] = kept
            found.append((ends[0] - ends[1]) / (2 * step))
    return np.stack(found, axis=1)


@pytest.mark.parametrize("name", NETWORKS)
def test_it_is_that_of_explicit_jacobians(name: str) -> None:
    """Sample by sample, every weight moved by itself: kernel, alignment and condition of all inputs."""
    network, samples = NETWORKS[name], 40
    slopes = jacobians(network, samples, 7)
    exact = np.einsum("swa,swb->sab", slopes, slopes)
    layers = range(network.depth + 1)
    arrays = network.kind.oracle(network, layers, samples, np.random.default_rng(7), readout=True)

    def observed(kind: str) -> np.ndarray:
        return parse(kind).of_arrays(arrays, network.depth, network.depth, network)

    alive = np.isfinite(arrays["log_variance"][:, -1]).all(axis=1)
    assert alive.sum() > samples / 2
    for a in range(network.inputs):
        ntk, log_ntk = observed(f"ntk_{a}"), observed(f"log_ntk_{a}")
        np.testing.assert_allclose(np.where(np.isfinite(ntk), ntk, 0), exact[:, a, a], rtol=3e-6)
        np.testing.assert_allclose(log_ntk[alive], np.log(exact[alive, a, a]), rtol=3e-6, atol=3e-6)
        # a gradient of the layer itself, not of the one that follows, is another number
        wrong = np.exp((arrays["log_variance"] + arrays["gradient_log_norm"])[:, 1:, a].astype(float))
        assert (abs(wrong.sum(axis=1) - exact[:, a, a]) > 1e-3 * exact[:, a, a])[alive].mean() > 0.9
    for a, b in combinations(range(network.inputs), 2):
        size = np.sqrt(exact[:, a, a] * exact[:, b, b])[alive]
        cross = exact[alive, a, b]
        np.testing.assert_allclose(observed(f"ntk_{a}_{b}")[alive], cross, rtol=0, atol=1e-5 * size.max())
        np.testing.assert_allclose(observed(f"ntk_alignment_{a}_{b}")[alive], cross / size, atol=1e-5)
        values = np.linalg.eigvalsh(exact[alive][:, [a, b]][:, :, [a, b]])
        condition = observed(f"ntk_condition_{a}_{b}")[alive]
        np.testing.assert_allclose(condition, values[:, 1] / values[:, 0], rtol=1e-4)
    if network.inputs > 1:
        dead = ~np.isfinite(arrays["log_variance"][:, -1, :2]).all(axis=1)
        assert np.isnan(observed("ntk_cross")[dead]).all()
        assert (arrays["collapsed_at"] >= 0).any() if name == "collapsing" else True


@pytest.mark.slow
@pytest.mark.parametrize("name", ["shaped", "residual", "residual, smooth"])
def test_the_engine_has_the_law_of_explicit_weights(name: str) -> None:
    """16,384 networks each, at 1e-4: size, alignment and condition; branches 10 % too large are seen."""
    network, count = NETWORKS[name], 1 << 14
    layers, depth = range(network.depth + 1), network.depth
    truth = network.kind.oracle(network, layers, count, np.random.default_rng(3), readout=True)

    def agreement(seen: Network, observable: str) -> float:
        ours = drawn(seen, observable, depth, count)
        theirs = parse(observable).of_arrays(truth, depth, depth, network)
        return float(stats.ks_2samp(ours[np.isfinite(ours)], theirs[np.isfinite(theirs)]).pvalue)

    for observable in ("log_ntk", "log_ntk_2", "ntk_alignment", "ntk_condition_1_2"):
        assert agreement(network, observable) > 1e-4, observable
    if network.residual:
        faulty = replace(network, branch_exponent=network.branch_exponent - np.log(1.1) / np.log(depth))
        assert agreement(faulty, "log_ntk") < 1e-4


@pytest.mark.parametrize("architecture", ["mlp", "resnet"])
def test_nearly_equal_inputs_keep_their_digits(architecture: str) -> None:
    """1 − alignment of two inputs whose 1 − ρ is 1e-13 is about that, and falls as it does."""

    def typical(gap: float) -> float:
        pair = ((1.0, 1 - gap), (1 - gap, 1.0))
        network = Network(Smooth.of("tanh"), 20, 5, pair, architecture=architecture)
        found = simulate_block(network, range(6), 0, 512, gradients=True)

        def column(name: str, part: Observable) -> np.ndarray:
            return found[name][:, :, part.column(2)]

        return float(np.median(parse("ntk_alignment").stored(network, column, column)))

    gaps = [typical(1e-8), typical(1e-9), typical(1e-13)]
    assert gaps[0] / gaps[1] == pytest.approx(10, rel=0.1)
    assert gaps[1] / gaps[2] == pytest.approx(1e4, rel=0.15)


@pytest.mark.parametrize("architecture", ["mlp", "resnet"])
def test_opposite_inputs_have_digits_to_1e_7(architecture: str) -> None:
    """φ is odd, 1 + ρ is 1e-4 and 1e-5, and 1 + alignment falls as it does."""

    def typical(sum_: float) -> float:
        pair = ((1.0, sum_ - 1), (sum_ - 1, 1.0))
        network = Network(Smooth.of("tanh"), 20, 5, pair, architecture=architecture)
        found = simulate_block(network, range(6), 0, 512, gradients=True)
        return float(np.median(1 + parse("ntk_alignment").of_arrays(found, 5, 5, network)))

    assert typical(1e-4) / typical(1e-5) == pytest.approx(10, rel=0.1)


@pytest.mark.parametrize("architecture", ["mlp", "resnet"])
def test_inputs_of_very_different_size(architecture: str) -> None:
    """Alignments are those of equal sizes; where one unit does not hold both they are refused, not NaN."""

    def network(size: float) -> Network:
        pair = ((size**2, 0.3), (0.3, size**-2))
        return Network(ReluLike(0, -0.5), 16, 3, pair, architecture=architecture)

    found = {
        size: simulate_block(network(size), range(4), 0, 2048, gradients=True) for size in (1.0, 1e50, 1e100)
    }
    for kind in ("ntk_alignment", "ntk_cross"):
        equal, apart = (parse(kind).of_arrays(found[size], 3, 3, network(size)) for size in (1.0, 1e50))
        assert stats.ks_2samp(equal, apart).pvalue > 1e-4
    for kind in ("ntk_alignment", "ntk_cross", "ntk_condition"):
        with pytest.raises(InputError, match="within 1e250 of one another; log_ntk has no bounds"):
            parse(kind).of_arrays(found[1e100], 3, 3, network(1e100))
    assert np.isfinite(parse("log_ntk_1").of_arrays(found[1e100], 3, 3, network(1e100))).all()


def test_names_of_two_inputs_and_what_is_refused() -> None:
    assert parse("ntk_0_1") == parse("ntk_cross")
    assert parse("ntk_1_2").name == "ntk_cross_1_2"
    with pytest.raises(InputError, match="ntk_cross"):
        parse("ntk_1_0")
    with pytest.raises(InputError, match="log_ntk of one input"):
        parse("log_ntk_0_1")
    normalised = Network(ReluLike(), 8, 4, ((1.0, 0.3), (0.3, 1.0)), architecture="rms_norm_mlp")
    with pytest.raises(InputError, match=r"no engine has the gradients"):
        drawn(normalised, "ntk", 4, 16)
    with pytest.raises(InputError, match="ntk is of the last layer"):
        drawn(NETWORKS["relu"], "ntk", 2, 16)


STUDY = """
title: Tangent kernels
networks: [{activation: {name: relu}}, {activation: {name: relu}, architecture: resnet}]
grid: {width: [6, 8], depth: 4, correlation: 0.3}
samples: 512
record: {layers: all, gradients: true}
"""


def test_samples_of_a_study_have_it(tmp_path: Path) -> None:
    """A number for each network; a study that lacks a layer, or the gradients, has none."""
    config = project(tmp_path, STUDY)
    simulated(config)
    samples = deeplimits.open_samples("tiny", config=config.path)
    assert samples.ntk.dims == ("width", "architecture", "sample", "input")
    assert samples.ntk_cross.dims == ("width", "architecture", "sample", "cross")
    for point in config.study("tiny").points:
        for name, made in (("ntk", "ntk"), ("ntk_cross", "ntk_0_1")):
            one = samples[name].sel(width=point.network.width, architecture=point.network.architecture)
            there = one[:, 0].to_numpy()
            np.testing.assert_array_equal(there, drawn(point.network, made, 4, 512))
    lacking = STUDY.replace("layers: all", "layers: 3")
    for text in (lacking, STUDY.replace(", gradients: true", "")):
        config = project(tmp_path / str(hash(text)), text)
        simulated(config)
        assert "ntk" not in deeplimits.open_samples("tiny", config=config.path)


def test_a_comparison_of_some_of_the_networks_is_refused(tmp_path: Path) -> None:
    """Three layers are all of those of two, and not of four: these would be left out without a word."""
    text = STUDY.replace("depth: 4", "depth: [2, 4]").replace("layers: all", "layers: 3")
    entry = "compare: [{observable: ntk, limit: neural_tangent_sde}]\n"
    shaped = "activation: {name: relu}, shaping: {by: width, exponent: 0.5}"
    text = text.replace("[{activation: {name: relu}}", f"[{{{shaped}}}") + entry
    with pytest.raises(InputError, match=r"layers: all under record; width 6, depth 4 has 3 of its layers"):
        project(tmp_path / "some", text).study("tiny")
    for kept in (text.replace("layers: 3", "layers: all"), text.replace("[2, 4]", "2")):
        assert project(tmp_path / str(hash(kept)), kept).study("tiny").compare


def test_results_from_before_a_variable_are_simulated_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Blocks without activations' angles are other blocks: a residual kernel would lack them."""
    config = project(tmp_path, STUDY)
    with monkeypatch.context() as before:
        before.setitem(STORED, "activation_gap", replace(STORED["activation_gap"], of=lambda _: False))
        simulated(config)
    with pytest.raises(StoreError, match="are not there yet"):
        deeplimits.open_samples("tiny", config=config.path)
    simulated(config)
    assert np.isfinite(deeplimits.open_samples("tiny", config=config.path).ntk_cross.to_numpy()).mean() > 0.9
