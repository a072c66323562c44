"""NaN is never an answer: over architecture × activation × inputs × observable × layer, a prediction is numbers,
infinities that say why, or one message that says what can be asked.
"""

from __future__ import annotations

import itertools
import json
import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deeplimits.analysis.beside import drawn
from deeplimits.api import predict, simulate
from deeplimits.errors import InputError
from deeplimits.limits import registry
from deeplimits.limits.mlp import covariance, sampled
from deeplimits.limits.resnet import hayou_sampled
from deeplimits.networks.network import Network
from deeplimits.observables import OBSERVABLES
from deeplimits.store.strict_json import strict_json as strictly_written
from deeplimits.sweep.point_files import point_of
from tiny import strict_json


def some_of(cells: list[Any], count: int, seed: int) -> list[Any]:
    return [cells[i] for i in np.random.default_rng(seed).choice(len(cells), count, replace=False)]


ACTIVATIONS: dict[str, dict[str, Any]] = {
    "relu": {"activation": {"name": "relu"}},
    "leaky": {"activation": {"name": "relu", "c_minus": -0.5}},
    "identity": {"activation": {"name": "identity"}},
    "tanh": {"activation": {"name": "tanh"}},
    "gelu": {"activation": {"name": "gelu"}},
    "ornstein_uhlenbeck": {"activation": {"name": "ornstein_uhlenbeck", "alpha": 0.7}},
}
PLACES: dict[str, dict[str, Any]] = {
    "mlp": {},
    "mlp, shaped": {"shaping": {"exponent": 0.5}},
    "mlp, shaped by depth": {"shaping": {"by": "depth", "exponent": 0.25}},
    "mlp, shaped much": {"shaping": {"exponent": 1.0}},
    "mlp, uneven": {"width": [4, 6, 5, 7, 6], "depth": 5},
    "resnet": {"architecture": "resnet"},
    "resnet, whole branches": {"architecture": "resnet", "branch_exponent": 0.0},
    "resnet of one unit": {"architecture": "resnet", "width": 1},
}
INPUTS: dict[str, dict[str, Any]] = {
    "two": {"correlation": 0.3},
    "equal": {"correlation": 1.0},
    "opposite": {"correlation": -1.0},
    "one": {"gram": [[2.0]]},
    "three": {"gram": [[1.0, 0.5, 0.0], [0.5, 1.0, -0.5], [0.0, -0.5, 2.0]]},
    "start": {"start": 0.5},
}
LAYERS = (0, 1, 5)
CELLS = [*itertools.product(ACTIVATIONS, PLACES, INPUTS, OBSERVABLES, LAYERS)]
FEW = some_of(CELLS, 36, 20261128)


@pytest.fixture(autouse=True)
def few_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sampled laws of few paths: what is asked here is whether they are numbers."""
    for module in (covariance, hayou_sampled, sampled):
        monkeypatch.setattr(module, "SAMPLES", 1 << 8)
    monkeypatch.setattr(covariance, "_UNTIL_THEN", (1 / 16, 1 << 6))


def network_of(activation: str, place: str, inputs: str) -> Network | None:
    """None where there is no such network, which the point says."""
    given = {"width": 6, "depth": 5} | ACTIVATIONS[activation] | PLACES[place] | {"inputs": INPUTS[inputs]}
    try:
        return point_of(given, Path("point")).network
    except InputError:
        return None


def check(cell: tuple[str, str, str, str, int]) -> str:
    """What came of it: ``numbers``, ``infinite``, ``refused`` or ``no network``."""
    activation, place, inputs, observable, layer = cell
    network = network_of(activation, place, inputs)
    if network is None:
        return "no network"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            answer = predict(network, observable, None, layer, ["0.05", "0.5", "0.95"], "limit")
        except InputError as error:
            text = str(error)
            assert "expected" in text and "\n" not in text, cell
            return "refused"
    values = {"mean": answer["mean"], "std": answer["std"], **answer["quantiles"]}
    assert not any(math.isnan(value) for value in values.values()), (cell, values)
    infinite = {name for name, value in values.items() if math.isinf(value)}
    assert infinite == set(answer["not_finite"]), (cell, values)
    assert all(sentence.startswith("infinite: ") for sentence in answer["not_finite"].values())
    strict_json(strictly_written(answer))
    return "infinite" if infinite else "numbers"


@pytest.mark.parametrize("cell", FEW, ids=lambda cell: "-".join(map(str, cell)).replace(" ", "_"))
def test_a_prediction_is_numbers_or_reasons(cell: tuple[str, str, str, str, int]) -> None:
    check(cell)


@pytest.mark.exhaustive
def test_every_prediction_is_numbers_or_reasons() -> None:
    found = [check(cell) for cell in CELLS]
    for outcome in ("numbers", "infinite", "refused"):
        assert found.count(outcome) > 20


@pytest.mark.slow
def test_every_named_limit_is_numbers_or_reasons() -> None:
    """Every limit of a few networks, at the first and at the last layer."""
    chosen = some_of([*itertools.product(ACTIVATIONS, PLACES, INPUTS)], 12, 5)
    for cell, limit in itertools.product(chosen, registry().values()):
        network = network_of(*cell)
        if network is None:
            continue
        for observable, layer in itertools.product(limit.observables, (0, network.depth)):
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                try:
                    answer = predict(network, observable, limit.name, layer, ["0.5"], "limit")
                except InputError:
                    continue
            assert not math.isnan(answer["mean"]) and not math.isnan(answer["std"]), (cell, limit.name)
            json.dumps(answer["network"], allow_nan=False)


def test_what_has_no_value_says_what_to_ask() -> None:
    network = network_of("tanh", "mlp", "two")
    assert network is not None
    with pytest.raises(InputError, match="layer 1"):
        predict(network, "gradient_log_norm", None, 0, ["0.5"], "limit")
    equal = network_of("relu", "mlp", "equal")
    assert equal is not None
    answer = predict(equal, "rescaled_correlation", None, 5, ["0.5"], "limit")
    assert "−∞" in answer["not_finite"]["mean"] and answer["std"] == 0


@pytest.mark.parametrize("seed", range(6))
def test_what_is_drawn_is_numbers_or_reasons(seed: int) -> None:
    """Networks beside a law: 16 of a cell; and ``simulate`` never warns."""
    for activation, place, inputs, observable, layer in some_of(CELLS, 12, seed):
        network = network_of(activation, place, inputs)
        if network is None:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            simulate(network, (0, 4))
            try:
                values = drawn(network, observable, layer, 16)
            except InputError:
                continue
        assert values.shape == (16,)
