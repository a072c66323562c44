"""Slurm, asked before anything is submitted to it: whether it can tell when a job has ended, and whether it
would ever start the jobs of a run. Slurm takes a job that is too long for its partition and lets it wait for
ever, and a job that nobody can tell the end of is waited for as long.
"""

from __future__ import annotations

import math
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from deeplimits.errors import nearest_name

_PATIENCE = 30
"""Seconds within which Slurm answers."""
_REMEMBERED = 240
"""Seconds for which Slurm must know of a job that has ended, where squeue is asked: it is asked every three
minutes at least.
"""
Run = Callable[[Sequence[str]], str | None]
"""Runs a command: what it prints, or None where it fails or is not there."""


def run(command: Sequence[str]) -> str | None:
    """What a command prints, or None where it fails or is not there."""
    if shutil.which(command[0]) is None:
        return None
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


@cache
def asks_squeue() -> bool:
    """Whether squeue is to be asked for the state of jobs: Slurm answers, and its accounting does not."""
    return run(["sinfo", "--version"]) is not None and not _keeps_accounts(run)


def _keeps_accounts(ask: Run) -> bool:
    """Whether sacct answers: it fails where accounting is switched off, or its database is not there."""
    return ask(["sacct", "--noheader", "--allocations", "--starttime", "now", "--name", "none"]) is not None


@dataclass(frozen=True)
class Nodes:
    """Nodes of one kind in a partition."""

    partition: str
    default: bool
    up: bool
    minutes: float
    cores: int
    megabytes: int
    cards: int


@dataclass(frozen=True)
class Asked:
    """What a job asks of Slurm; a partition that is None is the default one."""

    job: str
    partition: str | None
    minutes: float
    cores: int
    megabytes: float
    cards: int

    @property
    def rule(self) -> str:
        """The rule of the job, the first word of its name."""
        return self.job.partition(" ")[0]


_AMOUNTS = (
    ("minutes", "minutes", "--set-resources {rule}:runtime={most}"),
    ("cores", "cores", "--set-threads {rule}={most}"),
    ("megabytes", "MB of memory", "--set-resources {rule}:mem_mb={most}"),
    ("cards", "graphics cards", "--set-resources {rule}:gres=gpu:{most}"),
)
"""What jobs ask for and nodes have: its unit, and how to ask for less."""
_FIELDS = "%P|%a|%l|%c|%m|%G"
_GPUS = re.compile(r"\bgpu(?::(?!\d+(?:[,(]|$))[^:,()]+)?(?::(\d+))?(?=[,(]|$)")


def nodes_of(text: str) -> list[Nodes]:
    """What ``sinfo --exact --format '%P|%a|%l|%c|%m|%G'`` prints."""
    found = []
    for line in text.splitlines():
        fields = line.strip().split("|")
        if len(fields) != _FIELDS.count("|") + 1:
            continue
        name, available, longest, cores, memory, cards = fields
        found.append(
            Nodes(
                name.rstrip("*"),
                name.endswith("*"),
                available == "up",
                minutes_of(longest),
                _number(cores),
                _number(memory),
                cards_of(cards),
            )
        )
    return found


def _number(text: str) -> int:
    return int(re.sub(r"\D.*", "", text) or 0)


def cards_of(resources: str) -> int:
    """Graphics cards in ``gpu:a100:4(S:0-1),nvme:1``, as Slurm lists generic resources."""
    return sum(int(count or 1) for count in _GPUS.findall(resources))


def minutes_of(text: str) -> float:
    """A time as Slurm writes it, days-hours:minutes:seconds with what is before the minutes left out where it
    is nothing; no end to ``infinite``.
    """
    match = re.fullmatch(r"(?:(\d+)-)?(?:(\d+):)?(\d+):(\d+)", text)
    if match is None:
        return math.inf
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return days * 1440 + hours * 60 + minutes + seconds / 60


def refusal(asked: Iterable[Asked], nodes: Sequence[Nodes]) -> str | None:
    """A sentence about the first job that Slurm would never start, or None."""
    for each in asked:
        reasons = [_reason(each, partition, nodes) for partition in _partitions(each, nodes)]
        if all(reasons):
            return reasons[0]
    return None


def longest(partition: str | None, nodes: Sequence[Nodes]) -> float:
    """Minutes that a job of a partition may take."""
    named = (partition or "").split(",")
    return max(
        (each.minutes for each in nodes if each.partition in named or (each.default and not partition)),
        default=math.inf,
    )


def _partitions(job: Asked, nodes: Sequence[Nodes]) -> list[str]:
    """The partitions that a job may be in; an empty name where none is named and none is the default."""
    if job.partition:
        return job.partition.split(",")
    return [next((each.partition for each in nodes if each.default), "")]


def _reason(job: Asked, name: str, nodes: Sequence[Nodes]) -> str | None:
    """Why Slurm would not start a job in a partition, and what to do about it."""
    names = list(dict.fromkeys(each.partition for each in nodes))
    another = "name another partition with `--default-resources slurm_partition=NAME`"
    if not name:
        return f"{job.job} names no partition, and this cluster has none by default: {another}"
    here = [each for each in nodes if each.partition == name]
    if not here:
        near = nearest_name(name, names)
        hint = f" (did you mean {near!r}?)" if near else ""
        return f"slurm_partition: found {name!r}{hint}, expected one of {', '.join(names)}"
    if not any(each.up for each in here):
        return f"partition {name} is down: {another}"
    for what, unit, option in _AMOUNTS:
        wanted, most = getattr(job, what), max(getattr(each, what) for each in here)
        if wanted > most:
            mends = [another]
            if what == "minutes" and job.rule == "simulate":
                mends.insert(0, "make jobs shorter with `--config target_minutes=N`")
            if most:
                mends.append(f"ask for less with `{option.format(rule=job.rule, most=int(most))}`")
            return (
                f"{job.job} asks for {wanted:,.0f} {unit}, and partition {name} has {most:,.0f} at most, so "
                f"that the job would never start: {', or '.join(mends)}"
            )
    if not any(all(getattr(each, what) >= getattr(job, what) for what, _, _ in _AMOUNTS) for each in here):
        wanted = ", ".join(f"{getattr(job, what):,.0f} {unit}" for what, unit, _ in _AMOUNTS)
        return f"{job.job} asks for {wanted}, and no node of partition {name} has all of that: {another}"
    return None


def cannot_be_watched(status_command: str | None, ask: Run = run) -> str | None:
    """A sentence where nobody could tell when a job has ended, so that the run would wait for ever."""
    if not nodes_here(ask):
        return "Slurm does not answer here (`sinfo`): run this where jobs are submitted, on a login node"
    if status_command != "squeue":
        if _keeps_accounts(ask):
            return None
        return (
            "this cluster keeps no accounts (`sacct` fails), so that nobody would know when a job has ended: "
            "add --slurm-status-command squeue, as the profiles `slurm` and `slurm-gpus` do"
        )
    age = re.search(r"^MinJobAge\s*=\s*(\d+)", ask(["scontrol", "show", "config"]) or "", re.MULTILINE)
    if age and int(age[1]) < _REMEMBERED and not _keeps_accounts(ask):
        return (
            f"this cluster keeps no accounts and forgets a job {age[1]} s after its end (MinJobAge), so that "
            f"nobody could tell when it has ended: it must know of it for {_REMEMBERED} s, or keep accounts"
        )
    return None


def nodes_here(ask: Run = run) -> list[Nodes]:
    """All nodes, those of hidden partitions too."""
    return nodes_of(ask(["sinfo", "--all", "--noheader", "--exact", "--format", _FIELDS]) or "")


def before_submitting(
    jobs: Iterable[Any], status_command: str | None, are_placed: bool = False, ask: Run = run
) -> tuple[str | None, dict[str, float]]:
    """What Slurm is asked as a run begins.

    Parameters
    ----------
    jobs
        Jobs of Snakemake that are to be submitted, each with ``rule``, ``threads`` and ``resources``.
    status_command
        The command that will tell of their states, ``sacct`` or ``squeue``.
    are_placed
        Whether the executor chooses a partition for jobs that name none.

    Returns
    -------
    A sentence where the run would wait for ever, or None; and the minutes that the partition of each rule
    allows, which later attempts do not exceed.
    """
    submitted = list(jobs)
    if not submitted:
        return None, {}
    nodes = nodes_here(ask)
    asked = sorted(
        (_asked(job) for job in submitted if _goes_here(job, are_placed)),
        key=lambda each: each.job,
        reverse=True,
    )
    allowed = {each.rule: longest(each.partition, nodes) for each in asked}
    return cannot_be_watched(status_command, ask) or refusal(asked, nodes), allowed


def _goes_here(job: Any, are_placed: bool) -> bool:
    """Whether it is known to which partition of this cluster a job goes."""
    another = any(job.resources.get(name) for name in ("cluster", "clusters", "slurm_cluster"))
    return not another and (bool(job.resources.get("slurm_partition")) or not are_placed)


def _asked(job: Any) -> Asked:
    """What a job of Snakemake asks of Slurm."""
    resources = job.resources
    memory = resources.get("mem_mb") or 0
    if resources.get("mem_mb_per_cpu"):
        memory = resources.get("mem_mb_per_cpu") * job.threads
    partition = resources.get("slurm_partition")
    return Asked(
        job=" ".join([job.rule.name, *job.wildcards]),
        partition=None if partition is None else str(partition),
        minutes=resources.get("runtime") or 0,
        cores=job.threads,
        megabytes=memory,
        cards=cards_of(str(resources.get("gres") or "")) + int(resources.get("gpu") or 0),
    )
