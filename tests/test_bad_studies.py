"""Bad studies and configurations: one clear message each (file, key, found, expected, nearest name), exit code 2, no
traceback, and nothing written."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from deeplimits.errors import InputError
from deeplimits.sweep.config import load_config
from deeplimits.sweep.study import load_study
from deeplimits.sweep.study_name import RESERVED
from forked import deeplimits
from input_files import POINT, STUDY, check, project

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
    (
        "figures: [ks_against_width]",
        "figures: [{figure: ks_against_widths}]",
        "figures.0.figure",
        "'ks_against_widths'",
        "one of",
        "ks_against_width",
    ),
    (
        "figures: [ks_against_width]",
        "figures: [{figure: ks_against_width, colours: {}}]",
        "figures.0.colours",
        "'colours'",
        "one of the keys",
        "colors",
    ),
    (
        "figures: [ks_against_width]",
        "figures: [{figure: ks_against_width, colors: {netwrk: black}}]",
        "figures.0.colors.netwrk",
        "'netwrk'",
        "one of the keys",
        "network",
    ),
    (
        "figures: [ks_against_width]",
        "figures: [{figure: ks_against_width, colors: {limit: oragne}}]",
        "figures.0.colors.limit",
        "'oragne'",
        "a colour of Matplotlib",
        "orange",
    ),
    (
        "figures: [ks_against_width]",
        "figures: [{figure: ks_against_width, colors: {limit: 0.4}}]",
        "figures.0.colors.limit",
        "0.4",
        "text",
        None,
    ),
    (
        "figures: [ks_against_width]",
        "figures: [ks_against_width, {figure: ks_against_width, title: Again}]",
        "figures.1",
        "'ks_against_width'",
        "each value once",
        None,
    ),
    ("samples: 4096", "samples: 0", "samples", "0", "≥ 1", None),
    ("samples: 4096", "samples: 1", "samples", "1", "2 or more: a rate", None),
    (
        "name: relu",
        "name: LeakyReLU",
        "networks.0.activation.name",
        "'LeakyReLU'",
        "one of relu",
        "leaky_relu",
    ),
    ("architecture: mlp", "architecture: ResNet", "networks.0.architecture", "'ResNet'", "mlp", "resnet"),
    (
        "depth: {times_width: 1.0}",
        "depth: width",
        "grid.depth",
        "'width'",
        "a whole number, a list or a mapping of keys to values",
        None,
    ),
    (
        "figures: [ks_against_width]",
        "figures: ks_against_width",
        "figures",
        "'ks_against_width'",
        "a list, such as [ks_against_width]",
        None,
    ),
    ("layers: 2", "layers: many", "record.layers", "'many'", "a whole number, a list or all", None),
    ("samples: 4096", "samples: 1e4", "samples", "1e4", "a whole number", None),
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
        "0",
        "only a resnet",
        None,
    ),
    ("correlation: [0.3]", "start: [1.0]", "grid.start", "1.0", "only a resnet", None),
    ("correlation: [0.3]", "correlation: [0.3], start: [1.0]", "grid", "start", "exactly one", None),
    (", depth: {times_width: 1.0}", "", "grid.depth", "nothing", "no default", None),
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


def test_more_blocks_than_can_be_planned_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_text(re.sub(r"samples: \d+", f"samples: {2**34}", STUDY))
    with pytest.raises(InputError, match=r"samples: found 17,179,869,184 .*at most 500,000 blocks"):
        load_study(path)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "nothing"),
        ("- a\n- b", "['a', 'b']"),
        ("a: [1, 2", "line"),
        ("\x00", "special characters"),
        ("!!python/object:os.system {}", "constructor for the tag"),
        ("? [1]\n: 2", "a plain name"),
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


@pytest.mark.slow
def test_the_command_line_says_one_sentence_and_starts_nothing(tmp_path: Path) -> None:
    config = project(tmp_path, one=STUDY.replace("name: relu", "name: rleu"))
    results = tmp_path / "results"
    results.mkdir()
    for arguments in (["plan"], ["status"], ["aggregate", "one"], ["figure", "one/ks_against_width"]):
        done = deeplimits(*arguments, "--config", str(config), "--results", str(results))
        assert done.returncode == 2
        assert done.stderr.count("\n") == 1 and "Traceback" not in done.stderr
        assert (
            "one.yaml: networks.0.activation.name: found 'rleu'" in done.stderr
            and "did you mean 'relu'?" in done.stderr
        )
        assert not list(results.iterdir())
    point = tmp_path / "point.yaml"
    point.write_text(POINT.replace("width: 150", "width: 0"))
    done = deeplimits("simulate", str(point), "--out", str(results / "x.zarr.zip"))
    assert done.returncode == 2 and "width: found 0" in done.stderr and not list(results.iterdir())


def test_a_comparison_that_cannot_start_is_refused_with_the_condition(tmp_path: Path) -> None:
    """An input that a limit has no law for, such as ρ₀ = −1 under the ODE of a residual network."""
    path = tmp_path / "study.yaml"
    path.write_text(
        "title: Opposite\n"
        "networks: [{architecture: resnet, activation: {name: relu}}]\n"
        "grid: {width: 8, depth: 4, correlation: -1.0}\n"
        "compare: [{observable: correlation, limit: resnet_ode}]\n"
    )
    with pytest.raises(InputError, match="correlation") as caught:
        load_study(path)
    assert caught.value.key == "compare.0.limit" and "; " in caught.value.expected


@pytest.mark.parametrize(
    ("record", "compare", "expected"),
    [
        ("output: true", "{observable: output, limit: mckean_vlasov, at: 0.5}", "layer 2 has none"),
        ("output: true", "{observable: output, limit: mckean_vlasov, at: 0.0}", "layer 0 has none"),
    ],
)
def test_a_time_whose_layer_has_no_such_number_is_refused(
    tmp_path: Path, record: str, compare: str, expected: str
) -> None:
    """And not held against the law of another layer."""
    path = tmp_path / "study.yaml"
    path.write_text(
        "title: Times\n"
        "networks: [{architecture: resnet, activation: {name: relu}}]\n"
        f"grid: {{width: 8, depth: 4, correlation: 0.3}}\nrecord: {{layers: 3, {record}}}\ncompare: [{compare}]\n"
    )
    with pytest.raises(InputError) as caught:
        load_study(path)
    assert caught.value.key == "compare.0.at" and expected in caught.value.expected


RULES = re.compile(r"^rule (\w+):", re.MULTILINE)


@pytest.mark.parametrize(
    ("name", "expected", "nearest"),
    [
        ("größe", "letters from a to z", "gr-e"),
        ("-rf", "begins with a letter", "rf"),
        ("a b", "letters from a to z", "a-b"),
        ("a.b", "letters from a to z", "a-b"),
        ("2022", "begins with a letter", None),
        ("x" * 200, "at most 100 letters", None),
        ("claims", "a rule of this one", "claims-study"),
        ("All", "a rule of this one", "All-study"),
        ("ks_against_width", "the figure", "ks-against-width"),
    ],
)
def test_a_study_is_named_as_files_and_targets_are(
    tmp_path: Path, name: str, expected: str, nearest: str | None
) -> None:
    path = tmp_path / f"{name}.yaml"
    path.write_text(STUDY)
    with pytest.raises(InputError) as caught:
        load_study(path)
    assert caught.value.where == str(path) and expected in caught.value.expected
    assert caught.value.nearest == nearest


def test_no_study_takes_the_name_of_a_rule_or_target_of_the_workflow() -> None:
    """Every rule that is written out in the workflow is reserved."""
    root = Path(__file__).parent.parent
    files = [root / "Snakefile", *(root / "workflow" / "rules").glob("*.smk")]
    rules = {name for file in files for name in RULES.findall(file.read_text(encoding="utf-8"))}
    assert len(rules) > 5 and rules <= set(RESERVED)
