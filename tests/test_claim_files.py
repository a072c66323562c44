"""Files of claims: what is wrong in one is refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from claim_files import KS, claims_file
from deeplimits.errors import InputError
from deeplimits.sweep.claims import load_claims

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


def test_a_claim_names_a_study_that_is_there(tmp_path):
    studies = tmp_path / "studies"
    studies.mkdir()
    (studies / "tiny.yaml").touch()
    folder = claims_file(tmp_path, {"statistic": KS}, {"id": "b", "statistic": KS, "study": "tny"})
    with pytest.raises(InputError, match="tiny") as caught:
        load_claims(folder, studies)
    assert (caught.value.key, caught.value.found, caught.value.nearest) == ("claims.1.study", "tny", "tiny")
    assert caught.value.where.endswith("x.yaml")
    (studies / "tny.yaml").touch()
    assert [claim.model.study for claim in load_claims(folder, studies)] == ["tiny", "tny"]


def test_a_claim_is_made_once_and_somewhere(tmp_path):
    with pytest.raises(InputError, match="no claims"):
        load_claims(tmp_path)
    with pytest.raises(InputError, match="each claim once"):
        load_claims(claims_file(tmp_path, {"statistic": KS}, {"statistic": KS}))


def test_claims_of_the_project_are_about_its_studies():
    claims = load_claims(ROOT / "claims", ROOT / "config/studies")
    ids = {claim.model.id for claim in claims}
    for name in ids:
        if name.endswith(".printed"):
            assert name.removesuffix(".printed") in ids, "the corrected claim stands beside the printed one"
