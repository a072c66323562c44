"""A study store has the same bytes wherever its points were reduced and whatever was kept of an earlier one."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import dask
import pytest

from deeplimits.analysis import spread
from deeplimits.errors import InputError
from deeplimits.jobs import aggregate
from deeplimits.jobs.aggregate import Aggregation, aggregate_study
from deeplimits.processor import choice
from deeplimits.store.errors import StoreError
from deeplimits.store.paths import study_digest, study_store
from deeplimits.sweep.config import Config, load_config
from held_reduction import killed_in_mid_reduction
from tiny import project, simulated

MANY = """
title: Small points
networks: [{activation: {name: relu, c_plus: 0.0, c_minus: -1.0}, shaping: {by: width, exponent: [0.5, 1.0]}}]
grid: {width: [4, 8], depth: 2, correlation: [0.0, 0.3]}
samples: 64
record: {layers: 2}
compare: [{observable: log_variance, limit: matched_variance}]
"""
MORE = MANY.replace("[4, 8]", "[4, 6, 8]")


@pytest.fixture(scope="module")
def blocks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results with the blocks of both studies."""
    config = project(tmp_path_factory.mktemp("many"), MORE)
    simulated(config)
    return config.results


@pytest.fixture
def many(blocks: Path, tmp_path: Path) -> Config:
    """A project with blocks and no store; several parts a store, and processes at once."""
    config = project(tmp_path, MANY)
    shutil.copytree(blocks, config.results)
    return config


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aggregate, "CHUNK_BYTES", 80_000)
    monkeypatch.setattr(spread, "_ALONE", 0.0)
    monkeypatch.setattr(spread, "_LOADING", 0.0)
    monkeypatch.setattr(spread, "AT_ONCE", 3)


def made(config: Config, **options: Any) -> tuple[Aggregation, bytes]:
    done = aggregate_study(config.study("tiny"), config.results, **options)
    return done, study_store(config.results, "tiny").read_bytes()


def anew(config: Config, **options: Any) -> bytes:
    """The store, of which nothing is kept."""
    study_digest(config.results, "tiny").unlink(missing_ok=True)
    done, store = made(config, **options)
    assert done.reduced == done.points
    return store


@pytest.mark.slow
def test_a_study_that_grows_reduces_what_is_new(many: Config) -> None:
    """Points between the others, and then fewer again: the bytes are those of a fresh run."""
    done, small = made(many)
    assert (done.points, done.reduced) == (8, 8)
    done, again = made(many)
    assert (done.reduced, again) == (0, small)
    assert str(done).endswith("tiny.json: 0 of 8 points reduced, 8 kept")
    project(many.path.parent.parent, MORE)
    done, large = made(many)
    assert (done.points, done.reduced) == (12, 4)
    assert anew(many) == large
    project(many.path.parent.parent, MANY)
    done, again = made(many)
    assert (done.reduced, again) == (0, small)


@pytest.mark.slow
@pytest.mark.parametrize(
    "changed",
    [
        MANY.replace("samples: 64", "samples: 65"),
        MANY.replace("limit: matched_variance", "limit: matched_variance, distances: [ks]"),
        MANY.replace("{observable: log_variance,", "{observable: variance,"),
    ],
)
def test_a_row_is_not_kept_where_what_it_depends_on_has_changed(many: Config, changed: str) -> None:
    made(many)
    project(many.path.parent.parent, changed)
    assert made(many)[0].reduced == 8


@pytest.mark.slow
def test_other_code_keeps_nothing(many: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    made(many)
    monkeypatch.setattr("deeplimits.analysis.kept._code", lambda: "other")
    assert made(many)[0].reduced == 8


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["flipped", "gone", "no digest", "junk digest"])
def test_a_damaged_store_is_not_believed(many: Config, fault: str) -> None:
    truth = made(many)[1]
    store, said = study_store(many.results, "tiny"), study_digest(many.results, "tiny")
    match fault:
        case "flipped":
            store.write_bytes(truth[:5000] + bytes([truth[5000] ^ 1]) + truth[5001:])
        case "gone":
            store.unlink()
        case "no digest":
            said.unlink()
        case "junk digest":
            said.write_bytes(b"\xff\x00")
    done, again = made(many)
    assert (done.reduced, again) == (8, truth)


def test_rows_of_a_process_with_another_choice_of_processor_are_refused() -> None:
    """They would be kept as those of the process that asks."""
    done: list[Any] = []
    with pytest.raises(StoreError, match=r"OPENBLAS_CORETYPE is \w+ there and Nehalem here"):
        spread.alike({**choice(), "OPENBLAS_CORETYPE": "Nehalem"}, done.append, [])
    assert done == []


@pytest.mark.slow
def test_threads_change_no_bit(many: Config) -> None:
    truth = anew(many)
    with dask.config.set(scheduler="threads"):
        assert anew(many) == truth


@pytest.mark.slow
def test_processes_change_no_bit_nor_does_one_that_is_killed_in_mid_reduction(
    many: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    truth = anew(many)
    assert anew(many, cores=2) == truth
    with killed_in_mid_reduction(many.results / "killed", monkeypatch) as killed:
        assert anew(many, cores=2) == truth
    assert len(killed) == 1


@pytest.mark.slow
def test_processes_that_are_killed_again_and_again_are_told_of(
    many: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        killed_in_mid_reduction(many.results / "killed", monkeypatch, times=9) as killed,
        pytest.raises(StoreError, match="killed 3 times"),
    ):
        anew(many, cores=2)
    assert len(killed) >= 3
    assert not study_store(many.results, "tiny").exists()


@pytest.fixture
def cluster() -> Iterator[Any]:
    distributed = pytest.importorskip("distributed")
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 1}),
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None, worker_dashboard_address=None
        ) as made,
    ):
        yield made


def on(cluster: Any, config: Config) -> Config:
    """The same project, whose configuration names the scheduler of a cluster."""
    config.path.write_text(config.path.read_text() + f"dask: {{scheduler: '{cluster.scheduler_address}'}}\n")
    return load_config(config.path)


@pytest.mark.slow
def test_a_cluster_changes_no_bit_nor_does_a_worker_that_is_killed_in_mid_reduction(
    many: Config, cluster: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    truth = anew(many)
    config = on(cluster, many)
    assert anew(config, dask=config.dask) == truth
    with killed_in_mid_reduction(many.results / "killed", monkeypatch) as killed:
        assert anew(config, dask=config.dask) == truth
    assert len(killed) == 1


@pytest.mark.slow
def test_workers_that_are_killed_again_and_again_are_told_of(
    many: Config, cluster: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = on(cluster, many)
    with (
        killed_in_mid_reduction(many.results / "killed", monkeypatch, times=20),
        pytest.raises(StoreError, match=r"killed 2 workers .* tcp://"),
    ):
        anew(config, dask=config.dask)
    assert not study_store(many.results, "tiny").exists()


@pytest.mark.slow
def test_a_scheduler_that_goes_away_is_told_of(
    many: Config, cluster: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = on(cluster, many)
    with killed_in_mid_reduction(many.results / "killed", monkeypatch) as killed:

        def close() -> None:
            until = time.monotonic() + 60
            while not killed and time.monotonic() < until:
                time.sleep(0.01)
            cluster.close()

        closing = threading.Thread(target=close)
        closing.start()
        with pytest.raises(StoreError, match=r"scheduler of dask at tcp://.* is gone"):
            anew(config, dask=config.dask)
        closing.join()
    assert not study_store(many.results, "tiny").exists()


def test_a_scheduler_that_does_not_answer_is_named(many: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr("deeplimits.analysis.cluster._PATIENCE", 0.2)
    many.path.write_text(many.path.read_text() + "dask: {scheduler: 'tcp://127.0.0.1:9'}\n")
    with pytest.raises(StoreError, match=r"tcp://127\.0\.0\.1:9, which the configuration names under dask"):
        made(many, dask=load_config(many.path).dask)


def test_a_package_that_is_missing_is_named(many: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    many.path.write_text(many.path.read_text() + "dask: {cluster: slurm}\n")

    def missing(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr("deeplimits.analysis.cluster.import_module", missing)
    with pytest.raises(InputError, match=r"found no package distributed, .*deeplimits\[cluster\]"):
        made(many, dask=load_config(many.path).dask)


@pytest.mark.parametrize(
    ("dask_", "said"),
    [
        ("{}", "dask: found neither, expected one of scheduler"),
        ("{scheduler: 'tcp://a:1', cluster: slurm}", "dask: found both"),
        ("{scheduler: a.example}", "dask.scheduler: found 'a.example', expected the address"),
        ("{scheduler: 'tcp://a'}", "dask.scheduler"),
        ("{scheduler: 'tcp://a:1', workers: 3}", "dask.workers: found 3, expected nothing beside scheduler"),
        ("{cluster: slrum}", r"dask.cluster: found 'slrum' \(did you mean 'slurm'\?\)"),
        ("{cluster: slurm, workers: 0}", "dask.workers"),
        ("{cluster: slurm, worker: 2}", r"dask.worker: .*did you mean 'workers'"),
        ("slurm", "dask"),
    ],
)
def test_a_mistake_under_dask_is_named(many: Config, dask_: str, said: str) -> None:
    many.path.write_text(many.path.read_text() + f"dask: {dask_}\n")
    with pytest.raises(InputError, match=said):
        load_config(many.path)


@pytest.mark.parametrize(
    ("loading", "a_point", "expected"), [(1.0, 0.004, 64), (0.0, 0.05, 10), (0.0, 2.0, 1)]
)
def test_tasks_take_half_a_second_whatever_the_first_points_load(
    monkeypatch: pytest.MonkeyPatch, loading: float, a_point: float, expected: int
) -> None:
    """Points that take long are dealt out one by one, and quick ones in hundreds of tasks, not thousands."""
    now, dealt = [0.0], []

    def reduce(_: Any, points: Any) -> dict[str, Any]:
        now[0] += len(points) * a_point + loading * (now[0] == 0)
        return {}

    def deal(_: Any, tasks: Any) -> Iterator[dict[str, Any]]:
        dealt.extend(map(len, tasks))
        yield {}

    monkeypatch.undo()
    monkeypatch.setattr(spread, "time", SimpleNamespace(perf_counter=lambda: now[0]))
    monkeypatch.setattr(spread, "reduce_points", reduce)
    monkeypatch.setattr(spread, "_start_server", lambda: None)
    monkeypatch.setattr(spread.Spread, "_in_processes", deal)
    points: Any = [(None, ())] * 2000
    with spread.Spread(cast(Any, None), 2) as spreading:
        assert len([*spreading.rows(points)]) >= 2
    assert max(dealt) == expected
    assert 2000 - sum(dealt) <= 8
