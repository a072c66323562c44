"""The probability of an event: explosion, collapse."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field

from deeplimits.claims.equivalence import Counted, Effect
from deeplimits.claims.evidence import Evidence
from deeplimits.claims.statistic import ExpectedModel

FROM_LIMIT = "limit"
"""As ``expected``: what the limit gives, kept in the study store."""


class ProbabilityModel(ExpectedModel):
    """Part of the networks that an event has come to by the last recorded layer; ``limit`` as ``expected``
    takes the probability that the limit gives. Intervals are Clopper and Pearson's.
    """

    name: Literal["probability"]
    event: Literal["exploded", "collapsed"] = Field(description="event")
    further_names = (FROM_LIMIT,)

    def effects(self, evidence: Evidence) -> list[Effect]:
        events, collapse = evidence.group("events"), self.event == "collapsed"
        table, living = events[self.event].values, events.alive.values
        exact = events["collapse_probability" if collapse else "explosion_probability"].values

        def measure(point: int) -> Effect | None:
            record = evidence.record(point, evidence.last_layer(point))
            hits = int(table[point, record])
            # a network can only collapse if it is alive at its first layer
            samples = int(living[point]) if collapse else evidence.samples
            if hits < 0 or samples < 1:
                return None
            if self.expected == FROM_LIMIT:
                expected = float(exact[point, record] if collapse else exact[point])
            else:
                expected = self.expected_at(evidence, point)
            if np.isnan(expected):
                return None
            # the error that an extrapolation weighs by; half an event is added, so that none has an error too
            part = (hits + 0.5) / (samples + 1)
            error = float(np.sqrt(part * (1 - part) / samples))
            unit = self.unit_at(evidence, point, expected)
            plain = self.effect_at(evidence, point, (hits / samples - expected) / unit, error / unit)
            factor = plain.error / error
            fields = {name: getattr(plain, name) for name in Effect.__dataclass_fields__}
            fields["samples"] = samples
            return Counted(**fields, hits=hits, expected=expected, factor=factor)

        return self.collected(evidence, measure)
