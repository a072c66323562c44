"""Files dated in the future, as a clock that was wrong leaves them: nothing fails, nothing is made again in vain, and
what changes now is newer than they are."""

from __future__ import annotations

import os
import time

import pytest

from deeplimits.jobs.dates import date_back, is_ahead
from workflow_runs import CLAIMS, NOTHING, STUDY, digests, jobs, output, snakemake

YEARS = 10 * 365 * 86400


def send_ahead(paths):
    for path in paths:
        status = path.stat()
        os.utime(path, (status.st_atime, status.st_mtime + YEARS))


def test_dates_come_back_in_their_order(tmp_path):
    (tmp_path / "figures/one").mkdir(parents=True)
    (tmp_path / "batches").mkdir()
    old, *files = (tmp_path / name for name in ("old", "batches/a", "figures/one/b", "c", "d"))
    ahead = int(time.time()) + 1000
    for path, changed in zip((old, *files), (1, ahead, ahead + 1, ahead + 2, ahead + 2), strict=True):
        path.touch()
        os.utime(path, (changed, changed))
    date_back(tmp_path)
    first, second, third, last = (path.stat().st_mtime_ns for path in files)
    assert first < second < third == last < time.time_ns() and not any(map(is_ahead, files))
    assert old.stat().st_mtime == 1


@pytest.mark.slow
def test_a_workflow_whose_files_are_dated_in_the_future(project):
    (project / "claims").mkdir()
    stated = project / "claims/x.yaml"
    stated.write_text(CLAIMS)
    first = snakemake(project, "--cores", "2")
    assert first.returncode == 0, output(first)
    truth = digests(project)

    def files(pattern="*"):
        return [path for path in (project / "results").rglob(pattern) if path.is_file()]

    send_ahead(files())
    assert NOTHING in output(snakemake(project, "--cores", "2"))
    send_ahead([stated])
    held = snakemake(project, "--cores", "2")
    assert held.returncode == 0 and jobs(held).keys() <= {"claims", "all"}, output(held)
    send_ahead(path for path in files("batches/*.json") if not path.name.endswith(".todo.json"))
    again = snakemake(project, "--cores", "2")
    assert again.returncode == 0, output(again)
    assert digests(project) == truth
    # what is asked for now is newer than what was made by that clock
    send_ahead(files())
    (project / "config/studies/small.yaml").write_text(STUDY.replace("title: Small", "title: Another"))
    changed = snakemake(project, "--cores", "2")
    assert changed.returncode == 0, output(changed)
    assert jobs(changed)["aggregate"] == 1
    stated.write_text(CLAIMS.replace("X1.a", "X1.b"))
    send_ahead([stated])
    told = snakemake(project, "--cores", "2")
    assert jobs(told) == {"claims": 1, "all": 1}, output(told)
    assert "X1.b" in (project / "results/claims.json").read_text()
    assert NOTHING in output(snakemake(project, "--cores", "2"))
