"""The linear SDE dw = (pull + growth w + bend / w) dt − √noise w dB on w > 0, which two limits reduce to.

Both have a singularity that is one of the coordinate: the unshaped correlation r_t at t = 0, in w = t
e^{−r/2}, and the explosion of the variance V of a smooth activation, in w = 1 / V. y = log w / √noise has
unit noise and is solved by Fokker–Planck from a short time on, where w is log-normal with its first two
moments, to an error that the rest of the way forgets. w_0 = 0 is an entrance where pull > 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deeplimits.laws import Chart, TabulatedLaw
from deeplimits.limits.fokker_planck import Diffusion, Start, solve

Array = NDArray[np.float64]

_EARLY = 0.004
"""Where the log-normal start lies, as a part of the first time asked for, or of 1 where that is later."""


@dataclass(frozen=True)
class LinearSde:
    """dw = (pull + growth w + bend / w) dt − √noise w dB; ``bend`` = 0 is the linear SDE itself."""

    pull: float
    growth: float
    noise: float
    bend: float = 0.0

    @property
    def scale(self) -> float:
        """√noise: y = log w / scale."""
        return float(np.sqrt(self.noise))

    @property
    def diffusion(self) -> Diffusion:
        """The diffusion of y."""
        scale = self.scale

        def drift(y: Array) -> Array:
            inverse = np.exp(-scale * np.clip(y, -300.0, 300.0))
            return (self.pull * inverse + self.bend * inverse**2 + self.growth - self.noise / 2) / scale

        def drift_slope(y: Array) -> Array:
            inverse = np.exp(-scale * np.clip(y, -300.0, 300.0))
            return -(self.pull * inverse + 2 * self.bend * inverse**2)

        return Diffusion(drift, drift_slope)

    def laws(self, w0: float, times: Sequence[float], chart: Callable[[float], Chart]) -> list[TabulatedLaw]:
        """Laws at ``times`` (ascending, positive) from ``w0`` ≥ 0, of the observable that ``chart`` makes of
        y at a time.
        """
        if not times:
            return []
        return solve(self.diffusion, self._start(w0, _EARLY * min(times[0], 1.0)), times, chart)

    def _start(self, w0: float, time: float) -> Start:
        """The log-normal law with the first two moments of w at a short time: exact for bend = 0, to second
        order in the noise otherwise.
        """
        from scipy.integrate import solve_ivp

        def moments(t: float, state: Array) -> Array:
            mean, variance = state
            slope, curvature = self.growth - self.bend / mean**2, 2 * self.bend / mean**3
            return np.array(
                [
                    self.pull + self.growth * mean + self.bend / mean + curvature * variance / 2,
                    2 * slope * variance + self.noise * (mean**2 + variance),
                ]
            )

        begin = 1e-9 * time
        first = w0 + self.pull * begin
        if self.bend:
            first = float(np.sqrt(max(w0, 1e-12) ** 2 + 2 * self.bend * begin)) + self.pull * begin
        path = solve_ivp(moments, (begin, time), [first, 0.0], method="LSODA", rtol=1e-11, atol=1e-18)
        mean, variance = path.y[:, -1]
        spread = float(np.log1p(variance / mean**2))
        location = float(np.log(mean)) - spread / 2
        return Start(time, location / self.scale, float(np.sqrt(spread)) / self.scale)
