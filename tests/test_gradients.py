"""Gradients through weights that are never formed, and outputs: jointly with the forward pass they have the law of
networks whose weights are drawn.

Family-wise false-alarm rate: 1e-3 over all comparisons in this file, by Bonferroni; seeds are fixed.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from deeplimits.activations import SMOOTH, Identity, OrnsteinUhlenbeck, ReluLike, Smooth
from deeplimits.engines import simulate_block
from deeplimits.errors import InputError
from deeplimits.networks.network import Network, Shaping
from known_networks import KNOWN, known_network
from laws_agree import CELLS, Sample, compared, smallest
from tiers import everyday

GRAM = ((1.0, 0.3, -0.2), (0.3, 2.0, 0.6), (-0.2, 0.6, 0.5))
SHAPED = Shaping("width", 0.5)
SMALL = {
    "relu-1x3": Network(ReluLike(), 1, 3, GRAM),
    "relu-3x4": Network(ReluLike(), 3, 4, GRAM),
    "relu-8x3": Network(ReluLike(), 8, 3, GRAM),
    "minus-3x3": Network(ReluLike(-1.0, 0.0), 3, 3, GRAM),
    "shaped-2x4": Network(ReluLike(0.0, -1.0), 2, 4, GRAM, shaping=SHAPED),
    "by-depth-4x5": Network(ReluLike(0.3, -0.8), 4, 5, GRAM, shaping=Shaping("depth", 0.25)),
    "linear-4x3": Network(Identity(), 4, 3, GRAM),
    "one-layer-5x1": Network(ReluLike(0.5, -0.5), 5, 1, GRAM, shaping=SHAPED),
    "tanh-3x4": Network(Smooth.of("tanh"), 3, 4, GRAM, shaping=SHAPED),
    "unshaped-tanh-2x3": Network(Smooth.of("tanh", 0.4), 2, 3, GRAM),
    "sigmoid-4x2": Network(Smooth.of("sigmoid", 0.5, 1.0), 4, 2, GRAM),
    "softplus-5x3": Network(Smooth.of("softplus", 0.3, -1.0), 5, 3, GRAM, shaping=SHAPED),
    "erf-2x4": Network(Smooth.of("erf", 0.7), 2, 4, GRAM, shaping=Shaping("depth", 0.3)),
    "arctan-3x2": Network(Smooth.of("arctan", 0.3, 0.5), 3, 2, GRAM),
    "sin-4x3": Network(Smooth.of("sin", 1.5, 0.3), 4, 3, GRAM, shaping=SHAPED),
    "gelu-3x3": Network(Smooth.of("gelu", 0.8, 0.2), 3, 3, GRAM, shaping=SHAPED),
    "silu-6x2": Network(Smooth.of("silu", 0.2), 6, 2, GRAM, shaping=SHAPED),
    "formula-4x4": Network(Smooth.of("x + tanh(x)**2 / 2", 0.6, 0.1), 4, 4, GRAM, shaping=SHAPED),
}
SMALL["widths-2,5,3"] = Network(ReluLike(0.2, -0.9), (2, 5, 3), 3, GRAM, shaping=SHAPED)
SMALL["tanh-widths-4,2,3"] = Network(Smooth.of("tanh", 0.5, 0.3), (4, 2, 3), 3, GRAM, shaping=SHAPED)
RESIDUAL = {
    name: Network(
        activation, width, depth, GRAM, architecture="resnet", branch_exponent=0.0 if unscaled else 0.5
    )
    for name, activation, width, depth, unscaled in [
        ("relu-3x4", ReluLike(), 3, 4, False),
        ("relu-2x3-b0", ReluLike(), 2, 3, True),
        ("leaky-1x3", ReluLike(0.5, -1.5), 1, 3, False),
        ("linear-4x2", Identity(), 4, 2, True),
        ("tanh-3x3", Smooth.of("tanh", 0.5, 0.3), 3, 3, True),
        ("sigmoid-2x4", Smooth.of("sigmoid", 0.5, 1.0), 2, 4, True),
        # with a smaller a the formula log(1 + exp(x)) overflows in the oracle's float64
        ("softplus-5x3", Smooth.of("softplus", 1.0, -1.0), 5, 3, False),
        ("erf-2x4", Smooth.of("erf", 0.7), 2, 4, False),
        ("arctan-3x2", Smooth.of("arctan", 0.3, 0.5), 3, 2, True),
        ("sin-4x3", Smooth.of("sin", 0.8, 0.3), 4, 3, False),
        ("gelu-5x2", Smooth.of("gelu", 0.8), 5, 2, False),
        ("silu-1x4", Smooth.of("silu", 1.2), 1, 4, True),
        ("formula-4x4", Smooth.of("x + tanh(x)**2 / 2", 0.6, 0.1), 4, 4, False),
    ]
}
COMPARISONS = 3 * (len(SMALL) + len(RESIDUAL) + 4) + 40
THRESHOLD = 1e-3 / COMPARISONS
SEVERAL = [1, *(pytest.param(inputs, marks=pytest.mark.slow) for inputs in (2, 3))]
"""Inputs; kernels of more than one take long to compile."""


def records(network: Network) -> list[int]:
    """The first layer with units and one in the middle."""
    return sorted({0 if network.residual else 1, (network.depth + 1) // 2})


def marginal(sample: Sample, inputs: int) -> Sample:
    """The law of the first ``inputs`` inputs of three."""
    pairs = {1: [], 2: [0], 3: [0, 1, 2]}[inputs]
    return {
        name: array[..., pairs] if name.endswith("gap") else array[..., :inputs]
        for name, array in sample.items()
    }


def drawn(network: Network, samples: int, seed: int) -> Sample:
    """From explicit weights."""
    reseeded = replace(network, seed=seed)
    return simulate_block(
        reseeded, records(network), 0, samples, engine="oracle", gradients=True, output=True
    )


def ours(network: Network, samples: int, inputs: int) -> Sample:
    network = replace(network, gram=tuple(row[:inputs] for row in network.gram[:inputs]))
    return simulate_block(network, records(network), 0, samples, gradients=True, output=True)


def counts(some: int) -> pytest.MarkDecorator:
    """Samples: some, and in the exhaustive suite a million."""
    many = pytest.param(1_000_000, marks=pytest.mark.exhaustive, id="many")
    return pytest.mark.parametrize("samples", [pytest.param(some, marks=pytest.mark.slow, id="some"), many])


def test_comparisons_have_the_p_values_of_scipy() -> None:
    generator = np.random.default_rng(0)
    for digits in (0, 1, 8):
        x, y = (np.round(generator.standard_normal(count), digits) for count in (30_000, 40_007))
        value, edges = compared(x, y)
        assert value == pytest.approx(stats.ks_2samp(x, y, method="asymp").pvalue, rel=1e-9)
        shares = np.arange(1, CELLS) / CELLS
        cells = np.unique(np.quantile(np.concatenate([x, y]), shares, method="inverted_cdf"))
        assert edges.tolist() == cells.tolist()


def test_every_activation_is_compared() -> None:
    """With the oracle, of either architecture: all by name, a formula, ReLU, other slopes and the identity."""
    for networks in (SMALL, RESIDUAL):
        found = [network.activation for network in networks.values()]
        formulas = {activation.formula for activation in found if isinstance(activation, Smooth)}
        assert formulas > {Smooth.of(name).formula for name in SMOOTH}
        assert {ReluLike(), Identity()} < {
            activation for activation in found if not isinstance(activation, Smooth)
        }


@counts(60_000)
@pytest.mark.parametrize("name", everyday(SMALL, 5))
def test_small_networks(name: str, samples: int) -> None:
    truth = drawn(SMALL[name], samples, 2)
    for inputs in (1, 2, 3):
        assert smallest(ours(SMALL[name], samples, inputs), marginal(truth, inputs)) > THRESHOLD


@counts(20_000)
@pytest.mark.parametrize("name", everyday(RESIDUAL, 3))
def test_residual_networks(name: str, samples: int) -> None:
    truth = drawn(RESIDUAL[name], samples, 3)
    for inputs in (1, 2, 3):
        assert smallest(ours(RESIDUAL[name], samples, inputs), marginal(truth, inputs)) > THRESHOLD


@pytest.mark.parametrize(("branch_exponent", "factor"), [(0.5, 1 + 1 / 16), (0.0, 1.5)])
def test_residual_gradients_grow_by_a_factor_a_layer(branch_exponent: float, factor: float) -> None:
    """E ‖g_0‖² / ‖g_L‖² → (1 + 1 / (2 L))^L, and (3/2)^L without L^{-1/2} (Hayou 2022), with an error of O(1/n)."""
    found = []
    for width in (64, 128):
        network = Network(
            ReluLike(), width, 8, ((1.0,),), architecture="resnet", branch_exponent=branch_exponent
        )
        norms = simulate_block(network, [0, 8], 0, 4000, gradients=True)["gradient_log_norm"][:, :, 0]
        ratio = np.exp(norms[:, 0] - norms[:, 1].astype(float))
        found.append((ratio.mean(), ratio.std() / np.sqrt(len(ratio))))
    (coarse, error_coarse), (fine, error_fine) = found
    extrapolated, error = 2 * fine - coarse, np.hypot(2 * error_fine, error_coarse)
    assert abs(extrapolated - factor**8) < stats.norm.isf(THRESHOLD / 2) * error


def test_norm_is_a_product_of_chi_squares() -> None:
    """‖∂z_out/∂z_ℓ‖² of a ReLU-like network has, alone, the law of a product of d − ℓ + 1 factors (c/n) (s₊² χ²_K +
    s₋² χ²_{n−K}), K ~ Bin(n, ½)."""
    network = Network(ReluLike(0.3, -0.9), 6, 5, ((1.7,),), shaping=SHAPED)
    samples, generator = 200_000, np.random.default_rng(3)
    found = simulate_block(network, [1, 3, 5], 0, samples, gradients=True)["gradient_log_norm"][:, :, 0]
    plus, minus = float(network.slopes.plus), float(network.slopes.minus)
    for record, factors in enumerate((5, 3, 1)):
        above = generator.binomial(6, 0.5, (samples, factors))
        squares = plus**2 * generator.gamma(above / 2) + minus**2 * generator.gamma((6 - above) / 2)
        product = np.log(2 * float(network.normalizer) / 6 * squares).sum(axis=1)
        assert stats.ks_2samp(found[:, record], product).pvalue > THRESHOLD


def test_output_is_gaussian_given_the_last_layer() -> None:
    """z_out / √V and the part of the second output that is independent of the first are N(0, 1)."""
    network = Network(ReluLike(0.0, -0.9), 20, 3, ((1.0, 0.5), (0.5, 3.0)))
    both = simulate_block(network, [3], 0, 200_000, output=True)
    scaled = both["output"] * np.exp(-both["log_variance"][:, 0] / 2)
    rho = 1 - both["correlation_gap"][:, 0, 0]
    for values in (scaled[:, 0], scaled[:, 1], (scaled[:, 1] - rho * scaled[:, 0]) / np.sqrt(1 - rho**2)):
        assert stats.kstest(values, "norm").pvalue > THRESHOLD


@pytest.mark.parametrize("inputs", SEVERAL)
@pytest.mark.parametrize("width", [3, 37, 1100])
@pytest.mark.parametrize("name", ["relu", pytest.param("smooth", marks=pytest.mark.slow)])
def test_neither_split_nor_threads_nor_records_change_bits(name: str, width: int, inputs: int) -> None:
    activation = ReluLike(0.0, -1.0) if name == "relu" else Smooth.of("softplus", 0.4, -0.5)
    gram = tuple(tuple(1.0 if a == b else 0.2 for b in range(inputs)) for a in range(inputs))
    network = Network(activation, width, 4, gram, shaping=SHAPED)
    asked = {"gradients": True, "output": True}
    whole = simulate_block(network, [0, 1, 2, 3, 4], 3, 12, threads=1, **asked)
    pieces = [
        simulate_block(network, [1, 3], a, b - a, threads=2, **asked) for a, b in [(3, 4), (4, 9), (9, 15)]
    ]
    alone = simulate_block(network, [0, 1, 2, 3, 4], 3, 12)
    for name_, array in whole.items():
        kept = array[:, [1, 3]] if array.ndim == 3 else array
        assert kept.tobytes() == b"".join(piece[name_].tobytes() for piece in pieces)
        if name_ in alone:
            assert array.tobytes() == alone[name_].tobytes()
    assert np.isnan(whole["gradient_log_norm"][:, 0]).all()


def test_nearly_equal_inputs_keep_the_angle_of_their_gradients() -> None:
    """Gradients of two linear functions are one, whatever the angle of the inputs; of inputs that are 1e-10 apart
    under a smooth activation they differ by as much as derivatives do."""
    linear = Network(Identity(), 40, 5, ((1.0, 0.3), (0.3, 1.0)))
    gaps = simulate_block(linear, [1, 3], 0, 500, gradients=True)["gradient_gap"]
    assert np.max(gaps) == 0
    for gap in (1e-4, 1e-7, 1e-10):
        near = Network(Smooth.of("tanh"), 40, 5, ((1.0, 1 - gap), (1 - gap, 1.0)), shaping=SHAPED)
        found = simulate_block(near, [1], 0, 2000, gradients=True)["gradient_gap"].mean() / gap
        if gap == 1e-4:
            expected = found
        assert found == pytest.approx(expected, rel=0.2)


@pytest.mark.slow
@pytest.mark.parametrize("name", SMOOTH)
def test_derivative_of_the_table(name: str) -> None:
    """φ' from the pieces of the table: error relative to the largest slope."""
    from deeplimits.digits import EXACT
    from deeplimits.engines.contract.activation_tables import table
    from deeplimits.engines.contract.arithmetic import kernel
    from deeplimits.engines.gradients.units import smooth_unit

    phi = Smooth.of(name, 1.0, 0.3)
    held = table(phi)
    generator = np.random.default_rng(5)
    u = np.concatenate([generator.uniform(-8, 8, 1200), generator.uniform(-90, 90, 400)]).astype(np.float32)
    out, scrap = np.empty_like(u), np.empty(16, np.float32)

    @kernel
    def derivatives(u, table, bits, top, out, scrap):
        one = np.float32(1)
        for at in range(0, len(u), 16):
            smooth_unit(
                u[at : at + 16], one, one, one, table, bits, top, scrap, out[at : at + 16], scrap, scrap
            )

    derivatives(u, held.coefficients, np.int32(held.bits), np.float32(2.0**held.highest), out, scrap)
    kept = np.abs(u) < held.limit
    exact = np.array([float(EXACT.diff(phi, EXACT.mpf(float(value)))) for value in u[kept]])
    error = np.max(np.abs(out[kept] - exact))
    assert error <= 3e-6


@pytest.mark.parametrize("inputs", SEVERAL)
@pytest.mark.parametrize("kind", ["network", "smooth", "residual", "residual-smooth"])
def test_known_answers(kind: str, inputs: int) -> None:
    assert answer(kind, inputs) == KNOWN[f"gradients-{kind}-{inputs}"]


def answer(kind: str, inputs: int) -> str:
    """SHA-256 of gradients and output of the networks of ``test_engine_bits``."""
    found = simulate_block(known_network(f"{kind}-{inputs}"), [1, 6], 5, 8, gradients=True, output=True)
    names = ("gradient_log_norm", "gradient_gap", "output")
    return hashlib.sha256(b"".join(found[name].tobytes() for name in names)).hexdigest()


@pytest.mark.slow
def test_residual_bits() -> None:
    network = Network(ReluLike(), 37, 9, ((1.0, 0.3), (0.3, 2.0)), architecture="resnet")
    whole = simulate_block(network, [0, 4, 9], 3, 12, threads=1, gradients=True, output=True)
    pieces = [
        simulate_block(network, [0, 4], a, b - a, threads=2, gradients=True, output=True)
        for a, b in [(3, 4), (4, 15)]
    ]
    for name in ("gradient_log_norm", "gradient_gap"):
        assert whole[name][:, :2].tobytes() == b"".join(piece[name].tobytes() for piece in pieces)
    assert whole["output"].tobytes() == b"".join(piece["output"].tobytes() for piece in pieces)
    assert not whole["gradient_gap"][:, 2].any()


def test_gradients_that_there_are_none_of_are_refused_before_a_job() -> None:
    exotic = Network(OrnsteinUhlenbeck(), 1, 3, ((1.0,),), architecture="resnet")
    large = Network(ReluLike(), 10_000, 100_000, ((1.0,),), architecture="resnet")
    for network, found in ((exotic, "ornstein_uhlenbeck"), (large, "GiB")):
        with pytest.raises(InputError, match=found):
            simulate_block(network, [0], 0, 1, gradients=True)


def test_a_gradient_of_the_wrong_layer_is_caught() -> None:
    network = replace(SMALL["relu-3x4"], gram=((1.0,),))
    truth = simulate_block(replace(network, seed=5), [2], 0, 60_000, engine="oracle", gradients=True)
    for layer in (1, 3):
        wrong = simulate_block(network, [layer], 0, 60_000, gradients=True)
        # of the gradient alone, at the layer where it is said to be
        mixed = {**simulate_block(network, [2], 0, 60_000), "gradient_gap": wrong["gradient_gap"]}
        mixed["gradient_log_norm"] = wrong["gradient_log_norm"]
        assert smallest(mixed, truth) < THRESHOLD


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["no projection", "independent weights"])
def test_planted_faults_are_caught(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """(I − Q Qᵀ) left out, or the normals of the forward pass not used again."""
    from deeplimits.engines.contract.arithmetic import kernel
    from deeplimits.engines.gradients import call as backward
    from deeplimits.engines.gradients import perceptron as backward_kernels
    from deeplimits.engines.gradients import sums as backward_sums

    right, projects = backward_sums.transposed, fault != "no projection"

    @kernel
    def faulty(basis, fresh, drawn, rows, lower, squares, pulled, product, differences):
        if projects:
            basis[:] = 0.0
        else:
            fresh[:] = 0.0
        right(basis, fresh, drawn, rows, lower, squares, pulled, product, differences)

    network = replace(SMALL["relu-3x4"], gram=tuple(row[:2] for row in GRAM[:2]))
    truth = simulate_block(replace(network, seed=6), [1, 2], 0, 100_000, engine="oracle", gradients=True)
    assert smallest(simulate_block(network, [1, 2], 0, 100_000, gradients=True), truth) > THRESHOLD
    monkeypatch.setattr(backward_sums, "transposed", faulty)
    monkeypatch.setitem(backward._KERNELS, ("piecewise_linear", 2), backward_kernels.piecewise_linear(2))
    assert smallest(simulate_block(network, [1, 2], 0, 100_000, gradients=True), truth) < THRESHOLD
