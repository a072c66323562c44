"""Sampled paths of dX = n^{-1/2} ‖φ(X)‖ dB (Hayou 2022, eq. (4)) for piecewise-linear φ, under the number
contract.

Euler's scheme with step 1 / L is a residual network of depth L. Several step sizes are run on one Brownian
motion, so that what differs between them is the step error and little else: a law, or a mean, is extrapolated
in the step at hardly more noise than that of one level. State and sums are float64, the noise float32 normals
from Philox with counter (unit // 4, step, sample low, sample high + purpose).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deeplimits.array_types import Array
from deeplimits.engines.compile.native import Kernel
from deeplimits.engines.contract.shape import LANES
from deeplimits.engines.run.cpu import in_threads
from deeplimits.engines.sde.paths import stream_key

_RESIDUAL = Kernel(
    "engines.sde.residual_kernels",
    "residual",
    "u8 i8 i8 i8 f8 f8 f8 f8 i8[1] i8[1] f8[4] f8[3] f8[3] f8[3] f4[2]",
    units=False,
)
_COLUMNS, _ROWS = 5, 6


@dataclass(frozen=True)
class ResidualPaths:
    """Paths at several step sizes on one Brownian motion; every array is [sample, level, record].

    Parameters
    ----------
    log_activation, log_square
        log ‖φ(X)‖², −∞ once collapsed, and log ‖X‖².
    control
        The martingale part of log ‖φ(X)‖² to second order in the increments: mean zero.
    positive
        Number of positive units, K.
    unit
        The first unit, X_1.
    """

    log_activation: Array
    log_square: Array
    control: Array
    positive: Array
    unit: Array


def residual_paths(
    width: int,
    depths: Sequence[int],
    times: Sequence[float],
    first: int,
    count: int,
    *,
    slopes: tuple[float, float] = (1.0, 0.0),
    variance: float = 1.0,
    start: float | None = None,
    seed: int = 0,
    threads: int | None = None,
) -> ResidualPaths:
    """Samples [first, first + count) of Euler's schemes with steps 1 / L for L in ``depths``, at ``times``.

    Parameters
    ----------
    depths
        The largest is a multiple of each, and every time a whole number of steps of each.
    slopes
        s₊ and s₋ of φ.
    variance, start
        X_0 ~ N(0, ``variance`` I), or every unit of X_0 is ``start``.
    """
    finest = max(depths)
    packs = np.array([finest // depth for depth in depths], np.int64)
    steps = np.array([round(time * finest) for time in times], np.int64)
    assert all(finest % depth == 0 for depth in depths), depths
    assert not (steps[:, None] % packs).any(), (depths, times)
    key = stream_key(
        {
            "process": "residual",
            "width": width,
            "depth": finest,
            "slopes": [float(slope).hex() for slope in slopes],
            "variance": float(variance).hex(),
            "start": None if start is None else float(start).hex(),
            "seed": seed,
        }
    )
    root = float(np.sqrt(np.float64(variance))) if start is None else 0.0
    out = np.empty((count, len(depths), len(steps), _COLUMNS))

    def share(rows: slice) -> None:
        lanes = (len(depths), width, LANES)
        scratch = (np.empty(lanes), np.empty(lanes), np.empty((len(depths), _ROWS, LANES)))
        place, normals = (root, start or 0.0, *slopes), np.empty((4, LANES), np.float32)
        _RESIDUAL(key, first + rows.start, width, finest, *place, packs, steps, out[rows], *scratch, normals)

    in_threads(share, count, threads)
    return ResidualPaths(*(out[..., column] for column in range(_COLUMNS)))
