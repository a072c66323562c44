"""Random small studies: what the keys of a study file may hold, put together by chance. Many are refused; those that are
not have to come to an end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import yaml

from deeplimits.errors import InputError
from deeplimits.figures import figures
from deeplimits.limits import registry
from deeplimits.observables import OBSERVABLES
from deeplimits.sweep.comparisons import is_recorded
from deeplimits.sweep.figures import refusal
from deeplimits.sweep.study import Study, load_study

ACTIVATIONS: tuple[dict[str, Any], ...] = (
    {"name": "relu"},
    {"name": "relu", "c_plus": 0.5, "c_minus": -0.5},
    {"name": "relu", "c_plus": -2.0, "c_minus": 2.0},
    {"name": "relu", "c_plus": 1.0, "c_minus": 1.0},
    {"name": "relu", "c_plus": -1.0, "c_minus": 0.0},
    {"name": "relu", "c_plus": -3.0, "c_minus": 1.0},
    {"name": "identity"},
    {"name": "tanh"},
    {"name": "sigmoid", "center": 0.5},
    {"name": "softplus", "center": -1.0},
    {"name": "softplus", "a": 0.2},
    {"name": "gelu"},
    {"name": "sin", "a": 3.0},
    {"name": "ornstein_uhlenbeck"},
    {"name": "expression", "expression": "x / (1 + exp(-x))"},
)
SHAPINGS: tuple[dict[str, Any] | None, ...] = (
    None,
    None,
    {"by": "width", "exponent": 0.5},
    {"by": "width", "exponent": 0.5},
    {"by": "depth", "exponent": 0.5},
    {"by": "width", "exponent": 0.25},
    {"by": "width", "exponent": 1.0},
    {"by": "width", "exponent": 0.1},
)
INPUTS: tuple[dict[str, Any], ...] = (
    {"correlation": 0.3},
    {"correlation": [0.0, 0.9]},
    {"correlation": 1.0},
    {"correlation": -1.0},
    {"correlation": -0.999},
    {"gram": [[1.0]]},
    {"gram": [[2.5]]},
    {"gram": [[1e-6]]},
    {"gram": [[1.0, 0.3, -0.2], [0.3, 1.5, 0.5], [-0.2, 0.5, 0.8]]},
    {"gram": [[1.0, 2.0], [2.0, 4.0]]},
    {"gram": [[1.0, 0.0, 1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 1.0]]},
    {"start": 1.0},
    {"start": -1.0},
)
SIZES: tuple[dict[str, Any], ...] = (
    {"width": [4, 6, 8], "depth": {"times_width": 1.0}},
    {"width": [4, 6, 8], "depth": 4},
    {"width": 6, "depth": [1, 2, 4]},
    {"width": [1, 2, 3], "depth": 3},
    {"width": 1, "depth": [2, 4, 8]},
    {"width": [9, 16, 25], "depth": {"power_of_width": 0.5}},
    {"width": [[4, 6, 8], [8, 6, 4, 2]]},
    {"width": 5, "depth": 1},
)
RECORDS: tuple[dict[str, Any], ...] = (
    {"layers": 2},
    {"layers": "all"},
    {"layers": 1},
    {"layers": [0]},
    {"layers": [1]},
    {"layers": 3, "gradients": True},
    {"layers": 2, "output": True},
)
SAMPLES = (1, 2, 3, 40, 80)
DISTANCES = (["ks"], ["wasserstein"], ["rms"], ["ks", "wasserstein", "rms"])
SLOW = {
    "covariance_sde",
    "neural_tangent_sde",
    "matched_covariance_sde",
    "markov_chain",
    "hayou_sde",
    "infinite_width",
}
"""Sampled limits, taken more rarely."""


def fuzzed(folder: Path, seed: int) -> Study | InputError:
    """The study of a seed, or why it is refused."""
    draw = np.random.default_rng(seed)

    def one(values: Any) -> Any:
        return values[draw.integers(len(values))]

    residual = draw.random() < 0.4
    network = {"architecture": "resnet" if residual else "mlp", "activation": one(ACTIVATIONS)}
    shaping = one(SHAPINGS)
    if residual:
        network["branch_exponent"] = one((0.5, 0.5, 0.5, 0.0, 1.0))
    elif shaping:
        network["shaping"] = shaping
    inputs = INPUTS if residual else INPUTS[:-2]
    sizes = SIZES[:6] if residual else SIZES
    study: dict[str, Any] = {
        "title": f"Seed {seed}",
        "networks": [network],
        "grid": {**one(sizes), **one(inputs), "seed": one((0, [0, 1]))},
        "samples": int(one(SAMPLES)),
        "record": one(RECORDS),
    }
    path = folder / f"fuzz-{seed}.yaml"
    try:
        bare = _read(path, study)
        entries = _comparisons(bare, draw)
        if entries:
            study["compare"] = entries
        if residual and draw.random() < 0.3:
            study["growth"] = {"times": [1.0], "depths": [4, 8], "samples": int(one((2, 64)))}
        read = _read(path, study)
        if draw.random() < 0.5:
            able = [name for name in figures() if refusal(read, name) is None]
            names = list(figures()) if draw.random() < 0.1 or not able else able
            study["figures"] = [names[i] for i in draw.permutation(len(names))[: draw.integers(1, 4)]]
            read = _read(path, study)
        return read
    except InputError as error:
        return error


def _read(path: Path, study: dict[str, Any]) -> Study:
    path.write_text(yaml.safe_dump(study, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return load_study(path)


def _comparisons(study: Study, draw: np.random.Generator) -> list[dict[str, Any]]:
    """Up to three entries of limits that are about a network of the study."""
    points = study.points
    able = [
        (observable, limit.name)
        for limit in registry().values()
        for kind in limit.observables
        for observable in ([kind, kind + ("_0_2" if OBSERVABLES[kind].inputs == 2 else "_1")])
        if limit.name not in SLOW or draw.random() < 0.1
        if any(
            is_recorded(observable, point, point.layers[-1]) and limit.applies(point.network, observable)
            for point in points
        )
    ]
    found = []
    for place in draw.permutation(len(able))[: draw.integers(1, 4)]:
        entry: dict[str, Any] = dict(zip(("observable", "limit"), able[place], strict=True))
        for key, values in (
            ("at", (None, None, "all", 0.0, 1.0)),
            ("distances", (None, None, *DISTANCES)),
            ("rate_in", (None, "width", "depth")),
        ):
            value = values[draw.integers(len(values))]
            if value is not None:
                entry[key] = value
        found.append(entry)
    return found
