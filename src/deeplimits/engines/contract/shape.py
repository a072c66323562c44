"""Sizes that kernels and those who call them agree on; read without a compiler."""

from __future__ import annotations

MAX_INPUTS = 8
"""Inputs that the engines carry jointly."""
LANES = 16
"""Partial sums of a layer."""
TILE = 1024
"""Units of a layer whose normals are drawn at once."""
KINDS = 3
"""Kinds of branches of a residual network: slopes, a smooth table, an Ornstein–Uhlenbeck table."""
DEGREE = 17
"""Of the polynomial that a table of drifts holds for each piece."""


def units_per_lane(inputs: int) -> int:
    """Units whose normals come from one call of Philox."""
    return {1: 4, 2: 2}.get(inputs, 1)


def padded(width: int, inputs: int) -> int:
    """Units of a layer in whole rounds of the lanes."""
    group = LANES * units_per_lane(inputs)
    return -(-width // group) * group
