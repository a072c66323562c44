"""The cost model: core-seconds of a block, from measured constants. It decides how blocks are packed into
jobs, never what they hold.
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
