"""The plan: which blocks are missing, and how they are packed into jobs. A pure function of the studies and
of the receipts on disk.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from deeplimits.engines import SAMPLER_VERSION
from deeplimits.sweep.blocks import Block, block_size
from deeplimits.sweep.cost import (
    COPIES,
    JOB_BYTES,
    SECONDS_PER_AGGREGATION,
    SECONDS_PER_JOB,
    SECONDS_PER_LAW,
    SECONDS_PER_NORMAL,
    SECONDS_PER_POINT,
    SECONDS_PER_VALUE,
)
from deeplimits.sweep.families import Family
from deeplimits.sweep.formats import TODO
from deeplimits.sweep.growth import growing
from deeplimits.sweep.study import Study

MAX_JOBS = 950
"""Simulation jobs of one plan; larger plans get longer jobs. Snakemake's own time grows with this number."""
FEW_JOBS = 200
"""Jobs above which they rather get longer than more, as long as they stay short."""
SHORT = 600.0
"""Core-seconds of a job that is still short."""


@dataclass(frozen=True)
class Batch:
    """Blocks that one job computes, their core-seconds, and the bytes of the largest."""

    blocks: tuple[Block, ...]
    seconds: float
    largest: int = 0

    @cached_property
    def todo(self) -> str:
        """The job's input file: JSON, equal for equal blocks."""
        return todo_text(block.describe() for block in self.blocks)

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
    job_bytes: float = 0.0
    """Memory of the largest simulation job."""

    @property
    def seconds(self) -> float:
        """Core-seconds that the missing blocks take."""
        return sum(batch.seconds for batch in self.batches)


def todo_text(blocks: Iterable[Mapping[str, Any]]) -> str:
    """The input file of the job that computes the blocks with these descriptions."""
    body = {"format": TODO, "sampler_version": SAMPLER_VERSION, "blocks": list(blocks)}
    return json.dumps(body, sort_keys=True, separators=(",", ":")) + "\n"


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
    missing: dict[str, tuple[Family, int, int]] = {}
    total = 0
    for study in studies:
        names = needed.setdefault(study.name, {})
        for family in study.families:
            for place, blocks in enumerate(family.block_names(study.samples)):
                for index, name in enumerate(blocks):
                    names[name] = None
                    if name not in held:
                        missing[name] = family, place, index
        total += len(names)
    found = [Block(family.points[place], index) for family, place, index in missing.values()]
    costs = [family.seconds_per_block for family, _, _ in missing.values()]
    sizes = [family.bytes_per_block for family, _, _ in missing.values()]
    batches = tuple(_pack(found, costs, sizes, target_seconds, max_jobs))
    coming = {block.id: batch.name for batch in batches for block in batch.blocks}
    receipts = {
        study: tuple(sorted({held.get(name) or coming[name] for name in names}))
        for study, names in needed.items()
    }
    memory = JOB_BYTES + COPIES * max(sizes) if sizes else 0.0
    return Plan(batches, receipts, total, len(missing), sum(sizes), memory)


def aggregation_seconds(study: Study) -> float:
    """Core-seconds that the aggregation of a study takes, about."""
    total = SECONDS_PER_AGGREGATION
    for family in study.families:
        values = study.samples * family.bytes_per_block / block_size(family.first.network) / 4
        laws = sum(len(family.first.layers) if entry.at == "all" else 1 for entry in study.compare)
        total += len(family.variants) * (
            SECONDS_PER_POINT + laws * SECONDS_PER_LAW + values * SECONDS_PER_VALUE
        )
    if study.growth is not None:
        layers = study.growth.samples * sum(study.growth.depths)
        total += sum(layers * network.widest for network in growing(study.laws)) * SECONDS_PER_NORMAL[1]
    return total


def _pack(
    blocks: Sequence[Block], costs: Sequence[float], sizes: Sequence[int], target: float, max_jobs: int
) -> Iterable[Batch]:
    """Consecutive blocks, a job's worth at a time; jobs grow where there would be too many of them."""
    whole = sum(costs)
    # first fit leaves at most half of each job empty, so that twice the even share is always enough
    few, most = 2 * whole / FEW_JOBS, 2 * whole / max_jobs
    target = max(target, SECONDS_PER_JOB, min(few, SHORT), most)
    share = whole / max(1, math.ceil(whole / target))
    chosen: list[Block] = []
    spent, largest = 0.0, 0
    for block, cost, size in zip(blocks, costs, sizes, strict=True):
        if chosen and spent + cost > share * 1.001:
            yield Batch(tuple(chosen), spent, largest)
            chosen, spent, largest = [], 0.0, 0
        chosen.append(block)
        spent += cost
        largest = max(largest, size)
    if chosen:
        yield Batch(tuple(chosen), spent, largest)
