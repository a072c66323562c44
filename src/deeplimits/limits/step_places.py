"""Places along y = artanh ρ' at which the law of one step is had where a slope is 0, for ``one_sided``."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deeplimits.array_types import Array

_WIDE = 1.5
"""``scale`` in standard deviations."""
_SMOOTHING = 0.3
"""Softplus bends over this part of the distance to the middle of a law."""
VANISHED = 14.0
"""At this many ``smoothing`` below 0 y is as good as 0; further on transforms lose digits."""


@dataclass(frozen=True)
class Places:
    """Places y = softplus(z), z = ``middle`` + ``scale`` sinh w, w from ``low`` to ``high``: close together
    where a law has its middle, and ever further apart in its tails and, as e^z, towards 0.

    Of a law that moves smoothly with a parameter they are smooth functions of it, at each (w − ``low``) /
    (``high`` − ``low``).

    Parameters
    ----------
    smoothing
        Length over which softplus bends; 0 where y = z.
    """

    middle: float
    scale: float
    smoothing: float
    low: float
    high: float

    @classmethod
    def onto_zero(cls, centre: float, deviation: float, above: float, vanished: float = VANISHED) -> Places:
        """From 0, as which e^{−``vanished``} of ``smoothing`` counts, to ``above`` the centre."""
        smoothing, slope = _SMOOTHING * centre, -float(np.expm1(-1 / _SMOOTHING))
        middle, scale = centre + smoothing * float(np.log(slope)), _WIDE * deviation / slope
        first, last = np.arcsinh((np.array([-vanished * smoothing, centre + above]) - middle) / scale)
        return cls(middle, scale, smoothing, float(first), float(last))

    @classmethod
    def about(cls, centre: float, deviation: float, below: float, above: float) -> Places:
        """From ``below`` the centre to ``above`` it."""
        scale = _WIDE * deviation
        first, last = np.arcsinh(np.array([-below, above]) / scale)
        return cls(centre, scale, 0.0, float(first), float(last))

    def at(self, part: Array) -> Array:
        """w of parts of the way."""
        return self.low + (self.high - self.low) * part

    def y(self, w: Array) -> Array:
        """artanh of the places."""
        z = self.middle + self.scale * np.sinh(w)
        if not self.smoothing:
            return z
        return np.maximum(z, 0.0) + self.smoothing * np.log1p(np.exp(-np.abs(z) / self.smoothing))

    def slope(self, w: Array) -> Array:
        """dy/dw."""
        grown = self.scale * np.cosh(w)
        if not self.smoothing:
            return grown
        return grown / (1 + np.exp(-(self.middle + self.scale * np.sinh(w)) / self.smoothing))

    def w(self, y: Array) -> Array:
        """Where the places ``y`` are; of those below all, ``low``."""
        z = y
        if self.smoothing:
            over = np.maximum(y / self.smoothing, np.exp(-2 * VANISHED))
            z = y + self.smoothing * np.log(-np.expm1(-over))
        return np.maximum(np.arcsinh((z - self.middle) / self.scale), self.low)
