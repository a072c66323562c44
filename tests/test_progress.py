"""What is to do, what is done and how far it is, told to people: in terminals, in logs, and in pipes."""

from __future__ import annotations

import io
import os
import pty
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from deeplimits.cli import progress as shown
from deeplimits.cli.progress import planned_lines, progress_lines, progress_table, watch_progress
from deeplimits.jobs.logs import Unfinished
from deeplimits.jobs.messages import Messages, aggregation_message, simulation_message
from deeplimits.jobs.status import Progress, StudyProgress, planned, progress
from deeplimits.jobs.workflow import prepare
from deeplimits.store import watched as watching
from deeplimits.store.paths import study_receipt, todo_path
from deeplimits.sweep.amounts import counted, data_size, duration
from deeplimits.sweep.plan import make_plan
from forked import deeplimits
from tiny import project

FAILED = Unfinished("simulate 0a", "", frozenset({"x"}), Path("results/logs/simulate/0a.log"), "Killed", True)
DONE = StudyProgress("one", 12, 12, True, (), 2, 2, 2, 0.0, 0.0, 0.0)
STALE = replace(DONE, study="two", stale=("more",), figures_up_to_date=1, aggregation_seconds=40.0)
NEW = StudyProgress("three", 1200, 300, False, (), 0, 0, 0, 7200.0, 10.0, 0.0, (FAILED,))
TOTAL = StudyProgress("total", 1224, 324, False, (), 4, 4, 3, 7200.0, 50.0, 0.0, (FAILED,))
SOME = Progress((DONE, STALE, NEW), TOTAL)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (0.5, "less than 1 s"),
        (4.24, "4.2 s"),
        (40, "40 s"),
        (119, "119 s"),
        (150, "2.5 min"),
        (7200, "2 h"),
        (3e6, "35 d"),
    ],
)
def test_times_are_told_as_people_do(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (999, "999 B"), (1.2e9, "1.2 GB"), (36e9, "36 GB"), (999.6e6, "1 GB")]
)
def test_sizes_are_told_as_people_do(count: float, text: str) -> None:
    assert data_size(count) == text
    assert counted(1, "job") == "1 job" and counted(1000, "job") == "1,000 jobs"


def test_progress_in_a_pipe_is_a_line_for_each_study_and_job() -> None:
    assert list(progress_lines(SOME)) == [
        "one: 12 of 12 blocks, aggregated, up to date, 2 of 2 figures; done",
        "two: 12 of 12 blocks, aggregated, but stale (more), 2 of 2 figures (1 of them out of date); about 40 s",
        "three: 300 of 1,200 blocks, not aggregated, 0 of 0 figures; about 2 h",
        "failed: simulate 0a: Killed (results/logs/simulate/0a.log)",
        "total: 324 of 1,224 blocks, 1 of 3 studies aggregated, 4 of 4 figures (1 of them out of date); about 2 h",
    ]
    assert list(progress_lines(Progress((DONE,), DONE))) == [next(progress_lines(SOME))]


def test_progress_in_a_terminal_is_a_table_with_a_total() -> None:
    console = Console(force_terminal=True, width=110, file=io.StringIO(), record=True)
    console.print(progress_table(SOME))
    lines = [" ".join(line.split()) for line in console.export_text().splitlines() if line.strip()]
    assert lines[0] == "study blocks store figures left, on one core"
    assert "two 12 of 12 aggregated, but stale (more) 2 of 2 (1 out of date) about 40 s" in lines
    assert "total 324 of 1,224 1 of 3 up to date 4 of 4 (1 out of date) about 2 h" in lines
    assert lines[-1] == "failed: simulate 0a: Killed (results/logs/simulate/0a.log)"


def test_watching_ends_when_all_is_done_and_prints_changes_only(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shown, "PAUSE", 0.0)
    half = replace(DONE, blocks_done=6, simulation_seconds=3.0)
    looks = iter([half, half, DONE])
    watch_progress(lambda: Progress((found := next(looks),), found))
    assert capsys.readouterr().out.splitlines() == [
        "one: 6 of 12 blocks, aggregated, up to date, 2 of 2 figures; about 3 s",
        "one: 12 of 12 blocks, aggregated, up to date, 2 of 2 figures; done",
    ]
    console = Console(force_terminal=True, width=100, file=io.StringIO())
    looks = iter([half, DONE])
    watch_progress(lambda: Progress((found := next(looks),), found), console)
    assert "12 of 12" in console.file.getvalue()


@pytest.mark.parametrize("terminal", [False, True])
@pytest.mark.slow
def test_watching_ends_with_control_c_and_without_a_traceback(tmp_path: Path, terminal: bool) -> None:
    project(tmp_path)
    # what a shell starts in the background ignores the signal, and so would all that it starts
    ignoring_nothing = ["env", "--default-signal=INT"]
    command = [*ignoring_nothing, sys.executable, "-m", "deeplimits", "status", "--watch"]
    ours, theirs = pty.openpty() if terminal else os.pipe()
    run = subprocess.Popen(command, cwd=tmp_path, stdout=theirs, stderr=subprocess.STDOUT)
    os.close(theirs)
    text = b""
    while b"tiny" not in text:
        text += os.read(ours, 4096)
    time.sleep(0.3)
    run.send_signal(signal.SIGINT)
    assert run.wait(30) == 0
    try:
        while more := os.read(ours, 4096):
            text += more
    except OSError:
        pass  # the end of a terminal
    os.close(ours)
    assert b"Traceback" not in text and b"0 of 2" in text


@pytest.mark.slow
def test_a_plan_is_told_in_human_units_with_a_total(tmp_path: Path) -> None:
    config = project(tmp_path)
    lines = list(planned_lines(*planned(config)))
    assert lines[0].startswith(
        "tiny: 2 points, 8,192 samples each; 2 of 2 blocks missing: 1 job, less than 1 s, "
    )
    assert re.fullmatch(
        r"total: 2 points, 1 job; time of one core: less than 1 s to simulate what is missing, 1\d s to compare "
        r"and draw everything; memory: 12\d MB a job; disk: \d+ kB before compression",
        lines[1],
    )
    project(tmp_path, name="same")
    config = replace(config, study_names=("tiny", "same"))
    rows, total = planned(config)
    # what studies share is counted once
    assert [row["blocks_missing"] for row in rows] == [2, 2] and total["blocks_missing"] == 2
    assert deeplimits("plan", cwd=tmp_path).stdout.splitlines()[-1].startswith("total: 4 points, 1 job;")


def test_jobs_that_left_a_log_and_no_result_are_told_with_its_last_line(tmp_path: Path) -> None:
    config = project(tmp_path)
    prepare(config.path)
    found = progress(config)
    assert found.total.unfinished == () and found.studies[0].seconds > 0
    (batch,) = make_plan([config.study("tiny")], {}).batches
    logs = config.results / "logs"
    said = {
        f"simulate/{batch.name}.log": "12 of 50 blocks, about 20 s left\n",
        f"simulate/{'0' * 16}.log": "of a plan that is no more\n",
        "aggregate/tiny.log": "Traceback (most recent call last):\n  …\nMemoryError\n\n",
        "figure/tiny/ks_against_width.log": "deeplimits: no such store\n",
        "figure/tiny/law_against_limit.log": "",
        "aggregate/gone.log": "of a study that is no more\n",
    }
    for name, text in said.items():
        (logs / name).parent.mkdir(parents=True, exist_ok=True)
        (logs / name).write_text(text)
    assert todo_path(config.results, batch.name).exists()
    assert [str(job).partition(" (")[0] for job in progress(config).total.unfinished] == [
        f"under way: simulate {batch.name}: 12 of 50 blocks, about 20 s left",
        "failed: aggregate tiny: MemoryError",
        "failed: figure tiny/ks_against_width: deeplimits: no such store",
    ]
    (logs / "aggregate/tiny.log").write_text(
        f"{study_receipt(config.results, 'tiny')}: 2 of 2 points reduced, 0 kept\n"
    )
    assert not any("aggregate" in job.job for job in progress(config).total.unfinished)


def test_a_log_gets_lines_a_pipe_nothing_and_a_terminal_a_bar(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "SILENT", 0.0)
    monkeypatch.setattr(watching, "SOON", 0.0)

    def work(stream: io.TextIOBase) -> None:
        with watching.watched(3, "blocks", stream) as tell:
            for _ in range(3):
                time.sleep(0.01)
                tell(1)

    with (tmp_path / "log").open("w+") as log:
        work(log)
        log.seek(0)
        lines = log.read().splitlines()
    assert lines[0] == "2 of 3 blocks, less than 1 s left"
    assert all(re.fullmatch(r"\d of 3 blocks, less than 1 s left", line) for line in lines)
    reader, writer = os.pipe()
    with os.fdopen(reader) as ours, os.fdopen(writer, "w") as pipe:
        work(pipe)
        pipe.close()
        assert ours.read() == ""
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as terminal:
        work(terminal)
        terminal.flush()
        text = b""
        while b"3/3" not in text and len(text) < 1 << 16:
            text += os.read(ours, 4096)
    os.close(ours)


def test_the_first_of_a_work_tells_no_pace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel may have been compiled before it, which takes a minute; of a second of work digits are told."""
    times = iter([0.0, 80.0, 80.1, 150.0])
    monkeypatch.setattr(watching, "time", SimpleNamespace(monotonic=lambda: next(times)))
    with (tmp_path / "log").open("w+") as log:
        with watching.watched(0.36, "core-seconds", log) as tell:
            for _ in range(3):
                tell(0.09)
        log.seek(0)
        assert log.read().splitlines() == [
            "0.18 of 0.36 core-seconds, less than 1 s left",
            "0.27 of 0.36 core-seconds, about 35 s left",
        ]


def test_messages_name_study_networks_size_and_time(tmp_path: Path) -> None:
    config = project(tmp_path)
    study = config.study("tiny")
    (batch,) = make_plan([study], {}).batches
    assert (
        simulation_message(batch, ["tiny"])
        == "tiny: 2 blocks of shaped ReLU networks, n = 8 … 12, d = 8 … 12, less than 1 s of one core"
    )
    _, targets = prepare(config.path)
    said = Messages(targets)
    assert f"{said:study tiny.}" == aggregation_message(study)
    assert f"{said:batch {batch.name}.}" == simulation_message(batch, ["tiny"])
    assert f"{said:batch 0a.}" == "batch 0a"
    assert simulation_message(batch, list("abcd")).startswith("a, b and 2 more: 2 blocks")
    assert re.fullmatch(
        r"tiny: 2 points, 8,192 samples each, 2 comparisons, about 2\.?\d? s of one core",
        aggregation_message(study),
    )
