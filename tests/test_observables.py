"""Observables of any inputs: one reading of their names, and the right column of what is stored."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

import deeplimits
from deeplimits.activations import ReluLike
from deeplimits.analysis.columns import Samples
from deeplimits.analysis.reduce import reduce_marginals
from deeplimits.api import limit
from deeplimits.engines import simulate_block
from deeplimits.errors import InputError
from deeplimits.limits import registry
from deeplimits.networks.network import Gram, Network, Shaping
from deeplimits.observables import Observable, pair_index, parse
from deeplimits.sweep.study import load_study
from held_blocks import Held

GRAM = ((1.0, 0.3, -0.2), (0.3, 2.0, 0.5), (-0.2, 0.5, 0.7))
NETWORK = Network(ReluLike(0.5, -0.5), 100, 100, GRAM, shaping=Shaping("width", 0.5))


def test_names_are_read_and_written() -> None:
    for name in ("correlation", "correlation_0_2", "log_variance_1", "rescaled_correlation_1_2", "output_3"):
        assert parse(name).name == name
    assert parse("correlation_0_1") == parse("correlation") == Observable("correlation", (0, 1))
    assert parse("variance_0").name == "variance"
    for inputs in range(2, 9):
        pairs = list(combinations(range(inputs), 2))
        assert [pair_index(a, b, inputs) for a, b in pairs] == list(range(len(pairs)))


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("corelation_0_2", "correlation_0_2"),
        ("correlation_2_0", "correlation_0_2"),
        ("log_varience_1", "log_variance_1"),
        ("correlation_1", None),
        ("correlation_1_1", None),
        ("variance_0_1", None),
        ("correlation_0_1_2", None),
        ("17", None),
        ("", None),
    ],
)
def test_what_is_no_observable_gets_the_nearest_name(name: str, nearest: str | None) -> None:
    with pytest.raises(InputError) as caught:
        parse(name, "study.yaml", "compare.0.observable")
    assert caught.value.nearest == nearest
    assert "compare.0.observable" in str(caught.value)


def test_every_observable_has_the_column_of_its_inputs() -> None:
    generator = np.random.default_rng(0)
    held = Held(
        log_variance=generator.normal(size=(500, 2, 3)).astype(np.float32),
        correlation_gap=generator.uniform(0, 2, size=(500, 2, 3)).astype(np.float32),
        output=generator.normal(size=(500, 3)).astype(np.float32),
    )
    gap, log_variance = held.read("correlation_gap").astype(float), held.read("log_variance").astype(float)
    expected = {
        "correlation_0_2": 1 - gap[:, 1, 1],
        "correlation_1_2": 1 - gap[:, 1, 2],
        "log_variance_2": log_variance[:, 1, 2],
        "variance_1": np.exp(log_variance[:, 1, 1]),
        "covariance_1_2": (1 - gap[:, 1, 2]) * np.exp((log_variance[:, 1, 1] + log_variance[:, 1, 2]) / 2),
        "output_1": held.read("output")[:, 1].astype(float),
    }
    reduced = reduce_marginals(
        Samples(Network(ReluLike(), 8, 7, GRAM), [(held, 500)]), [(name, 1, 7) for name in expected]
    )
    for kept, (name, values) in zip(reduced, expected.items(), strict=True):
        assert kept.mean == pytest.approx(values.mean(), rel=1e-6), name
        assert kept.quantiles[3] == pytest.approx(np.median(values), abs=2e-2), name


def test_a_limit_of_other_inputs_is_that_of_the_network_that_sees_them_alone() -> None:
    alone = replace(NETWORK, gram=((2.0, 0.5), (0.5, 0.7)))
    levels = np.array([0.1, 0.5, 0.9])
    for name, other in (("correlation_1_2", "correlation"), ("log_variance_1", "log_variance")):
        np.testing.assert_array_equal(
            limit(NETWORK, name).quantile(levels), limit(alone, other).quantile(levels)
        )
    assert registry()["variance"].marginals(NETWORK, [100], "variance_2")[0].mean == pytest.approx(0.7)
    with pytest.raises(InputError, match="at least 4 inputs"):
        limit(NETWORK, "correlation_0_3")


STUDY = """
title: Three inputs
networks: [{activation: {name: relu, c_plus: 0.5, c_minus: -0.5}, shaping: {exponent: 0.5}}]
grid: {width: 8, depth: 8, gram: [[1.0, 0.3, -0.2], [0.3, 2.0, 0.5], [-0.2, 0.5, 0.7]]}
compare: [{observable: OBSERVABLE, limit: LIMIT}]
"""


def test_a_study_checks_its_observables(tmp_path: Path) -> None:
    def study(observable: str, limit: str = "correlation_sde") -> str:
        path = tmp_path / "three.yaml"
        path.write_text(STUDY.replace("OBSERVABLE", observable).replace("LIMIT", limit))
        return load_study(path).compare[0].observable

    assert study("correlation_0_1") == "correlation"
    assert study("correlation_1_2") == "correlation_1_2"
    assert study("variance_2", "variance") == "variance_2"
    with pytest.raises(InputError, match="correlation_0_2"):
        study("corelation_0_2")
    with pytest.raises(InputError, match="what the study records"):
        study("correlation_0_3")
    with pytest.raises(InputError, match="one that correlation_sde speaks of"):
        study("log_variance_1")


@pytest.mark.parametrize("architecture", ["mlp", "resnet"])
@pytest.mark.parametrize("gram", [((1e300, 3e299), (3e299, 1e300)), ((1e-300, 3e-301), (3e-301, 1e-300))])
@pytest.mark.parametrize(
    ("observable", "others"),
    [("covariance", ("log_variance", "correlation")), ("ntk_cross", ("log_ntk", "ntk_alignment"))],
)
def test_products_that_float32_does_not_hold_are_refused(
    gram: Gram, architecture: str, observable: str, others: tuple[str, str]
) -> None:
    """They would pass for those of dead networks, or of inputs without a correlation."""
    network = Network(ReluLike(), 8, 2, gram, architecture=architecture)
    arrays = simulate_block(network, range(3), 0, 64, gradients=True)
    with pytest.raises(InputError, match=rf"{observable}.*that float32 holds, .* {' and '.join(others)}"):
        parse(observable).of_arrays(arrays, 2, 2, network)
    for other in others:
        assert np.isfinite(parse(other).of_arrays(arrays, 2, 2, network)).mean() > 0.9


@pytest.mark.parametrize("architecture", ["mlp", "resnet"])
def test_arrays_of_other_layers_or_inputs_are_refused(architecture: str) -> None:
    """A kernel of some layers, or the pair of another, would pass for what is asked for."""
    three = tuple(tuple(1.0 if a == b else 0.3 for b in range(3)) for a in range(3))
    network = Network(ReluLike(), 6, 3, three, architecture=architecture)
    whole, some, bare = (
        deeplimits.simulate(network, 4, layers=layers, gradients=gradients)
        for layers, gradients in (("all", True), ([1, 3], True), ("all", False))
    )
    for name in ("log_ntk", "ntk", "ntk_0_2", "ntk_alignment_1_2", "ntk_condition"):
        assert parse(name).of_arrays(whole, 3, 3, network).shape == (4,)
        for arrays, record, layer, said in (
            (some, 1, 3, "layer 3 of 2 records, expected layer 3 of records of all layers"),
            (whole, 3, 2, "layer 2 of 4 records, expected layer 3"),
            (
                bare,
                3,
                3,
                "variables: found none, expected .*gradient_log_norm, as of a simulation with gradients",
            ),
        ):
            with pytest.raises(InputError, match=said):
                parse(name).of_arrays(arrays, record, layer, network)
    for name in ("correlation_0_3", "log_variance_3", "ntk_0_3", "ntk_3"):
        with pytest.raises(InputError, match="one of inputs 0 to 2"):
            parse(name).of_arrays(whole, 3, 3, network)
    for arrays, record, layer, said in (
        (whole, 4, 4, "found 4, expected one of 4 records"),
        (whole, 2, 3, "found 3, expected layer 2, that of record 2"),
        (some, 0, 0, "found 0, expected layer 1, that of record 0"),
    ):
        with pytest.raises(InputError, match=said):
            parse("correlation").of_arrays(arrays, record, layer, network)
    with pytest.raises(InputError, match=r"found none, expected output, as of a simulation with output"):
        parse("output").of_arrays(whole, 3, 3, network)
    if architecture == "resnet":
        with pytest.raises(InputError, match="found 1, expected layer 0 as the first record"):
            parse("log_growth").of_arrays(some, 1, 3, network)
