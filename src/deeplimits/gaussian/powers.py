"""Functions whose expectation may be asked for, and the lines along which their arguments lie."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deeplimits.array_types import Array


@dataclass(frozen=True, slots=True)
class Power:
    """u^``argument`` φ(u)^``value`` φ'(u)^``slope``, a function whose expectation may be asked for."""

    argument: int = 0
    value: int = 0
    slope: int = 0

    def __call__(self, u: Array, value: Array, slope: Array) -> Array:
        """The function from u, φ(u) and φ'(u), elementwise."""
        parts = [
            part if power == 1 else part**power
            for part, power in ((u, self.argument), (value, self.value), (slope, self.slope))
            if power
        ]
        found = np.ones_like(u)
        for part in parts:
            found = found * part
        return found

    def scaled(self, scale: float) -> float:
        """The factor that this function of φ_s(x) = s φ(x / s) has over that of φ.

        Parameters
        ----------
        scale
            s, positive.

        Returns
        -------
        A power of s.
        """
        return scale ** (self.argument + self.value)


VALUE = Power(value=1)
"""φ."""


SQUARE = Power(value=2)
"""φ²."""


SLOPE = Power(slope=1)
"""φ'."""


@dataclass(frozen=True, slots=True)
class Line:
    """u = m + σ x along the standard normal variable x; σ may be negative."""

    sigma: float
    mean: float = 0.0

    def __call__(self, x: Array) -> Array:
        """u at x."""
        return self.mean + self.sigma * x
