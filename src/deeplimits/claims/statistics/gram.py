"""Moments of the entries of V."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field, model_validator

from deeplimits.array_types import Array
from deeplimits.claims.equivalence import Effect, NoEvidence
from deeplimits.claims.evidence import Evidence
from deeplimits.claims.group_moments import TWO_INPUTS, held_against
from deeplimits.claims.statistic import Entry, ExpectedModel


class GramModel(ExpectedModel):
    """Moments of the entries V^{ab} at the last recorded layer: mean of one, covariance or mean product of
    two, or the mean determinant of two inputs.
    """

    name: Literal["gram"]
    moment: Literal["mean", "covariance", "product", "determinant"] = Field(description="which")
    entries: list[Entry] = Field([], description="[a, b] of V^{ab}, inputs counted from 1")

    @model_validator(mode="after")
    def _check(self) -> GramModel:
        wanted = {"mean": 1, "covariance": 2, "product": 2, "determinant": 0}[self.moment]
        if len(self.entries) != wanted:
            raise ValueError(f"{wanted} entries for {self.moment}, not {len(self.entries)}")
        return self

    @property
    def gram_entries(self) -> list[list[int]]:
        return self.entries

    def effects(self, evidence: Evidence) -> list[Effect]:
        def measure(point: int) -> Effect | None:
            inputs = int(evidence.at("inputs", point))
            if inputs < max((max(entry) for entry in self.entries), default=2):
                return None
            return held_against(
                evidence, self, point, self._left_out(evidence, point), self.expected_at(evidence, point)
            )

        return self.collected(evidence, measure)

    def _left_out(self, evidence: Evidence, point: int) -> Array:
        """The moment with one group left out each [group]."""
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

        places = [evidence.gram_places[a - 1, b - 1] for a, b in self.entries]
        if self.moment == "mean":
            return left(means[:, places[0]])
        if self.moment == "determinant":
            first, cross, second = (evidence.gram_places[entry] for entry in TWO_INPUTS)
            return left(products[:, first, second]) - left(products[:, cross, cross])
        value = left(products[:, places[0], places[1]])
        if self.moment == "covariance":
            value = value - left(means[:, places[0]]) * left(means[:, places[1]])
        return value
