"""Formulas that are smooth and hard: steep ones, those that grow twice exponentially, and those that are not
smooth after all. A limit needs no table; what has none is told the reason, and the same network in words that have
one.
"""

from __future__ import annotations

import re
import time
from pathlib import Path

import numpy as np
import pytest
import yaml

from deeplimits.activations import SMOOTH, Smooth, Unknowable, exact
from deeplimits.digits import EXACT
from deeplimits.engines.contract import activation_tables
from deeplimits.errors import InputError
from deeplimits.formulas import Formula
from deeplimits.singularities import singularity
from deeplimits.sweep.point_files import load_point

REST = "width: 100\ndepth: 3\ninputs: {correlation: 0.5}\n"


def written(path: Path, activation: str, architecture: str = "mlp") -> Path:
    path.write_text(f"architecture: {architecture}\nactivation: {activation}\n{REST}")
    return path


def formula(text: str, more: str = "") -> str:
    return f"{{name: expression, expression: '{text}'{more}}}"


@pytest.mark.parametrize(
    ("activation", "architecture"),
    [
        (formula("tanh(3*x)"), "mlp"),
        pytest.param(formula("tanh(3*x)", ", centered: true, center: 0.1"), "resnet", marks=pytest.mark.slow),
        pytest.param(formula("log(1+exp(10*x))/10", ", centered: true"), "mlp", marks=pytest.mark.slow),
        pytest.param(formula("x/(1+exp(-10*x))"), "mlp", marks=pytest.mark.slow),
        pytest.param(formula("atan(x/0.2)", ", a: 2.0"), "mlp", marks=pytest.mark.slow),
    ],
)
def test_a_steep_formula_is_told_how_to_be_written(
    tmp_path: Path, activation: str, architecture: str
) -> None:
    path = written(tmp_path / "point.yaml", activation, architecture)
    network = load_point(path, simulated=False).network
    with pytest.raises(InputError, match="the same network is") as caught:
        load_point(path)
    assert "smooth on the whole line" not in str(caught.value)
    spelt = re.search(r"the same network is (\{.*\});", str(caught.value))[1]
    assert yaml.safe_load(spelt)["a"] < network.activation.a
    other = load_point(written(path, spelt, architecture)).network
    z = np.linspace(-8, 8, 200)
    assert other.phi(z) == pytest.approx(network.phi(z), rel=1e-12)
    if architecture == "mlp":
        assert float(other.normalizer) == pytest.approx(float(network.normalizer), rel=1e-14)


@pytest.mark.slow
def test_a_formula_that_turns_for_ever_is_told_from_which_scale_on(tmp_path: Path) -> None:
    path = written(tmp_path / "point.yaml", formula("sin(30*x)"))
    assert float(load_point(path, simulated=False).network.normalizer) == pytest.approx(1800)
    with pytest.raises(InputError, match="at least 20, and written as") as caught:
        load_point(path)
    load_point(written(path, re.search(r"written as (\{.*\});", str(caught.value))[1]))


TWICE = ["exp(-exp(-x))", "1-exp(-exp(x))", "x*tanh(exp(x))", "sin(exp(x))"]


@pytest.mark.parametrize("text", TWICE)
def test_formulas_that_grow_twice_exponentially_are_smooth(tmp_path: Path, text: str) -> None:
    start = time.process_time()
    path = written(tmp_path / "point.yaml", formula(text, ", centered: true"))
    network = load_point(path, simulated=False).network
    assert time.process_time() - start < 10
    grid = np.linspace(-12, 12, 400_001)
    density = np.exp(-(grid**2) / 2) / np.sqrt(2 * np.pi) * (grid[1] - grid[0])
    assert 1 / float(network.normalizer) == pytest.approx(density @ network.phi(grid) ** 2, rel=1e-9)


def test_numbers_that_no_memory_holds_have_limits_or_overflow() -> None:
    functions, huge = exact().functions, EXACT.mpf(2) ** (2**60)
    assert functions["exp"](-huge) == 0
    assert (functions["tanh"](huge), functions["erf"](-huge), functions["erfc"](-huge)) == (1, -1, 2)
    for name in ("exp", "cosh", "sinh"):
        with pytest.raises(OverflowError):
            functions[name](huge)
    for name in ("sin", "cos", "tan"):
        with pytest.raises(Unknowable):
            functions[name](huge)
    for name in ("log", "sqrt", "atan", "asinh"):
        assert EXACT.isfinite(functions[name](huge))


@pytest.mark.parametrize("text", [*SMOOTH.values(), *TWICE, "x/(1-x+x**2)", "log(exp(x)+exp(-x))*tanh(x)"])
def test_smooth_formulas_have_no_singularity(text: str) -> None:
    where = singularity(Formula(text))
    assert where is None or abs(where) > 700  # where e^x is no float64, so that nothing is known


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("abs(x - 1) + 2*x", [1.0]),
        ("x + sqrt((x + 3)**2)", [-3.0]),
        ("tan(x)", [np.pi / 2, -np.pi / 2]),
        ("x + 1/(x - 0.3)", [0.3]),
        ("log(x + 2)", [-2.0]),
        ("asin(x/5)", [5.0, -5.0]),
        ("(x - 7)**1.5", [7.0]),
        ("x/(x**2 - 2)", [2**0.5, -(2**0.5)]),
    ],
)
def test_singularities_are_found(text: str, where: list[float]) -> None:
    found = singularity(Formula(text))
    # on one side of a root or a logarithm every interval is singular
    assert min(abs(found - each) for each in where) < 1e-6 or (text[0] in "l(" and found < where[0])


def test_a_place_that_is_too_steep_is_looked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where pieces of one size fail, those of another are tried there first: refusals take little longer than tables."""
    made: list[object] = []
    piece = activation_tables._piece
    monkeypatch.setattr(activation_tables, "_piece", lambda *given: made.append(given) or piece(*given))
    with pytest.raises(activation_tables.NoTable, match="smooth"):
        activation_tables._made(Smooth("asinh(1e15*x + 1e15)", 1.0, 0.0))
    of_one_table = 2 * (6 + 5) * 32
    assert len(made) < 2 * of_one_table
