"""What is said of what a user types: for each input, what the message must hold and what it must not."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

import pytest

from deeplimits.errors import InputError, nearest_name, one_of
from deeplimits.formulas import Formula, FormulaError
from deeplimits.sweep.activation_models import activations_of
from deeplimits.sweep.activation_names import FORMULAS, NONE, SAME
from deeplimits.sweep.config import load_config
from deeplimits.sweep.point_files import load_point
from deeplimits.sweep.study import load_study
from input_files import POINT, RESIDUAL, STUDY, project

ACTIVATION = activations_of()
NAMES = ACTIVATION.tags
EXPRESSION = "name: expression, expression: '{}'"


def message(path: Path, text: str, load=load_point) -> str:
    path.write_text(text)
    start = time.perf_counter()
    with pytest.raises(InputError) as caught:
        load(path)
    assert time.perf_counter() - start < 30  # they take milliseconds; what hangs takes for ever
    said = str(caught.value)
    assert str(path) in said
    assert "\n" not in said
    assert len(said) <= 500
    assert "<" not in said.replace(repr("<nothing>"), "")
    assert not re.search(r"(?:one of|keys|about this network:)\s*(?:$|,|;)", said)
    return said


ACTIVATIONS = [
    # a likely slip, or another name of the same function
    ("name: rleu", ["did you mean 'relu'?", "one of relu"], []),
    ("name: ReLU", ["did you mean 'relu'?"], []),
    ("name: tahn", ["did you mean 'tanh'?"], []),
    ("name: geluu", ["did you mean 'gelu'?"], []),
    ("name: soft-plus", ["did you mean 'softplus'?"], []),
    ("name: LeakyReLU", ["did you mean 'leaky_relu'?"], []),
    ("name: swish", ["did you mean 'silu'?"], []),
    ("name: linear", ["did you mean 'identity'?"], []),
    ("name: abs", ["{name: relu, c_minus: -2.0}"], ["did you mean"]),
    # another function
    ("name: elu", ["elu is not supported", "bent"], ["did you mean"]),
    ("name: selu", ["selu is not supported"], ["did you mean"]),
    ("name: relu6", ["relu6 is not supported"], ["did you mean"]),
    ("name: PReLU", ["PReLU is not supported", "learnt"], ["did you mean"]),
    ("name: mish", ["x*tanh(log(1 + exp(x)))"], ["did you mean"]),
    ("name: gelu_tanh", ["0.044715"], ["did you mean"]),
    ("name: wavelet", ["expression: FORMULA"], ["did you mean"]),
    ("name: 3", ["found 3", "one of relu"], ["did you mean"]),
    ("name: [relu]", ["found ['relu']", "one of relu"], ["did you mean"]),
    # keys
    ("name: relu, c-plus: 0.5", ["activation.c-plus", "did you mean 'c_plus'?"], []),
    ("name: relu, 1: 2", ["activation.1: found '1'", "one of the keys"], ["did you mean"]),
    ("name: relu, '': 2", ["activation.'': found ''", "one of the keys"], ["did you mean"]),
    ("name: relu, null: 2", ["found 'null'", "one of the keys"], ["did you mean"]),
    (
        "name: relu, slope: 0.1",
        ["activation.slope: found 0.1", "takes c_minus and c_plus; slope is a key of leaky_relu"],
        [],
    ),
    (
        "name: tanh, c_plus: 0.1",
        ["activation.c_plus: found 0.1", "takes a, center, centered; c_plus is a key of relu"],
        [],
    ),
    ("name: leaky_relu, slope: 1e-12", ["activation.slope", "found 1e-12", "0, or at least 1e-9"], []),
    # formulas
    (EXPRESSION.format("tnah(x)"), ["did you mean 'tanh'?"], []),
    (EXPRESSION.format("arctan(x)"), ["did you mean 'atan'?"], []),
    (EXPRESSION.format("ln(1+exp(x))"), ["did you mean 'log'?"], []),
    (EXPRESSION.format("log2(1+exp(x))"), ["log(x)/log(2)"], ["did you mean"]),
    (EXPRESSION.format("sinc(x)"), ["one of the functions exp"], ["did you mean"]),
    (EXPRESSION.format("cbrt(x)"), ["one of the functions exp"], ["did you mean"]),
    (EXPRESSION.format("e**(-x)"), ["'e'", "exp(1)"], ["did you mean"]),
    (EXPRESSION.format("x^2 + x"), ["powers written with **"], ["did you mean"]),
    (EXPRESSION.format("np.tanh(x)"), ["tanh alone"], ["did you mean"]),
    (EXPRESSION.format("exp"), ["exp(x)"], ["did you mean"]),
    (EXPRESSION.format("tanh(y)"), ["found 'y'", "x, pi"], ["did you mean"]),
    (EXPRESSION.format("-" * 400 + "x"), ["at most 200"], ["did you mean"]),
    (EXPRESSION.format("sin(((1e300)**64)**64*x)"), ["real numbers up to 1e+300"], []),
    (EXPRESSION.format("0x" + "f" * 400 + "*x"), ["real numbers up to 1e+300"], []),
    (EXPRESSION.format("sqrt(-1)*x"), ["'sqrt(-1)'", "real numbers"], []),
    # functions that are none, and where
    (EXPRESSION.format("x*exp(x**2)"), ["grows more slowly than e^(x²)"], ["smooth"]),
    (EXPRESSION.format("exp(exp(x))-exp(1)"), ["grows more slowly than e^(x²)"], ["smooth"]),
    (EXPRESSION.format("log(x+2)-log(2)"), ["finite and real", "x = -2"], ["smooth"]),
    (EXPRESSION.format("x/(1+abs(x))"), ["smooth at x = 0"], []),
    (EXPRESSION.format("x*exp(1-sin(exp(x)))"), ["turn ever faster", "deeplimits limit"], ["smooth"]),
    (EXPRESSION.format("x+x**3"), ["no faster than a line", "deeplimits limit"], ["smooth"]),
    # other functions than f
    (
        "name: tanh, center: 0.5, centered: false",
        ["activation.name", "it is 0.462117", "`centered: true`"],
        [],
    ),
    ("name: sigmoid, centered: false", ["it is 0.5", "`centered: true`"], []),
    (EXPRESSION.format("1/(1+exp(-x))"), ["found '1/(1+exp(-x))'", "it is 0.5", "`centered: true`"], []),
    (EXPRESSION.format("log(1+exp(x))"), ["it is 0.693147", "`centered: true`"], []),
    (EXPRESSION.format("1+x"), ["it is 1;", "`centered: true`"], []),
    (EXPRESSION.format("x*(1+erf(x/sqrt(2)))/2 - 0.28209479177387814"), ["it is -0.282095"], []),
]


@pytest.mark.parametrize(("activation", "must", "must_not"), ACTIVATIONS)
def test_messages_about_activations(
    tmp_path: Path, activation: str, must: list[str], must_not: list[str]
) -> None:
    text = POINT.replace("name: relu, c_plus: 0.0, c_minus: -1", activation)
    said = message(tmp_path / "point.yaml", text.replace("shaping: {by: width, exponent: 0.5}\n", ""))
    assert all(part in said for part in must), said
    assert not any(part in said for part in must_not), said


SLOPES = [
    ("name: gelu, centered: false", "slope of 0.5"),
    ("name: erf, centered: false", "slope of 1.12838"),
    (EXPRESSION.format("2*tanh(x)"), "slope of 2"),
    (EXPRESSION.format("-tanh(2*x)"), "slope of -2"),
    ("name: sigmoid, centered: false", "it is 0.5"),
    ("name: softplus, center: 1.0, centered: false", "it is 1.31326"),
]


@pytest.mark.parametrize(("activation", "said"), SLOPES)
def test_a_branch_is_never_scaled_in_silence(tmp_path: Path, activation: str, said: str) -> None:
    """A perceptron's normaliser takes out the slope of its activation; a branch has none."""
    text = RESIDUAL.replace("name: relu", activation)
    found = message(tmp_path / "point.yaml", text)
    assert said in found
    assert "`centered: true`" in found
    (tmp_path / "point.yaml").write_text(
        text.replace(", centered: false", "").replace("}\nbranch", ", centered: true}\nbranch")
    )
    assert load_point(tmp_path / "point.yaml", simulated=False).network.residual


POINTS = [
    ("width: 150", f"width: {typed}", ["width", f"found {shown}", "a whole number"])
    for typed, shown in [
        ("010", "'010'"),
        ("1:30", "'1:30'"),
        ("1_0", "'1_0'"),
        ("0x10", "'0x10'"),
        ("0o10", "'0o10'"),
        ("1e3", "1e3"),
        ("1.50", "1.50"),
        ("yes", "'yes'"),
        ("true", "true"),
        ("~", "~"),
        (".inf", ".inf"),
        ("2020-01-01", "'2020-01-01'"),
        ("'<nothing>'", "'<nothing>'"),
        ("9" * 400, "999"),
    ]
] + [
    ("correlation: 0.3", "correlation: 0_1.5", ["found '0_1.5'", "a number"]),
    ("correlation: 0.3", "correlation: 1:30.5", ["found '1:30.5'", "a number"]),
    ("layers: 4", "layers: 4, gradients: yes", ["found 'yes'", "true or false"]),
    ("layers: 4", "layers: [1, 010]", ["found '010'", "a whole number"]),
    ("width: 150", "width: !!int '010'", ["'010' is no number"]),
    ("seed: 0", "on: 1", ["found 'on'", "one of the keys"]),
    ("seed: 0", "branch-exponent: 0.5", ["found 'branch-exponent' (did you mean 'branch_exponent'?)"]),
    ("seed: 0", "seed: 0\n'seed': 1", ["'seed' is given twice", "line 9"]),
    ("seed: 0", "? [a]\n: 1", ["a key must be a plain name"]),
    ("seed: 0", "seed: &a [*a]", ["an alias to what it is part of"]),
    (
        "seed: 0",
        "a: &a [1,1,1,1,1,1,1,1,1]\n"
        + "".join(
            f"{y}: &{y} [{', '.join(['*' + x] * 9)}]\n" for x, y in zip("abcdef", "bcdefg", strict=True)
        ),
        ["more than 200,000 values"],
    ),
    ("seed: 0", "seed: " + "[" * 5000, ["hundreds deep"]),
    ("seed: 0", "seed: " + "0 " * 600_000, ["at most 1,000,000 bytes"]),
]


@pytest.mark.parametrize(("old", "new", "must"), POINTS, ids=[new[:30] for _, new, _ in POINTS])
def test_messages_about_points(tmp_path: Path, old: str, new: str, must: list[str]) -> None:
    assert old in POINT
    said = message(tmp_path / "point.yaml", POINT.replace(old, new))
    assert all(part in said for part in must), said


STUDIES = [
    ("samples: 4096", "sample-s: 1", ["did you mean 'samples'?"]),
    ("times_width: 1.0", "times-width: 1.0", ["grid.depth.times-width", "did you mean 'times_width'?"]),
    ("exponent: 0.5}}]", "ex-ponent: 0.5}}]", ["networks.0.shaping.ex-ponent", "did you mean 'exponent'?"]),
    ("rate_in: width", "rate-in: width", ["compare.0.rate-in", "did you mean 'rate_in'?"]),
    ("seed: [0]", "seed: [0, 0o7]", ["grid.seed.1", "found '0o7'", "a whole number"]),
    ("width: [16, 32]", "width: [16, 3.20]", ["grid.width.1", "found 3.20"]),
    ("name: relu,", "name: [relu, elu],", ["networks.0.activation.name", "elu is not supported"]),
]


@pytest.mark.parametrize(("old", "new", "must"), STUDIES, ids=[new[:30] for _, new, _ in STUDIES])
def test_messages_about_studies(tmp_path: Path, old: str, new: str, must: list[str]) -> None:
    assert old in STUDY
    said = message(tmp_path / "study.yaml", STUDY.replace(old, new), load_study)
    assert all(part in said for part in must), said


def test_keys_of_the_configuration(tmp_path: Path) -> None:
    said = message(project(tmp_path), "target-minutes: 1\n", load_config)
    assert "target-minutes: found 'target-minutes' (did you mean 'target_minutes'?)" in said
    project(tmp_path / "other")
    with pytest.raises(InputError, match="did you mean 'target_minutes'"):
        load_config(tmp_path / "other/config/config.yaml", {"target-minutes": 60})


def test_numbers_are_those_that_are_written_as_one(tmp_path: Path) -> None:
    path = tmp_path / "point.yaml"
    for typed, value in [
        ("1e-1", 0.1),
        (".5", 0.5),
        ("+0.5", 0.5),
        ("-1", -1.0),
        ("0.", 0.0),
        ("5.E-1", 0.5),
    ]:
        path.write_text(POINT.replace("correlation: 0.3", f"correlation: {typed}"))
        assert load_point(path).network.gram[0][1] == value
    path.write_text(POINT.replace("layers: 4", "layers: 4, gradients: TRUE, output: False"))
    assert load_point(path).gradients


def test_no_name_is_proposed_in_place_of_another_function() -> None:
    """Names near a valid one are slips of it: of one or two letters, never what is a function of its own."""
    others = (
        "delu belu smelu srelu frelu drelu erelu brelu trelu relu1 relun relu_6 sinc sincos dilu gilu nlrelu"
    )
    others += (
        " shilu elish hardelish dgelu gelu2 tanh2 tanhsoft softexp softclip logit logish phish lisht soft"
    )
    for name in [*FORMULAS, *NONE, *others.split()]:
        for each in {name, name.upper(), name.title()}:
            with pytest.raises(ValueError, match=r".") as caught:
                ACTIVATION.adapter.validate_python({"name": each})
            assert caught.value.errors()[0]["ctx"]["error"].nearest is None, each
    for name in [
        "sinc",
        "cosc",
        "cosh1",
        "logb",
        "log3",
        "exp2",
        "sqr",
        "coth",
        "acot",
        "acosh",
        "atan2",
        "erfcx",
        "erfi",
        "hypot",
        "tanpi",
        "ceil",
        "sech",
    ]:
        with pytest.raises(FormulaError) as caught:
            Formula(f"{name}(x)")
        assert caught.value.nearest is None, name
    slips = {"expp": "exp", "tahn": "tanh", "asihn": "asinh", "sqrtt": "sqrt", "lgo": "log"}
    for name, right in slips.items():
        with pytest.raises(FormulaError) as caught:
            Formula(f"{name}(x)")
        assert caught.value.nearest == right, name
    for name, written in SAME.items():
        with pytest.raises(ValueError, match=r".") as caught:
            ACTIVATION.adapter.validate_python({"name": name})
        said = caught.value.errors()[0]["ctx"]["error"]
        assert said.nearest == written or written in str(said)
    assert nearest_name("correlation_sed", ["correlation_sde", "correlation_ode"]) == "correlation_sde"
    assert nearest_name("half", ["half-shaped"]) is None
    assert nearest_name("a", ["b"]) is None
    assert nearest_name("kss", ["ks", "rms"]) == "ks"
    assert nearest_name("Target minutes", ["target_minutes"]) == "target_minutes"
    assert one_of([]) == "nothing: there are none"


def test_formulas_in_place_of_names_are_formulas() -> None:
    for text in FORMULAS.values():
        Formula(text)
    with pytest.raises(FormulaError):
        Formula("swish(x)")


MATRICES = [
    (b"1,0.3\n0.3,1_0\n", "'1_0' is no number"),
    (b"1,0.3\n0.3,one\n", "one"),
    (b"1,\xff\n", "decode"),
    (b"1," + b"0" * 200_000, "at most 100,000 bytes"),
]


@pytest.mark.parametrize(("content", "said"), MATRICES)
def test_messages_about_files_of_matrices(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "g.csv").write_bytes(content)
    text = POINT.replace("correlation: 0.3", "gram_file: g.csv")
    found = message(tmp_path / "point.yaml", text)
    assert "inputs.gram_file" in found
    assert said in found


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no endless file")
def test_a_file_without_end_is_refused(tmp_path: Path) -> None:
    text = POINT.replace("correlation: 0.3", "gram_file: /dev/zero")
    assert "at most 100,000 bytes" in message(tmp_path / "point.yaml", text)
    with pytest.raises(InputError, match="at most 1,000,000 bytes"):
        load_point(Path("/dev/zero"))


def test_a_pipe_that_nobody_writes_to_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "g.csv")
    assert "this is a pipe" in message(
        tmp_path / "point.yaml", POINT.replace("correlation: 0.3", "gram_file: g.csv")
    )
    os.mkfifo(tmp_path / "x.yaml")
    with pytest.raises(InputError, match="a pipe"):
        load_point(tmp_path / "x.yaml")


def test_more_layers_than_anyone_records(tmp_path: Path) -> None:
    path = tmp_path / "point.yaml"
    path.write_text(POINT.replace("layers: 4", "layers: 2000000000"))
    assert load_point(path).layers == tuple(range(31))
    for depth, layers in [(2_000_000, "all"), (2_000_000, "1000001"), (2_000_000_000, "2000000001")]:
        text = POINT.replace("depth: 30", f"depth: {depth}").replace("layers: 4", f"layers: {layers}")
        assert "at most 1,000,000 layers" in message(path, text)
    for old, new in [
        ("1.0}", "3000000000.0}"),
        ("times_width: 1.0", "power_of_width: 9.0"),
        ("at: 1.0", "at: 1e308"),
    ]:
        assert "grid.depth" in message(path, STUDY.replace(old, new), load_study) or "at" in new
