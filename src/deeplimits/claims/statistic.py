"""What every statistic of a claim is: the keys of its entry in a file of claims, and how effects are made of
what it measures at the points of a study.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import AfterValidator, Field, model_validator

from deeplimits.architectures import recursion_of
from deeplimits.claims.equivalence import Effect, NoEvidence, extrapolated, pooled
from deeplimits.claims.evidence import Evidence, WhereModel
from deeplimits.limits.predictions import PREDICTIONS
from deeplimits.limits.setting import UnpredictableError
from deeplimits.sweep.strict import Positive, StrictModel


def each_once(values: list[Any]) -> list[Any]:
    """A list that names nothing twice."""
    if len(set(values)) < len(values):
        raise ValueError("each value once")
    return values


Power = Annotated[float, Field(gt=0, le=16)]
Powers = Annotated[list[Power], AfterValidator(each_once)]
OfWidth = Annotated[float, Field(ge=-16, le=16)]
Number = Annotated[float, Field(ge=-1e30, le=1e30)]
"""Of which sums, squares and quotients are doubles."""
Width = Positive | Annotated[list[Positive], Field(min_length=1), AfterValidator(each_once)]
Entry = Annotated[list[Annotated[int, Field(ge=1, le=8)]], Field(min_length=2, max_length=2)]


class StatisticModel(StrictModel):
    """A statistic by its name, a literal, under which files of claims know it."""

    name: str = Field(description="which statistic")

    @abstractmethod
    def effects(self, evidence: Evidence) -> list[Effect]:
        """What is found less what is claimed, with its error.

        Raises
        ------
        NoEvidence
            If the store does not hold what it needs.
        """


class PointsModel(StatisticModel):
    """What every statistic of points takes. Its effect is what is found less what is claimed."""

    where: WhereModel | None = Field(None, description="points of the study; all of them by default")
    points: Literal["largest", "all", "pooled"] = Field(
        "largest",
        description="largest: of points that differ in size alone, the largest; all: each; pooled: their "
        "weighted mean, for what is claimed of every size. The effect is the one furthest from what is "
        "claimed, its interval simultaneous",
    )
    extrapolate: Powers = Field(
        [], description="powers k: fit value = limit + Σ c size^-k over the sizes, and take the limit"
    )
    size: Literal["width", "depth"] = Field("width", description="what grows")
    times_width: OfWidth = Field(0.0, description="multiply the difference by width to this power")

    @model_validator(mode="after")
    def _check_points(self) -> PointsModel:
        if self.extrapolate and self.points != "largest":
            raise ValueError("either points or extrapolate, which takes all sizes")
        return self

    def effect_at(self, evidence: Evidence, point: int, value: float, error: float, **more: Any) -> Effect:
        """An effect at a point, scaled as the statistic asks; ``more`` are further fields of it."""
        factor = float(evidence.at("width", point)) ** self.times_width
        return Effect(
            value * factor,
            error * factor,
            evidence.samples,
            evidence.normals(point),
            evidence.about(point),
            size=float(evidence.at(self.size, point)),
            **more,
        )

    def collected(self, evidence: Evidence, measure: Callable[[int], Effect | None]) -> list[Effect]:
        """Effects of ``measure`` at the points that are asked for; None of it leaves a point out.

        Raises
        ------
        NoEvidence
            If nothing is left, or too few sizes for an extrapolation.
        """
        effects: list[Effect] = []
        for curve in evidence.curves(evidence.points(self.where), self.size):
            measured = [effect for effect in map(measure, curve) if effect is not None]
            if not measured:
                continue
            if self.extrapolate:
                effects.append(extrapolated(measured, self.extrapolate))
            elif self.points == "pooled":
                effects.append(pooled(measured))
            else:
                effects += measured if self.points == "all" else measured[-1:]
        if not effects:
            raise NoEvidence("the study has nothing to measure this by")
        return effects


class ExpectedModel(PointsModel):
    """A number held against a number or a formula."""

    expected: Number | str = Field(0.0, description="a number, or the name of a prediction")
    relative: bool = Field(False, description="divide the difference by what is expected")
    unit: str | None = Field(
        None, description="name of a prediction whose size the difference is measured in"
    )
    further_names: ClassVar[tuple[str, ...]] = ()
    """What ``expected`` may name beside predictions."""

    @model_validator(mode="after")
    def _check_unit(self) -> ExpectedModel:
        if self.relative and self.unit is not None:
            raise ValueError("either relative or unit")
        if self.relative and self.expected == 0:
            raise ValueError("expected other than 0 with relative, which divides by it")
        return self

    @property
    def gram_entries(self) -> list[list[int]]:
        """The entries [a, b] of V that it is about, inputs counted from 1."""
        return []

    def expected_at(self, evidence: Evidence, point: int) -> float:
        """The number that is claimed at a point."""
        if not isinstance(self.expected, str):
            return float(self.expected)
        return self._predicted(evidence, self.expected, point)

    def unit_at(self, evidence: Evidence, point: int, expected: float) -> float:
        """What the difference is measured in at a point: 1, the size of what is expected, or of a prediction.

        Raises
        ------
        NoEvidence
            If that is 0 or not finite.
        """
        if self.unit is not None:
            size = abs(self._predicted(evidence, self.unit, point))
        else:
            size = abs(expected) if self.relative else 1.0
        if not 0 < size < np.inf:
            name = self.unit or "what is expected"
            raise NoEvidence(f"{name} is {size:g} at {evidence.about(point)}, and nothing is a part of that")
        return size

    def _predicted(self, evidence: Evidence, name: str, point: int) -> float:
        entries = self.gram_entries
        if int(evidence.at("inputs", point)) < max((max(entry) for entry in entries), default=0):
            raise NoEvidence(f"{name} is about an input that {evidence.about(point)} does not have")
        kind = str(evidence.at("architecture", point))
        if recursion_of(kind) is None:
            raise NoEvidence(f"{name} is not about a {kind}, and {evidence.about(point)} is one")
        try:
            return PREDICTIONS[name](evidence.setting(point, entries))
        except UnpredictableError as error:
            raise NoEvidence(f"{name} has no meaning at {evidence.about(point)}: {error}") from None
