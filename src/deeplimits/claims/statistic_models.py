"""What decides a claim: the statistics that a file of claims may name, and the keys of each."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, Field, model_validator

from deeplimits.sweep.models import Positive, Real, Seed, StrictModel

FROM_LIMIT = "limit"
"""As ``expected``: what the limit gives, kept in the study store."""
Some = Field(min_length=1)


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


class WhereModel(StrictModel):
    """Which points of the study are meant; a list means any of its values."""

    network: str | Annotated[list[str], Some] | None = Field(
        None, description="label of the network, as in tables"
    )
    width: Positive | Annotated[list[Positive], Some] | None = Field(None, description="n")
    depth: Positive | Annotated[list[Positive], Some] | None = Field(None, description="d")
    correlation: Real | Annotated[list[Real], Some] | None = Field(None, description="ρ₀")
    exponent: Real | Annotated[list[Real], Some] | None = Field(None, description="p")
    center: Real | Annotated[list[Real], Some] | None = Field(
        None, description="centre of a smooth activation"
    )
    start: Real | Annotated[list[Real], Some] | None = Field(
        None, description="z₀ of a ResNet that starts at a point"
    )
    seed: Seed | Annotated[list[Seed], Some] | None = Field(None, description="seed")


class StatisticModel(StrictModel):
    """What every statistic takes. Its effect is what is found less what is claimed."""

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
    def _check_points(self) -> StatisticModel:
        if self.extrapolate and self.points != "largest":
            raise ValueError("either points or extrapolate, which takes all sizes")
        return self


class LimitModel(StatisticModel):
    """An observable held against a limit, as an entry of the study's ``compare`` does."""

    observable: str | Annotated[list[str], Field(min_length=1)] = Field(
        description="observable; of a list, each has to agree"
    )
    limit: str = Field(description="limit")
    at: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = Field(
        None, description="time of the entry of ``compare``, where there is more than one"
    )


class KsModel(LimitModel):
    """Kolmogorov distance, the noise floor taken off."""

    name: Literal["ks_to_limit"]


class MeanToLimitModel(LimitModel):
    """Mean less that of the limit, in standard deviations of the limit (of 1, where it is a point)."""

    name: Literal["mean_to_limit"]
    expected: Number = Field(
        0.0, description="what the difference, times the power of the width, is claimed to be"
    )


class StdToLimitModel(LimitModel):
    """Standard deviation over that of the limit, less 1."""

    name: Literal["std_to_limit"]


class RmsToLimitModel(LimitModel):
    """Root mean square distance to a limit that is a number."""

    name: Literal["rms_to_limit"]


class RateModel(StrictModel):
    """Fitted power of the size with which a distance falls, less ``exponent``."""

    name: Literal["rate"]
    observable: str = Field(description="observable")
    limit: str = Field(description="limit")
    distance: Literal["ks", "wasserstein", "rms"] = Field("ks", description="distance")
    network: str | None = Field(None, description="label of the network, where there is more than one")
    exponent: Number = Field(description="the exponent that is claimed")


class GrowthModel(StrictModel):
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


class UnitModel(StrictModel):
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


class ExpectedModel(StatisticModel):
    """A number held against a number or a formula."""

    expected: Number | str = Field(0.0, description="a number, or the name of a prediction")
    relative: bool = Field(False, description="divide the difference by what is expected")
    unit: str | None = Field(
        None, description="name of a prediction whose size the difference is measured in"
    )

    @model_validator(mode="after")
    def _check_unit(self) -> ExpectedModel:
        if self.relative and self.unit is not None:
            raise ValueError("either relative or unit")
        if self.relative and self.expected == 0:
            raise ValueError("expected other than 0 with relative, which divides by it")
        return self


class MomentModel(ExpectedModel):
    """A moment of an observable at the last recorded layer. ``control`` is for the mean correlation of two
    inputs after one layer: what V − E V, whose mean is 0, explains of it to first order is taken off.
    """

    name: Literal["moment"]
    observable: str = Field(description="observable")
    moment: Literal["mean", "variance", "skewness", "excess_kurtosis"] = Field(description="which")
    control: bool = Field(False, description="take off what is linear in V − E V, whose mean is known")

    @model_validator(mode="after")
    def _check_control(self) -> MomentModel:
        if self.control and (self.observable, self.moment) != ("correlation", "mean"):
            raise ValueError("control for the mean of the correlation alone")
        return self


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


class ProbabilityModel(ExpectedModel):
    """Part of the networks that an event has come to by the last recorded layer; ``limit`` as ``expected``
    takes the probability that the limit gives. Intervals are Clopper and Pearson's.
    """

    name: Literal["probability"]
    event: Literal["exploded", "collapsed"] = Field(description="event")


Statistic = Annotated[
    KsModel
    | MeanToLimitModel
    | StdToLimitModel
    | RmsToLimitModel
    | RateModel
    | MomentModel
    | GramModel
    | ProbabilityModel
    | GrowthModel
    | UnitModel,
    Field(discriminator="name"),
]
STATISTICS: dict[str, type[StrictModel]] = {
    get_args(model.model_fields["name"].annotation)[0]: model for model in get_args(get_args(Statistic)[0])
}
"""By name."""
