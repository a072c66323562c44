"""One unit of a residual network at infinite depth beside the Gaussian law of infinite width."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from deeplimits.claims.equivalence import Effect
from deeplimits.claims.evidence import Evidence
from deeplimits.claims.growth_rows import effect_of_row, limits_of, rows_of
from deeplimits.claims.statistic import Powers, StatisticModel, Width


class UnitModel(StatisticModel):
    """Kolmogorov distance of one unit, of the deepest networks by which a study with the key ``growth``
    estimates the mean growth, to the Gaussian law of infinite width.
    """

    name: Literal["unit_to_limit"]
    width: Width = Field(description="n")
    time: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] = Field(1.0, description="t")
    network: str | None = Field(None, description="label of the network, where there is more than one")
    extrapolate: Powers = Field(
        [], description="powers k: fit distance = limit + Σ c width^-k over the widths, and take the limit"
    )

    def effects(self, evidence: Evidence) -> list[Effect]:
        rows = rows_of(evidence, self.width, self.time, self.network)
        effects = [effect_of_row(evidence, row, row["unit_estimate"], row["unit_error"]) for row in rows]
        return limits_of(effects, self.extrapolate)
