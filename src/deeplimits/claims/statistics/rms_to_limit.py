"""The root mean square distance of networks to a limit that is a number."""

from __future__ import annotations

from typing import Literal

from deeplimits.claims.against_limit import LimitModel, distance_effects
from deeplimits.claims.equivalence import Effect
from deeplimits.claims.evidence import Evidence


class RmsToLimitModel(LimitModel):
    """Root mean square distance to a limit that is a number."""

    name: Literal["rms_to_limit"]

    def effects_of_one(self, evidence: Evidence, observable: str) -> list[Effect]:
        return distance_effects(self, evidence, observable, "rms")
