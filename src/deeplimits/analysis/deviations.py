"""Distance of a sample to a limit that is one number, √E (X − x)²: a Kolmogorov distance says nothing there.

Sums are taken a block at a time and added by ``math.fsum``, so that no scheduler changes a bit. There is no
noise floor: the square is an unbiased estimate, and a sample of the limit itself has the distance 0.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deeplimits.analysis.distances import Distance
from deeplimits.analysis.least_squares import STORED_NORMAL
from deeplimits.array_types import Array


@dataclass(frozen=True)
class Deviations:
    """How many values there are, and the sums of (X − x)² and (X − x)⁴, one for each block."""

    count: int
    squares: tuple[float, ...]
    fourths: tuple[float, ...]

    @classmethod
    def of(cls, point: float, values: Array) -> Deviations:
        """Deviations of ``values`` from ``point``; infinite ones are left out."""
        squares = (values[np.isfinite(values)] - point) ** 2
        return cls(len(squares), (float(squares.sum()),), (float((squares * squares).sum()),))

    @classmethod
    def joined(cls, parts: Sequence[Deviations]) -> Deviations:
        """The deviations of several samples together."""
        return cls(
            sum(part.count for part in parts),
            tuple(value for part in parts for value in part.squares),
            tuple(value for part in parts for value in part.fourths),
        )


def root_mean_square(deviations: Deviations) -> Distance:
    """√E (X − x)² with an interval from the variance of (X − x)²."""
    square = math.fsum(deviations.squares) / deviations.count
    fourth = math.fsum(deviations.fourths) / deviations.count
    error = math.sqrt(max(0.0, fourth - square**2) / deviations.count)
    value = math.sqrt(square)
    low, high = (math.sqrt(max(0.0, square + sign * STORED_NORMAL * error)) for sign in (-1, 1))
    return Distance(value, value, low, high, error / (2 * value) if value else 0.0, 0.0)
