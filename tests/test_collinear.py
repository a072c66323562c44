"""Inputs of one direction, whose product of rounded numbers may exceed that of their norms."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import deeplimits

ROOT = float(np.sqrt(2))
COLLINEAR = [[1.0, ROOT], [ROOT, 2.0]]
"""√2 · √2 > 2 in float64."""


def network(gram: list[list[float]], name: str, **keys: Any) -> dict[str, Any]:
    return {"activation": {"name": name}, "width": 20, "depth": 3, "inputs": {"gram": gram}, **keys}


@pytest.mark.parametrize("architecture", ["mlp", "rms_norm_mlp", "layer_norm_mlp"])
@pytest.mark.parametrize("name", ["relu", "identity"])
def test_they_stay_collinear_in_networks_that_are_homogeneous(architecture: str, name: str) -> None:
    gap = deeplimits.simulate(network(COLLINEAR, name, architecture=architecture), 64).correlation_gap
    assert float(gap.min()) >= 0 and float(gap.max()) < 1e-15


def test_the_law_is_that_of_one_direction() -> None:
    law = deeplimits.limit(network(COLLINEAR, "relu"))
    assert law.mean == 1 and law.std == 0 and law.about is not None and law.about.error == 0


@pytest.mark.parametrize("gram", [[[1.0, 2.0], [2.0, 4.0]], [[1.0, -2.0], [-2.0, 4.0]], COLLINEAR])
@pytest.mark.parametrize(("name", "shaping"), [("tanh", 0.75), ("tanh", 0.25), ("silu", 0.75)])
def test_no_error_of_0_is_stated_where_an_activation_that_bends_takes_them_apart(
    gram: list[list[float]], name: str, shaping: float
) -> None:
    law = deeplimits.limit(network(gram, name, shaping={"exponent": shaping}))
    assert law.std == 0 and law.about is not None and law.about.error == 1
