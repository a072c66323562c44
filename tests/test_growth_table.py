"""The mean growth that a study asks for is in its store, and decides between the printed and the corrected
formula.
"""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from deeplimits.analysis.growth import mean_log_growth, mean_log_growths
from deeplimits.analysis.growth_table import growth_table
from deeplimits.engines.sde.residual_paths import residual_paths
from deeplimits.errors import InputError
from tiny import STUDY, project, reduced, simulated

GROWTH = """
title: Growth
networks:
  - {architecture: resnet, activation: {name: relu}}
  - {architecture: resnet, activation: {name: identity}}
grid: {width: [1, 4], depth: [10, 20], gram: [[4.0]], seed: 3}
samples: 64
record: {layers: 2}
growth: {times: [0.2, 1.0], depths: [25, 50, 100], samples: 65536}
"""


def test_the_table_has_a_row_for_each_law_and_time_and_decides(tmp_path: Path) -> None:
    """Means lie within 4 standard errors of the exact ones, which fails by chance once in 1,000 runs; of four
    units at t = 1 the printed mean of ReLU lies more than 6 away, and the corrected one less far, below.
    """
    study = project(tmp_path, GROWTH).study("tiny")
    found = growth_table(study)
    rows = {
        (str(network), int(width), float(time)): index
        for index, (network, width, time) in enumerate(
            zip(found["network"].values, found["width"].values, found["time"].values, strict=True)
        )
    }
    relu, linear = "ResNet, ReLU", "ResNet, linear"
    assert set(rows) == {(name, n, t) for name in (relu, linear) for n in (1, 4) for t in (0.2, 1.0)}
    assert (found["seed"] == 3).all()
    score = ((found["mean"] - found["printed"]) / found["error"]).values
    for network, width, time in ((relu, 1, 0.2), (relu, 1, 1.0), (linear, 4, 1.0), (linear, 1, 1.0)):
        assert abs(score[rows[network, width, time]]) < 4, (network, width, time)
    at = rows[relu, 4, 1.0]
    assert score[at] < -6
    assert found["corrected"].values[at] < found["mean"].values[at] < found["printed"].values[at]
    assert found["printed"].values[at] == pytest.approx(1 / 4 / (1 - 1 / 16) - 1 / 4)
    assert np.isnan(found["corrected"].values[rows[linear, 4, 1.0]])
    # a network of one unit is half constant, half a geometric Brownian motion; of four each is nearer to the
    # Gaussian, and far above the noise of 0.869/√65536 = 0.003
    distance, error = found["unit_estimate"].values, found["unit_error"].values
    assert distance[rows[relu, 1, 1.0]] > 0.1
    assert 0.03 < distance[at] < distance[rows[relu, 1, 1.0]] / 2
    assert (error > 0).all()
    assert error[at] < 0.003


def test_a_time_gives_the_same_bits_alone_as_among_others() -> None:
    depths, times, samples = (10, 20), (0.2, 0.7, 1.0), 3000
    together = mean_log_growths(3, times, depths, samples, seed=2, slopes=(1.0, -0.5))
    for time, found in zip(times, together, strict=True):
        alone = mean_log_growth(3, depths, samples, 2, time, slopes=(1.0, -0.5))
        for field in fields(found):
            np.testing.assert_array_equal(getattr(found, field.name), getattr(alone, field.name))


def test_the_unit_of_a_path_is_its_first() -> None:
    """Of one unit it is all there is; of three its mean square is a third of all, to 5 standard errors."""
    alone = residual_paths(1, (4, 8), (0.0, 1.0), 0, 64)
    np.testing.assert_allclose(2 * np.log(np.abs(alone.unit)), alone.log_square, atol=1e-6)
    three = residual_paths(3, (4, 8), (0.0, 1.0), 0, 1 << 14)
    difference = 3 * three.unit**2 - np.exp(three.log_square)
    error = difference.std(axis=0) / np.sqrt(len(difference))
    assert (np.abs(difference.mean(axis=0)) < 5 * error).all()


def test_the_store_keeps_it_and_scale_makes_it_larger(tmp_path: Path) -> None:
    config = project(tmp_path, GROWTH.replace("65536", "1024"))
    simulated(config)
    study = config.study("tiny")
    kept = reduced(config)["growth"]
    assert kept.equals(growth_table(study))
    assert kept.sizes["growth"] == 8
    assert study.growth is not None
    assert study.growth.samples == 1024
    from deeplimits.sweep.study import load_study

    larger = load_study(study.path, scale=64).growth
    assert larger is not None
    assert larger.samples == 64 * 1024


def test_a_study_that_asks_for_none_has_an_empty_table(tmp_path: Path) -> None:
    assert growth_table(project(tmp_path, STUDY).study("tiny")).sizes["growth"] == 0


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("depths: [25, 50, 100]", "depths: [25, 40, 100]", "growth.depths.1"),
        ("depths: [25, 50, 100]", "depths: [100, 50, 100]", "growth.depths.2"),
        ("times: [0.2, 1.0]", "times: [0.2, 0.25]", "growth.times.1"),
        ("times: [0.2, 1.0]", "times: [0.2, 1.5]", "growth.times.1"),
        ("samples: 65536", "sample: 65536", "growth.sample"),
        ("gram: [[4.0]]", "start: 1.0", "growth"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_runs(
    tmp_path: Path, old: str, new: str, key: str
) -> None:
    config = project(tmp_path, GROWTH.replace(old, new))
    with pytest.raises(InputError) as error:
        config.study("tiny")
    assert error.value.key == key
