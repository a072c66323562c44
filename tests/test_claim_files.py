"""Files of claims: what is wrong in one is refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from claim_files import KS, claims_file
from deeplimits.claims.files import load_claims, slips, study_names
from deeplimits.claims.verdicts import verdicts
from deeplimits.errors import InputError

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize(
    ("change", "key", "nearest"),
    [
        ({"statistic": KS.replace("ks_to_limit", "ks_to_limits")}, "claims.0.statistic.name", "ks_to_limit"),
        (
            {"statistic": KS.replace("correlation,", "correlatoin,")},
            "claims.0.statistic.observable",
            "correlation",
        ),
        ({"statistic": KS.replace("limit: linear", "limit: linaer")}, "claims.0.statistic.limit", "linear"),
        ({"statistic": KS.replace("network:", "netwrok:")}, "claims.0.statistic.where.netwrok", "network"),
        ({"statistic": KS.replace("where:", "wehre:")}, "claims.0.statistic.wehre", "where"),
        ({"margin": "-0.1"}, "claims.0.margin", None),
        ({"margin": "'0.1'"}, "claims.0.margin", None),
        ({"margin": "0.1\n    marign: 2"}, "claims.0.marign", "margin"),
        ({"id": "a b"}, "claims.0.id", None),
        ({"margin": "0.1\n    error_rate: 0.5"}, "claims.0.error_rate", None),
        ({"margin": "0.1\n    alternative: at_most\n    sense: at_most"}, "claims.0.sense", None),
        ({"margin": "0.1\n    sense: at_mots"}, "claims.0.sense", "at_most"),
        ({"statistic": "{name: gram, moment: mean}"}, "claims.0.statistic", None),
        (
            {"statistic": "{name: gram, moment: mean, entries: [[1, 2]], expected: exact_kernl}"},
            "claims.0.statistic.expected",
            "exact_kernel",
        ),
    ],
)
def test_bad_claims_are_refused_by_name(tmp_path, change, key, nearest):
    with pytest.raises(InputError) as caught:
        load_claims(claims_file(tmp_path, {"statistic": KS} | change))
    assert caught.value.key == key
    assert caught.value.nearest == nearest
    assert caught.value.where.endswith("x.yaml")


@pytest.mark.parametrize("key", ["alternative", "sense"])
def test_the_alternative_of_a_claim_has_two_names(tmp_path, key):
    (claim,) = load_claims(claims_file(tmp_path, {"statistic": KS, "margin": f"0.1\n    {key}: at_most"}))
    assert claim.model.alternative == "at_most"


def test_a_claim_may_name_a_study_that_is_nowhere_and_slips_are_told(tmp_path):
    studies = tmp_path / "studies"
    studies.mkdir()
    for name in ("tiny-study", "ln24-figure-1", "other"):
        (studies / f"{name}.yaml").touch()
    named = ("tiny-study", "tiny-stduy", "tinystudy", "ln24-figure-2", "lnr22-figure-1", "elsewhere")
    folder = claims_file(
        tmp_path, *({"id": f"a{i}", "statistic": KS, "study": name} for i, name in enumerate(named))
    )
    claims = load_claims(folder)
    assert tuple(claim.model.study for claim in claims) == named
    first, second = slips(claims, studies)
    assert "x.yaml: claims.1.study" in first
    assert "'tiny-stduy'" in first and first.endswith("did you mean 'tiny-study'?")
    assert "claims.2.study" in second
    rows = verdicts(claims, tmp_path / "results", studies)
    assert {row["verdict"] for row in rows} == {"undecided"}
    assert "aggregated" in rows[0]["reason"]
    assert all(row["reason"] == f"{studies} has no study {row['study']}" for row in rows[1:])


def test_a_claim_is_made_once_and_somewhere(tmp_path):
    with pytest.raises(InputError, match="no claims"):
        load_claims(tmp_path)
    with pytest.raises(InputError, match="each claim once"):
        load_claims(claims_file(tmp_path, {"statistic": KS}, {"statistic": KS}))


def test_claims_of_the_project_are_about_its_studies():
    claims = load_claims(ROOT / "claims")
    assert {claim.model.study for claim in claims} <= study_names(ROOT / "config/studies")
    ids = {claim.model.id for claim in claims}
    for name in ids:
        if name.endswith(".printed"):
            assert name.removesuffix(".printed") in ids, "the corrected claim stands beside the printed one"
