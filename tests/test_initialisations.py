"""docs/initialisations.md: every number and every identity on that page."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import erf

import deeplimits
from deeplimits.activations import ReluLike, Smooth
from deeplimits.limits import registry
from deeplimits.networks.network import Network
from deeplimits.sweep.point_files import load_point

PAGE = (Path(__file__).parent.parent / "docs/initialisations.md").read_text(encoding="utf-8")
G = np.linspace(-12, 12, 40001)
WEIGHT = np.exp(-(G**2) / 2) / np.exp(-(G**2) / 2).sum()
FUNCTIONS = {
    "tanh": (np.tanh, lambda u: 1 / np.cosh(u) ** 2),
    "erf": (erf, lambda u: 2 / np.sqrt(np.pi) * np.exp(-(u**2))),
    "arctan": (np.arctan, lambda u: 1 / (1 + u**2)),
    "sin": (np.sin, np.cos),
}


def mean_square(f, q: float) -> float:
    """E f(√q g)²."""
    return float(WEIGHT @ f(np.sqrt(q) * G) ** 2)


def rows(first: str) -> list[list[str]]:
    """The cells of the rows of the table whose header begins so."""
    table = PAGE[PAGE.index(f"\n| {first} |") + 1 :].split("\n\n")[0].split("\n")[2:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in table]


SMOOTH_ROWS = [(name, *(float(cell) for cell in cells)) for name, *cells in rows("f")]


@pytest.mark.parametrize(("name", "sigma", "q", "a", "chi"), SMOOTH_ROWS)
def test_a_scale_of_weights_is_a_scale_of_the_activation(
    name: str, sigma: float, q: float, a: float, chi: float
) -> None:
    f, slope = FUNCTIONS[name]
    found = brentq(lambda q: sigma**2 * mean_square(f, q) - q, 1e-6, 1e3)
    assert found == pytest.approx(q, abs=1e-6)
    assert a == pytest.approx(found**-0.5, abs=1e-6)
    assert chi == pytest.approx(sigma**2 * mean_square(slope, found), abs=1e-6)
    network = Network(Smooth.of(name, found**-0.5), 1000, 4, ((0.5,),))
    steepness = float(Smooth.of(name).scale_of_slope)
    assert float(network.normalizer) == pytest.approx(sigma**2 * steepness**2, rel=1e-9)
    # from another variance than q*, layer by layer
    variances = [law.mean for law in registry()["infinite_width"].laws(network, range(5), "variance")]
    there = found / 2
    for variance in variances:
        assert variance * found == pytest.approx(there, rel=1e-8)
        there = sigma**2 * mean_square(f, there)
    still = Network(Smooth.of(name, found**-0.5), 1000, 4, ((1.0,),))
    growth = [law.mean for law in registry()["gradient_growth"].laws(still, range(1, 5), "gradient_log_norm")]
    assert -np.diff(growth) == pytest.approx(math.log(chi), abs=1e-5)


def test_the_same_weights_give_the_same_network() -> None:
    """z = √q* z̃ at every unit, V, output and gradients, for a function of slope other than 1, from any input."""
    generator, width, depth, sigma = np.random.default_rng(5), 7, 4, 1.5
    f, slope = FUNCTIONS["erf"]
    q = brentq(lambda q: sigma**2 * mean_square(f, q) - q, 1e-6, 1e3)
    network = Network(Smooth.of("erf", q**-0.5), width, depth, ((0.3,),))
    factor, phi = math.sqrt(float(network.normalizer) / width), network.phi
    there = generator.normal(size=width)
    here = there / math.sqrt(q)
    by_there = by_here = np.eye(width)
    for _ in range(depth - 1):
        weights = generator.normal(size=(width, width))
        by_there = sigma / math.sqrt(width) * weights * slope(there) @ by_there
        by_here = factor * weights * phi.slope(here) @ by_here
        there = sigma / math.sqrt(width) * weights @ f(there)
        here = factor * weights @ phi(here)
        assert here * math.sqrt(q) == pytest.approx(there, rel=1e-9)
    assert by_here == pytest.approx(by_there, rel=1e-9)
    readout = generator.normal(size=width)
    outputs = sigma / math.sqrt(width) * readout @ f(there), factor * readout @ phi(here)
    assert outputs[1] * math.sqrt(q) == pytest.approx(outputs[0], rel=1e-9)


@pytest.mark.parametrize(
    ("square", "slope", "ratio"),
    [
        tuple(1 / 3 if cell == "1/3" else float(cell) for cell in cells)
        for _, *cells in rows("initialisation")
    ],
)
def test_scales_of_relu(square: float, slope: float, ratio: float, tmp_path: Path) -> None:
    path = tmp_path / "point.yaml"
    activation = f"{{name: leaky_relu, slope: {slope}}}" if slope else "{name: relu}"
    path.write_text(f"activation: {activation}\nwidth: 9\ndepth: 5\ninputs: {{gram: [[1.0]]}}\n")
    network = load_point(path).network
    assert square / float(network.normalizer) == pytest.approx(ratio, rel=1e-5)
    generator, phi = np.random.default_rng(3), network.slopes
    here = there = generator.normal(size=9)
    for layer in range(1, 5):
        weights = generator.normal(size=(9, 9)) / 3
        here = math.sqrt(float(network.normalizer)) * weights @ phi(here)
        there = math.sqrt(square) * weights @ (np.where(there > 0, 1.0, slope) * there)
        assert 2 * np.log(np.linalg.norm(there) / np.linalg.norm(here)) == pytest.approx(
            layer * math.log(square / float(network.normalizer)), abs=1e-9
        )
        assert there @ here == pytest.approx(np.linalg.norm(there) * np.linalg.norm(here))


def test_what_libraries_draw() -> None:
    """Variances of uniform weights in ± bound are bound² / 3."""
    fan_in = 100
    kaiming = math.sqrt(2 / (1 + 5)) * math.sqrt(3 / fan_in)  # gain √(2 / (1 + a²)), a = √5
    assert kaiming == pytest.approx(1 / math.sqrt(fan_in))
    assert fan_in * kaiming**2 / 3 == pytest.approx(1 / 3)
    siren = math.sqrt(6 / fan_in) / 30
    assert fan_in * (30 * siren) ** 2 / 3 == pytest.approx(2)
    assert rows("f")[-1][:2] == ["sin", "1.4142136"]


def test_what_the_page_says_of_defaults_and_of_where_there_is_no_translation() -> None:
    network = Network(Smooth.of("tanh"), 10, 10, ((1.0,),))
    assert math.sqrt(float(network.normalizer)) == pytest.approx(1.5925, abs=5e-5)
    assert "σ_w = 1.5925" in PAGE
    assert math.sqrt(2) - 1 == pytest.approx(0.41421356, abs=1e-8)
    assert "`c_plus: 0.41421356`" in PAGE
    sizes = np.geomspace(1e-4, 1e4, 60)
    for name, (f, slope) in FUNCTIONS.items():
        dying = [mean_square(f, q) / slope(0.0) ** 2 / q for q in sizes]
        assert max(dying) < 1, name
    functions = [
        lambda u: u * (1 + erf(u / np.sqrt(2))) / 2,
        lambda u: u / (1 + np.exp(-np.clip(u, -700, 700))),
    ]
    for f in functions:
        ratio = np.array([mean_square(f, q) / q for q in sizes])
        assert (np.diff(ratio) > 0).all()
        assert 2 * ratio.max() < 1.0001
        assert 4 * ratio.min() > 1


def test_a_branch_of_relu_takes_a_scale_of_weights_into_its_slopes() -> None:
    phi = Network(
        ReluLike(math.sqrt(2) - 1, math.sqrt(2) * 0.1 - 1), 3, 2, ((1.0,),), architecture="resnet"
    ).phi
    z = np.linspace(-2, 2, 9)
    assert phi(z) == pytest.approx(math.sqrt(2) * np.where(z > 0, z, 0.1 * z), rel=1e-14)


def test_a_factor_in_front_and_one_inside() -> None:
    """σ f and f(k x): 1.7159 tanh(2x/3) with σ is tanh with 2/3 · 1.7159 · σ, and tanh(3x) is a = ⅓."""
    q, sigma = 0.7, 1.1
    lecun = sigma**2 * mean_square(lambda z: 1.7159 * np.tanh(2 * z / 3), q)
    assert (2 / 3) ** 2 * lecun == pytest.approx(
        (2 / 3 * 1.7159 * sigma) ** 2 * mean_square(np.tanh, (2 / 3) ** 2 * q)
    )
    for architecture in ("mlp", "resnet"):
        networks = [
            Network(phi, 5, 5, ((1.3,),), architecture=architecture)
            for phi in (Smooth.of("tanh(3*x)", 0.9, 0.2), Smooth.of("tanh", 0.3, 0.6000000000000001))
        ]
        z = np.linspace(-3, 3, 50)
        assert networks[0].phi(z) == pytest.approx(networks[1].phi(z), rel=1e-12)


def test_the_recipe_runs_and_gives_what_it_says() -> None:
    code = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names: dict[str, object] = {}
    exec(code[1], names)
    assert names["a"] == pytest.approx(0.282836, abs=1e-6)


STEEP = [
    ("tanh(3*x)", 0.4075091, ""),
    ("atan(5*x)", 0.4175162, ""),
    ("x/(1+exp(-10*x))", 0.6017020, ""),
    ("log(1+exp(10*x))/10", 0.5731402, ", centered: true"),
    ("sin(30*x)", 0.0, ""),
]


@pytest.mark.slow
@pytest.mark.parametrize(("formula", "correlation", "more"), STEEP)
def test_steep_formulas_have_their_limit(tmp_path: Path, formula: str, correlation: float, more: str) -> None:
    path = tmp_path / "point.yaml"
    path.write_text(
        f"activation: {{name: expression, expression: '{formula}'{more}}}\n"
        "width: 1000\ndepth: 1\ninputs: {correlation: 0.5}\n"
    )
    assert deeplimits.limit(path, name="infinite_width").mean == pytest.approx(correlation, abs=1e-7)
