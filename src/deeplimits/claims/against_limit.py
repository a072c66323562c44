"""What statistics share that hold an observable against a limit, as an entry of ``compare`` does."""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated

import numpy as np
from pydantic import Field

from deeplimits.claims.equivalence import Effect
from deeplimits.claims.evidence import Evidence
from deeplimits.claims.statistic import PointsModel


class LimitModel(PointsModel):
    """An observable held against a limit, as an entry of the study's ``compare`` does."""

    observable: str | Annotated[list[str], Field(min_length=1)] = Field(
        description="observable; of a list, each has to agree"
    )
    limit: str = Field(description="limit")
    at: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = Field(
        None, description="time of the entry of ``compare``, where there is more than one"
    )

    def effects(self, evidence: Evidence) -> list[Effect]:
        names = self.observable if isinstance(self.observable, list) else [self.observable]
        return [effect for name in names for effect in self.effects_of_one(evidence, name)]

    @abstractmethod
    def effects_of_one(self, evidence: Evidence, observable: str) -> list[Effect]:
        """The effects of one observable."""

    def entry(self, evidence: Evidence, observable: str) -> int:
        """The place of the comparison in the store."""
        return evidence.entry(observable, self.limit, self.at)


def distance_effects(statistic: LimitModel, evidence: Evidence, observable: str, name: str) -> list[Effect]:
    """Effects of a distance that the store has, by its name."""
    entry = statistic.entry(evidence, observable)
    of_this = evidence.group("comparison")[["estimate", "error"]].isel(entry=entry).sel(distance=name)
    values, errors = of_this.estimate.values, of_this.error.values

    def measure(point: int) -> Effect | None:
        if np.isnan(values[point]):
            return None
        return statistic.effect_at(evidence, point, float(values[point]), float(errors[point]))

    return statistic.collected(evidence, measure)
