"""The standard deviation of an observable beside that of a limit."""

from __future__ import annotations

from typing import Literal

import numpy as np

from deeplimits.claims.against_limit import LimitModel
from deeplimits.claims.equivalence import Effect, jackknife
from deeplimits.claims.evidence import Evidence
from deeplimits.claims.group_moments import group_moments, variance_of


class StdToLimitModel(LimitModel):
    """Standard deviation over that of the limit, less 1."""

    name: Literal["std_to_limit"]

    def effects_of_one(self, evidence: Evidence, observable: str) -> list[Effect]:
        law = evidence.group("comparison").isel(entry=self.entry(evidence, observable))
        limit, layers = law.limit_std.values, law.at_layer.values

        def measure(point: int) -> Effect | None:
            if layers[point] != evidence.last_layer(point) or not limit[point] > 0:
                return None
            raw, _, scale = group_moments(evidence, observable, point)
            value, error = jackknife(scale * np.sqrt(variance_of(raw)) / limit[point])
            return self.effect_at(evidence, point, value - 1, error, freedom=len(raw) - 1)

        return self.collected(evidence, measure)
