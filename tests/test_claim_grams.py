"""Statistics of Gram matrices on stores of one linear layer, whose moments are those of a Wishart law."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from deeplimits.analysis.groups import GROUPS, entry_index
from deeplimits.claims.evidence import Evidence
from known_stores import statistic, store, verdict
from tiny import project, reduced, simulated

GRAM = np.array([[1.0, 0.3, -0.2], [0.3, 1.5, 0.4], [-0.2, 0.4, 0.8]])


def wishart(width: int, count: int, gram: np.ndarray, seed: int) -> np.ndarray:
    """V of one linear layer: its covariances are those of Isserlis' theorem, exactly."""
    vectors = np.linalg.cholesky(gram) @ np.random.default_rng(seed).standard_normal(
        (count, len(gram), width)
    )
    return vectors @ vectors.transpose(0, 2, 1) / width


@pytest.mark.parametrize("entries", [[[1, 1], [1, 1]], [[1, 2], [1, 3]], [[2, 3], [1, 2]], [[1, 1], [2, 3]]])
def test_covariances_of_a_linear_layer(entries):
    """Five standard errors; the transposed or shifted entry is off by more (planted)."""
    samples = wishart(8, GROUPS * 512, GRAM, 6)
    point = {"gram": samples, "gram_0": GRAM, "inputs": 3, "depth": 1, "correlation_0": 0.3}
    keys = {"moment": "covariance", "entries": entries, "times_width": 1.0}
    effect = statistic("gram", **keys, expected="isserlis").effects(store([point]))[0]
    assert abs(effect.value) < 5 * effect.error
    assert effect.error < 0.1
    wrong = store([point | {"gram_0": np.diag(np.diag(GRAM)) * 1.5}])
    off = statistic("gram", **keys, expected="isserlis").effects(wrong)[0]
    assert abs(off.value) > 5 * off.error


def test_means_products_and_determinants_of_a_linear_layer():
    two = np.array([[1.0, 0.3], [0.3, 1.0]])
    samples = wishart(8, GROUPS * 512, two, 9)
    evidence = store([{"gram": samples, "gram_0": two, "inputs": 2, "correlation_0": 0.3}])
    exact = {
        "mean": ([[1, 2]], 0.3),
        "product": ([[1, 2], [1, 2]], 0.09 + (1 + 0.09) / 8),
        "determinant": ([], 0.91 * 7 / 8),
    }
    for name, (entries, value) in exact.items():
        chosen = statistic("gram", moment=name, entries=entries, expected=value)
        effect = chosen.effects(evidence)[0]
        assert abs(effect.value) < 5 * effect.error < 0.05, name
        assert verdict(evidence, chosen, 10 * effect.error) == "holds"


def test_place_of_a_pair():
    for inputs in (1, 2, 3, 4):
        pairs = zip(*np.triu_indices(inputs), strict=True)
        for place, (a, b) in enumerate(pairs):
            assert entry_index(inputs, int(a), int(b)) == entry_index(inputs, int(b), int(a)) == place


def test_entries_of_fewer_inputs_are_where_their_labels_say(tmp_path: Path) -> None:
    config = project(
        tmp_path,
        """
title: One, two and three inputs
networks:
  - {activation: {name: relu}}
  - {activation: {name: relu}, grid: {gram: [[1.0, 0.1], [0.1, 2.0]]}}
  - {activation: {name: relu}, grid: {gram: [[1.0, 0.1, 0.2], [0.1, 2.0, 0.3], [0.2, 0.3, 3.0]]}}
grid: {width: 4, depth: 3, gram: [[1.5]]}
samples: 256
record: {layers: 2}
""",
    )
    simulated(config)
    held = reduced(config)["groups"]
    for place, point in enumerate(config.study("tiny").points):
        gram, inputs = point.network.gram, point.network.inputs
        entries = zip(held.gram_row.values, held.gram_column.values, strict=True)
        expected = [gram[a][b] if b < inputs else np.nan for a, b in entries]
        np.testing.assert_array_equal(held.gram_0.values[place], expected)
        known = np.isfinite(expected)
        assert (np.isfinite(held.gram_mean.values[place]).any(axis=0) == known).all()
        assert (np.isfinite(held.gram_product.values[place]).any(axis=0) == np.outer(known, known)).all()
        setting = Evidence({"/moments": reduced(config)["moments"], "/groups": held}).setting(place, [])
        np.testing.assert_array_equal(setting.gram, gram)
