"""The Kolmogorov distance of networks to a limit."""

from __future__ import annotations

from typing import Literal

from deeplimits.claims.against_limit import LimitModel, distance_effects
from deeplimits.claims.equivalence import Effect
from deeplimits.claims.evidence import Evidence


class KsModel(LimitModel):
    """Kolmogorov distance, the noise floor taken off."""

    name: Literal["ks_to_limit"]

    def effects_of_one(self, evidence: Evidence, observable: str) -> list[Effect]:
        return distance_effects(self, evidence, observable, "ks")
