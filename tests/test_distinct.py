"""A study has each value once and each point once: whatever stands twice is one message, whatever the spelling."""

from __future__ import annotations

from pathlib import Path

import pytest

from deeplimits.errors import InputError
from deeplimits.sweep.study import load_study, read_study

RELU = "{activation: {name: relu, c_plus: 0.5, c_minus: -0.5}, shaping: {by: width, exponent: 0.5}}"
STUDY = f"""
title: A study
networks:
  - {RELU}
grid: {{width: [8, 16], depth: {{times_width: 1.0}}, correlation: [0.3], seed: [0]}}
samples: 64
record: {{layers: [0, 1]}}
compare: [{{observable: correlation, limit: matched_sde, distances: [ks]}}]
figures: [ks_against_width]
"""


def read(folder: Path, *changes: tuple[str, str]) -> Path:
    text = STUDY
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = folder / "study.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("key", "found", "changes"),
    [
        ("grid.width.1", "8", [("[8, 16]", "[8, 8]")]),
        ("grid.width.2", "[8, 9]", [("[8, 16], depth: {times_width: 1.0}", "[[8, 9], [9, 8], [8, 9]]")]),
        ("grid.depth.2", "4", [("{times_width: 1.0}", "[4, 5, 4]")]),
        ("grid.correlation.1", "0.3", [("[0.3]", "[0.3, 0.30]")]),
        ("grid.correlation.1", "-0.0", [("[0.3]", "[0.0, -0.0]")]),
        ("grid.correlation.1", "1.0", [("[0.3]", "[1, 1.0]")]),
        ("grid.seed.1", "0", [("[0]", "[0, 0]")]),
        ("grid.zip.1", "'width'", [("seed: [0]", "seed: [0, 1], zip: [width, width]")]),
        ("grid.zip.1", "[8, 1]", [("[8, 16]", "[8, 8]"), ("[0]", "[1, 1], zip: [width, seed]")]),
        ("networks.0.activation.c_plus.1", "0.5", [("c_plus: 0.5", "c_plus: [0.5, 0.50]")]),
        ("networks.0.shaping.exponent.2", "1.0", [("exponent: 0.5", "exponent: [1, 2, 1.0]")]),
        ("networks.0.grid.width.1", "8", [("exponent: 0.5}}", "exponent: 0.5}, grid: {width: [8, 8]}}")]),
        ("networks.1", "networks.0", [("grid: {w", f"  - {RELU.replace('0.5', '0.50')}\ngrid: {{w")]),
        ("networks.1", "networks.0", [("grid: {w", f"  - {RELU[:-1]}, grid: {{width: 16}}}}\ngrid: {{w")]),
        ("networks.0", "by two", [("width, exponent: 0.5", "[width, depth], exponent: 0")]),
        (
            "networks.0",
            "by two",
            [("relu, c_plus: 0.5, c_minus: -0.5", "identity"), ("exponent: 0.5", "exponent: [0, 1]")],
        ),
        ("networks.0", "by two", [("[8, 16]", "[[8, 8], 8]"), ("{times_width: 1.0}", "2")]),
        (
            "networks.1",
            "tanh(x)",
            [
                (
                    RELU,
                    "{activation: {name: tanh}}\n  - {activation: {name: expression, expression: tanh( x )}}",
                ),
                ("correlation: [0.3]", "gram: [[1.0, 0.3], [0.3, 1.0]]"),
            ],
        ),
        ("record.layers.2", "1", [("[0, 1]", "[0, 1, 1]")]),
        ("figures.1", "ks_against_width", [("[ks_against_width]", "[ks_against_width, ks_against_width]")]),
        ("compare.0.distances.1", "ks", [("[ks]", "[ks, ks]")]),
    ],
)
def test_what_stands_twice_is_refused(
    tmp_path: Path, key: str, found: str, changes: list[tuple[str, str]]
) -> None:
    path = read(tmp_path, *changes)
    with pytest.raises(InputError) as caught:
        load_study(path)
    assert (caught.value.where, caught.value.key) == (str(path), key)
    assert found in str(caught.value)
    assert "once" in caught.value.expected


@pytest.mark.parametrize(
    ("points", "changes"),
    [
        (4, [("seed: [0]", "seed: [4611686018427387904, 4611686018427387905]")]),
        (2, [("[8, 16]", "[8, 8]"), ("[0]", "[0, 1], zip: [width, seed]")]),
        (2, [("[8, 16]", "[[8, 8], [8, 9]]"), ("depth: {times_width: 1.0}, ", "")]),
        (4, [("c_plus: 0.5", "c_plus: [0.5, 0.50000001]")]),
        (4, [("width, exponent: 0.5", "[width, depth], exponent: 0.5")]),
        (4, [("grid: {w", "  - {activation: {name: relu}, shaping: {exponent: 0.5}}\ngrid: {w")]),
    ],
)
def test_what_differs_in_the_last_digit_is_kept(
    tmp_path: Path, points: int, changes: list[tuple[str, str]]
) -> None:
    study = load_study(read(tmp_path, *changes))
    assert len({point.network.fingerprint for point in study.points}) == points == len(study.points)
    assert read_study(study.path) == study
