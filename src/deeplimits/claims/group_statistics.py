"""Statistics of claims from moments by groups of samples, whose delete-a-group jackknife gives any smooth
function of them an error: moments of observables, and moments of the entries of V.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from deeplimits.claims.equivalence import Effect, NoEvidence, jackknife
from deeplimits.claims.evidence import Evidence, effect_at, expected_at, gathered, unit_at
from deeplimits.claims.statistic_models import ExpectedModel, GramModel, MomentModel
from deeplimits.limits.predictions import PREDICTIONS

Array = NDArray[np.float64]

_TWO_INPUTS = ((0, 0), (0, 1), (1, 1))
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


def _third(raw: Array) -> Array:
    mean = raw[:, 0]
    return np.asarray(raw[:, 2] - 3 * mean * raw[:, 1] + 2 * mean**3)


def _fourth(raw: Array) -> Array:
    mean = raw[:, 0]
    return np.asarray(raw[:, 3] - 4 * mean * raw[:, 2] + 6 * mean**2 * raw[:, 1] - 3 * mean**4)


def _moment_of(name: str, raw: Array, centre: float, scale: float) -> Array:
    """A moment of the observable from mean power sums of what it is standardised to."""
    variance = variance_of(raw)
    if name == "mean":
        return centre + scale * raw[:, 0]
    if name == "variance":
        return scale**2 * variance
    if not (variance > 0).all():
        raise NoEvidence(f"the {name.replace('_', ' ')} of what does not vary has no meaning")
    return _third(raw) / variance**1.5 if name == "skewness" else _fourth(raw) / variance**2 - 3


def _held_against(
    evidence: Evidence,
    statistic: ExpectedModel,
    point: int,
    left: Array,
    expected: float,
    entries: list[list[int]] | None = None,
) -> Effect:
    """An effect from delete-a-group values of a number."""
    value, error = jackknife(left)
    unit = unit_at(evidence, statistic, point, expected, entries)
    return effect_at(
        evidence, statistic, point, (value - expected) / unit, error / unit, freedom=len(left) - 1
    )


def moment(evidence: Evidence, statistic: MomentModel) -> list[Effect]:
    """Effects of a moment of an observable."""

    def measure(point: int) -> Effect | None:
        left = _moment_of(statistic.moment, *group_moments(evidence, statistic.observable, point))
        if statistic.control:
            left = left - _first_order(evidence, point)
        return _held_against(evidence, statistic, point, left, expected_at(evidence, statistic, point))

    return gathered(evidence, statistic, measure)


def _first_order(evidence: Evidence, point: int) -> Array:
    """What V − E V explains of the mean correlation of two inputs after one layer, with one group left out
    each: ρ = V^{12} / √(V^{11} V^{22}) to first order, E V^{12} = c K_1.

    Its mean is 0, and it is nearly all of the noise of a correlation.
    """
    setting = evidence.setting(point, [])
    if setting.depth != 1 or int(evidence.at("inputs", point)) != 2 or not np.all(np.diag(setting.gram) == 1):
        raise NoEvidence("the mean of V is known after one layer, of two inputs of unit norm")
    held = evidence.group("groups")[["gram_count", "gram_mean"]].isel(point=point)
    counts = held.gram_count.values.astype(float)
    if not (counts > 0).all():
        raise NoEvidence("fewer samples than groups of them")
    first, cross, second = (held.gram_mean.values[:, evidence.gram_places[a, b]] for a, b in _TWO_INPUTS)
    kernel = PREDICTIONS["exact_kernel"](setting)
    linear = (cross - kernel) - kernel / 2 * ((first - 1) + (second - 1))
    return np.asarray((counts @ linear - counts * linear) / (counts.sum() - counts))


def gram(evidence: Evidence, statistic: GramModel) -> list[Effect]:
    """Effects of moments of the entries of V."""

    def measure(point: int) -> Effect | None:
        inputs = int(evidence.at("inputs", point))
        if inputs < max((max(entry) for entry in statistic.entries), default=2):
            return None
        count, means, products = (
            evidence.values("groups", name, point=point)
            for name in ("gram_count", "gram_mean", "gram_product")
        )
        known = count > 0
        if known.sum() < 2:
            raise NoEvidence("fewer than two groups of samples have a finite covariance")
        weight, means, products = count[known].astype(float), means[known], products[known]

        def left(values: Array) -> Array:
            total = weight @ values
            return np.asarray((total - weight * values) / (weight.sum() - weight))

        places = [evidence.gram_places[a - 1, b - 1] for a, b in statistic.entries]
        if statistic.moment == "mean":
            value = left(means[:, places[0]])
        elif statistic.moment == "determinant":
            first, cross, second = (evidence.gram_places[entry] for entry in _TWO_INPUTS)
            value = left(products[:, first, second]) - left(products[:, cross, cross])
        else:
            value = left(products[:, places[0], places[1]])
            if statistic.moment == "covariance":
                value = value - left(means[:, places[0]]) * left(means[:, places[1]])
        expected = expected_at(evidence, statistic, point, statistic.entries)
        return _held_against(evidence, statistic, point, value, expected, statistic.entries)

    return gathered(evidence, statistic, measure)
