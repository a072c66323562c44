"""The distance of the exact law of finite networks to a limit."""

from __future__ import annotations

from typing import Literal

from deeplimits.analysis.exact_laws import ERROR, law_at
from deeplimits.claims.against_limit import LimitModel
from deeplimits.claims.equivalence import Effect, NoEvidence
from deeplimits.claims.evidence import Evidence
from deeplimits.errors import InputError
from deeplimits.limits import registry
from deeplimits.limits.accuracy import apart


class ExactToLimitModel(LimitModel):
    """Kolmogorov distance of the exact law of the points' networks, of which none is drawn for it; points
    whose law is not known are left out.
    """

    name: Literal["exact_to_limit"]

    def effects_of_one(self, evidence: Evidence, observable: str) -> list[Effect]:
        def measure(point: int) -> Effect | None:
            network = evidence.perceptron(point)
            if network is None:
                return None
            at = network.depth if self.at is None else registry()[self.limit].layer(network, self.at)
            if at > network.depth:
                raise NoEvidence(f"{evidence.about(point)}: the time {self.at:g} lies beyond its last layer")
            try:
                laws = [law_at(network, at, observable, limit) for limit in ("", self.limit)]
            except InputError as error:
                raise NoEvidence(f"{evidence.about(point)}: {error.expected}") from None
            if laws[0] is None or laws[1] is None:
                return None
            return self.effect_at(evidence, point, apart(laws[0], laws[1]), ERROR)

        return self.collected(evidence, measure)
