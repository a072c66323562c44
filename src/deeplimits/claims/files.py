"""Claims: numbered statements of papers, each with the study and the statistic that decide it. They are data:
a file names statistics and predictions that the program knows, and gives them numbers.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import AliasChoices, Field

from deeplimits.claims.equivalence import Alternative
from deeplimits.claims.statistic import ExpectedModel
from deeplimits.claims.statistics import STATISTICS, Statistic
from deeplimits.errors import InputError, check_name, nearest_name
from deeplimits.limits import registry
from deeplimits.limits.predictions import ENTRIES, PREDICTIONS
from deeplimits.observables import parse
from deeplimits.sweep.strict import StrictModel
from deeplimits.sweep.validation import validated
from deeplimits.sweep.yamlfile import read_mapping

DEFAULT_FOLDER = Path("claims")
_LIKE = 0.8
"""Likeness, by difflib's measure, of a slip to what was meant."""
Text = Annotated[str, Field(min_length=1)]


class ClaimModel(StrictModel):
    """One statement, the evidence for it, and what counts as agreement."""

    id: Annotated[str, Field(pattern=r"^[A-Z]+\d*(\.[A-Za-z0-9]+)+$")] = Field(
        description="paper and statement; .printed at the end for one that is printed wrongly"
    )
    statement: Text = Field(description="what is claimed, in our own words")
    source: Text = Field(description="equation or theorem")
    study: Text = Field(description="name of the study that decides")
    statistic: Statistic = Field(description="what is measured")
    alternative: Alternative = Field(
        "equal",
        validation_alias=AliasChoices("alternative", "sense"),
        description="equal: the effect lies within ± margin; at_most: below it; at_least: above −margin; "
        "`sense` is read for it too",
    )
    margin: Annotated[float, Field(ge=1e-30, le=1e30)] = Field(
        description="how far an effect may be from what is claimed and still count as agreement"
    )
    because: Text = Field(description="reason for the margin")
    error_rate: Annotated[float, Field(ge=1e-9, le=0.05)] = Field(
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
    path: Path
    key: str
    """Where in its file it stands."""


def load_claims(folder: Path = DEFAULT_FOLDER) -> list[Claim]:
    """The claims of every file in ``folder``, files in the order of their names.

    A claim may name a study that is nowhere: it is undecided then, and ``slips`` finds names that look like
    mistakes.

    Raises
    ------
    InputError
        For whatever is wrong with a file, or if there is none.
    """
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
            places[claim.id] = path
            claims.append(Claim(model.paper, claim, path, f"claims.{index}"))
    return claims


def slips(claims: Sequence[Claim], studies: Path) -> list[str]:
    """Sentences about claims whose study is not in the folder ``studies``, though a name much like it is.

    Names that differ in a number, as those of figures do, are taken for what they say.
    """
    known = study_names(studies)
    found: dict[str, str] = {}
    for claim in claims:
        name = claim.model.study
        near = [
            each
            for each in difflib.get_close_matches(name, known, n=1, cutoff=_LIKE)
            if re.findall(r"\d+", each) == re.findall(r"\d+", name)
        ]
        if name not in known and name not in found and near:
            place = f"{claim.path}: {claim.key}.study"
            found[name] = (
                f"{place}: {studies} has no study {name!r}, and the claim stays undecided; "
                f"did you mean {near[0]!r}?"
            )
    return list(found.values())


def study_names(studies: Path) -> frozenset[str]:
    """Names of the study files in a folder."""
    return frozenset(path.stem for path in studies.glob("*.yaml"))


def _check_statistics(raw: dict[str, Any], path: Path) -> None:
    """Statistics by themselves, so that a message names a key of the one meant and of no other."""
    claims = raw.get("claims")
    for index, claim in enumerate(claims if isinstance(claims, list) else []):
        statistic = claim.get("statistic") if isinstance(claim, dict) else None
        if not isinstance(statistic, dict):
            continue
        key = f"claims.{index}.statistic"
        name = statistic.get("name")
        if not isinstance(name, str) or name not in STATISTICS:
            found = "<nothing>" if name is None else name
            raise InputError(
                path, f"{key}.name", found, "one of " + ", ".join(STATISTICS), nearest_name(name, STATISTICS)
            )
        model = validated(STATISTICS[name], statistic, path, key)
        observable = getattr(model, "observable", None)
        for each in [observable] if isinstance(observable, str) else observable or []:
            parse(each, path, f"{key}.observable")
        if hasattr(model, "limit"):
            check_name(model.limit, registry(), path, f"{key}.limit")
        if not isinstance(model, ExpectedModel):
            continue
        expected = (*PREDICTIONS, *model.further_names)
        for part, names in (("expected", expected), ("unit", tuple(PREDICTIONS))):
            prediction = getattr(model, part)
            if isinstance(prediction, str):
                check_name(prediction, names, path, f"{key}.{part}")
        for part in ("expected", "unit"):
            _check_entries(model, getattr(model, part), path, f"{key}.{part}")


def _check_entries(model: ExpectedModel, prediction: object, path: Path, key: str) -> None:
    """Refuse a formula for entries of V in a statistic that is not about so many."""
    wanted = ENTRIES.get(prediction) if isinstance(prediction, str) else None
    if wanted is not None and wanted != len(model.gram_entries):
        entries = "one entry" if wanted == 1 else f"{wanted} entries"
        expected = f"a formula of what the statistic measures; {prediction} is of {entries} of V, in gram"
        raise InputError(path, key, prediction, expected)
