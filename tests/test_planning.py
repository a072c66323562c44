"""Plans of large sweeps: names worked out for whole families of points are those of each point, and jobs are few."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from deeplimits.activations import ReluLike
from deeplimits.networks.network import Network
from deeplimits.sweep.blocks import Block
from deeplimits.sweep.config import load_config
from deeplimits.sweep.families import Family
from deeplimits.sweep.plan import make_plan
from deeplimits.sweep.points import Point
from deeplimits.sweep.study import Study, read_study

MANY = """
title: Many points
networks: [{{activation: {{name: relu}}, shaping: {{by: width, exponent: 0.5}}}}]
grid: {{width: {width}, depth: {width}, correlation: [0.0, 0.5], seed: [{seeds}]}}
samples: 1024
"""


def many(folder: Path, width: int, seeds: int) -> Study:
    path = folder / f"many-{width}.yaml"
    path.write_text(MANY.format(width=width, seeds=", ".join(map(str, range(seeds)))))
    return read_study(path)


def fresh(point: Point) -> Point:
    """The same point, whose network has yet to work out its name."""
    return replace(point, network=replace(point.network))


def assert_names_are_those_of_its_points(family: Family, samples: int) -> None:
    names = list(family.block_names(samples))
    assert len(names) == len(family.points) == len(family.variants)
    for point, hashed, blocks in zip(family.points, family.fingerprints, names, strict=True):
        alone = fresh(point)
        assert alone == point and point.network.fingerprint == alone.network.fingerprint == hashed
        assert blocks == tuple(Block(alone, index).id for index in range(len(blocks)))
        assert Block(alone, 0).bytes == family.bytes_per_block


def test_a_family_names_every_point_of_the_shipped_studies_as_the_point_does() -> None:
    config = load_config()
    for name in config.study_names:
        for family in read_study(config.study_path(name)).families:
            assert_names_are_those_of_its_points(family, 8193)


def test_a_zero_has_no_sign_in_the_name_of_a_family() -> None:
    grams = [((1.0, zero), (zero, 2)) for zero in (0.0, -0.0, 0)]
    network = Network(ReluLike(), 8, 12, grams[0])
    family = Family(Point(network, (0, 12), True, True), tuple((gram, 3) for gram in grams))
    assert len(set(family.fingerprints)) == 1
    assert_names_are_those_of_its_points(family, 1)


@pytest.mark.parametrize(("width", "seeds", "most"), [(512, 500, 200), (2048, 500, 950)])
def test_jobs_grow_before_they_become_many(tmp_path: Path, width: int, seeds: int, most: int) -> None:
    study = many(tmp_path, width, seeds)
    plan = make_plan([study], {}, 1.0)
    assert plan.blocks_missing == 2 * seeds and len(plan.batches) <= most
    blocks = [block.id for batch in plan.batches for block in batch.blocks]
    assert blocks == [Block(fresh(point), 0).id for point in study.points]
