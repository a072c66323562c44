"""The mean of an observable beside that of a limit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import numpy as np
from pydantic import Field

from deeplimits.claims.against_limit import LimitModel
from deeplimits.claims.equivalence import Effect
from deeplimits.claims.evidence import Evidence
from deeplimits.claims.statistic import Number


class MeanToLimitModel(LimitModel):
    """Mean less that of the limit, in standard deviations of the limit (of 1, where it is a point)."""

    name: Literal["mean_to_limit"]
    expected: Number = Field(
        0.0, description="what the difference, times the power of the width, is claimed to be"
    )

    def effects_of_one(self, evidence: Evidence, observable: str) -> list[Effect]:
        moments = self._compared_moments(evidence, observable)

        def measure(point: int) -> Effect | None:
            found = moments(point)
            if found is None:
                return None
            mean, std, count, limit_mean, limit_std = found
            if not count:
                return None
            size = limit_std or 1.0
            effect = self.effect_at(evidence, point, (mean - limit_mean) / size, std / np.sqrt(count) / size)
            return replace(effect, value=effect.value - self.expected)

        return self.collected(evidence, measure)

    def _compared_moments(self, evidence: Evidence, observable: str) -> Callable[[int], list[float] | None]:
        """For a point, mean, standard deviation and number of networks; mean and standard deviation of the
        law.
        """
        law = evidence.group("comparison").isel(entry=self.entry(evidence, observable))
        limit, layers = [law.limit_mean.values, law.limit_std.values], law.at_layer.values
        moments = evidence.group("moments").sel(observable=evidence.observable(observable))
        kept = [moments[part].values for part in ("mean", "std", "count")]

        def found(point: int) -> list[float] | None:
            if layers[point] < 0 or not np.isfinite(limit[0][point]):
                return None
            record = evidence.record(point, int(layers[point]))
            return [float(each[point, record]) for each in kept] + [float(each[point]) for each in limit]

        return found
