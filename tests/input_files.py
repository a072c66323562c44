"""Point and study files for the tests of what is read, and what an error must say."""

from __future__ import annotations

from pathlib import Path

from deeplimits.errors import InputError

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


def check(error: InputError, path: Path, key: str, found: str, expected: str, nearest: str | None) -> None:
    assert error.where == str(path)
    assert error.key.startswith(key) if key else error.key == ""
    assert found in str(error)
    assert expected in error.expected
    assert error.nearest == nearest
    assert "\n" not in str(error)
    assert str(path) in str(error)


def project(tmp_path: Path, config: str = "studies: all\n", **studies: str) -> Path:
    folder = tmp_path / "config" / "studies"
    folder.mkdir(parents=True)
    for name, text in studies.items():
        (folder / f"{name}.yaml").write_text(text)
    (folder.parent / "config.yaml").write_text(config)
    return folder.parent / "config.yaml"
