"""Claims and their verdicts, from what the study stores hold."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from deeplimits.claims.equivalence import NoEvidence, verdict_of
from deeplimits.claims.evidence import Evidence
from deeplimits.claims.files import Claim, study_names
from deeplimits.store.errors import StoreError
from deeplimits.store.study_groups import open_study_groups


def verdicts(claims: Sequence[Claim], results: Path, studies: Path | None = None) -> list[dict[str, Any]]:
    """One row for each claim, as ``deeplimits claims --json`` prints it.

    A claim whose study is not there, or does not hold what is needed, is undecided, and ``reason`` says why.

    Parameters
    ----------
    studies
        Folder of study files; a claim about a study that is not among them is undecided, whatever results
        hold. None: what results hold decides.
    """
    opened: dict[str, Evidence | str] = {}
    if studies is not None:
        missing = {claim.model.study for claim in claims} - study_names(studies)
        opened.update((name, f"{studies} has no study {name}") for name in missing)
    return [_row(claim, _evidence(claim.model.study, results, opened)) for claim in claims]


def _evidence(study: str, results: Path, opened: dict[str, Evidence | str]) -> Evidence | str:
    if study not in opened:
        try:
            evidence = Evidence(open_study_groups(results, study))
            # what says nothing at all is found out here, and not by each of its claims
            opened[study] = evidence if evidence.samples else f"study {study} has no samples"
        except StoreError as error:
            opened[study] = str(error)
    return opened[study]


def _row(claim: Claim, evidence: Evidence | str) -> dict[str, Any]:
    model = claim.model
    row: dict[str, Any] = {
        "id": model.id,
        "statement": model.statement,
        "study": model.study,
        "verdict": "undecided",
        "effect": None,
        "interval": None,
        "margin": model.margin,
        "samples": 0,
        "source": model.source,
        "paper": claim.paper,
        "sense": model.alternative,
        "because": model.because,
        "error_rate": model.error_rate,
        "statistic": model.statistic.name,
        "about": None,
        "normals": 0,
        "samples_needed": None,
        "normals_needed": None,
        "reason": None,
    }
    if isinstance(evidence, str):
        return row | {"reason": evidence}
    try:
        # what has no finite value is told below, in words
        with np.errstate(all="ignore"):
            effects = model.statistic.effects(evidence)
    except NoEvidence as error:
        return row | {"reason": str(error)}
    except KeyError as error:
        return row | {"reason": f"the store of study {model.study} has no {error}: aggregate it again"}
    except StoreError as error:
        return row | {"reason": str(error)}
    if not all(math.isfinite(effect.value) and math.isfinite(effect.error) for effect in effects):
        return row | {"reason": "what is measured is not finite: too few networks are alive, or it overflows"}
    found = verdict_of(effects, model.margin, model.alternative, model.error_rate)
    needed = [
        None if value is None or not math.isfinite(value) else float(f"{value:.3g}")
        for value in (found.samples_needed, found.normals_needed)
    ]
    reason = None
    if found.verdict == "undecided":
        reason = (
            f"about {needed[0]:.2g} samples, {needed[1]:.2g} normals, would decide"
            if needed[0] is not None
            else "the effect is as large as the margin"
        )
    return row | {
        "verdict": found.verdict,
        "effect": found.effect,
        "interval": list(found.interval),
        "samples": found.samples,
        "normals": found.normals,
        "about": found.about,
        "samples_needed": needed[0],
        "normals_needed": needed[1],
        "reason": reason,
    }
