"""A tiny project in a temporary folder: configuration, one study, and what the tests do with them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import xarray as xr

from deeplimits.analysis.samples import samples_of
from deeplimits.jobs.aggregate import reduced_study
from deeplimits.jobs.simulate import simulate_batch
from deeplimits.store.atomic import write_text
from deeplimits.store.catalogue import Catalogue
from deeplimits.store.paths import container_path, receipt_path, todo_path
from deeplimits.sweep.axes import axes_of
from deeplimits.sweep.config import Config, load_config
from deeplimits.sweep.plan import Batch, Plan, make_plan
from deeplimits.sweep.points import Point

STUDY = """
title: A tiny study
networks: [{architecture: mlp, activation: {name: relu, c_plus: 0.5, c_minus: -0.5}, shaping: {by: width, exponent: 0.5}}]
grid: {width: [8, 12], depth: {times_width: 1.0}, correlation: 0.3, seed: 0}
samples: 8192
record: {layers: 3}
compare: [{observable: correlation, limit: correlation_sde, rate_in: width}, {observable: log_variance, limit: variance}]
figures: [ks_against_width, quantiles_against_time, law_against_limit]
"""


def project(folder: Path, study: str = STUDY, name: str = "tiny") -> Config:
    """Write the project and read its configuration; results go beside it."""
    studies = folder / "config" / "studies"
    studies.mkdir(parents=True, exist_ok=True)
    (studies / f"{name}.yaml").write_text(study)
    (folder / "config" / "config.yaml").write_text(f"studies: all\nresults: {folder / 'results'}\n")
    return load_config(folder / "config" / "config.yaml")


def planned(config: Config, target_seconds: float = 30.0) -> Plan:
    return make_plan(config.studies(), Catalogue(config.results).held, target_seconds)


def compute(config: Config, batch: Batch) -> None:
    container = container_path(config.results, batch.name)
    write_text(todo_path(config.results, batch.name), batch.todo)
    simulate_batch(list(batch.blocks), container, receipt_path(config.results, batch.name))


def simulated(config: Config, target_seconds: float = 30.0) -> list[str]:
    """Compute what is missing and return the names of the blocks computed."""
    plan = planned(config, target_seconds)
    for batch in plan.batches:
        compute(config, batch)
    return [block.id for batch in plan.batches for block in batch.blocks]


def drawn(results: Path, point: Point, samples: int) -> xr.Dataset:
    """The samples of a point that the store holds, lazily."""
    axes = {name: [value] for name, value in axes_of(point.network).items()}
    axes["correlation"] = axes.pop("correlation_0")
    return samples_of(results, [point], axes, samples, "tiny")


def reduced(config: Config, study: str = "tiny") -> dict[str, xr.Dataset]:
    """The groups of a study's store, from the blocks that are there."""
    return reduced_study(config.study(study), Catalogue(config.results))


def strict_json(text: str) -> Any:
    """What JSON says; NaN and Infinity, which Python writes and no standard knows, are refused."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    return json.loads(text, parse_constant=refuse)
