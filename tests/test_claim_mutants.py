"""Claims that are nearly right are refused when they are read, decided, or undecided with a sentence: no exception, no
warning, and no number that is not finite comes out of any."""

from __future__ import annotations

import json
import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

import small_studies
from claim_mutants import mutants
from deeplimits.claims.files import load_claims
from deeplimits.claims.page import page_of
from deeplimits.claims.verdicts import verdicts
from deeplimits.errors import InputError
from deeplimits.sweep.study import load_study
from figure_studies import aggregated, written
from tiny import strict_json

ROOT = Path(__file__).parent.parent
CLAIMS: list[dict[str, Any]] = [
    claim
    for path in sorted((ROOT / "claims").glob("*.yaml"))
    for claim in yaml.safe_load(path.read_text(encoding="utf-8"))["claims"]
]
OF_STUDY = {
    name: [claim for claim in CLAIMS if claim["study"] == name] for name in {c["study"] for c in CLAIMS}
}
CHEAP = ("claims-collapse", "claims-one-layer-relu", "claims-resnet", "claims-growth", "claims-linear")
"""Studies whose limits are solved in no time."""
TRIED = 40
"""Mutants of a study that are tried each time, out of a thousand and more."""


def fitted(claim: dict[str, Any]) -> dict[str, Any]:
    """A claim about the same study made small: it has other widths and depths."""
    claim = json.loads(json.dumps(claim))
    statistic = claim["statistic"]
    for size in ("width", "depth"):
        statistic.get("where", {}).pop(size, None)
    if "width" in statistic:
        statistic["width"] = small_studies.shipped()[claim["study"]]["grid"]["width"]
    return claim


def checked(folder: Path, results: Path, claim: dict[str, Any], done: str) -> str:
    """``refused`` or the verdict."""
    text = json.dumps({"paper": "A paper", "claims": [claim]}, ensure_ascii=False)
    (folder / "x.yaml").write_text(text, encoding="utf-8")
    try:
        claims = load_claims(folder)
    except InputError:
        return "refused"
    (row,) = verdicts(claims, results)
    strict_json(json.dumps(row))
    page_of([row])
    if row["verdict"] == "undecided":
        assert row["reason"], done
    if row["effect"] is not None:
        assert all(map(math.isfinite, (row["effect"], *row["interval"]))), done
    return str(row["verdict"])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "whole"),
    [(name, False) for name in CHEAP]
    + [pytest.param(name, True, marks=pytest.mark.exhaustive) for name in sorted(OF_STUDY)],
)
def test_a_mutant_of_a_claim_never_fails(tmp_path: Path, name: str, whole: bool) -> None:
    tried = [pair for claim in OF_STUDY[name] for pair in mutants(fitted(claim))]
    if not whole:
        chosen = np.random.default_rng(len(name)).choice(len(tried), TRIED, replace=False)
        tried = [tried[i] for i in chosen]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        aggregated(tmp_path, load_study(written(tmp_path, name)))
        folder = tmp_path / "claims"
        folder.mkdir()
        found = [checked(folder, tmp_path, claim, f"{claim.get('id')}: {done}") for done, claim in tried]
    assert len(set(found)) > 1


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("name", ["moment"], "one of exact_mass, exact_to_limit, gram"),
        ("extrapolate", [1.0, 1.0], "each value once"),
        ("extrapolate", [1e308], "≤ 16"),
        ("times_width", 400.0, "≤ 16"),
        ("expected", 1e308, "number"),
        ("expected", "isserlis", "of 2 entries of V"),
        ("unit", "start", "of one entry of V"),
        ("expected", "limit", "one of exact_kernel"),
        ("relative", True, "expected other than 0"),
        ("where", {"width": []}, ""),
        ("where", {"seed": 10**30}, ""),
    ],
)
def test_what_could_only_fail_later_is_refused(tmp_path: Path, key: str, value: Any, expected: str) -> None:
    statistic = {"name": "moment", "observable": "correlation", "moment": "mean", key: value}
    claim = {"id": "X1.a", "statement": "s", "source": "s", "study": "s", "margin": 0.1, "because": "b"}
    text = {"paper": "A paper", "claims": [claim | {"statistic": statistic}]}
    (tmp_path / "x.yaml").write_text(json.dumps(text))
    with pytest.raises(InputError) as caught:
        load_claims(tmp_path)
    assert caught.value.key.startswith("claims.0.statistic") and expected in caught.value.expected
