"""The plan: which blocks are missing, and how they are packed into jobs. A pure function of the studies and
of the receipts on disk.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from deeplimits.engines import SAMPLER_VERSION
from deeplimits.sweep.blocks import Block, blocks_of
from deeplimits.sweep.cost import SECONDS_PER_JOB, seconds
from deeplimits.sweep.study import Study

MAX_JOBS = 1000
"""Jobs of one plan; larger plans get longer jobs. Snakemake's own time grows with this number."""


@dataclass(frozen=True)
class Batch:
    """Blocks that one job computes."""

    blocks: tuple[Block, ...]
    seconds: float

    @cached_property
    def todo(self) -> str:
        """The job's input file: JSON, equal for equal blocks."""
        body = {
            "format": 1,
            "sampler_version": SAMPLER_VERSION,
            "blocks": [block.describe() for block in self.blocks],
        }
        return json.dumps(body, sort_keys=True, separators=(",", ":")) + "\n"

    @cached_property
    def name(self) -> str:
        """Name of the batch, from the names of its blocks."""
        return hashlib.sha256("\n".join(block.id for block in self.blocks).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Plan:
    """What is to be done.

    ``batches`` holds what is missing; ``receipts`` maps each study to the sorted names of the batches, done
    and to come, that its blocks are in.
    """

    batches: tuple[Batch, ...]
    receipts: Mapping[str, tuple[str, ...]]
    blocks_needed: int
    blocks_missing: int
    bytes_missing: int

    @property
    def seconds(self) -> float:
        """Core-seconds that the missing blocks take."""
        return sum(batch.seconds for batch in self.batches)


def make_plan(
    studies: Sequence[Study], held: Mapping[str, str], target_seconds: float = 30.0, max_jobs: int = MAX_JOBS
) -> Plan:
    """Plan ``studies``, given the blocks that are held already.

    Parameters
    ----------
    held
        Batch that holds a block, by the block's name; from the catalogue.
    target_seconds
        Core-seconds that a job should take, its start-up left out.
    """
    needed: dict[str, dict[str, None]] = {}
    missing: dict[str, Block] = {}
    total = 0
    for study in studies:
        names = needed.setdefault(study.name, {})
        for point in study.points:
            for block in blocks_of(point, study.samples):
                names[block.id] = None
                if block.id not in held:
                    missing[block.id] = block
        total += len(names)
    batches = tuple(_pack(missing.values(), target_seconds, max_jobs))
    coming = {block.id: batch.name for batch in batches for block in batch.blocks}
    receipts = {
        study: tuple(sorted({held.get(name) or coming[name] for name in names}))
        for study, names in needed.items()
    }
    return Plan(batches, receipts, total, len(missing), sum(block.bytes for block in missing.values()))


def _pack(blocks: Collection[Block], target: float, max_jobs: int) -> Iterable[Batch]:
    """Consecutive blocks, a job's worth at a time; jobs grow where there would be too many of them."""
    costs = [seconds(block) for block in blocks]
    target = max(target, SECONDS_PER_JOB)
    whole = sum(costs)
    # first fit leaves at most half of each job empty, so that twice the even share is always enough
    target = max(target, 2 * whole / max_jobs)
    share = whole / max(1, math.ceil(whole / target))
    chosen: list[Block] = []
    spent = 0.0
    for block, cost in zip(blocks, costs, strict=True):
        if chosen and spent + cost > share * 1.001:
            yield Batch(tuple(chosen), spent)
            chosen, spent = [], 0.0
        chosen.append(block)
        spent += cost
    if chosen:
        yield Batch(tuple(chosen), spent)
