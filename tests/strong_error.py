"""How fast a residual network approaches its SDE path by path, on one Brownian motion: like L^{-1/2} in the
depth (Hayou 2022, Proposition 1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from deeplimits.engines.sde.residual_paths import residual_paths


@dataclass(frozen=True)
class StrongError:
    """Root mean squares of log ‖X‖ at depth L less that at depth 2 L.

    Parameters
    ----------
    depths, differences, errors
        L, the root mean square, and its standard error.
    rate, rate_error
        The exponent of L^{−rate}, by least squares weighted by the errors, and its standard error.
    """

    depths: tuple[int, ...]
    differences: tuple[float, ...]
    errors: tuple[float, ...]
    rate: float
    rate_error: float


def strong_error(
    width: int,
    depths: Sequence[int] = (16, 32, 64, 128, 256),
    samples: int = 1 << 15,
    seed: int = 0,
    *,
    slopes: tuple[float, float] = (1.0, 0.0),
) -> StrongError:
    """Differences between networks of ``depths``, each twice the one before, at the last layer.

    Successive differences share their noise, so the rate's error is that of independent ones, and a little
    more.
    """
    assert all(second == 2 * first for first, second in pairwise(depths)), depths
    paths = residual_paths(width, depths, (1.0,), 0, samples, slopes=slopes, seed=seed)
    logs = paths.log_square[:, :, 0] / 2
    squares = np.diff(logs, axis=1) ** 2
    mean, spread = squares.mean(axis=0), squares.std(axis=0) / np.sqrt(samples)
    relative = spread / mean / 2
    x, y, weights = np.log(np.array(depths[:-1], float)), np.log(mean) / 2, relative**-2
    centre = weights @ x / weights.sum()
    sum_of_squares = weights @ (x - centre) ** 2
    root = np.sqrt(mean)
    return StrongError(
        depths=tuple(depths[:-1]),
        differences=tuple(float(value) for value in root),
        errors=tuple(float(value) for value in root * relative),
        rate=-float(weights @ ((x - centre) * y) / sum_of_squares),
        rate_error=float(sum_of_squares**-0.5),
    )
