"""The cost model: core-seconds and memory of what is done, from measured constants. It decides how blocks are
packed into jobs and tells what is left to do, never what a result holds.
"""

from __future__ import annotations

from deeplimits.activations import OrnsteinUhlenbeck, Smooth
from deeplimits.sweep.blocks import Block

SECONDS_PER_NORMAL = {1: 1.6e-9, 2: 1.8e-9}
"""By number of inputs, on one core of a 2021 server (AVX2)."""
SECONDS_PER_NORMAL_MANY = 1e-8
GRADIENTS = 1.5
"""How much longer a normal takes with gradients: sums in float64, and each activation used several times."""
ON_TOP: dict[type, float] = {Smooth: 1.0e-9, OrnsteinUhlenbeck: 2.0e-9}
"""What tables take besides, by the kind of the activation."""
SECONDS_PER_BLOCK = 5e-3
"""Writing a small block."""
SECONDS_PER_BYTE = 3e-9
SECONDS_PER_JOB = 1.0
"""Start-up of a job."""
SECONDS_PER_AGGREGATION = 2.0
"""Start-up of an aggregation, and what it does once."""
SECONDS_PER_POINT = 3e-3
SECONDS_PER_LAW = 2.5e-3
"""A law of one point at one layer, compared."""
SECONDS_PER_VALUE = 6e-8
"""A stored number that is read and reduced."""
SECONDS_PER_FIGURE = 3.0
JOB_BYTES = 120e6
"""Memory of a simulation job without its blocks."""
COPIES = 3
"""Of a block, in memory while it is written."""


def seconds(block: Block) -> float:
    """Core-seconds to compute and write ``block``."""
    each = SECONDS_PER_NORMAL.get(block.point.network.inputs, SECONDS_PER_NORMAL_MANY)
    each += ON_TOP.get(type(block.point.network.activation), 0.0)
    if block.point.gradients:
        each *= GRADIENTS if block.point.network.inputs < 3 else 1.0
    # a layer of few units leaves lanes idle: count whole groups of 32 units
    width = block.point.network.width
    widths = (width,) if isinstance(width, int) else width
    padding = sum(-(-width // 32) * 32 for width in widths) / sum(widths)
    return block.normals * each * padding + SECONDS_PER_BLOCK + block.bytes * SECONDS_PER_BYTE
