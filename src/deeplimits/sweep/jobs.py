"""What a job asks of a batch system: cores, minutes and memory, from the cost model. Minutes and memory grow
with each attempt, for a job that was killed asked for too little of one of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from deeplimits.sweep.blocks import Block
from deeplimits.sweep.cost import COPIES, JOB_BYTES, seconds

MOST_CORES = 8
"""Cores of a job at most: more wait longer for a node that has them free than they save."""
SIMULATING, AGGREGATING = 240.0, 30.0
"""Core-seconds that are worth a core."""
_SAFETY = 3.0
"""The cost model is good to a factor of two, and nodes are not equally fast."""
_STARTING = 10
"""Minutes that the start of a job may take: packages on a slow file system, kernels that are compiled."""
_SHARED = 0.7
"""What a core does beside others, of what it does alone."""
_SNAKEMAKE = 800.0
"""MB of the processes of Snakemake that a job is started by."""
_REDUCING = 600.0
"""MB of a process that reduces points."""
_POINT = 0.02
"""MB that are kept of each point."""


@dataclass(frozen=True)
class Job:
    """A job, as the cost model knows it.

    Parameters
    ----------
    seconds
        Core-seconds of work.
    worth_a_core
        How many of them are worth a core.
    memory
        MB that it takes on one core, and on each further one.
    """

    seconds: float
    worth_a_core: float
    memory: tuple[float, float]

    @property
    def cores(self) -> int:
        """Cores that it is worth."""
        return max(1, min(MOST_CORES, int(self.seconds / self.worth_a_core)))

    def minutes(self, cores: int, attempt: int = 1) -> int:
        """Minutes to ask for."""
        at_once = 1 + _SHARED * (cores - 1)
        return attempt * math.ceil(_STARTING + _SAFETY * self.seconds / at_once / 60)

    def megabytes(self, cores: int, attempt: int = 1) -> int:
        """Memory to ask for, in hundreds of MB."""
        first, further = self.memory
        return attempt * 100 * math.ceil((_SNAKEMAKE + first + further * (cores - 1)) / 100)


def simulation(work: float, largest: int) -> Job:
    """The job that computes blocks: their core-seconds, and the bytes of the largest."""
    return Job(work, SIMULATING, (2 * (JOB_BYTES + COPIES * largest) / 1e6, 0.0))


def simulation_of(blocks: Sequence[Block]) -> Job:
    """The same, from the blocks."""
    return simulation(sum(map(seconds, blocks)), max(block.bytes for block in blocks))


def aggregation(work: float, points: int) -> Job:
    """The job that reduces points, whose work is ``plan.aggregation_seconds``."""
    return Job(work, AGGREGATING, (_REDUCING + _POINT * points, _REDUCING))


def at_most(jobs: Iterable[Job]) -> Job | None:
    """A job that asks for as much as the largest of several in each respect; None where there is none."""
    each = list(jobs)
    if not each:
        return None
    first, further = zip(*(job.memory for job in each), strict=True)
    return Job(max(job.seconds for job in each), each[0].worth_a_core, (max(first), max(further)))
