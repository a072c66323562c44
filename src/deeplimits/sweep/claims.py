"""Claims: numbered statements of papers, each with the study and the statistic that decide it. They are data:
a file names statistics and predictions that the program knows, and gives them numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from deeplimits.errors import InputError, nearest_name
from deeplimits.limits.names import LIMIT_NAMES
from deeplimits.limits.observables import parse
from deeplimits.limits.predictions import PREDICTIONS
from deeplimits.sweep.models import Positive, Real, validated
from deeplimits.sweep.yamlfile import read_mapping

DEFAULT_FOLDER = Path("claims")
FROM_LIMIT = "limit"
"""As ``expected``: what the limit gives, kept in the study store."""
Text = Annotated[str, Field(min_length=1)]
Power = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Entry = Annotated[list[Annotated[int, Field(ge=1, le=8)]], Field(min_length=2, max_length=2)]


class StrictModel(BaseModel):
    """As all files are read: no unknown key, no number in quotes."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class WhereModel(StrictModel):
    """Which points of the study are meant; a list means any of its values."""

    network: str | list[str] | None = Field(None, description="label of the network, as in tables")
    width: Positive | list[Positive] | None = Field(None, description="n")
    depth: Positive | list[Positive] | None = Field(None, description="d")
    correlation: Real | list[Real] | None = Field(None, description="ρ₀")
    exponent: Real | list[Real] | None = Field(None, description="p")
    center: Real | list[Real] | None = Field(None, description="centre of a smooth activation")
    start: Real | list[Real] | None = Field(None, description="z₀ of a ResNet that starts at a point")
    seed: int | list[int] | None = Field(None, description="seed")


class StatisticModel(StrictModel):
    """What every statistic takes. Its effect is what is found less what is claimed."""

    where: WhereModel | None = Field(None, description="points of the study; all of them by default")
    points: Literal["largest", "all"] = Field(
        "largest",
        description="largest: of points that differ in size alone, the largest; all: each. The effect is "
        "the one furthest from what is claimed, its interval simultaneous",
    )
    extrapolate: list[Power] = Field(
        [], description="powers k: fit value = limit + Σ c size^-k over the sizes, and take the limit"
    )
    size: Literal["width", "depth"] = Field("width", description="what grows")
    times_width: Real = Field(0.0, description="multiply the difference by width to this power")
    relative: bool = Field(False, description="divide the difference by what is expected")


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
    expected: Real = Field(
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
    exponent: Real = Field(description="the exponent that is claimed")


class GrowthModel(StrictModel):
    """Mean growth log ‖φ(X_t)‖ / ‖φ(X_0)‖ at infinite depth, which a study with the key ``growth`` estimates,
    less what is expected: a formula kept beside it, or a number.
    """

    name: Literal["growth"]
    width: Positive | list[Positive] = Field(description="n")
    time: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] = Field(1.0, description="t")
    network: str | None = Field(None, description="label of the network, where there is more than one")
    expected: Literal["corrected", "printed"] | Real = Field(
        0.0, description="corrected or printed: the formulas of Hayou 2022, Theorem 1; or a number"
    )
    times_width: Real = Field(0.0, description="multiply the difference by width to this power")


class ExpectedModel(StatisticModel):
    """A number held against a number or a formula."""

    expected: Real | str = Field(0.0, description="a number, or the name of a prediction")


class MomentModel(ExpectedModel):
    """A moment of an observable at the last recorded layer."""

    name: Literal["moment"]
    observable: str = Field(description="observable")
    moment: Literal["mean", "variance", "skewness", "excess_kurtosis"] = Field(description="which")


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


STATISTICS: dict[str, type[StrictModel]] = {
    "ks_to_limit": KsModel,
    "mean_to_limit": MeanToLimitModel,
    "std_to_limit": StdToLimitModel,
    "rms_to_limit": RmsToLimitModel,
    "rate": RateModel,
    "moment": MomentModel,
    "gram": GramModel,
    "probability": ProbabilityModel,
    "growth": GrowthModel,
}
Statistic = Annotated[
    KsModel
    | MeanToLimitModel
    | StdToLimitModel
    | RmsToLimitModel
    | RateModel
    | MomentModel
    | GramModel
    | ProbabilityModel
    | GrowthModel,
    Field(discriminator="name"),
]


class ClaimModel(StrictModel):
    """One statement, the evidence for it, and what counts as agreement."""

    id: Annotated[str, Field(pattern=r"^[A-Z]+\d+(\.[A-Za-z0-9]+)+$")] = Field(
        description="paper and statement; .printed at the end for one that is printed wrongly"
    )
    statement: Text = Field(description="what is claimed, in our own words")
    source: Text = Field(description="equation or theorem")
    study: Text = Field(description="name of the study that decides")
    statistic: Statistic = Field(description="what is measured")
    sense: Literal["equal", "at_most", "at_least"] = Field(
        "equal",
        description="equal: the effect lies within ± margin; at_most: below it; at_least: above −margin",
    )
    margin: Annotated[float, Field(gt=0, allow_inf_nan=False)] = Field(
        description="how far an effect may be from what is claimed and still count as agreement"
    )
    because: Text = Field(description="reason for the margin")
    error_rate: Annotated[float, Field(gt=0, le=0.05)] = Field(
        0.001, description="largest probability of either wrong verdict"
    )


class ClaimsModel(StrictModel):
    """claims/NAME.yaml: the claims of one paper."""

    paper: Text = Field(description="authors, year, title")
    claims: Annotated[list[ClaimModel], Field(min_length=1)] = Field(description="its claims")


@dataclass(frozen=True)
class Claim:
    """A claim and the paper it is from."""

    paper: str
    model: ClaimModel


def load_claims(folder: Path = DEFAULT_FOLDER, studies: Path | None = None) -> list[Claim]:
    """The claims of every file in ``folder``, files in the order of their names.

    Parameters
    ----------
    studies
        Folder of the study files that claims may name; their names are not checked without it.

    Raises
    ------
    InputError
        For whatever is wrong with a file, or if there is none.
    """
    known = None if studies is None else tuple(sorted(path.stem for path in studies.glob("*.yaml")))
    paths = sorted(folder.glob("*.yaml"))
    if not paths:
        raise InputError(folder, "", "<no claims>", "a folder with files of claims, NAME.yaml")
    claims: list[Claim] = []
    places: dict[str, Path] = {}
    for path in paths:
        raw = read_mapping(path)
        _check_statistics(raw, path)
        model = validated(ClaimsModel, raw, path)
        for index, claim in enumerate(model.claims):
            if claim.id in places:
                raise InputError(
                    path, f"claims.{index}.id", claim.id, f"each claim once; {places[claim.id].name} has it"
                )
            if known is not None and claim.study not in known:
                expected = f"a study in {studies}: " + ", ".join(known)
                raise InputError(
                    path, f"claims.{index}.study", claim.study, expected, nearest_name(claim.study, known)
                )
            places[claim.id] = path
            claims.append(Claim(model.paper, claim))
    return claims


def _check_statistics(raw: dict[str, Any], path: Path) -> None:
    """Statistics by themselves, so that a message names a key of the one meant and of no other."""
    claims = raw.get("claims")
    for index, claim in enumerate(claims if isinstance(claims, list) else []):
        statistic = claim.get("statistic") if isinstance(claim, dict) else None
        if not isinstance(statistic, dict):
            continue
        key = f"claims.{index}.statistic"
        name = statistic.get("name")
        if name not in STATISTICS:
            found = "<nothing>" if name is None else name
            raise InputError(
                path, f"{key}.name", found, "one of " + ", ".join(STATISTICS), nearest_name(name, STATISTICS)
            )
        model = validated(STATISTICS[name], statistic, path, key)
        observable = getattr(model, "observable", None)
        for each in [observable] if isinstance(observable, str) else observable or []:
            parse(each, path, f"{key}.observable")
        _known(getattr(model, "limit", None), LIMIT_NAMES, path, f"{key}.limit")
        expected = getattr(model, "expected", None)
        if isinstance(model, ExpectedModel) and isinstance(expected, str):
            _known(expected, (*PREDICTIONS, FROM_LIMIT), path, f"{key}.expected")


def _known(found: str | None, names: tuple[str, ...], path: Path, key: str) -> None:
    if found is not None and found not in names:
        raise InputError(path, key, found, "one of " + ", ".join(names), nearest_name(found, names))
