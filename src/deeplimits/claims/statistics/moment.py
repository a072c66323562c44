"""A moment of an observable."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field, model_validator

from deeplimits.array_types import Array
from deeplimits.claims.equivalence import Effect, NoEvidence
from deeplimits.claims.evidence import Evidence
from deeplimits.claims.group_moments import TWO_INPUTS, group_moments, held_against, variance_of
from deeplimits.claims.statistic import ExpectedModel
from deeplimits.limits.predictions import PREDICTIONS


class MomentModel(ExpectedModel):
    """A moment of an observable at the last recorded layer. ``control`` is for the mean correlation of two
    inputs after one layer: what V − E V, whose mean is 0, explains of it to first order is taken off.
    """

    name: Literal["moment"]
    observable: str = Field(description="observable")
    moment: Literal["mean", "variance", "skewness", "excess_kurtosis"] = Field(description="which")
    control: bool = Field(False, description="take off what is linear in V − E V, whose mean is known")

    @model_validator(mode="after")
    def _check_control(self) -> MomentModel:
        if self.control and (self.observable, self.moment) != ("correlation", "mean"):
            raise ValueError("control for the mean of the correlation alone")
        return self

    def effects(self, evidence: Evidence) -> list[Effect]:
        def measure(point: int) -> Effect | None:
            left = _moment_of(self.moment, *group_moments(evidence, self.observable, point))
            if self.control:
                left = left - _first_order(evidence, point)
            return held_against(evidence, self, point, left, self.expected_at(evidence, point))

        return self.collected(evidence, measure)


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
    first, cross, second = (held.gram_mean.values[:, evidence.gram_places[a, b]] for a, b in TWO_INPUTS)
    kernel = PREDICTIONS["exact_kernel"](setting)
    linear = (cross - kernel) - kernel / 2 * ((first - 1) + (second - 1))
    return np.asarray((counts @ linear - counts * linear) / (counts.sum() - counts))
