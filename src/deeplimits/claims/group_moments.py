"""Moments by groups of samples, whose delete-a-group jackknife gives any smooth function of them an error."""

from __future__ import annotations

import numpy as np

from deeplimits.array_types import Array
from deeplimits.claims.equivalence import Effect, NoEvidence, jackknife
from deeplimits.claims.evidence import Evidence
from deeplimits.claims.statistic import ExpectedModel

TWO_INPUTS = ((0, 0), (0, 1), (1, 1))
"""Entries of V of the first two inputs."""


def group_moments(evidence: Evidence, observable: str, point: int) -> tuple[Array, float, float]:
    """Mean power sums of the standardised observable with one group left out each [group, power], and the
    centre and scale that it was standardised by.
    """
    place = evidence.group("groups").observable.values.tolist().index(evidence.observable(observable))
    sums, counts, (centre, scale) = (
        evidence.values("groups", name, point=point, observable=place)
        for name in ("power_sum", "counted", "scaling")
    )
    known = counts > 0
    if known.sum() < 2 or not np.isfinite(centre):
        raise NoEvidence(f"fewer than two groups of samples have a finite {observable}")
    sums, counts = sums[known], counts[known]
    left = (sums.sum(axis=0) - sums) / (counts.sum() - counts)[:, None]
    return left, float(centre), float(scale)


def variance_of(raw: Array) -> Array:
    """Variance from mean power sums [group, power]."""
    return np.maximum(np.asarray(raw[:, 1] - raw[:, 0] ** 2), 0.0)


def held_against(
    evidence: Evidence, statistic: ExpectedModel, point: int, left: Array, expected: float
) -> Effect:
    """An effect from delete-a-group values of a number."""
    value, error = jackknife(left)
    unit = statistic.unit_at(evidence, point, expected)
    return statistic.effect_at(
        evidence, point, (value - expected) / unit, error / unit, freedom=len(left) - 1
    )
