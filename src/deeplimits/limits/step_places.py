"""Places along y = artanh ρ' at which a transform of the law of one step is had, for ``transition``."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_WIDE = 1.5
"""``scale`` in standard deviations."""
_BEND = 0.3
"""Softplus bends over this part of the distance to the middle of a law."""
_VANISHED = 18.0
"""At this many ``bend`` below 0 y is as good as 0; further on transforms lose digits."""


@dataclass(frozen=True)
class Places:
    """Places y = softplus(z), z = ``middle`` + ``scale`` sinh w, w from ``low`` to ``high``: close together
    where a law has its middle, and ever further apart in its tails and, as e^z, towards 0.

    Parameters
    ----------
    bend
        Length over which softplus bends; 0 where y = z.
    """

    middle: float
    scale: float
    bend: float
    low: float
    high: float

    @classmethod
    def of(cls, centre: float, deviation: float, start: float, end: float) -> Places:
        """From ``start``, which may be 0, to ``end``, about ``centre``."""
        bend = max(centre, deviation) * _BEND if start == 0 else 0.0
        middle = max(centre, deviation) if bend else centre
        slope = -float(np.expm1(-middle / bend)) if bend else 1.0
        found = cls(_straight(middle, bend), _WIDE * deviation / slope, bend, 0.0, 0.0)
        first, last = (float(each) for each in found.w(np.array([start, end])))
        return replace(found, low=first, high=last)

    def y(self, w: Array) -> Array:
        """artanh of the places."""
        z = self.middle + self.scale * np.sinh(w)
        if not self.bend:
            return z
        return np.maximum(z, 0.0) + self.bend * np.log1p(np.exp(-np.abs(z) / self.bend))

    def w(self, y: Array) -> Array:
        z = np.array([_straight(float(each), self.bend) for each in y])
        return np.arcsinh(
            ((np.maximum(z, -_VANISHED * self.bend) if self.bend else z) - self.middle) / self.scale
        )


def _straight(y: float, bend: float) -> float:
    """z."""
    if not bend:
        return y
    return y + bend * float(np.log(-np.expm1(-y / bend))) if y > 0 else -np.inf
