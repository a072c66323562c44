"""The mean growth of residual networks at infinite depth."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from deeplimits.claims.equivalence import Effect, NoEvidence
from deeplimits.claims.evidence import Evidence
from deeplimits.claims.growth_rows import effect_of_row, limits_of, rows_of
from deeplimits.claims.statistic import Number, OfWidth, Powers, StatisticModel, Width


class GrowthModel(StatisticModel):
    """Mean growth log ‖φ(X_t)‖ / ‖φ(X_0)‖ at infinite depth, which a study with the key ``growth`` estimates,
    less what is expected: a formula kept beside it, or a number.
    """

    name: Literal["growth"]
    width: Width = Field(description="n")
    time: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] = Field(1.0, description="t")
    network: str | None = Field(None, description="label of the network, where there is more than one")
    expected: Literal["corrected", "printed"] | Number = Field(
        0.0, description="corrected or printed: the formulas of Hayou 2022, Theorem 1; or a number"
    )
    times_width: OfWidth = Field(0.0, description="multiply the difference by width to this power")
    extrapolate: Powers = Field(
        [], description="powers k: fit difference = limit + Σ c width^-k over the widths, and take the limit"
    )

    def effects(self, evidence: Evidence) -> list[Effect]:
        effects = []
        for row in rows_of(evidence, self.width, self.time, self.network):
            expected = self.expected
            if isinstance(expected, str) and np.isnan(row[expected]):
                raise NoEvidence(f"there is no {expected} formula for {row['network']}")
            difference = row["mean"] - (row[expected] if isinstance(expected, str) else float(expected))
            factor = float(row["width"]) ** self.times_width
            effects.append(effect_of_row(evidence, row, difference * factor, row["error"] * factor))
        return limits_of(effects, self.extrapolate)
