"""The shipped studies made small, and variants of them: what is tried with every figure."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent.parent / "config" / "studies"
SAMPLES = 96
_MOST_EXPONENTS = 8
Mapping = dict[str, Any]
THREE = """
title: Three inputs
networks: [{activation: {name: relu, c_plus: 0.5, c_minus: -0.5}, shaping: {by: width, exponent: 0.5}}]
grid: {width: 24, depth: {times_width: 1.0}, gram: [[1.0, 0.5, 0.2], [0.5, 1.0, -0.3], [0.2, -0.3, 1.0]]}
samples: 12000
record: {layers: 2}
compare:
  - {observable: correlation, limit: correlation_sde}
  - {observable: correlation_0_2, limit: correlation_sde}
  - {observable: correlation_1_2, limit: correlation_sde}
  - {observable: log_variance, limit: variance}
  - {observable: log_variance_1, limit: variance}
  - {observable: log_variance_2, limit: variance}
  - {observable: correlation, limit: covariance_sde}
figures: [lnr22_joint]
"""


def shipped() -> dict[str, Mapping]:
    """Every shipped study by name, made small."""
    return {path.stem: small(yaml.safe_load(path.read_text())) for path in sorted(FOLDER.glob("*.yaml"))}


def small(study: Mapping) -> Mapping:
    """The same with few networks, narrow and shallow, of at most three sizes."""
    study = copy.deepcopy(study)
    study["samples"] = SAMPLES
    depth = study["grid"].get("depth")
    layers = study.get("record", {}).get("layers")
    for grid in (study["grid"], *(network["grid"] for network in study["networks"] if "grid" in network)):
        for axis, most in (("width", 14), ("depth", 10)):
            if axis in grid and not isinstance(grid[axis], dict):
                grid[axis] = _small_axis(grid[axis], most)
    if isinstance(layers, list) and isinstance(depth, int):
        last = study["grid"]["depth"]
        study["record"]["layers"] = sorted({round(layer * last / depth) for layer in layers})
    study["networks"] = [_small_network(network) for network in study["networks"] if _is_whole(network)]
    if "growth" in study:
        study["growth"]["samples"] = 256
    return study


def _is_whole(network: Mapping) -> bool:
    """Whether a depth that goes with the width is a whole number at even widths."""
    depth = network.get("grid", {}).get("depth")
    return not isinstance(depth, dict) or (2 * depth.get("times_width", 1)) % 1 == 0


def _small_network(network: Mapping) -> Mapping:
    """Of many exponents the ends and ½."""
    exponents = network.get("shaping", {}).get("exponent")
    if isinstance(exponents, list) and len(exponents) > _MOST_EXPONENTS:
        ends = [exponents[0], *(p for p in exponents if p == 0.5), exponents[-1]]
        return network | {"shaping": network["shaping"] | {"exponent": ends}}
    return network


def _small_axis(values: Any, most: int) -> Any:
    if isinstance(values, int):
        return min(values, most)
    kept = [value for value in values if isinstance(value, int)]
    kept = [kept[0], kept[len(kept) // 2], kept[-1]] if len(kept) > 3 else kept
    return sorted({min(value, most - 2 * (len(kept) - 1 - i)) for i, value in enumerate(kept)})


def variants() -> Iterator[tuple[str, Mapping]]:
    """Small studies that are like a shipped one but for one thing."""
    studies = shipped()

    def changed(name: str, of: str, **keys: Any) -> tuple[str, Mapping]:
        study = copy.deepcopy(studies[of])
        for key, value in keys.items():
            *path, last = key.split("__")
            target: Any = study
            for part in path:
                target = target[int(part) if part.isdecimal() else part]
            if value is None:
                target.pop(last, None)
            else:
                target[last] = value
        return name, study

    yield changed("no-compare", "ks-against-width", compare=None)
    yield changed("one-record", "lnr22-figure-1", record={"layers": 1}, compare=None)
    yield changed("not-the-last", "h22-figure-5", record={"layers": [0, 3]})
    yield changed("no-start", "h22-figure-5", record={"layers": [3, 10]}, compare=None)
    yield changed("two-seeds", "ks-against-width", grid__seed=[0, 1])
    yield changed("two-inputs-equal", "lnr22-figure-1", grid__correlation=1.0, compare=None)
    yield changed("opposite", "ks-against-width", grid__correlation=-1.0, compare=None)
    yield changed("orthogonal", "claims-unshaped", grid__correlation=0.0)
    yield changed("one-sample", "h22-figure-5", samples=1)
    yield changed("one-sample-pair", "ks-against-width", samples=1, compare=None)
    yield changed("other-slopes", "ln24-equivalence", networks__1__activation__c_plus=0.25)
    yield changed("one-width", "ln24-do-limits-commute", grid__width=8)
    yield changed("nothing-collapses", "h22-figure-4", grid__width=[12], grid__depth=[12])
    yield changed("dead", "h22-figure-4", grid__gram=None, grid__start=-1.0)
    yield changed("at-one-time", "h22-figure-7", compare__0__at=1.0)
    yield changed("narrow", "lnr22-figure-1", grid__width=1)
    yield changed("narrow-joint", "lnr22-joint", grid__width=2)
    yield changed("few-joint", "lnr22-joint", samples=3)
    yield changed(
        "layer-zero",
        "lnr22-figure-1",
        compare=[{"observable": "correlation", "limit": "unshaped", "at": 0.0}],
    )
    yield changed(
        "two-times",
        "template",
        record={"layers": "all"},
        compare=[
            {"observable": "correlation", "limit": "correlation_sde", "at": 0.5},
            {"observable": "correlation", "limit": "matched_sde", "at": 1.0},
        ],
        grid__width=[8, 12],
    )
    yield changed("uneven", "template", compare=None, grid={"width": [[6, 9, 12]], "correlation": 0.3})
    yield changed("many-depths", "claims-one-unit", grid__depth=[2, 3, 4, 5, 6, 7, 8])
    yield changed(
        "grid-of-depths",
        "ks-against-width",
        grid__depth=[6, 8, 12],
        compare__0__at=None,
        compare__1__at=None,
        compare__2__at=None,
        compare__3__at=None,
    )
    yield changed(
        "unscaled", "h22-figure-8", grid__depth=900, record={"layers": 3, "gradients": True}, grid__width=4
    )


def all_studies() -> dict[str, Mapping]:
    """By name."""
    return shipped() | dict(variants())
