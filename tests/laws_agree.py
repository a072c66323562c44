"""Two samples, one law? Tests on every coordinate and on the joint cells, at a family-wise false-alarm
rate."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Sample = dict[str, NDArray[np.float32]]

CELLS = 6
"""Quantile cells a coordinate in the joint tests."""
SMALLEST_GRADIENT = -14.0
"""Log square norm below which a gradient is only small, and has no angle: φ' is known to 3e-6 of the largest slope
(``test_derivative_of_the_table``), so that where all units saturate a gradient of 1e-3 has lost 0.3 % of itself."""
CHUNK = 1 << 15
"""Networks counted at a time, so that their indicators stay near the processor; below 2²⁴."""


def features(sample: Sample) -> NDArray[np.float64]:
    """log V^{aa} of every input and ρ of every pair at the last record, and where they are there log ‖φ‖² / n
    of every input and the cosine of every pair of activations, the first input's layer of explosion or collapse, the output, and of all records the log
    square norm of the gradient of every input and the cosine for every pair [sample, feature]; dead networks
    as points of their own.
    """
    columns = [_sizes(sample["log_variance"][:, -1]), _cosines(sample["correlation_gap"][:, -1])]
    if "log_activation" in sample:
        # rounded: where all units saturate, φ is all but constant, to the rounding of either engine
        columns.append(_sizes(np.round(sample["log_activation"][:, -1], 5)))
    columns += [
        sample[name][:, :1].astype(float) for name in ("exploded_at", "collapsed_at") if name in sample
    ]
    if "activation_gap" in sample and "gradient_gap" in sample:
        columns.append(_cosines(sample["activation_gap"][:, -1]))
    if "output" in sample:
        columns.append(sample["output"].astype(float))
    if "gradient_gap" in sample:
        first, second = np.triu_indices(sample["gradient_log_norm"].shape[2], k=1)
        for record in range(sample["gradient_gap"].shape[1]):
            sizes = _sizes(sample["gradient_log_norm"][:, record])
            columns.append(np.where(sizes > -1e3, np.maximum(sizes, SMALLEST_GRADIENT), sizes))
            resolved = sizes > SMALLEST_GRADIENT
            cosines = _cosines(sample["gradient_gap"][:, record])
            columns.append(np.where(resolved[:, first] & resolved[:, second], cosines, 3.0))
    return np.hstack(columns)


def _sizes(logarithms: NDArray[np.float32]) -> NDArray[np.float64]:
    return np.where(np.isfinite(logarithms), logarithms.astype(float), -1e3)


def _cosines(gaps: NDArray[np.float32]) -> NDArray[np.float64]:
    """Rounded to 1e-5: two collinear vectors have ρ = 1 up to the rounding of either engine, an atom of the law and
    not a difference.
    """
    return np.nan_to_num(np.round(1.0 - gaps.astype(float), 5), nan=3.0)


def p_values(first: NDArray[np.float64], second: NDArray[np.float64]) -> list[float]:
    """p-values of Kolmogorov–Smirnov tests on each feature and of χ² tests on the cells of each pair and of
    all features."""
    number = first.shape[1]
    values, codes = [], []
    for x, y in zip(first.T, second.T, strict=True):
        value, edges = compared(x, y)
        values.append(value)
        codes.append([np.searchsorted(edges, sample, side="right") for sample in (x, y)])
    cells = [np.array(sample) for sample in zip(*codes, strict=True)]
    tables = []
    if number > 1:
        of_pairs = [_of_pairs(cell) for cell in cells]
        tables += [[counts[i, j].ravel() for counts in of_pairs] for i, j in combinations(range(number), 2)]
    if 2 < number < 7:
        jointly = [np.ravel_multi_index([*cell], [CELLS] * number) for cell in cells]
        tables.append([np.bincount(joint, minlength=CELLS**number) for joint in jointly])
    for both in tables:
        counts = np.array(both)
        enough = counts.sum(axis=0) >= 25
        table = np.column_stack([counts[:, enough], counts[:, ~enough].sum(axis=1)])
        table = table[:, table.sum(axis=0) >= 25]
        if table.shape[1] > 1:
            values.append(float(stats.chi2_contingency(table, correction=False).pvalue))
    return values


def compared(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
    """The p-value of SciPy's ``ks_2samp(x, y, method="asymp")``, and the edges of ``CELLS`` cells of equal shares
    of all numbers, from one sort of each sample: of millions, sorting is what takes the time.
    """
    pooled = np.concatenate([np.sort(x), np.sort(y)])
    # stable: two runs are merged
    order = np.argsort(pooled, kind="stable")
    pooled = pooled[order]
    of_first = np.cumsum(order < len(x))
    last = np.append(pooled[1:] != pooled[:-1], True)
    up_to = np.arange(1, len(pooled) + 1)
    apart = np.abs(of_first / len(x) - (up_to - of_first) / len(y))[last]
    value = stats.kstwo.sf(np.max(apart), np.round(len(x) / len(pooled) * len(y)))
    # the smallest number up to which a share of all lies
    places = np.ceil(np.arange(1, CELLS) * len(pooled) / CELLS).astype(int) - 1
    return float(value), np.unique(pooled[places])


def _of_pairs(codes: NDArray[np.int64]) -> NDArray[np.float64]:
    """Networks in each pair of cells of each pair of features [feature, feature, cell, cell]: products of
    indicators, a matrix product that float32 has exactly.
    """
    number, samples = codes.shape
    counts = np.zeros((number * CELLS, number * CELLS))
    for start in range(0, samples, CHUNK):
        part = codes[:, None, start : start + CHUNK] == np.arange(CELLS)[:, None]
        indicators = part.reshape(number * CELLS, -1).astype(np.float32)
        counts += indicators @ indicators.T
    return counts.reshape(number, CELLS, number, CELLS).swapaxes(1, 2)


def smallest(first: Sample, second: Sample) -> float:
    """Bonferroni-corrected p-value of "one law": the false-alarm rate of this comparison at a threshold is at
    most the threshold."""
    values = p_values(features(first), features(second))
    return min(1.0, min(values) * len(values))
