"""Bad point files: one clear message each: file, key, found, expected, nearest name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from deeplimits import Network, limit, simulate
from deeplimits.activations import Identity, ReluLike, Smooth
from deeplimits.errors import InputError
from deeplimits.networks.network import Shaping
from deeplimits.sweep.point_files import load_point
from input_files import LAYERED, POINT, RESIDUAL, check

BAD_POINTS = [
    ("width: 150", 'width: "150"', "width", "'150'", "a whole number", None),
    ("width: 150", "width: 150.5", "width", "150.5", "a whole number", None),
    ("width: 150", "width: true", "width", "true", "a whole number", None),
    ("width: 150", "width: 0", "width", "0", "≥ 1", None),
    ("depth: 30", "depth: -2", "depth", "-2", "≥ 1", None),
    ("depth: 30", "", "depth", "nothing", "no default", None),
    ("depth: 30", "dept: 30", "dept", "'dept'", "one of the keys", "depth"),
    ("name: relu", "name: rleu", "activation.name", "'rleu'", "one of relu, leaky_relu, identity", "relu"),
    ("c_plus: 0.0", "c_pluss: 0.0", "activation.c_pluss", "'c_pluss'", "one of the keys", "c_plus"),
    ("c_plus: 0.0", "c_plus: .nan", "activation.c_plus", "nan", "finite", None),
    ("c_plus: 0.0", "c_plus: .inf", "activation.c_plus", "inf", "finite", None),
    ("c_plus: 0.0", "c_plus: one", "activation.c_plus", "'one'", "a number", None),
    ("name: relu", "name: identity", "activation", "identity", "no other key", None),
    ("architecture: mlp", "architecture: resnett", "architecture", "'resnett'", "one of mlp", "resnet"),
    ("exponent: 0.5", "exponent: -0.5", "shaping.exponent", "-0.5", "≥ 0", None),
    ("by: width", "by: widht", "shaping.by", "'widht'", "one of width, depth", "width"),
    ("correlation: 0.3", "correlation: 1.2", "inputs.correlation", "1.2", "≤ 1", None),
    (
        "correlation: 0.3",
        "gram: [[1, 2], [2, 1]]",
        "inputs.gram",
        "eigenvalue -1",
        "positive semi-definite",
        None,
    ),
    ("correlation: 0.3", "gram: [[1, 0.2], [0.3, 1]]", "inputs.gram.1.0", "0.3", "symmetric", None),
    ("correlation: 0.3", "gram: [[1, 0.2], [0.2]]", "inputs.gram", "[2, 1]", "2 rows of 2", None),
    ("correlation: 0.3", "gram: [[0.0]]", "inputs.gram", "[0.0]", "positive diagonal", None),
    ("correlation: 0.3", "gram: [[1, .nan], [.nan, 1]]", "inputs.gram", "nan", "finite", None),
    (
        "correlation: 0.3",
        "gram: [" + ", ".join(["[1,1,1,1,1,1,1,1,1]"] * 9) + "]",
        "inputs.gram",
        "9 inputs",
        "1 to 8 inputs",
        None,
    ),
    ("correlation: 0.3", "gram_file: no.csv", "inputs.gram_file", "no.csv", "no such file", None),
    ("correlation: 0.3", "correlation: 0.3, gram: [[1]]", "inputs", "correlation", "exactly one", None),
    ("seed: 0", "seed: -1", "seed", "-1", "≥ 0", None),
    ("layers: 4", "layers: [0, 31]", "record.layers", "31", "30", None),
    ("layers: 4", "layers: every", "record.layers", "'every'", "", None),
    ("seed: 0", "seed: 0\nseed: 1", "line 9, column 1", "given twice", "valid YAML", None),
    (
        "c_plus: 0.0, c_minus: -1}\nshaping: {by: width, exponent: 0.5}",
        "c_plus: -1, c_minus: -1}",
        "activation",
        "slopes 0",
        "not zero everywhere",
        None,
    ),
]


@pytest.mark.parametrize(("old", "new", "key", "found", "expected", "nearest"), BAD_POINTS)
def test_bad_points(
    tmp_path: Path, old: str, new: str, key: str, found: str, expected: str, nearest: str | None
) -> None:
    path = tmp_path / "point.yaml"
    assert old in POINT
    path.write_text(POINT.replace(old, new))
    with pytest.raises(InputError) as caught:
        load_point(path)
    check(caught.value, path, key, found, expected, nearest)


BAD_RESIDUAL_POINTS = [
    (
        "branch_exponent: 0.5",
        "shaping: {by: width, exponent: 0.5}",
        "shaping",
        "shaping",
        "a resnet has no shaping",
        None,
    ),
    (
        "branch_exponent: 0.5",
        "shaping: {exponent: 0.0}",
        "shaping",
        "shaping",
        "a resnet has no shaping",
        None,
    ),
    ("branch_exponent: 0.5", "branch_exponent: -0.5", "branch_exponent", "-0.5", "≥ 0", None),
    ("branch_exponent: 0.5", "branch_exponent: .inf", "branch_exponent", "inf", "finite", None),
    (
        "branch_exponent: 0.5",
        "branch_exponnet: 0.5",
        "branch_exponnet",
        "'branch_exponnet'",
        "one of the keys",
        "branch_exponent",
    ),
    ("resnet\n", "mlp\n", "branch_exponent", "0.5", "only a resnet has a branch", None),
    (
        "architecture: resnet\nactivation: {name: relu}\nbranch_exponent: 0.5",
        "activation: {name: relu}",
        "inputs.start",
        "1.0",
        "only a resnet starts",
        None,
    ),
    (
        "architecture: resnet\nactivation: {name: relu}\nbranch_exponent: 0.5",
        "activation: {name: ornstein_uhlenbeck}",
        "activation.name",
        "ornstein_uhlenbeck",
        "of the branch of a resnet",
        None,
    ),
    ("start: 1.0", "start: 0.0", "inputs.start", "0.0", "other than 0", None),
    ("start: 1.0", "start: 1e200", "inputs.start", "1e+200", "finite square", None),
    ("start: 1.0", "start: .nan", "inputs.start", "nan", "finite", None),
    ("start: 1.0", "start: 1.0, correlation: 0.3", "inputs", "correlation", "exactly one", None),
    ("start: 1.0", "start: [1.0]", "inputs.start", "[1.0]", "a number", None),
    ("width: 6", "width: [6, 6]", "width", "[6, 6]", "one width", None),
    ("depth: 30", "", "depth", "nothing", "no default", None),
    ("name: relu", "name: ornstein_uhlenbeck, alpha: 0", "activation.alpha", "0.0", "other than 0", None),
    ("name: relu", "name: ornstein_uhlenbeck, a: 2.0", "activation", "a", "takes alpha and beta", None),
    ("name: relu", "name: ornstein_uhlenbeck, beta: .inf", "activation.beta", "inf", "finite", None),
    ("name: relu", "name: ornstein_uhlenbeck, beta: 1e30", "activation.beta", "1e+30", "2^60", None),
    ("name: relu", "name: ornstein_uhlenbeck, alpha: 1e30", "activation.alpha", "1e+30", "2^60", None),
    (
        "name: relu}\nbranch_exponent: 0.5",
        "name: ornstein_uhlenbeck}\nbranch_exponent: 0.0",
        "branch_exponent",
        "0.0",
        "at most 24",
        None,
    ),
    ("name: relu", "name: relu, alpha: 1.0", "activation", "alpha", "c_minus and c_plus", None),
    ("name: relu", "name: relu, c_plus: -1.0", "activation", "slopes 0", "not zero everywhere", None),
    ("name: relu", "name: tanh, a: 0.0", "activation.a", "0.0", "> 0", None),
    ("name: relu", "name: tanh, a: -1.0", "activation.a", "-1.0", "> 0", None),
    (
        "name: relu",
        "name: expression, expression: x**2",
        "activation",
        "x ** 2",
        "f'(x) ≠ 0",
        None,
    ),
    ("name: relu", "name: sin, center: 1.5707963267948966", "activation", "sin(x)", "f'(x) ≠ 0", None),
    ("name: relu", "name: softplus, center: 1.0e+9", "activation", "1e+09", "does not overflow", None),
    ("name: relu", "name: expression, expression: abs(x)", "activation", "abs(x)", "smooth at x", None),
    ("name: relu", "name: sin, a: 0.001", "activation.a", "0.001", "no a will do", None),
]
BAD_LAYERED_POINTS = [
    ("[10, 20, 30]", "[10, 20, 30]\ndepth: 4", "depth", "4", "3, the length of width", None),
    ("[10, 20, 30]", "[]", "width", "[]", "", None),
    ("[10, 20, 30]", "[10, 0]", "width.1", "0", "≥ 1", None),
    ("[10, 20, 30]", "30", "depth", "nothing", "no default", None),
    (
        "{name: tanh}\nshaping: {by: width, exponent: 0.5}",
        "{name: relu, c_plus: -10, c_minus: -10}\nshaping: {by: width, exponent: 1.0}",
        "activation",
        "slopes 0",
        "not zero everywhere",
        None,
    ),
]


@pytest.mark.parametrize(
    ("text", "old", "new", "key", "found", "expected", "nearest"),
    [(RESIDUAL, *case) for case in BAD_RESIDUAL_POINTS] + [(LAYERED, *case) for case in BAD_LAYERED_POINTS],
)
def test_bad_pairs_of_architecture_and_option(
    tmp_path: Path, text: str, old: str, new: str, key: str, found: str, expected: str, nearest: str | None
) -> None:
    path = tmp_path / "point.yaml"
    path.write_text(text)
    load_point(path)
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(InputError) as caught:
        load_point(path)
    check(caught.value, path, key, found, expected, nearest)


ONE = ((1.0,),)


@dataclass(frozen=True)
class Other(Identity):
    """An activation that files do not have."""


@pytest.mark.parametrize(
    ("changed", "key", "expected"),
    [
        ({"activation": ReluLike(float("nan"), 0.0)}, "activation.c_plus", "a finite number"),
        ({"activation": Smooth.of("tanh", float("inf"))}, "activation.a", "a finite number"),
        ({"activation": Other()}, "activation", "an activation of deeplimits.activations"),
        ({"depth": 0}, "depth", "a number ≥ 1"),
        ({"depth": 2.5}, "depth", "a whole number"),
        ({"width": 0}, "width", "a number ≥ 1"),
        ({"seed": -1}, "seed", "a number ≥ 0"),
        ({"gram": ((float("nan"),),)}, "gram", "finite numbers"),
        ({"architecture": "resnet", "branch_exponent": -1.0}, "branch_exponent", "a number ≥ 0"),
        ({"branch_exponent": 0.25}, "branch_exponent", "only a resnet has a branch"),
        ({"start": 1.0}, "start", "only a resnet starts from a state of its own"),
        ({"architecture": "resnet", "start": 2.0}, "gram", "the square of start"),
        ({"architecture": "resnet", "shaping": Shaping("width", 0.5)}, "shaping", "a resnet has no shaping"),
        ({"shaping": Shaping("width", -0.5)}, "shaping.exponent", "a number ≥ 0"),
        ({"architecture": "rms_norm_mlp", "activation": Smooth.of("tanh")}, "activation.name", "relu"),
        ({"architecture": "rsnet"}, "architecture", "one of mlp"),
    ],
)
def test_a_network_of_python_is_asked_what_a_file_is_asked(
    changed: dict[str, Any], key: str, expected: str
) -> None:
    given = {"activation": ReluLike(), "width": 8, "depth": 4, "gram": ONE} | changed
    for ask in (lambda network: simulate(network, 10), lambda network: limit(network, "log_variance")):
        with pytest.raises(InputError) as caught:
            ask(Network(**given))
        assert (caught.value.where, caught.value.key) == ("network", key)
        assert expected in caught.value.expected


@pytest.mark.parametrize(
    ("changed", "key"),
    [
        ({"activation": ReluLike(float("nan"), 0.0)}, "activation.c_plus"),
        ({"activation": Smooth.of("tanh", 1.0, float("inf"))}, "activation.center"),
        ({"shaping": Shaping("width", float("-inf"))}, "shaping.exponent"),
    ],
)
def test_what_is_not_finite_has_no_name(changed: dict[str, Any], key: str) -> None:
    """Of a network that nothing has been asked of yet."""
    network = Network(**{"activation": ReluLike(), "width": 8, "depth": 4, "gram": ONE} | changed)
    for name in ("fingerprint", "key"):
        with pytest.raises(InputError, match="a finite number") as caught:
            getattr(network, name)
        assert caught.value.key == key
