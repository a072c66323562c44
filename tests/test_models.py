"""Bad files: one clear message each (file, key, found, expected, nearest name), exit code 2, no traceback,
and nothing written."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from deeplimits.activations import Identity, ReluLike
from deeplimits.errors import InputError
from deeplimits.networks.network import Network, Shaping
from deeplimits.sweep.config import load_config
from deeplimits.sweep.points import load_point, network_from_physics
from deeplimits.sweep.schemas import SCHEMAS, schema_text
from deeplimits.sweep.study import load_study

POINT = """
architecture: mlp
activation: {name: relu, c_plus: 0.0, c_minus: -1}
shaping: {by: width, exponent: 0.5}
width: 150
depth: 30
inputs: {correlation: 0.3}
seed: 0
record: {layers: 4}
"""
STUDY = """
title: A study
networks: [{architecture: mlp, activation: {name: relu, c_plus: 0.5, c_minus: -0.5}, shaping: {by: width, exponent: 0.5}}]
grid: {width: [16, 32], depth: {times_width: 1.0}, correlation: [0.3], seed: [0]}
samples: 4096
record: {layers: 2}
compare: [{observable: correlation, limit: correlation_sde, at: 1.0, distances: [ks, wasserstein], rate_in: width}]
figures: [ks_against_width]
"""

RESIDUAL = """
architecture: resnet
activation: {name: relu}
branch_exponent: 0.5
width: 6
depth: 30
inputs: {start: 1.0}
record: {layers: 4}
"""
LAYERED = """
architecture: mlp
activation: {name: tanh}
shaping: {by: width, exponent: 0.5}
width: [10, 20, 30]
inputs: {correlation: 0.3}
record: {layers: all}
"""

BAD_POINTS = [
    ("width: 150", 'width: "150"', "width", "'150'", "a whole number", None),
    ("width: 150", "width: 150.5", "width", "150.5", "a whole number", None),
    ("width: 150", "width: true", "width", "True", "a whole number", None),
    ("width: 150", "width: 0", "width", "0", "≥ 1", None),
    ("depth: 30", "depth: -2", "depth", "-2", "≥ 1", None),
    ("depth: 30", "", "depth", "<nothing>", "no default", None),
    ("depth: 30", "dept: 30", "dept", "'dept'", "one of the keys", "depth"),
    ("name: relu", "name: rleu", "activation.name", "'rleu'", "one of relu, identity", "relu"),
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
    ("seed: 0", "seed: 0\nseed: 1", "", "given twice", "valid YAML", None),
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


def check(error: InputError, path: Path, key: str, found: str, expected: str, nearest: str | None) -> None:
    assert error.where == str(path)
    assert error.key.startswith(key) if key else error.key == ""
    assert found in str(error)
    assert expected in error.expected
    assert error.nearest == nearest
    assert "\n" not in str(error)
    assert str(path) in str(error)


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
    ("depth: 30", "", "depth", "<nothing>", "no default", None),
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
        "x ** 2 at center 0",
        "f'(x) ≠ 0",
        None,
    ),
    ("name: relu", "name: sin, center: 1.5707963267948966", "activation", "sin(x)", "f'(x) ≠ 0", None),
    ("name: relu", "name: softplus, center: 1.0e+9", "activation", "1e+09", "does not overflow", None),
    ("name: relu", "name: expression, expression: abs(x)", "activation", "abs(x)", "smooth at x", None),
    ("name: relu", "name: sin, a: 0.001", "activation.a", "0.001", "a larger one", None),
]

BAD_LAYERED_POINTS = [
    ("[10, 20, 30]", "[10, 20, 30]\ndepth: 4", "depth", "4", "3, the length of width", None),
    ("[10, 20, 30]", "[]", "width", "[]", "", None),
    ("[10, 20, 30]", "[10, 0]", "width.1", "0", "≥ 1", None),
    ("[10, 20, 30]", "30", "depth", "<nothing>", "no default", None),
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


BAD_STUDIES = [
    ("title: A study", "title: ''", "title", "''", "", None),
    ("width: [16, 32]", "width: [16, 0]", "grid.width", "0", "", None),
    ("width: [16, 32]", "width: []", "grid.width", "[]", "at least one", None),
    (
        "exponent: 0.5}}]",
        "exponent: 0.5}, grid: {widht: 3}}]",
        "networks.0.grid.widht",
        "'widht'",
        "one of",
        "width",
    ),
    (
        "exponent: 0.5}}]",
        "exponent: 0.5}, grid: {width: []}}]",
        "networks.0.grid.width",
        "[]",
        "at least",
        None,
    ),
    ("exponent: 0.5}}]", "exponent: 0.5}, grid: 3}]", "networks.0.grid", "3", "a mapping", None),
    ("width: [16, 32]", "widht: [16]", "grid.widht", "'widht'", "one of the keys", "width"),
    ("times_width: 1.0", "times_widht: 1.0", "grid.depth", "widht", "one of the keys", "times_width"),
    ("correlation: [0.3]", "correlation: [0.3, 1.2]", "grid.correlation", "1.2", "", None),
    ("exponent: 0.5", "exponent: [0.5, -1]", "networks.0.shaping.exponent", "-1", "≥ 0", None),
    ("name: relu", "name: [relu, rleu]", "networks.0.activation.name", "'rleu'", "one of relu", "relu"),
    (
        "architecture: mlp,",
        "architectur: mlp,",
        "networks.0.architectur",
        "'architectur'",
        "one of the keys",
        "architecture",
    ),
    (
        "limit: correlation_sde",
        "limit: corelation_sde",
        "compare.0.limit",
        "'corelation_sde'",
        "one of",
        "correlation_sde",
    ),
    (
        "observable: correlation",
        "observable: corelation",
        "compare.0.observable",
        "'corelation'",
        "one of",
        "correlation",
    ),
    ("distances: [ks,", "distances: [kss,", "compare.0.distances", "'kss'", "one of ks", "ks"),
    (
        "figures: [ks_against_width]",
        "figures: [ks_against_widths]",
        "figures.0",
        "'ks_against_widths'",
        "one of",
        "ks_against_width",
    ),
    ("samples: 4096", "samples: 0", "samples", "0", "≥ 1", None),
    ("samples: 4096", "samples: 1e4", "samples", "10000.0", "a whole number", None),
    (
        "seed: [0]",
        "seed: [0, 1], zip: [width, seed, correlation]",
        "grid.zip",
        "correlation",
        "equal length",
        None,
    ),
    ("seed: [0]", "seed: 3, zip: [width, seed]", "grid.seed", "3", "a list", None),
    ("distances: [ks, wasserstein]", "distances: [rms]", "compare.0.distances", "rms", "is random", None),
    (
        "limit: correlation_sde",
        "limit: correlation_ode",
        "compare.0.distances",
        "wasserstein",
        "is a number",
        None,
    ),
    ("at: 1.0", "at: 2.0", "compare.0.at", "2.0", "a time up to 1", None),
    ("at: 1.0", "at: 0.5", "compare.0.at", "0.5", "recorded", None),
    ("limit: correlation_sde", "limit: unshaped", "compare.0", "", "", None),
    (
        "architecture: mlp,",
        "architecture: resnet,",
        "networks.0.shaping",
        "shaping",
        "a resnet has no shaping",
        None,
    ),
    (
        "architecture: mlp,",
        "branch_exponent: [0, 0.5],",
        "networks.0.branch_exponent",
        "0.0",
        "only a resnet",
        None,
    ),
    ("correlation: [0.3]", "start: [1.0]", "grid.start", "1.0", "only a resnet", None),
    ("correlation: [0.3]", "correlation: [0.3], start: [1.0]", "grid", "start", "exactly one", None),
    (", depth: {times_width: 1.0}", "", "grid.depth", "<nothing>", "no default", None),
    ("width: [16, 32]", "width: [16, [8, 9]]", "grid.depth", "function of the width", "2, the length", None),
    ("[16, 32], depth: {times_width: 1.0}", "[[8, 9]], depth: 3", "grid.depth", "3", "2, the length", None),
    ("width: [16, 32]", "width: [16, []]", "grid.width.1", "[]", "", None),
]


@pytest.mark.parametrize(("old", "new", "key", "found", "expected", "nearest"), BAD_STUDIES)
def test_bad_studies(
    tmp_path: Path, old: str, new: str, key: str, found: str, expected: str, nearest: str | None
) -> None:
    path = tmp_path / "study.yaml"
    assert old in STUDY
    path.write_text(STUDY.replace(old, new))
    with pytest.raises(InputError) as caught:
        load_study(path)
    check(caught.value, path, key, found, expected, nearest)


def test_a_network_may_have_axes_of_its_own(tmp_path: Path) -> None:
    """They replace those keys of the study's grid, inputs given one way those given another way, and nothing
    else; the points are those that two studies would have.
    """
    text = STUDY.replace(
        "exponent: 0.5}}]",
        "exponent: 0.5}}, {activation: {name: relu}, grid: {depth: {power_of_width: 0.5}, gram: [[2.0]], seed: 4}}]",
    ).replace("at: 1.0, ", "")
    study = tmp_path / "study.yaml"
    study.write_text(text)
    networks = [point.network for point in load_study(study).points]
    assert [(n.width, n.depth, n.inputs, n.seed) for n in networks] == [
        (16, 16, 2, 0),
        (32, 32, 2, 0),
        (16, 4, 1, 4),
        (32, 6, 1, 4),
    ]
    assert networks[3].gram == ((2.0,),)
    study.write_text(STUDY)
    assert [point.network for point in load_study(study).points] == networks[:2]


def test_a_grid_of_a_thousand_million_points_is_refused_before_it_is_expanded(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    many = "[" + ", ".join(map(str, range(1, 1001))) + "]"
    rhos = "[" + ", ".join(str(i / 1000) for i in range(1000)) + "]"
    path.write_text(
        STUDY.replace("width: [16, 32]", f"width: {many}")
        .replace("correlation: [0.3]", f"correlation: {rhos}")
        .replace("seed: [0]", f"seed: {many}")
    )
    with pytest.raises(
        InputError,
        match=r"1,000,000,000 points: width 1000 × correlation 1000 × seed 1000.*at most 1,000,000 points",
    ):
        load_study(path)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "<nothing>"),
        ("- a\n- b", "['a', 'b']"),
        ("a: [1, 2", "line"),
        ("\x00", "<"),
        ("!!python/object:os.system {}", "<"),
        ("? [1]\n: 2", "<"),
        ("1: 2", "1"),
    ],
)
def test_what_is_no_mapping_is_refused(tmp_path: Path, text: str, found: str) -> None:
    path = tmp_path / "study.yaml"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        load_study(path)
    assert found in str(caught.value) and str(path) in str(caught.value)


def test_missing_and_unreadable_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        load_study(tmp_path / "nothing.yaml")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="readable"):
        load_study(tmp_path / "binary.yaml")
    with pytest.raises(InputError, match="readable"):
        load_study(tmp_path)


def project(tmp_path: Path, config: str = "studies: all\n", **studies: str) -> Path:
    folder = tmp_path / "config" / "studies"
    folder.mkdir(parents=True)
    for name, text in studies.items():
        (folder / f"{name}.yaml").write_text(text)
    (folder.parent / "config.yaml").write_text(config)
    return folder.parent / "config.yaml"


@pytest.mark.parametrize(
    ("config", "expected", "nearest"),
    [
        ("studies: [one, one]", "each study once", None),
        ("studies: [onne]", "a study: one", "one"),
        ("studdies: all", "one of the keys", "studies"),
        ("scale: deeep", "one of papers, deep", "deep"),
        ("target_minutes: 0", "> 0", None),
    ],
)
def test_bad_configurations(tmp_path: Path, config: str, expected: str, nearest: str | None) -> None:
    path = project(tmp_path, config, one=STUDY)
    with pytest.raises(InputError) as caught:
        load_config(path)
    assert expected in caught.value.expected and caught.value.nearest == nearest


def test_the_command_line_says_one_sentence_and_starts_nothing(tmp_path: Path) -> None:
    config = project(tmp_path, one=STUDY.replace("name: relu", "name: rleu"))
    results = tmp_path / "results"
    for arguments in (["plan"], ["status"], ["aggregate", "one"], ["figure", "one/ks_against_width"]):
        done = run(*arguments, "--config", str(config), "--results", str(results))
        assert done.returncode == 2
        assert done.stderr.count("\n") == 1 and "Traceback" not in done.stderr
        assert (
            "one.yaml: networks.0.activation.name: found 'rleu'" in done.stderr
            and "did you mean 'relu'?" in done.stderr
        )
        assert not results.exists()
    point = tmp_path / "point.yaml"
    point.write_text(POINT.replace("width: 150", "width: 0"))
    done = run("simulate", str(point), "--out", str(results / "x.zarr.zip"))
    assert done.returncode == 2 and "width: found 0" in done.stderr and not results.exists()


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "deeplimits", *arguments], capture_output=True, text=True)


def test_good_files_say_what_they_should(tmp_path: Path) -> None:
    path = tmp_path / "point.yaml"
    path.write_text(POINT)
    point = load_point(path)
    assert point.layers == (0, 10, 20, 30)
    assert point.network.activation == ReluLike(0.0, -1.0)
    assert point.network.shaping == Shaping("width", 0.5)
    path.write_text(POINT.replace("layers: 4", "layers: all").replace("correlation: 0.3", "gram_file: g.csv"))
    (tmp_path / "g.csv").write_text("1.0,0.3\n0.3,1.0\n")
    other = load_point(path)
    assert other.layers == tuple(range(31))
    assert other.network.physics_hash == point.network.physics_hash
    path.write_text(
        POINT.replace("c_minus: -1", "c_minus: -1.0")
        .replace("c_plus: 0.0", "c_plus: -0.0")
        .replace("seed: 0\n", "")
    )
    assert load_point(path).network.physics_hash == point.network.physics_hash
    path.write_text(POINT.replace("name: relu, c_plus: 0.0, c_minus: -1", "name: identity"))
    assert load_point(path).network.activation == Identity()
    assert load_point(path).network.physics()["shaping"] is None


def test_axes_of_a_study(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_text(
        STUDY.replace("exponent: 0.5", "exponent: [0.25, 0.5]").replace("seed: [0]", "seed: [0, 1]")
    )
    study = load_study(path, scale=64)
    assert study.samples == 64 * 4096
    assert len(study.points) == 2 * 2 * 2
    assert [point.network.exponent for point in study.points[::4]] == [0.25, 0.5]
    assert {point.network.depth for point in study.points} == {16, 32}
    text = STUDY.replace("at: 1.0, ", "")
    path.write_text(
        text.replace("seed: [0]", "seed: [7, 8], zip: [width, seed]").replace(
            "times_width: 1.0", "power_of_width: 0.5"
        )
    )
    assert [
        (point.network.width, point.network.seed, point.network.depth) for point in load_study(path).points
    ] == [(16, 7, 4), (32, 8, 6)]


def test_residual_networks_and_layered_ones_are_read_and_named(tmp_path: Path) -> None:
    path = tmp_path / "point.yaml"
    path.write_text(RESIDUAL)
    network = load_point(path).network
    assert network == Network(
        ReluLike(), 6, 30, ((1.0,),), architecture="resnet", branch_exponent=0.5, start=1.0
    )
    assert network.normals_per_sample == 6 * 30
    hashes = {network.physics_hash}
    for old, new in [
        ("start: 1.0", "start: -1.0"),
        ("start: 1.0", "gram: [[1.0]]"),
        ("branch_exponent: 0.5", "branch_exponent: 0"),
        ("name: relu", "name: ornstein_uhlenbeck"),
        ("name: relu", "name: ornstein_uhlenbeck, alpha: 2.0"),
        ("name: relu", "name: ornstein_uhlenbeck, beta: 2.0"),
        ("name: relu", "name: tanh"),
    ]:
        path.write_text(RESIDUAL.replace(old, new))
        other = load_point(path).network
        assert network_from_physics(json.loads(json.dumps(other.physics()))) == other
        hashes.add(other.physics_hash)
    assert len(hashes) == 8
    path.write_text(RESIDUAL.replace("branch_exponent: 0.5\n", ""))
    assert load_point(path).network == network
    path.write_text(RESIDUAL.replace("start: 1.0", "correlation: 0.3"))
    assert load_point(path).network.normals_per_sample == 2 * 6 * 31

    path.write_text(LAYERED)
    layered = load_point(path).network
    assert (layered.width, layered.depth, layered.layer_widths) == (30, 3, (10, 20, 30))
    assert layered.normals_per_sample == 2 * 60
    assert network_from_physics(json.loads(json.dumps(layered.physics()))) == layered
    assert layered.physics_hash != replace(layered, layer_widths=(10, 30, 20)).physics_hash
    path.write_text(LAYERED.replace("[10, 20, 30]", "[30, 30, 30]"))
    uniform = load_point(path).network
    path.write_text(LAYERED.replace("[10, 20, 30]", "30\ndepth: 3"))
    assert load_point(path).network == uniform


def test_axes_of_starts_and_of_widths_per_layer(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_text(
        "title: Residual\n"
        "networks: [{architecture: resnet, activation: {name: relu}, branch_exponent: [0, 0.5]}]\n"
        "grid: {width: [1, 2], depth: [5, 6], start: [1.0, -2.0], zip: [depth, start]}\n"
    )
    networks = [point.network for point in load_study(path).points]
    assert [(n.branch_exponent, n.width, n.depth, n.start, n.gram) for n in networks[:3]] == [
        (0.0, 1, 5, 1.0, ((1.0,),)),
        (0.0, 1, 6, -2.0, ((4.0,),)),
        (0.0, 2, 5, 1.0, ((1.0,),)),
    ]
    assert len(networks) == 8
    path.write_text(
        "title: Layered\n"
        "networks: [{activation: {name: tanh}, shaping: {by: width}}]\n"
        "grid: {width: [[4, 8, 16], [5, 5], 7], depth: 2, correlation: 0.3}\n"
    )
    with pytest.raises(InputError, match="3, the length"):
        load_study(path)
    path.write_text(path.read_text().replace(", 7], depth: 2", "]"))
    networks = [point.network for point in load_study(path).points]
    assert [(n.width, n.depth, n.layer_widths) for n in networks] == [(16, 3, (4, 8, 16)), (5, 2, None)]


@pytest.mark.parametrize("name", SCHEMAS)
def test_schemas_are_those_of_the_models(name: str) -> None:
    """Regenerate with ``python -m deeplimits.sweep.schemas``."""
    path = Path(__file__).parent.parent / "workflow" / "schemas" / f"{name}.schema.json"
    assert path.read_text() == schema_text(name)
    for key, value in json.loads(path.read_text())["properties"].items():
        assert "description" in value, key
