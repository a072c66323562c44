"""The exact probability that an observable of finite networks lies between two numbers."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field

from deeplimits.analysis.exact_laws import ERROR, law_at
from deeplimits.claims.equivalence import Effect, NoEvidence
from deeplimits.claims.evidence import Evidence
from deeplimits.claims.statistic import Number, PointsModel
from deeplimits.errors import InputError


class ExactMassModel(PointsModel):
    """Exact probability that an observable of the points' networks lies between two numbers at the last
    recorded layer, less what is expected; no network is drawn for it.
    """

    name: Literal["exact_mass"]
    observable: str = Field(description="observable")
    above: Number | None = Field(None, description="lower end; −∞ by default")
    below: Number | Literal["explosion"] | None = Field(
        None, description="upper end; explosion: s², where a smooth network has exploded; ∞ by default"
    )
    expected: Number = Field(0.0, description="the probability that is claimed")

    def effects(self, evidence: Evidence) -> list[Effect]:
        def measure(point: int) -> Effect | None:
            network = evidence.perceptron(point)
            if network is None:
                return None
            try:
                law = law_at(network, evidence.last_layer(point), self.observable)
            except InputError as error:
                raise NoEvidence(f"{evidence.about(point)}: {error.expected}") from None
            if law is None:
                return None
            low = -np.inf if self.above is None else float(self.above)
            if self.below == "explosion":
                if network.piecewise_linear:
                    return None
                high = float(network.scale) ** 2
            else:
                high = np.inf if self.below is None else float(self.below)
            found = float(law.below(high) - law.cdf(low))
            return self.effect_at(evidence, point, found - float(self.expected), ERROR)

        return self.collected(evidence, measure)
