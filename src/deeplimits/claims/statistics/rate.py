"""The rate at which networks approach a limit."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field

from deeplimits.analysis.least_squares import STORED_NORMAL
from deeplimits.claims.equivalence import Effect, NoEvidence
from deeplimits.claims.evidence import Evidence
from deeplimits.claims.statistic import Number, StatisticModel


class RateModel(StatisticModel):
    """Fitted power of the size with which a distance falls, less ``exponent``."""

    name: Literal["rate"]
    observable: str = Field(description="observable")
    limit: str = Field(description="limit")
    distance: Literal["ks", "wasserstein", "rms"] = Field("ks", description="distance")
    network: str | None = Field(None, description="label of the network, where there is more than one")
    exponent: Number = Field(description="the exponent that is claimed")

    def effects(self, evidence: Evidence) -> list[Effect]:
        rates = evidence.group("rates")
        if "entry" not in rates:
            raise NoEvidence("the study fits no rates")
        chosen = rates.entry == evidence.entry(self.observable, self.limit, None)
        chosen &= rates.distance == self.distance
        if self.network is not None:
            chosen &= rates.network == self.network
        columns = ("network", "exponent", "low", "high", "rate_in", "series", "name")
        rows = rates[list(columns)].isel(rate=chosen).to_dataframe().to_dict("records")
        if not rows:
            raise NoEvidence("fewer than three distances stand above their noise")
        effects, labels = [], [str(row["network"]) for row in rows]
        for row, label in zip(rows, labels, strict=True):
            series = evidence.label(f"{row['rate_in']}_series")
            used = np.flatnonzero(series == row["series"]).tolist()
            # intervals of rates are at 95 %, widened where the points scatter
            error = float(row["high"] - row["low"]) / 2 / STORED_NORMAL
            effects.append(
                Effect(
                    float(row["exponent"]) - self.exponent,
                    error,
                    evidence.samples * len(used),
                    sum(evidence.normals(point) for point in used),
                    f"{label if labels.count(label) == 1 else row['name']}, {len(used)} sizes",
                )
            )
        return effects
