"""Smooth activations: formulas and their derivatives, normalisers, tables, and the variance they lead to."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import gammainc

from deeplimits.activations import SMOOTH, Smooth, numeric, shaped
from deeplimits.digits import EXACT
from deeplimits.engines import simulate_block
from deeplimits.engines.contract.activation_tables import NoTable, table
from deeplimits.engines.contract.arithmetic import kernel
from deeplimits.engines.mlp.smooth import evaluate
from deeplimits.errors import InputError
from deeplimits.formulas import Formula, FormulaError
from deeplimits.laws import kolmogorov
from deeplimits.limits import choose, registry
from deeplimits.limits.mlp.smooth_variance import SmoothVariance, stability, survival
from deeplimits.networks.network import Network, Shaping
from tiers import everyday

Array = NDArray[np.float64]
SHAPED = Shaping("width", 0.5)
CENTER = 0.7
SIGMOID = 1 / (1 + np.exp(-CENTER))

DERIVATIVES = [
    ("tanh", 0.0, 0.0, -2.0),
    ("sigmoid", 0.0, 0.0, -0.5),
    ("softplus", CENTER, 1 / (1 + np.exp(CENTER)), (1 - np.exp(CENTER)) / (1 + np.exp(CENTER)) ** 2),
    ("erf", 0.0, 0.0, -2.0),
    ("arctan", 0.0, 0.0, -2.0),
    ("sin", 0.0, 0.0, -1.0),
    ("gelu", 0.0, 2 * np.sqrt(2 / np.pi), 0.0),
    ("silu", 0.0, 1.0, 0.0),
    ("sigmoid", CENTER, 1 - 2 * SIGMOID, 1 - 6 * SIGMOID + 6 * SIGMOID**2),
]


@pytest.mark.parametrize(("name", "center", "second", "third"), DERIVATIVES)
def test_derivatives_at_the_centre(name: str, center: float, second: float, third: float) -> None:
    phi = Smooth.of(name, 1.0, center)
    assert (float(phi.second), float(phi.third)) == pytest.approx((second, third), abs=1e-14)
    assert float(phi(EXACT.mpf(0))) == 0
    assert float(phi(EXACT.mpf("1e-20")) * 10**20) == pytest.approx(1)


@pytest.mark.parametrize("name", SMOOTH)
@pytest.mark.parametrize("scale", [1.5, 3.0, 40.0])
def test_the_normaliser_is_that_of_gauss_hermite(name: str, scale: float) -> None:
    phi = shaped(Smooth.of(name, scale, 0.3), 1, 0.0)
    nodes, weights = np.polynomial.hermite_e.hermegauss(180)
    square = weights @ phi(nodes) ** 2 / np.sqrt(2 * np.pi)
    assert float(phi.normalizer) == pytest.approx(1 / square, rel=1e-11)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("__import__('os').system('true')", "__import__"),
        ("x.real", "x.real"),
        ("(lambda: x)()", "lambda"),
        ("x if x > 0 else 0", "if"),
        ("[x for x in x]", "for"),
        ("tanh(x, 2)", "tanh(x, 2)"),
        ("x ** x", "x ** x"),
        ("x ** 999", "x ** 999"),
        ("9 ** 9 ** 9", "9 ** 9 ** 9"),
        ("tnah(x)", "tnah"),
        ("tanh(y)", "y"),
        ("True", "True"),
        ("'x'", "'x'"),
        ("tanh(x", "tanh(x"),
        ("x" + "+x" * 300, "characters"),
    ],
)
def test_what_is_not_on_the_list_is_no_formula(text: str, found: str) -> None:
    with pytest.raises(FormulaError) as caught:
        Formula(text)
    assert found in str(caught.value)


def test_equal_formulas_are_one_network() -> None:
    one, other = (Smooth.of(text) for text in ("1/(1+exp(-x))", "1 / (1 + exp( - x ))"))
    assert one == other == Smooth.of("sigmoid")
    x = np.linspace(-3, 3, 7)
    assert Formula("-(x**2) / 2 + pi")(x, numeric()) == pytest.approx(-(x**2) / 2 + np.pi)


@kernel
def psi_of(u, reach, rows, bits, top, psi, phi, lanes):
    for start in range(0, len(u), 16):
        evaluate(
            u[start : start + 16],
            reach,
            rows,
            bits,
            top,
            psi[start : start + 16],
            phi[start : start + 16],
            lanes,
        )


FUNCTIONS = [(name, 0.0) for name in SMOOTH] + [
    ("softplus", 0.5),
    ("softplus", -2.0),
    ("tanh", 0.7),
    ("x + sqrt(1 + x**2)", 0.0),
    ("asinh(x)", 0.2),
    ("exp(-x**2)", 1.0),
]


@pytest.mark.parametrize(("name", "center"), FUNCTIONS)
def test_the_engine_has_the_activation_to_2e_7(name: str, center: float) -> None:
    """Relative error of φ over the whole line; where φ is small beside |u|, of what 1/64 of |u| is."""
    phi = Smooth.of(name, 1.0, center)
    held = table(phi)
    generator = np.random.default_rng(5)
    furthest = min(held.limit, 1e20)
    u = np.concatenate(
        [
            generator.uniform(-8, 8, 2000),
            generator.uniform(-0.13, 0.13, 500),
            np.exp(generator.uniform(np.log(1e-20), np.log(furthest), 700)) * generator.choice([-1, 1], 700),
        ]
    ).astype(np.float32)
    psi, out = np.empty_like(u), np.empty_like(u)
    psi_of(
        u,
        np.float32(1),
        held.coefficients,
        np.int32(held.bits),
        np.float32(2.0**held.highest),
        psi,
        out,
        np.zeros(16, np.float32),
    )
    exact = np.array([float(phi(EXACT.mpf(float(value)))) for value in u])
    floor = np.where(np.abs(u) < 2.0**held.highest, np.abs(u) / 64, 1e-3)
    assert np.max(np.abs(out - exact) / np.maximum(np.abs(exact), floor)) <= 2e-7


@pytest.mark.parametrize("text", ["exp(x)", "x + x**3", "tan(x)", "log(x + 3)", "sqrt(x + 2)"])
def test_what_no_table_holds(text: str) -> None:
    phi = Smooth.of(text, 1.0, 0.1)
    try:
        held = table(phi)
    except NoTable:
        return
    assert not held.holds(0.1, 1.0)


def softplus(width: int, depth: int, center: float, name: str = "softplus") -> Network:
    return Network(Smooth.of(name, 1.0, center), width, depth, ((1.0,),), shaping=SHAPED)


@pytest.mark.parametrize("center", everyday([-2.0, -1.0, 0.0, float(np.log(1.25)), 0.5], 2))
@pytest.mark.slow
def test_explosion_in_the_end_has_its_closed_form(center: float) -> None:
    """P(explosion by T) → P_Γ(β + 1, β V_0), to 1e-5 and better."""
    network = softplus(100, 10000, center)
    limit, beta = SmoothVariance(), stability(softplus(100, 10000, center))
    ever = limit.explosion_probability_ever(network)
    assert ever == pytest.approx(gammainc(beta + 1, beta), abs=1e-14)
    by = [limit.explosion_probability(network, 100 * time) for time in (1, 5, 20, 80)]
    assert (np.diff(by) > -1e-8).all()
    assert by[-1] == pytest.approx(ever, abs=1e-5)
    assert by[0] > 0


def test_softplus_is_stable_from_log_seven_fourths_on_and_not_from_log_five_fourths() -> None:
    for center, stable in ((0.0, False), (np.log(1.25), False), (0.41, False), (0.559, False), (0.56, True)):
        assert (stability(softplus(10, 10, float(center))) <= 0) == stable


@pytest.mark.slow
def test_stable_variance_against_a_second_solver() -> None:
    from second_solver import LEVELS, check_quantiles, extrapolated

    network = softplus(100, 100, 0.0, "tanh")
    beta = stability(network)
    assert beta == -2
    law = registry()["smooth_variance"].laws(network, [100], "log_variance")[0]
    u = law.quantile(LEVELS)
    root = np.sqrt(2)

    def drift(y: Array) -> Array:
        return (beta * (np.exp(root * y) - 1) - 1) / root

    check_quantiles(lambda at: extrapolated(drift, 0.0, 1.0, -6.5, 3.0, at, 3200), u / root, u)


def test_explosive_law_is_the_backward_equation_of_its_own() -> None:
    """∂P/∂t of P(V_t ≤ x) from V_0 solves the backward equation: L P = V_0² P'' + β V_0 (V_0 − 1) P'."""
    beta, time, x, v, h = 0.7, 0.6, 1.7, 1.3, 2e-3

    def at(variance: float, time: float) -> float:
        return survival(beta, variance, time, x)

    rate = (at(v, time + h) - at(v, time - h)) / (2 * h)
    first = (at(v + h, time) - at(v - h, time)) / (2 * h)
    second = (at(v + h, time) - 2 * at(v, time) + at(v - h, time)) / h**2
    assert rate == pytest.approx(v**2 * second + beta * v * (v - 1) * first, abs=2e-4)


@pytest.mark.slow
def test_explosive_law_has_the_mass_that_is_left() -> None:
    network = softplus(100, 100, -1.0)
    law = registry()["smooth_variance"].laws(network, [100], "variance")[0]
    left = 1 - SmoothVariance().explosion_probability(network, 100)
    assert float(law.cdf(1e12)) == pytest.approx(left, abs=1e-6)
    assert law.quantile([left + 0.001])[0] == np.inf
    levels = np.array([0.01, 0.1, 0.5, 0.8])
    assert law.cdf(law.quantile(levels)) == pytest.approx(levels, abs=1e-9)
    width = 1e-5
    assert law.density(1.0) == pytest.approx(
        (law.cdf(1 + width) - law.cdf(1 - width)) / (2 * width), rel=1e-4
    )


@pytest.mark.slow
@pytest.mark.parametrize(("name", "center"), [("tanh", 0.0), ("softplus", 1.0)])
def test_networks_follow_the_stable_law(name: str, center: float) -> None:
    network = softplus(200, 200, center, name)
    drawn = simulate_block(network, [200], 0, 1 << 14)["log_variance"][:, 0, 0].astype(float)
    law = choose(network, "log_variance").limit.laws(network, [200], "log_variance")[0]
    assert kolmogorov(law, drawn) < 0.017  # 1.95 / √N at a rate of 1e-3, and the 1/n of the network


@pytest.mark.slow
def test_networks_explode_as_often_as_they_should() -> None:
    """P(V ≥ s² by T = 1) at n = 400, softplus at −1, within 5 standard errors and 3/n of the limit."""
    found, error, expected = explosions(400, -1.0, 1 << 14)
    assert abs(found - expected) < 5 * error + 3 / 400


@pytest.mark.exhaustive
@pytest.mark.parametrize("center", [-2.0, -1.0, 0.0, float(np.log(1.75)), 1.0])
def test_networks_of_growing_width_explode_as_often_as_the_limit(center: float) -> None:
    """P(V ≥ s² by T = 1) at n = 100, 200, 400, extrapolated by least squares in 1/n, within 4 standard errors and 0.01
    of the limit's. The error has a term (log n) / n too, from the layers it takes to get from V ≪ s² to s²: at 0,
    where the growth is slow, it is why the extrapolation stays 3.7 standard errors, 0.001, below.
    """
    widths = (100, 200, 400)
    found, errors, expected = np.array([explosions(width, center, 1 << 17) for width in widths]).T
    design, weights = np.column_stack([np.ones(3), 1 / np.array(widths)]), errors**-2
    covariance = np.linalg.inv(design.T @ (weights[:, None] * design))
    extrapolated = float((covariance @ design.T @ (weights * found))[0])
    error = np.sqrt(covariance[0, 0])
    assert abs(extrapolated - expected[0]) < min(4 * error, 0.01), (found, errors, extrapolated, error)


def explosions(width: int, center: float, samples: int) -> tuple[float, float, float]:
    """Part of ``samples`` networks that explode by T = 1, its standard error, and the limit's probability. One event
    and one that does not happen are added for the error, so that none has an error too.
    """
    network = softplus(width, width, center)
    found = float((simulate_block(network, [width], 0, samples)["exploded_at"][:, 0] >= 0).mean())
    expected = SmoothVariance().explosion_probability(network, width) or 0.0
    part = (found * samples + 1) / (samples + 2)
    return found, float(np.sqrt(part * (1 - part) / samples)), expected


@pytest.mark.slow
def test_correlations_of_odd_activations_follow_the_linear_law() -> None:
    network = replace(softplus(200, 200, 0.0, "tanh"), gram=((1.0, 0.3), (0.3, 1.0)))
    limit = choose(network, "correlation").limit
    assert limit.name == "linear"
    drawn = simulate_block(network, [200], 0, 1 << 14)["correlation_gap"][:, 0, 0].astype(float)
    assert kolmogorov(limit.laws(network, [200], "correlation")[0], 1 - drawn) < 0.017
    assert not registry()["linear"].applies(replace(network, activation=Smooth.of("softplus")))


def test_a_network_that_leaves_its_table_is_refused_in_time(tmp_path) -> None:
    from deeplimits.sweep.point_files import load_point

    path = tmp_path / "point.yaml"
    path.write_text(
        "architecture: mlp\nactivation: {name: sin, a: 0.01}\nwidth: 8\ndepth: 3\ninputs: {correlation: 0.3}\n"
    )
    with pytest.raises(InputError, match=r"at least 0\.64"):
        load_point(path)
