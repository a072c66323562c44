"""Whose Snakemake's locks are: those of a run that is gone are taken over, and no others."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from deeplimits.jobs import processes
from deeplimits.jobs.arguments import no_configuration, takes_locks
from deeplimits.jobs.processes import die_with, this_process
from deeplimits.jobs.runs import RunFolder

RUN = """\
import sys, time
from pathlib import Path
from deeplimits.jobs.runs import RunFolder
results, number, told, there = sys.argv[1:]
folder = RunFolder(Path("."), lambda text: None)
folder.begin(results, ["snakemake", results])
if number != "-":
    Path("locks").mkdir(exist_ok=True)
    Path(f"locks/{number}.input.lock").write_text(f"claims/x.yaml\\n{results}/batches/x.todo.json\\n")
    Path(f"locks/{number}.output.lock").write_text(f"{results}/batches/x.json\\n")
if told == "told":
    folder.locked()
if told == "free":
    folder.free_guard()
Path(there).touch()
time.sleep(60)
"""


def started(
    folder: Path, results: str = "results", number: str = "0", told: str = "told"
) -> subprocess.Popen:
    """A run in a process of its own, once it has come as far as it should."""
    there = folder / f"there-{time.monotonic_ns()}"
    process = subprocess.Popen([sys.executable, "-c", RUN, results, number, told, str(there)], cwd=folder)
    while not there.exists():
        assert process.poll() is None
        time.sleep(0.01)
    there.unlink()
    return process


@pytest.fixture
def run(tmp_path):
    processes = []

    def start(*arguments, **options):
        processes.append(started(tmp_path, *arguments, **options))
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
        process.wait()


@pytest.fixture
def told():
    return []


@pytest.fixture
def folder(tmp_path, told):
    folder = RunFolder(tmp_path, told.append)
    yield folder
    folder._end(os.getpid())


def locks(tmp_path):
    return sorted(path.name for path in (tmp_path / "locks").glob("*.lock"))


def killed(process):
    process.send_signal(signal.SIGKILL)
    process.wait()


@pytest.mark.parametrize("when", ["told", "before"])
def test_locks_of_a_killed_run_are_taken_over(run, folder, told, tmp_path, when):
    process = run(told=when)
    killed(process)
    folder.begin("results", ["snakemake"])
    assert locks(tmp_path) == []
    assert len(told) == 1
    assert f"process {process.pid} on " in told[0] and "is gone" in told[0]
    assert len(list((tmp_path / "deeplimits").glob("*.json"))) == 1


def test_a_run_that_nobody_has_waited_for_is_gone(run, folder, tmp_path):
    process = run()
    process.send_signal(signal.SIGKILL)
    while Path(f"/proc/{process.pid}/stat").read_text().split()[2] != "Z":
        time.sleep(0.001)
    folder.begin("results", ["snakemake"])
    assert locks(tmp_path) == []


def test_locks_of_a_live_run_stay_and_the_message_says_whose_they_are(run, folder, told, tmp_path):
    process = run()
    folder.begin("results", ["snakemake"])
    assert locks(tmp_path) == ["0.input.lock", "0.output.lock"]
    (message,) = told
    assert f"process {process.pid} on {os.uname().nodename}, since 2" in message
    assert message.endswith(": snakemake results")


def test_of_two_runs_the_one_that_is_gone_is_taken_over(run, folder, told, tmp_path):
    live, dead = run("one", "0"), run("two", "1")
    killed(dead)
    folder.begin("two", ["snakemake"])
    assert locks(tmp_path) == ["0.input.lock", "0.output.lock"]
    assert [str(process.pid) in text for text, process in zip(told, (dead, live), strict=True)] == [
        True,
        True,
    ]


def test_a_run_begins_when_the_one_before_has_its_locks(run, folder, tmp_path):
    process = run(number="-", told="before")
    other = threading.Thread(target=folder.begin, args=("results", ["snakemake"]))
    other.start()
    time.sleep(0.3)
    assert other.is_alive()
    killed(process)
    other.join(10)
    assert not other.is_alive()


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({}, "alive"),
        ({"started": 1}, "gone"),
        ({"pid": 2**22 - 1}, "gone"),
        ({"boot": "another"}, "gone"),
        ({"boot": "another", "machine": "another"}, "unknown"),
        ({"boot": "another", "host": "another"}, "unknown"),
        ({"boot": "another", "machine": ""}, "unknown"),
        ({"namespace": "pid:[1]"}, "unknown"),
        ({"host": "", "machine": "", "boot": "", "namespace": "", "pid": 0, "started": None}, "unknown"),
    ],
)
def test_a_process_is_told_from_those_that_have_its_number_elsewhere(change, found, monkeypatch):
    here = replace(this_process(), machine="0123")
    monkeypatch.setattr("deeplimits.jobs.processes.this_process", lambda: here)
    assert replace(here, **change).state() == found


def test_locks_of_what_cannot_be_seen_from_here_stay(run, folder, told, tmp_path):
    killed(run())
    (record,) = (tmp_path / "deeplimits").glob("*.json")
    body = json.loads(record.read_text())
    body["process"] |= {"host": "elsewhere", "boot": "another"}
    record.write_text(json.dumps(body))
    folder.begin("results", ["snakemake"])
    assert len(locks(tmp_path)) == 2
    assert "on elsewhere" in told[0] and "--unlock" in told[0]
    # a record that cannot be read says nothing of its process
    record.write_text("{")
    folder.look()
    assert len(locks(tmp_path)) == 2


def test_locks_without_a_record_stay(run, folder, told, tmp_path):
    """Of another workflow in the same folder, or of an earlier version of this one: there before, or since."""
    (tmp_path / "locks").mkdir()
    (tmp_path / "locks/0.output.lock").write_text("results/batches/x.json\n")
    process = run(number="1", told="before")
    (tmp_path / "locks/2.output.lock").write_text("others/x.txt\n")
    killed(process)
    folder.begin("results", ["snakemake"])
    assert locks(tmp_path) == ["0.output.lock", "2.output.lock"]
    assert "no record" in told[-1] and "--unlock" in told[-1]


def test_a_lock_cut_short_is_taken_over(run, folder, tmp_path):
    killed(run(told="before"))
    (tmp_path / "locks/0.output.lock").write_text("results/batches/x.json\nresul")
    folder.begin("results", ["snakemake"])
    assert locks(tmp_path) == []


def test_looking_changes_nothing_and_unlocking_spares_a_live_run(run, folder, told, tmp_path):
    process = run()
    before = sorted(path.name for path in tmp_path.rglob("*"))
    folder.look()
    assert str(process.pid) in told[0]
    assert folder.unlock().process.pid == process.pid
    killed(process)
    folder.look()
    assert "the next run takes over" in told[1]
    assert sorted(path.name for path in tmp_path.rglob("*")) == before
    assert folder.unlock() is None
    assert not list((tmp_path / "deeplimits").glob("*.json"))


def test_of_many_that_find_a_dead_run_none_removes_the_lock_of_another(run, folder, tmp_path):
    """Six begin at once over the locks of a dead run; each takes a lock, as Snakemake does, and keeps it."""
    killed(run())
    begun = [
        subprocess.Popen(
            [sys.executable, "-c", RUN, "results", str(i), "told", str(tmp_path / f"there-{i}")], cwd=tmp_path
        )
        for i in range(6)
    ]
    try:
        while len(list(tmp_path.glob("there-*"))) < len(begun):
            assert all(process.poll() is None for process in begun)
            time.sleep(0.05)
        assert len(locks(tmp_path)) == 2 * len(begun)
    finally:
        for process in begun:
            process.kill()
            process.wait()


def test_a_parent_that_was_killed_is_gone_though_nobody_has_waited_for_it():
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    assert die_with(process.pid)
    process.kill()
    while die_with(process.pid):
        time.sleep(0.001)
    process.wait()


def test_a_process_goes_with_its_parent():
    child = """\
import os, time
from deeplimits.jobs.processes import die_with
print(die_with(os.getppid()), die_with(2**22 - 1), os.getpid(), flush=True)
time.sleep(60)
"""
    parent = "import subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1]])"
    process = subprocess.Popen([sys.executable, "-c", parent, child], stdout=subprocess.PIPE, text=True)
    there, elsewhere, pid = process.stdout.readline().split()
    assert (there, elsewhere) == ("True", "False")
    killed(process)
    end = time.monotonic() + 10
    while (found := processes._stat(int(pid))) and found[0] not in "ZX" and time.monotonic() < end:
        time.sleep(0.01)
    assert not found or found[0] in "ZX"


@pytest.mark.parametrize(
    ("line", "locks"),
    [
        ("--cores 2", True),
        ("--configfile x.yaml -- report", True),
        ("-n", False),
        ("--unlock", False),
        ("--lint", False),
        ("--report r.html", False),
        ("--report=r.html", False),
        ("--list-target-rules", False),
        ("--summary", False),
    ],
)
def test_commands_that_take_no_lock(line, locks):
    assert takes_locks(line.split()) is locks


def test_a_word_that_is_no_file_of_configuration(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("x.yaml", "y.yaml", "figure.pdf"):
        (tmp_path / name).touch()
    good = (
        "--configfile x.yaml --cores 2 small",
        "--configfile x.yaml -- small",
        "--configfiles x.yaml y.yaml",
    )
    assert [no_configuration(line.split()) for line in (*good, "-n small", "-- --configfile a")] == [None] * 5
    for line in ("--configfile x.yaml small -n", "--configfiles x.yaml y.yaml figure.pdf"):
        found = no_configuration(line.split())
        words = line.removesuffix(" -n").split()
        assert repr(words[-1]) in found
        assert found.endswith(f"{' '.join(words[:-1])} -- {words[-1]}")
    assert "found 'z.yaml', expected a file" in no_configuration(["--configfile", "z.yaml", "small"])
