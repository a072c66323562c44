"""Snakemake and `make` are killed, ended or interrupted at random moments, and the same command goes on to the same
bytes; a run that lives is waited for, wherever it was started."""

from __future__ import annotations

import os
import queue
import shutil
import signal
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from deeplimits.jobs.processes import handle_in_a_thread
from workflow_runs import BIN, ROOT, STUDY, digests, output, snakemake

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
"""Killed outright, ended as a batch system does at its time limit, interrupted as by Control-C."""
KINDS = {"snakemake": [BIN / "snakemake", "--cores", "2"], "make": ["make", "CORES=2"]}


def run(folder, command):
    return subprocess.run(
        command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )


def start(folder, command, stderr=subprocess.DEVNULL):
    """A run in a session of its own, so that it can be killed with all that it started; it heeds Control-C even where
    these tests run in the background of a shell.
    """
    return subprocess.Popen(
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=stderr,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 no threads here
        text=True,
    )


def small(folder):
    """Several batches, a figure, and what `make` wants to find."""
    (folder / "config/config.yaml").write_text("studies: all\ntarget_minutes: 0.002\n")
    study = STUDY.replace("samples: 4096", "samples: 32768").replace("[8, 12, 16]", "[24, 32]")
    (folder / "config/studies/small.yaml").write_text(study)
    names = ("Snakefile", "profiles", "workflow", "environment.yml", "Makefile", "pyproject.toml", "tools")
    for path in [*map(ROOT.joinpath, names), *ROOT.glob("requirements*.lock")]:
        (folder / path.name).symlink_to(path)
    (folder / ".venv/bin").mkdir(parents=True)
    (folder / ".venv/bin/snakemake").symlink_to(BIN / "snakemake")
    (folder / ".venv/.ready").touch()
    return folder


def processes_of(folder):
    """Processes that work in a folder, by their command."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            state = (place / "stat").read_text().rpartition(")")[2].split()[0]
            if (place / "cwd").readlink() == folder and state not in "ZX":
                found.append((place / "cmdline").read_text().replace("\0", " "))
    return found


def nothing_is_left(folder):
    """Whether there is no file half-written, no lock and, after a moment, no process."""
    end = time.monotonic() + 10
    while processes_of(folder) and time.monotonic() < end:
        time.sleep(0.05)
    left = [*folder.rglob(".part-*"), *folder.glob("results/.run"), *folder.glob(".snakemake/locks/*.lock")]
    left += [*folder.glob(".snakemake/deeplimits/*.json"), *folder.glob(".snakemake/incomplete/*")]
    return not left and not processes_of(folder)


def twice(group, number):
    """As `timeout` does: a child is told, then its group; and `make` passes on what it is told."""
    os.killpg(group, number)
    os.killpg(group, number)


def kill_and_go_on(folder, kind, moments, chance):
    """Kill, end and interrupt ``moments`` runs, two thirds of them with their jobs, and run each again; how many held
    locks then.
    """
    command = KINDS[kind]
    begin = time.perf_counter()
    first = run(folder, command)
    duration = time.perf_counter() - begin
    assert first.returncode == 0, output(first)
    truth = digests(folder)
    assert {Path(name).parent.name for name in truth} == {"batches", "studies", "small"}
    held = 0
    for moment in range(moments):
        shutil.rmtree(folder / "results")
        shutil.rmtree(folder / ".snakemake")
        process = start(folder, command)
        time.sleep(duration * (moment + chance.random()) / moments)
        # `make` alone takes its Snakemake along; a Snakemake that is killed alone leaves its jobs, which go on writing
        how = SIGNALS[moment % len(SIGNALS)]
        (os.kill, os.killpg, twice)[chance.integers(3)](process.pid, how)
        held += any((folder / ".snakemake").glob("locks/*.lock"))
        again = run(folder, command)
        process.wait()
        assert again.returncode == 0, f"moment {moment}, {how.name}: {output(again)}"
        assert digests(folder) == truth
        assert nothing_is_left(folder), f"moment {moment}, {how.name}"
    assert "Nothing to be done" in output(run(folder, command))
    return held


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_the_same_command_goes_on_after_a_kill(project, kind):
    kill_and_go_on(small(project), kind, 3, np.random.default_rng(3))


@pytest.mark.exhaustive
@pytest.mark.parametrize("kind", KINDS)
def test_the_same_command_goes_on_after_a_kill_at_any_moment(project, kind):
    assert kill_and_go_on(small(project), kind, 24, np.random.default_rng(4)) >= 5


def test_a_handler_waits_for_a_lock_and_not_for_itself():
    """Whoever holds the lock as the signal comes goes on, and the handler takes it then."""
    lock, took = threading.Lock(), queue.SimpleQueue()

    def handler(*_):
        took.put(lock.acquire(timeout=5))

    before = signal.signal(signal.SIGUSR1, handler)
    try:
        handle_in_a_thread(signal.SIGUSR1)
        with lock:
            signal.raise_signal(signal.SIGUSR1)
        assert took.get(timeout=10)
    finally:
        signal.signal(signal.SIGUSR1, before)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_run_that_is_told_to_end_again_and_again_ends(project, kind):
    """With its jobs, which fail then: as by a service manager, or by a `timeout` above a `make` that passes it on."""
    folder = small(project)
    process = start(folder, KINDS[kind])
    while not any(folder.glob("results/logs/simulate/*")):
        assert process.poll() is None
        time.sleep(0.01)
    end = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < end:
        os.killpg(process.pid, signal.SIGTERM)
        time.sleep(0.02)
    told_enough = process.poll() is not None
    if not told_enough:
        os.killpg(process.pid, signal.SIGKILL)
    assert told_enough
    assert process.wait() != 0
    again = run(folder, KINDS[kind])
    assert again.returncode == 0, output(again)
    assert nothing_is_left(folder)


def two_at_once(first, second, chance, times):
    """Two runs on the results of ``first``, the second begun while the first is at work; how often it waited."""
    waited = 0
    begin = time.perf_counter()
    assert run(first, KINDS["snakemake"]).returncode == 0
    duration, truth = time.perf_counter() - begin, digests(first)
    for _ in range(times):
        for folder in {first, second}:
            shutil.rmtree(folder / ".snakemake")
        shutil.rmtree(first / "results")
        runs = [start(first, KINDS["snakemake"], subprocess.PIPE)]
        time.sleep(duration * chance.random() ** 2)
        runs.append(start(second, KINDS["snakemake"], subprocess.PIPE))
        said = [each.communicate()[1] for each in runs]
        assert [each.returncode for each in runs] == [0, 0], "\n".join(said)
        assert digests(first) == truth
        assert nothing_is_left(first) and nothing_is_left(second)
        waited += any("waiting for another run on" in text for text in said)
    return waited


def other_folder(folder, place):
    """The same project elsewhere, with the results of the first."""
    place.mkdir()
    for path in folder.iterdir():
        if path.name in ("config", ".venv"):
            shutil.copytree(path, place / path.name, symlinks=True)
        elif path.name not in (".snakemake", "results"):
            (place / path.name).symlink_to(path)
    with (place / "config/config.yaml").open("a") as file:
        file.write(f"results: {folder / 'results'}\n")
    (place / ".snakemake").mkdir()
    return place


@pytest.mark.slow
@pytest.mark.parametrize("times", [1, pytest.param(12, marks=pytest.mark.exhaustive)])
@pytest.mark.parametrize("where", ["one folder", "two folders"])
def test_two_runs_at_once_both_end_well(project, tmp_path_factory, where, times):
    """The one that comes later waits, and has then nothing left to do."""
    folder = small(project)
    second = folder
    if where == "two folders":
        second = other_folder(folder, tmp_path_factory.mktemp("elsewhere") / "project")
    waited = two_at_once(folder, second, np.random.default_rng(times), times)
    assert times == 1 or waited > times // 2


@pytest.mark.slow
def test_a_live_run_is_respected(project):
    """It is held still with its locks taken, and everything else that Snakemake does leaves it as it is."""
    folder = small(project)
    process = start(folder, KINDS["snakemake"])
    try:
        records = folder / ".snakemake/deeplimits"
        while not any(folder.glob("results/logs/simulate/*")):
            assert process.poll() is None
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGSTOP)
        kept = [*folder.glob(".snakemake/locks/*"), *records.glob("*.json")]
        before = {path: path.stat().st_mtime_ns for path in kept}
        assert len(before) == 3
        whose = f"another run holds locks in this folder: process {process.pid} on {os.uname().nodename}"
        waiting = start(folder, KINDS["snakemake"], stderr=subprocess.PIPE)
        told = f"waiting for another run on {folder / 'results'}: process {process.pid} on "
        assert any(told in line for line in waiting.stderr)
        assert whose in output(snakemake(folder, "-n"))
        spared = snakemake(folder, "--unlock")
        assert spared.returncode != 0
        assert f"not unlocked, for a run holds these locks: process {process.pid}" in output(spared)
        assert snakemake(folder, "--list-target-rules").returncode == 0
        assert all(path.stat().st_mtime_ns == changed for path, changed in before.items())
        assert waiting.poll() is None
    finally:
        os.kill(process.pid, signal.SIGCONT)
    assert process.wait() == 0
    assert "Nothing to be done" in waiting.communicate()[1]
    assert waiting.returncode == 0
    assert not any(records.glob("*.json"))
    assert not any(folder.glob(".snakemake/locks/*"))
