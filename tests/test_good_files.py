"""What is read from good files, and the schemas that describe them."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
import yaml

from deeplimits.activations import Identity, ReluLike
from deeplimits.errors import InputError
from deeplimits.networks.network import Network, Shaping
from deeplimits.schemas import SCHEMAS, schema_text
from deeplimits.sweep.point_files import load_point
from deeplimits.sweep.points import network_from_form
from deeplimits.sweep.study import load_study
from input_files import LAYERED, POINT, RESIDUAL, STUDY


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
    assert other.network.fingerprint == point.network.fingerprint
    path.write_text(
        POINT.replace("c_minus: -1", "c_minus: -1.0")
        .replace("c_plus: 0.0", "c_plus: -0.0")
        .replace("seed: 0\n", "")
    )
    assert load_point(path).network.fingerprint == point.network.fingerprint
    path.write_text(POINT.replace("name: relu, c_plus: 0.0, c_minus: -1", "name: identity"))
    assert load_point(path).network.activation == Identity()
    assert load_point(path).network.canonical_form()["shaping"] is None


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
    hashes = {network.fingerprint}
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
        assert network_from_form(json.loads(json.dumps(other.canonical_form()))) == other
        hashes.add(other.fingerprint)
    assert len(hashes) == 8
    path.write_text(RESIDUAL.replace("branch_exponent: 0.5\n", ""))
    assert load_point(path).network == network
    path.write_text(RESIDUAL.replace("start: 1.0", "correlation: 0.3"))
    assert load_point(path).network.normals_per_sample == 2 * 6 * 31

    path.write_text(LAYERED)
    layered = load_point(path).network
    assert (layered.width, layered.widest, layered.depth) == ((10, 20, 30), 30, 3)
    assert layered.normals_per_sample == 2 * 60
    assert network_from_form(json.loads(json.dumps(layered.canonical_form()))) == layered
    assert layered.fingerprint != replace(layered, width=(10, 30, 20)).fingerprint
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
    assert [(n.width, n.depth) for n in networks] == [((4, 8, 16), 3), (5, 2)]


@pytest.mark.parametrize(
    ("kind", "pattern"),
    [("study", "config/studies/*.yaml"), ("claims", "claims/*"), ("config", "config/*.yaml")],
)
def test_shipped_files_name_their_schema_and_fulfil_it(kind: str, pattern: str) -> None:
    schema = jsonschema.Draft202012Validator(json.loads(schema_text(kind)))
    for path in Path(__file__).parent.parent.glob(pattern):
        text = path.read_text(encoding="utf-8")
        named = re.match(r"# yaml-language-server: \$schema=(\S+)\n", text)
        assert named and (path.parent / named[1]).resolve().name == f"{kind}.schema.json", path
        assert (path.parent / named[1]).is_file(), path
        schema.validate(yaml.safe_load(text))


@pytest.mark.parametrize("name", SCHEMAS)
def test_schemas_describe_every_key(name: str) -> None:
    schema = json.loads(schema_text(name))
    for model in (schema, *schema["$defs"].values()):
        for key, value in model.get("properties", {}).items():
            # the name of a statistic is described by its model
            assert "description" in value or "const" in value, (model["title"], key)


@pytest.mark.parametrize(
    ("network", "fits"),
    [
        ({"activation": {"name": "relu", "c_plus": [0.0, 0.5]}, "shaping": {"exponent": [0.5, 1.0]}}, True),
        ({"activation": {"name": ["relu", "tanh"]}, "grid": {"depth": 3}}, True),
        ({"architecture": "resnet", "activation": {"name": "relu"}, "branch_exponent": [0, 0.5]}, True),
        ({"architecture": ["mlp", "rms_norm_mlp"], "activation": {"name": "relu"}}, True),
        ({"activation": {"name": "relu", "slope": 0.1}}, False),
        ({"activation": {"name": "relu"}, "branch_exponent": 0.5}, False),
        ({"architecture": "resnet", "activation": {"name": "relu"}, "shaping": {"exponent": 1}}, False),
        ({"architecture": "layer_norm_mlp", "activation": {"name": "tanh"}}, False),
    ],
)
def test_the_schema_of_studies_knows_what_each_architecture_and_activation_has(
    network: dict[str, object], fits: bool
) -> None:
    schema = jsonschema.Draft202012Validator(json.loads(schema_text("study")))
    study = {"title": "A study", "networks": [network], "grid": {"width": 8, "depth": 2, "correlation": 0.3}}
    assert schema.is_valid(study) == fits
