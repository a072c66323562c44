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


def features(sample: Sample) -> NDArray[np.float64]:
    """log V^{aa} of every input and ρ of every pair at the last record, and where they are there log ‖φ‖² / n
    of every input, the first input's layer of explosion or collapse, the output, and of all records the log
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
    if "output" in sample:
        columns.append(sample["output"].astype(float))
    if "gradient_gap" in sample:
        for record in range(sample["gradient_gap"].shape[1]):
            columns.append(_sizes(sample["gradient_log_norm"][:, record]))
            columns.append(_cosines(sample["gradient_gap"][:, record]))
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
    values = [stats.ks_2samp(x, y, method="asymp").pvalue for x, y in zip(first.T, second.T, strict=True)]
    codes_first, codes_second = [], []
    for x, y in zip(first.T, second.T, strict=True):
        edges = np.unique(
            np.quantile(np.concatenate([x, y]), np.linspace(0, 1, CELLS + 1)[1:-1], method="inverted_cdf")
        )
        codes_first.append(np.searchsorted(edges, x, side="right"))
        codes_second.append(np.searchsorted(edges, y, side="right"))
    features_ = range(len(codes_first))
    groups = [*combinations(features_, 2)] if len(codes_first) > 1 else []
    if 2 < len(codes_first) < 7:
        groups.append(tuple(features_))
    for group in groups:
        a = np.ravel_multi_index([codes_first[i] for i in group], [CELLS] * len(group))
        b = np.ravel_multi_index([codes_second[i] for i in group], [CELLS] * len(group))
        cells = CELLS ** len(group)
        counts = np.array([np.bincount(a, minlength=cells), np.bincount(b, minlength=cells)])
        enough = counts.sum(axis=0) >= 25
        table = np.column_stack([counts[:, enough], counts[:, ~enough].sum(axis=1)])
        table = table[:, table.sum(axis=0) >= 25]
        if table.shape[1] > 1:
            values.append(stats.chi2_contingency(table, correction=False).pvalue)
    return [float(value) for value in values]


def smallest(first: Sample, second: Sample) -> float:
    """Bonferroni-corrected p-value of "one law": the false-alarm rate of this comparison at a threshold is at
    most the threshold."""
    values = p_values(features(first), features(second))
    return min(1.0, min(values) * len(values))
