"""What jobs ask of a cluster, and what is said where it would never start them, without a cluster."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from deeplimits.jobs.slurm import Asked, before_submitting, cards_of, minutes_of, nodes_of, refusal
from deeplimits.jobs.workflow import aggregation_job, prepare, simulation_job
from deeplimits.sweep.jobs import MOST_CORES, Job, at_most
from workflow_runs import STUDY, output, snakemake

SINFO = """\
cpu*|up|1:00:00|8|21736|gpu:named:2
cpu*|up|1:00:00|64|500000|(null)
long|up|14-00:00:00|8|21736|(null)
open|up|infinite|8|21736|(null)
cards|up|10:00:00|16|128000|gpu:a100:4(S:0-1),nvme:1
old|down|1:00:00|8|21736|(null)
"""


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("1:00:00", 60), ("30:00", 30), ("0:30", 0.5), ("14-00:00:00", 20160), ("infinite", math.inf)],
)
def test_times_of_slurm_are_read(text: str, minutes: float) -> None:
    assert minutes_of(text) == minutes


@pytest.mark.parametrize(
    ("text", "cards"),
    [
        ("gpu:a100:4(S:0-1),nvme:1", 4),
        ("gpu:2", 2),
        ("gpu", 1),
        ("gpu:a100", 1),
        ("gpu:v100:1,gpu:a100:3", 4),
        ("nvme:2", 0),
        ("(null)", 0),
        ("", 0),
    ],
)
def test_cards_of_slurm_are_counted(text: str, cards: int) -> None:
    assert cards_of(text) == cards


def job(rule: str = "simulate", threads: int = 1, **resources: Any) -> Any:
    return SimpleNamespace(
        rule=SimpleNamespace(name=rule),
        wildcards=["b1"],
        threads=threads,
        resources={"runtime": 30, "mem_mb": 1000} | resources,
    )


def slurm(answers: dict[str, str | None]) -> Any:
    def ask(command: Sequence[str]) -> str | None:
        return answers.get(command[0])

    return ask


PLAIN = {"sinfo": SINFO, "sacct": "", "scontrol": "MinJobAge               = 300 sec\n"}


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({}, None),
        ({"runtime": 60}, None),
        (
            {"runtime": 61},
            "simulate b1 asks for 61 minutes, and partition cpu has 60 at most, .*target_minutes",
        ),
        ({"runtime": 61, "rule": "aggregate"}, "aggregate b1 asks .*: name another .*aggregate:runtime=60`$"),
        ({"runtime": 61, "slurm_partition": "cpu,long"}, None),
        ({"runtime": 61, "slurm_partition": "open"}, None),
        ({"slurm_partition": "lnog"}, r"found 'lnog' \(did you mean 'long'\?\), expected one of cpu, long, "),
        ({"slurm_partition": "old"}, "partition old is down"),
        ({"threads": 64}, None),
        ({"threads": 65}, "65 cores, and partition cpu has 64 at most, .*--set-threads simulate=64"),
        ({"mem_mb": 600000}, "600,000 MB of memory, and .*--set-resources simulate:mem_mb=500000"),
        ({"mem_mb_per_cpu": 60000, "threads": 10}, "600,000 MB of memory"),
        ({"gres": "gpu:1"}, None),
        ({"gres": "gpu:1", "threads": 9}, "no node of partition cpu has all of that"),
        (
            {"gpu": 1, "slurm_partition": "long"},
            "1 graphics cards, and partition long has 0 at most, .*another",
        ),
        ({"gpu": 5, "slurm_partition": "cards"}, "simulate:gres=gpu:4"),
    ],
)
def test_a_job_that_slurm_would_never_start_is_named(wanted: dict[str, Any], said: str | None) -> None:
    found, allowed = before_submitting([job(), job(**wanted)], "sacct", ask=slurm(PLAIN))
    assert (found is None) if said is None else re.search(said, found or "")
    assert allowed["simulate" if "rule" not in wanted else "aggregate"] >= 60


@pytest.mark.parametrize(
    ("command", "answers", "said"),
    [
        ("sacct", {}, None),
        ("squeue", {}, None),
        ("sacct", {"sacct": None}, "add --slurm-status-command squeue"),
        ("squeue", {"sacct": None}, None),
        ("squeue", {"sacct": None, "scontrol": "MinJobAge  = 60 sec"}, "forgets a job 60 s after its end"),
        ("squeue", {"scontrol": "MinJobAge  = 60 sec"}, None),
        ("sacct", {"sinfo": None}, "Slurm does not answer here"),
    ],
)
def test_a_cluster_that_cannot_say_when_a_job_has_ended_is_named(
    command: str, answers: dict[str, str | None], said: str | None
) -> None:
    found, _ = before_submitting([job()], command, ask=slurm(PLAIN | answers))
    assert (found is None) if said is None else said in (found or "")
    assert before_submitting([], command, ask=slurm(PLAIN | answers)) == (None, {})


def test_a_job_whose_partition_is_not_known_here_is_not_judged() -> None:
    elsewhere, placed = job(runtime=9000, slurm_cluster="other"), job(runtime=9000)
    assert before_submitting([elsewhere], "sacct", ask=slurm(PLAIN)) == (None, {})
    assert before_submitting([placed], "sacct", are_placed=True, ask=slurm(PLAIN)) == (None, {})
    assert before_submitting([placed], "sacct", ask=slurm(PLAIN))[0]


def test_a_cluster_without_a_default_partition_wants_one_named() -> None:
    nodes = nodes_of(SINFO.replace("*", ""))
    said = refusal([Asked("simulate b1", None, 1, 1, 1, 0)], nodes)
    assert said is not None
    assert "none by default" in said


def test_requests_grow_with_the_work_and_the_attempt() -> None:
    small, large = Job(5.0, 240.0, (500.0, 0.0)), Job(36_000.0, 240.0, (900.0, 100.0))
    assert (small.cores, large.cores) == (1, MOST_CORES)
    assert small.minutes(1) == 11
    assert large.minutes(1) == 10 + 3 * 600
    assert 10 + 3 * 600 / 8 < large.minutes(8) < large.minutes(4) < large.minutes(1)
    assert [large.minutes(8, attempt) / large.minutes(8) for attempt in (1, 2, 3)] == [1, 2, 3]
    assert [large.megabytes(2, attempt) for attempt in (1, 2)] == [1800, 3600]
    assert at_most([small, large]) == Job(36_000.0, 240.0, (900.0, 100.0))


def test_a_node_works_out_what_the_plan_did(project: Path) -> None:
    """The threads of a job are those that were asked for, though nothing is planned where it runs."""
    config, targets = prepare(project / "config/config.yaml", {"results": str(project / "results")})
    planned = targets["small"]
    for batch, asked in planned.jobs.items():
        found = simulation_job(config.results, batch)
        assert found.seconds == pytest.approx(asked.seconds)
        assert found.memory == asked.memory
    assert planned.job == aggregation_job(config.study("small"))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("profile", "options", "asked"),
    [
        ("slurm", [], "92 min, 1100 MB, cores: 8"),
        ("slurm-gpus", ["--default-resources", "slurm_account=me"], "92 min, 1100 MB, cores: 8"),
        ("slurm", ["--default-resources", "mem_mb=5000", "runtime=20"], "20 min, 5000 MB, cores: 8"),
        ("slurm", ["--set-resources", "simulate:runtime=7"], "7 min, 1100 MB, cores: 8"),
        ("slurm", ["--set-threads", "simulate=2"], "295 min, 1100 MB, cores: 2"),
    ],
)
def test_profiles_ask_by_the_cost_model_and_a_user_wins(
    project: Path, profile: str, options: list[str], asked: str
) -> None:
    """Of a job of two and a half hours of one core."""
    study = STUDY.replace("[8, 12, 16]", "1000").replace("4096", "2621440").replace(", rate_in: width", "")
    (project / "config/studies/small.yaml").write_text(study)
    target = ["--config", "target_minutes=600", "--", "simulations"]
    run = snakemake(project, "-n", "--workflow-profile", profile, *options, *target)
    assert run.returncode == 0, output(run)
    assert f"of one core; asks for {asked}\n" in output(run)
