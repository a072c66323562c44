"""Any history of a folder of results, against a model of it in memory: a study that grows and shrinks, runs, runs that are
killed at any step, damage, `verify`, `repair`, `prune` and readers in any order.

The model knows what every network draws, from the engine alone, and what a store is that nothing has disturbed. Whatever
has happened, a reader gives that or refuses; a run makes just that, byte for byte; `verify` is silent after it and finds
what was damaged before it.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import warnings
from contextlib import chdir
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import xarray as xr
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test
from numpy.typing import NDArray

from deeplimits.api_studies import open_samples
from deeplimits.engines import simulate_block
from deeplimits.jobs.aggregate import aggregate_study
from deeplimits.jobs.prune import unwanted
from deeplimits.jobs.repair import Repair
from deeplimits.jobs.simulate import simulate_batch
from deeplimits.jobs.verify import verify_store
from deeplimits.jobs.workflow import planned_receipts, prepare
from deeplimits.store import digests, zarr_zip
from deeplimits.store.catalogue import Catalogue
from deeplimits.store.digests import digest
from deeplimits.store.errors import StoreError
from deeplimits.store.paths import (
    container_path,
    receipt_path,
    study_receipt,
    study_store,
    study_todo,
    todo_path,
)
from deeplimits.store.place import Place
from deeplimits.store.query import run_query
from deeplimits.store.receipts import read_todo
from deeplimits.sweep.blocks import blocks_of
from deeplimits.sweep.config import Config, load_config
from killed_writer import Steps
from results_tree import DAMAGE
from tiny import project

STUDY = """
title: Any
networks: [{{activation: {{name: relu, c_plus: 0.5, c_minus: -0.5}}, shaping: {{by: width, exponent: 0.5}}}}]
grid: {{width: {widths}, depth: 3, correlation: 0.3, seed: 0}}
samples: {samples}
record: {{layers: {layers}}}
"""
NAME = "tiny"
MOMENTS = (
    "SELECT width, layer, mean, count FROM moments WHERE observable = 'log_variance' ORDER BY width, layer"
)


class Asked(NamedTuple):
    """What a study asks for; a block has 8,192 samples."""

    widths: tuple[int, ...] = (2, 3)
    samples: int = 64
    layers: int = 2

    def write(self, folder: Path) -> Config:
        return project(
            folder, STUDY.format(widths=list(self.widths), samples=self.samples, layers=self.layers)
        )

    @property
    def recorded(self) -> list[int]:
        return np.linspace(0, 3, self.layers).round().astype(int).tolist() if self.layers > 1 else [3]


def read_anew() -> None:
    """As a process that begins does, which remembers no file."""
    digests._digest.cache_clear()
    zarr_zip._open.cache_clear()


def samples_of_store(results: Path) -> xr.Dataset:
    """The samples of the study as its store has it, without a configuration."""
    with chdir(results):
        return open_samples(NAME, results=results)


@cache
def drawn(asked: Asked, width: int) -> NDArray[np.float32]:
    """The log-variances of the first input [samples, layers]."""
    with tempfile.TemporaryDirectory() as folder:
        points = asked.write(Path(folder)).study(NAME).points
    network = next(point.network for point in points if point.network.widest == width)
    return simulate_block(network, asked.recorded, 0, asked.samples)["log_variance"][:, :, 0]


def expected_moments(asked: Asked) -> list[list[float]]:
    return [
        [width, layer, drawn(asked, width)[:, place].astype(float).mean(), asked.samples]
        for width in asked.widths
        for place, layer in enumerate(asked.recorded)
    ]


@cache
def undisturbed(asked: Asked) -> str:
    """SHA-256 of the store of a study that is made in one go."""
    with tempfile.TemporaryDirectory() as folder:
        work(asked.write(Path(folder)))
        return digest(study_store(Path(folder) / "results", NAME))


def work(config: Config) -> None:
    """What Snakemake does: plan, and the jobs whose outputs are missing or older than their inputs."""
    config, targets = prepare(config.path)
    results = config.results
    for receipt in map(Path, targets[NAME].batches):
        if not receipt.exists():
            batch = receipt.stem
            blocks = read_todo(todo_path(results, batch))
            simulate_batch(blocks, container_path(results, batch), receipt_path(results, batch), threads=1)
    receipt = study_receipt(results, NAME)
    inputs = [study_todo(results, NAME), *map(Path, planned_receipts(results, NAME))]
    if not receipt.exists() or any(path.stat().st_mtime_ns > receipt.stat().st_mtime_ns for path in inputs):
        aggregate_study(config.study(NAME), results)


class History(RuleBasedStateMachine):
    """One folder."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.asked = Asked()
        self.config = self.asked.write(self.folder)
        self.results = self.config.results
        self.begun: set[Asked] = set()
        """What any run has begun to make."""
        self.is_sound = True
        """Whether nothing was damaged, killed or repaired since a run ended well."""
        self.made: Asked | None = None
        """What the last run made."""
        self.is_whole = True
        """Whether all that it needed is there since."""
        self.damaged: dict[Path, str] = {}
        """Files that were changed, with what they are now."""

    def teardown(self) -> None:
        shutil.rmtree(self.folder)

    def _ask(self, asked: Asked) -> None:
        self.asked = asked
        self.config = asked.write(self.folder)

    @rule(width=st.integers(2, 5))
    def add_or_leave_out_a_point(self, width: int) -> None:
        widths = {*self.asked.widths} ^ {width}
        self._ask(self.asked._replace(widths=tuple(sorted(widths or {width}))))

    @rule(samples=st.sampled_from([64, 8256]))
    def change_the_samples(self, samples: int) -> None:
        self._ask(self.asked._replace(samples=samples))

    @rule(layers=st.integers(1, 4))
    def change_the_layers(self, layers: int) -> None:
        self._ask(self.asked._replace(layers=layers))

    @rule()
    def run(self) -> None:
        read_anew()
        self.begun.add(self.asked)
        work(self.config)
        assert digest(study_store(self.results, NAME)) == undisturbed(self.asked)
        wanted = {Path(path).stem for path in planned_receipts(self.results, NAME)}
        read_anew()
        # what no study wants stays as it is
        left = [
            each
            for each in verify_store(self.results).findings
            if not each.part or each.part.name in wanted | {NAME}
        ]
        assert left == []
        read_anew()
        data = open_samples(NAME, self.config.path)["log_variance"]
        for width in self.asked.widths:
            held = data.sel(width=width) if "width" in data.dims else data
            assert held.isel(input=0).to_numpy().tobytes() == drawn(self.asked, width).tobytes()
        self.is_sound = len(verify_store(self.results).findings) == 0
        self.made, self.is_whole = self.asked, True
        self.damaged.clear()

    @rule(step=st.integers(0, 40))
    def run_and_be_killed(self, step: int) -> None:
        read_anew()
        self.begun.add(self.asked)
        child = os.fork()
        if child == 0:
            try:
                Steps(step).watch()
                work(self.config)
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        self.is_sound = False
        self.damaged.clear()

    @precondition(lambda self: self.results.exists())
    @rule(
        place=st.floats(0, 1, exclude_max=True), how=st.sampled_from(sorted(DAMAGE)), seed=st.integers(0, 99)
    )
    def damage(self, place: float, how: str, seed: int) -> None:
        files = [path for path in sorted(self.results.rglob("*")) if path.is_file() and path.stat().st_size]
        files = [path for path in files if not path.name.startswith(".")]
        if not files:
            return
        path = files[int(place * len(files))]
        DAMAGE[how](path, np.random.default_rng(seed))
        self.is_sound = False
        if path.exists() and path not in self.damaged:
            self.damaged[path] = digest(path)
        else:
            self.damaged.pop(path, None)

    @precondition(lambda self: self.results.exists())
    @rule()
    def verify(self) -> None:
        read_anew()
        findings = verify_store(self.results).findings
        assert not self.is_sound or findings == ()
        stems = {each.path.name.split(".")[0] for each in findings}
        for path, found in self.damaged.items():
            # unless all that was beside it is gone, or it was written anew
            if (
                path.exists()
                and digest(path) == found
                and len(list(path.parent.glob(f"{path.name.split('.')[0]}.*"))) > 1
            ):
                assert path.name.split(".")[0] in stems

    @precondition(lambda self: self.results.exists())
    @rule()
    def repair(self) -> None:
        read_anew()
        repair = Repair(Place(self.results, self.config))
        left = repair.mend(list(verify_store(self.results).findings))
        assert {each.part for each in left} <= {*repair.failed, None}
        assert not any("number contract" in why for why in repair.failed.values())
        read_anew()
        bad = {each.part for each in verify_store(self.results, recompute=1).findings}
        assert bad <= {*repair.failed, None}
        self.begun.add(self.asked)
        self.is_sound = self.is_sound and not repair.mended
        self.damaged.clear()

    @precondition(lambda self: self.results.exists())
    @rule()
    def prune(self) -> None:
        read_anew()
        config = load_config(self.config.path)
        before = {*Catalogue(self.results).held}
        for each in unwanted(config):
            each.remove()
        study = config.study(NAME)
        wanted = {block.id for point in study.points for block in blocks_of(point, study.samples)}
        after = {*Catalogue(self.results).held}
        assert before & wanted <= after <= before
        self.is_whole = self.is_whole and self.asked == self.made
        self.damaged.clear()

    @precondition(lambda self: self.results.exists())
    @rule()
    def read(self) -> None:
        read_anew()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            rows = run_query(self.results, MOMENTS).to_numpy().tolist()
            blocks = run_query(self.results, "SELECT physics, sum(count) AS samples FROM blocks GROUP BY ALL")
        told: list[Any] = [expected_moments(asked) for asked in self.begun]
        assert not rows or any(
            len(rows) == len(each) and np.allclose(rows, each, 1e-12, 1e-14) for each in told
        )
        assert not self.is_sound or rows or not study_receipt(self.results, NAME).exists()
        assert (blocks["samples"] % 8192 == 0).all() and len(blocks) <= 4
        try:
            data = samples_of_store(self.results)["log_variance"].load()
        except StoreError:
            assert not (self.is_sound and self.is_whole) or not study_receipt(self.results, NAME).exists()
            return
        held = data.isel(input=0).to_numpy().reshape(-1, *data.shape[-3:-1])
        assert any(
            held.shape == (len(asked.widths), asked.samples, asked.layers)
            and all(
                np.array_equal(one, drawn(asked, width))
                for one, width in zip(held, asked.widths, strict=True)
            )
            for asked in self.begun
        )


def tried(histories: int) -> None:
    run_state_machine_as_test(
        History,
        settings=settings(
            max_examples=histories,
            stateful_step_count=10,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.slow
def test_any_history() -> None:
    tried(6)


@pytest.mark.exhaustive
def test_any_of_many_histories() -> None:
    tried(300)
