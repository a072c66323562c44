"""Distances of a sample to an exact law from counts on u = F(x), with intervals and the noise floor.

F is cut into 2¹⁴ cells of equal probability; the counts of the sample in them determine its Kolmogorov
distance to within 2⁻¹⁴ and its Wasserstein distance by quadrature over the law's quantiles. A sample of N
draws from the law itself has a Kolmogorov distance of 0.869/√N on average, and every distance is larger than
the true one by a part of that: the bootstrap measures how much, and the estimate here has it taken off.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deeplimits.laws import KOLMOGOROV_MEAN, EmpiricalLaw, Law, PointMass

Array = NDArray[np.float64]
IntArray = NDArray[np.int64]

CELLS = 1 << 14
_COARSE = 1 << 10
_RESAMPLES = 400
_TAIL = 1e-7
"""Where the quantiles at levels 0 and 1 are cut."""


@dataclass(frozen=True)
class Distance:
    """A distance as observed, with the noise taken off, a 95 % interval, the standard error, and what pure
    noise would give.
    """

    value: float
    estimate: float
    low: float
    high: float
    error: float
    floor: float


def cell_counts(law: Law, values: Array) -> IntArray:
    """How many of ``values`` fall into each cell of u = F(x)."""
    u = law.cdf(values)
    return np.bincount(np.minimum((u * CELLS).astype(np.int64), CELLS - 1), minlength=CELLS)


def distances(law: Law, counts: IntArray, label: str) -> dict[str, Distance]:
    """``ks`` and ``wasserstein`` from the cell counts of a sample; ``label`` seeds the bootstrap."""
    total = int(counts.sum())
    coarse = counts.reshape(_COARSE, -1).sum(axis=1)
    seed = int(hashlib.sha256(label.encode()).hexdigest()[:16], 16)
    generator = np.random.Generator(np.random.Philox(seed))
    resampled = generator.multinomial(total, coarse / total, size=_RESAMPLES)
    noise = generator.multinomial(total, np.full(_COARSE, 1 / _COARSE), size=_RESAMPLES)
    fine_widths, widths = _widths(law, CELLS), _widths(law, _COARSE)
    sizes = len(law.samples) if isinstance(law, EmpiricalLaw) else 0
    floor = KOLMOGOROV_MEAN * float(np.sqrt(1 / total + (1 / sizes if sizes else 0.0)))
    result = {}
    for name in ("ks", "wasserstein"):
        observed = _distance(name, counts, fine_widths)
        base = _distance(name, coarse, widths)
        spread = np.array([_distance(name, sample, widths) for sample in resampled]) - base
        pure = (
            floor if name == "ks" else float(np.mean([_distance(name, sample, widths) for sample in noise]))
        )
        low, high = observed - np.quantile(spread, 0.975), observed - np.quantile(spread, 0.025)
        estimate = max(0.0, observed - float(spread.mean()))
        result[name] = Distance(
            observed, estimate, max(0.0, float(low)), max(0.0, float(high)), float(spread.std()), pure
        )
    return result


def _widths(law: Law, cells: int) -> Array:
    """Lengths in x of the cells of equal probability."""
    levels = np.clip(np.arange(cells + 1) / cells, _TAIL, 1 - _TAIL)
    return np.diff(law.quantile(levels))


def _distance(name: str, counts: IntArray, widths: Array) -> float:
    cells = len(counts)
    gap = np.concatenate([[0.0], np.cumsum(counts) / counts.sum() - np.arange(1, cells + 1) / cells])
    if name == "ks":
        return float(np.max(np.abs(gap)))
    return float(np.sum((np.abs(gap[1:]) + np.abs(gap[:-1])) / 2 * widths))


def comparable(law: Law) -> bool:
    """Whether counts on u = F(x) say anything: not for a point mass."""
    return not isinstance(law, PointMass)
