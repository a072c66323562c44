"""Starts from which a drift carries everything away at once, as far as a coordinate of minus infinity: the
time until a path arrives where the drift is moderate, by its Laplace transform.

E e^{−zτ} of the way from y_0 up to y_1 is exp(−∫ v), v' + 2 a v = 2z − v², and where the drift is strong v is
the one solution that varies as slowly as the drift does, nearly z / a. It is analytic in a power of e^y where
the drift grows like one, and found at Gauss' points by Newton's method.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from deeplimits.array_types import Array
from deeplimits.limits.solvers.meshes import Reach
from deeplimits.limits.solvers.resolvents import Arrival, Complex, Diffusion

_STRONG = 60.0
"""Drift at a start from which on its way is worth shortening."""
_MODERATE = 20.0
"""Least drift where the shortened way ends."""
_NODES = 24
_ITERATIONS = 10
_ABSENT = 33.0
"""S of the law where the shortened way ends."""
_FURTHEST = -100.0 + 150.0j


def shortened(diffusion: Diffusion, start: float, found: Reach, time: float) -> tuple[float, Arrival] | None:
    """Where a path from ``start`` may be taken to begin, above it and below all that is left in the end, and
    when it arrives there; None where there is no such place.
    """
    if not float(diffusion.drift(np.array([start]))[0]) > _STRONG:
        return None
    beyond = found.places >= start
    before = found.unreached <= 1.0
    passed = beyond & before & (found.absent >= _ABSENT) & (found.drift >= _MODERATE)
    run = int(np.argmin(passed[beyond][1:])) if not passed[beyond][1:].all() else 0
    if run == 0:
        return None
    end = float(found.places[beyond][run])
    arrival = _arrival(diffusion, start, end)
    return None if arrival is None or not _settled(arrival, time) else (end, arrival)


def _arrival(diffusion: Diffusion, start: float, end: float) -> Arrival | None:
    drift, slope = diffusion.coefficients(np.array([end]))
    power = -float(slope[0] / drift[0]) / 2
    if power < 0.25:
        return None
    points, weights, derivative = _gauss()
    first = float(np.exp(power * (start - end)))
    x = first + (1 - first) * points
    slow = derivative * (power * x / (1 - first))[:, None]
    strong = diffusion.drift(end + np.log(x) / power)

    def transform(z: Complex) -> Complex:
        # no end is told what v is there: polynomials come near to the one solution that varies slowly
        twice = 2 * z[:, None]
        speed = twice / (strong + np.sqrt(strong**2 + twice))
        for _ in range(_ITERATIONS):
            wrong = np.einsum("ij,pj->pi", slow, speed) + (2 * strong + speed) * speed - twice
            slopes = slow + (2 * (strong + speed))[:, :, None] * np.eye(_NODES)
            change = np.linalg.solve(slopes, wrong[:, :, None])[:, :, 0]
            speed = speed - change
            if not np.abs(change).max() > 1e-9 * np.abs(speed).max():
                return np.asarray(np.exp(-np.einsum("pj,j->p", speed, weights * (1 - first) / (power * x))))
        return np.full(len(z), np.nan)

    return Arrival(transform)


def _settled(arrival: Arrival, time: float) -> bool:
    """Whether v can be had, for |z| as large as contours go."""
    furthest: Complex = np.array([_FURTHEST / time], np.complex128)
    return bool(np.isfinite(arrival.transform(furthest)).all())


@lru_cache(maxsize=1)
def _gauss() -> tuple[Array, Array, Array]:
    """Gauss' points and weights on [0, 1], and the matrix that differentiates polynomials at them."""
    points, weights = np.polynomial.legendre.leggauss(_NODES)
    sign = (-1.0) ** np.arange(_NODES) * np.sqrt((1 - points**2) * weights)
    apart = np.subtract.outer(points, points)
    np.fill_diagonal(apart, 1.0)
    matrix = sign[None, :] / sign[:, None] / apart
    np.fill_diagonal(matrix, 0.0)
    np.fill_diagonal(matrix, -matrix.sum(axis=1))
    return (points + 1) / 2, weights / 2, 2 * matrix
