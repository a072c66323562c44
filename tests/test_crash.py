"""Writers are killed outright at random moments: what they leave is whole or is nothing, and running again
gives the store of an undisturbed run."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from deeplimits.engines.compile.cache import written
from deeplimits.jobs.aggregate import aggregate_study
from deeplimits.jobs.verify import verify_store
from deeplimits.jobs.workflow import prepare
from deeplimits.store.atomic import folder_aside, remove_leftovers, write_text, written_aside
from deeplimits.store.catalogue import Catalogue
from deeplimits.store.digests import digest
from deeplimits.store.paths import batches_folder, study_receipt, study_store
from deeplimits.store.query import run_query, write_parquet
from deeplimits.sweep.config import Config
from tiny import STUDY, planned, project, simulated

# long enough for a kill to land inside it, with many arrays to be half-way through
LONG = STUDY.replace("samples: 8192", "samples: 262144").replace("layers: 3", "layers: all")

ONE_JOB = {"target_minutes": 1000}


def containers(config: Config) -> dict[str, str]:
    folder = batches_folder(config.results)
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.iterdir()
        if path.name.endswith(".zarr.zip") and not path.name.startswith(".part-")
    }


def start(config: Config, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "deeplimits", *arguments],
        cwd=config.path.parent.parent,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def todo_of(config: Config) -> Path:
    (todo,) = batches_folder(config.results).glob("*.todo.json")
    return todo


def partial(config: Config) -> bool:
    return any(config.results.rglob(".part-*"))


@pytest.mark.slow
def test_a_killed_simulation_leaves_all_or_nothing(tmp_path: Path) -> None:
    whole = project(tmp_path / "whole", LONG)
    prepare(whole.path, ONE_JOB)
    process = start(whole, "simulate", str(todo_of(whole)), "--threads", "1")
    while process.poll() is None and not partial(whole):
        time.sleep(0.001)
    begin = time.perf_counter()
    _, errors = process.communicate()
    assert process.returncode == 0, errors
    duration = time.perf_counter() - begin
    truth = containers(whole)

    config = project(tmp_path / "killed", LONG)
    prepare(config.path, ONE_JOB)
    chance = np.random.default_rng(1)
    mid_write = 0
    for _ in range(10):
        process = start(config, "simulate", str(todo_of(config)), "--threads", "1")
        while process.poll() is None and not partial(config):
            time.sleep(0.001)
        time.sleep(chance.random() * duration)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        mid_write += partial(config)
        held = Catalogue(config.results).held
        assert held == {} or containers(config) == truth
        assert containers(config).items() <= truth.items()
        if not held:
            assert run_query(config.results, "SELECT count(*) AS n FROM blocks")["n"][0] == 0
            assert len(planned(config).batches) == 1
    assert mid_write > 2
    process = start(config, "simulate", str(todo_of(config)))
    _, errors = process.communicate()
    assert process.returncode == 0, errors
    assert containers(config) == truth
    assert not partial(config)
    assert verify_store(config.results).findings == ()


def test_two_writers_of_one_file_both_end_well(tmp_path: Path) -> None:
    final = tmp_path / "file"
    with written_aside(final) as first:
        first.write_text("first")
        with written_aside(final) as second:
            second.write_text("second")
            assert first.exists()
        assert final.read_text() == "second"
        remove_leftovers(final)
        assert first.exists()
    assert final.read_text() == "first"
    # what a killed writer left is locked by nobody
    (tmp_path / ".part-file-0123abcd").touch()
    write_text(final, "third")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def in_a_file(place: Path) -> None:
    with written_aside(place):
        pass


def in_a_folder(place: Path) -> None:
    with folder_aside(place):
        pass


@pytest.mark.parametrize("write", [in_a_file, in_a_folder, lambda place: written(place, b"content")])
def test_control_c_as_a_file_is_made_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Callable[[Path], None]
) -> None:
    """It is raised when the call of the operating system is done, before its file is known to anybody."""

    told: list[str] = []

    def interrupting(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(path: Any, *arguments: Any, **named: Any) -> Any:
            made = real(path, *arguments, **named)
            if Path(path).parent == tmp_path and not told:
                told.append("once")
                raise KeyboardInterrupt
            return made

        return call

    with monkeypatch.context() as change:
        change.setattr(os, "open", interrupting(os.open))
        change.setattr(Path, "write_bytes", interrupting(Path.write_bytes))
        with pytest.raises(KeyboardInterrupt):
            write(tmp_path / "file")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", [None, "rows.parquet"])
def test_control_c_in_a_query_is_control_c(tmp_path: Path, name: str | None) -> None:
    """DuckDB makes another error of it, or goes on."""
    threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        run_query(
            tmp_path,
            "SELECT count(*) FROM range(1000000) a, range(1000000) b",
            parquet=name and tmp_path / name,
        )


def test_control_c_while_rows_are_written_is_control_c(tmp_path: Path) -> None:
    with duckdb.connect(":memory:") as connection:
        rows = connection.sql("SELECT count(*) FROM range(1000000) a, range(1000000) b")
        threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
        with pytest.raises(KeyboardInterrupt):
            write_parquet(connection, rows, tmp_path / "rows.parquet")


@pytest.mark.slow
def test_two_jobs_for_one_container_both_end_well(tmp_path: Path) -> None:
    """One of a Snakemake that was killed may go on while the next run does the same again."""
    config = project(tmp_path, LONG)
    prepare(config.path, ONE_JOB)
    jobs = [start(config, "simulate", str(todo_of(config)), "--threads", "1") for _ in range(2)]
    for job in jobs:
        _, errors = job.communicate()
        assert job.returncode == 0, errors
    assert not partial(config)
    assert verify_store(config.results).findings == ()
    jobs = [start(config, "aggregate", "tiny", "--results", str(config.results)) for _ in range(2)]
    for job in jobs:
        _, errors = job.communicate()
        assert job.returncode == 0, errors
    assert not partial(config)
    receipt = json.loads(study_receipt(config.results, "tiny").read_text())
    assert receipt["sha256"] == digest(study_store(config.results, "tiny"))


@pytest.mark.slow
def test_an_aggregation_killed_at_any_step_leaves_all_or_nothing(tmp_path: Path) -> None:
    """A new store over an old one: the store is the one or the other, whole, and a receipt is its own."""
    config = project(tmp_path)
    simulated(config)
    writer = Path(__file__).with_name("killed_writer.py")
    done = subprocess.run(
        [sys.executable, str(writer), str(config.path)], capture_output=True, text=True, check=True
    )
    *killed, whole = map(json.loads, done.stdout.splitlines())
    assert not whole["killed"]
    assert whole["store"] == whole["receipt"]
    old = killed[0]["store"]
    assert old != whole["store"]
    # the old receipt goes, the store is opened, written, flushed and renamed with its folder flushed, and so is
    # the receipt
    assert len(killed) > 12
    for state in killed:
        assert state["killed"]
        assert state["store"] in (old, whole["store"])
        assert state["receipt"] in (None, state["store"])
    assert sum(state["receipt"] is None for state in killed) > 8
    assert any(state["left"] for state in killed)
    assert not whole["left"]


@pytest.mark.slow
def test_a_killed_aggregation_runs_again(tmp_path: Path) -> None:
    config = project(tmp_path)
    simulated(config)
    study = config.study("tiny")
    aggregate_study(study, config.results)
    receipt = study_receipt(config.results, "tiny")
    truth = receipt.read_bytes()
    for _ in range(3):
        process = start(config, "aggregate", "tiny", "--results", str(config.results))
        while process.poll() is None and receipt.exists():
            time.sleep(0.0005)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert not receipt.exists() or receipt.read_bytes() == truth
        aggregate_study(study, config.results)
        assert receipt.read_bytes() == truth
        assert not partial(config)
