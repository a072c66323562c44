"""A real Slurm of one node: what the documented commands do on it is what they do here, whoever is killed."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dask
import pytest

from deeplimits.jobs.aggregate import aggregate_study
from deeplimits.store.errors import StoreError
from deeplimits.store.paths import study_store
from deeplimits.sweep.config import Config, load_config
from held_reduction import killed_in_mid_reduction
from tiny import project, simulated
from workflow_runs import BIN, ROOT, output, snakemake

pytestmark = pytest.mark.slow

STUDY = """
title: On a cluster
networks: [{activation: {name: relu, c_plus: 0.5, c_minus: -0.5}, shaping: {by: width, exponent: 0.5}}]
grid: {width: 80, depth: {times_width: 1.0}, correlation: 0.3, seed: [0, 1, 2, 3]}
samples: 16384
record: {layers: 2}
compare: [{observable: correlation, limit: correlation_sde, at: 1.0}]
"""
"""Eight blocks, in two jobs of a second."""
SHORT_JOBS = ["--slurm-init-seconds-before-status-checks", "5", "--config", "target_minutes=0.001"]
"""Jobs as short as can be, and a look every few seconds at what has become of them."""
TOOL = ROOT / "tools/slurm.sh"


@contextmanager
def only_one(path: Path) -> Iterator[None]:
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Slurm, started by the first process of the tests that wants it and stopped by the last."""
    if os.geteuid() != 0:
        pytest.skip("only root can start a Slurm")
    missing = [name for name in ("slurmctld", "slurmd", "munged") if shutil.which(name) is None]
    if missing:
        pytest.skip(f"no {' and no '.join(missing)} here: `tools/slurm.sh install` installs them")
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    users = shared / "slurm-users"
    users.mkdir(exist_ok=True)
    with only_one(shared / "slurm-lock"):
        if not any(users.iterdir()):
            started = subprocess.run(
                [TOOL, "start", shared / "slurm"], capture_output=True, text=True, check=False
            )
            if "is there already" in started.stderr:
                pytest.skip(f"another Slurm is configured here: {started.stderr.strip()}")
            assert started.returncode == 0, started.stderr
        (users / str(os.getpid())).touch()
    yield
    with only_one(shared / "slurm-lock"):
        (users / str(os.getpid())).unlink()
        if not any(users.iterdir()):
            subprocess.run([TOOL, "stop", shared / "slurm"], check=True)


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Digests of all that is made of the study here."""
    config = project(tmp_path_factory.mktemp("truth"), STUDY)
    assert len(simulated(config, 1.0)) == 8
    aggregate_study(config.study("tiny"), config.results)
    return digests(config.results)


def digests(results: Path) -> dict[str, str]:
    """Of containers and stores, by their names."""
    return {
        f"{path.parent.name}/{path.name}": hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(results.glob("*/*.zarr.zip"))
    }


def asked(*columns: str) -> list[list[str]]:
    """What was asked of Slurm for each job that it knows, by the letters of ``squeue``."""
    text = subprocess.run(
        ["squeue", "--states=all", "--noheader", "--array", "--format", "|".join(f"%{c}" for c in columns)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return [line.split("|") for line in text.splitlines()]


def simulation(folder: Path) -> tuple[int, str]:
    """Process and batch of the first simulation in a folder, once there is one."""
    for _ in range(2400):
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                words = (entry / "cmdline").read_bytes().decode().split("\0")
                verb = Path(words[1]).name == "deeplimits" and words[2] == "simulate"
                if verb and (entry / "cwd").readlink() == folder:
                    return int(entry.name), Path(words[3]).name.removesuffix(".todo.json")
            except (OSError, IndexError):
                continue
        time.sleep(0.05)
    raise AssertionError(f"no simulation in {folder}")


@pytest.fixture
def runs() -> Iterator[Any]:
    """Starts the workflow in a folder, without waiting for it."""
    started: list[subprocess.Popen[bytes]] = []

    def start(folder: Path, *arguments: str) -> subprocess.Popen[bytes]:
        for name in ("Snakefile", "profiles", "workflow", "environment.yml"):
            (folder / name).symlink_to(ROOT / name)
        with (folder / "log").open("wb") as log:
            run = subprocess.Popen(
                [BIN / "snakemake", *arguments, "--", "aggregates"],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        started.append(run)
        return run

    yield start
    for run in started:
        if run.poll() is None:
            run.kill()
            run.wait()


def test_killed_jobs_are_tried_again_and_cards_and_cores_give_the_same_bytes(
    slurm: None, truth: dict[str, str], runs: Any, tmp_path: Path
) -> None:
    """On cores a job is cancelled, and the simulation of another is killed on its node; on cards, jobs are an array,
    and what the user asks for is asked for."""
    cores, cards = project(tmp_path / "cores", STUDY), project(tmp_path / "cards", STUDY)
    on_cores = runs(tmp_path / "cores", "--workflow-profile", "slurm", *SHORT_JOBS)
    on_cards = runs(
        tmp_path / "cards",
        "--workflow-profile",
        "slurm-gpus",
        "--slurm-array-jobs",
        "simulate",
        "--default-resources",
        "mem_mb=1700",
        *SHORT_JOBS,
    )
    process, batch = simulation(tmp_path / "cores")
    os.kill(process, signal.SIGKILL)
    (other,) = (
        job
        for job, folder, of in asked("i", "Z", "k")
        if folder == str(tmp_path / "cores") and batch not in of
    )
    subprocess.run(["scancel", other], check=True)
    for run, config in ((on_cores, cores), (on_cards, cards)):
        assert run.wait(500) == 0, (config.results.parent / "log").read_text()
        assert digests(config.results) == truth
    assert (tmp_path / "cores/log").read_text().count("Trying to restart job") == 2

    jobs = asked("Z", "P", "k", "T", "m", "l", "C", "b")
    of_cores = [job[1:] for job in jobs if job[0] == str(tmp_path / "cores")]
    first, again = ["1100M", "11:00", "1", "N/A"], ["2200M", "22:00", "1", "N/A"]
    simulations = [job for job in of_cores if "simulate" in job[1]]
    assert sorted(job[3:] for job in simulations) == [first, first, again, again]
    assert {job[0] for job in of_cores} == {"cpu"}
    assert sorted(job[2] for job in simulations) == ["CANCELLED", "COMPLETED", "COMPLETED", "FAILED"]
    of_cards = [job[1:] for job in jobs if job[0] == str(tmp_path / "cards")]
    simulations = [job for job in of_cards if "simulate" in job[1]]
    # an array takes a little more for the list of its jobs
    assert [job[3:] for job in simulations] == [["1701M", "11:00", "1", "gres:gpu:1"]] * 2
    assert {job[0] for job in simulations} == {"gpu"}
    assert [job[3:] for job in of_cards if "aggregate" in job[1]] == [["1700M", "11:00", "1", "N/A"]]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--default-resources", "slurm_partition=short"], "asks for 11 minutes, and partition short has 2"),
        (["--slurm-status-command", "sacct"], "keeps no accounts"),
    ],
)
def test_what_would_wait_for_ever_is_said_before_anything_is_submitted(
    slurm: None, tmp_path: Path, options: list[str], said: str
) -> None:
    project(tmp_path, STUDY)
    run = snakemake(tmp_path, "--workflow-profile", "slurm", *options, *SHORT_JOBS)
    assert run.returncode != 0
    assert "deeplimits: nothing was submitted: " in output(run)
    assert said in output(run)
    assert "Traceback" not in output(run)
    assert not any(folder == str(tmp_path) for (folder,) in asked("Z"))
    assert not any(tmp_path.glob(".snakemake/locks/*"))


def named(config: Config, **settings: Any) -> Config:
    """The same project, whose configuration names a cluster of dask."""
    config.path.write_text(f"studies: all\nresults: {config.results}\ndask: {settings}\n")
    return load_config(config.path)


def test_dask_jobqueue_gives_the_same_bytes_whoever_is_killed(
    slurm: None, truth: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("dask_jobqueue")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    config = project(tmp_path, STUDY)
    simulated(config, 1.0)
    on_slurm = {"cluster": "slurm", "workers": 2, "cores": 1, "memory": "1GB", "queue": "cpu"}
    config = named(config, **on_slurm)
    with (
        dask.config.set({"jobqueue.slurm.interface": "lo"}),
        killed_in_mid_reduction(tmp_path / "killed", monkeypatch) as killed,
    ):
        aggregate_study(config.study("tiny"), config.results, dask=config.dask)
    assert len(killed) == 1
    assert digests(config.results) == truth
    assert [name for (name,) in asked("j")].count("dask-worker") >= 2

    config = named(config, **on_slurm | {"queue": "cpuu"})
    study_store(config.results, "tiny").unlink()
    with pytest.raises(StoreError, match=r"no workers by slurm, .* invalid partition specified: cpuu"):
        aggregate_study(config.study("tiny"), config.results, dask=config.dask)
