"""The linear SDE dw = (constant + linear w + inverse / w) dt − √noise w dB on w > 0.

Two limits reduce to it. Both have a singularity that is one of the coordinate: the unshaped correlation r_t
at t = 0, in w = t e^{−r/2}, and the explosion of the variance V of a smooth activation, in w = 1 / V. y = log
w / √noise has unit noise and is solved by Fokker–Planck. w_0 = 0 is an entrance where constant > 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from deeplimits.array_types import Array
from deeplimits.laws import TabulatedLaw, Transform
from deeplimits.limits.solvers.fokker_planck import solve
from deeplimits.limits.solvers.resolvents import Diffusion

_NEAR = 1e-13
"""Where a path from 0 is taken to begin, as a part of where the constant drift alone takes it by its time, or
by 1 where that is later."""


@dataclass(frozen=True)
class LinearSde:
    """dw = (constant + linear w + inverse / w) dt − √noise w dB; ``inverse`` = 0 is the linear SDE itself."""

    constant: float
    linear: float
    noise: float
    inverse: float = 0.0

    @property
    def scale(self) -> float:
        """√noise: y = log w / scale."""
        return float(np.sqrt(self.noise))

    @property
    def diffusion(self) -> Diffusion:
        """The diffusion of y."""
        scale = self.scale

        def coefficients(y: Array) -> tuple[Array, Array]:
            over_w = np.exp(-np.clip(scale * y, -300.0, 300.0))
            first, second = self.constant * over_w, self.inverse * over_w**2
            return (first + second + self.linear - self.noise / 2) / scale, -(first + 2 * second)

        return Diffusion(coefficients)

    def start(self, w0: float, time: float) -> float:
        """y_0 for a law at ``time``.

        Parameters
        ----------
        w0
            Not negative; 0 only where there is an entrance.
        time
            Positive.

        Returns
        -------
        log w₀ / √noise, or where a path from 0 is taken to begin.
        """
        return float(np.log(w0 if w0 > 0 else _NEAR * self.constant * min(time, 1.0))) / self.scale

    def laws(
        self, w0: float, times: Sequence[float], transform: Callable[[float], Transform]
    ) -> list[TabulatedLaw]:
        """Laws at ``times`` (ascending, positive) from ``w0`` ≥ 0, of what ``transform`` makes of y.

        Parameters
        ----------
        w0
            Not negative; 0 only where there is an entrance.
        times
            Ascending and positive.
        transform
            The observable as a function of y, at a time.

        Returns
        -------
        A law for each time.

        Raises
        ------
        ArithmeticError
            If a law cannot be had to the accuracy that is kept.
        """
        return [solve(self.diffusion, self.start(w0, time), [time], transform)[0] for time in times]
