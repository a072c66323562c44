"""Claims: what counts as holding, failing and undecided; files of claims; the scoreboard."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binom

from deeplimits.analysis.aggregate import aggregate_study
from deeplimits.analysis.equivalence import Counted, Effect, extrapolated, jackknife, judge
from deeplimits.errors import InputError
from deeplimits.figures.claims_page import page_of
from deeplimits.figures.claims_scoreboard import draw
from deeplimits.figures.style import save
from deeplimits.store.query import run_query
from deeplimits.sweep.claims import load_claims
from tiny import deeplimits, project, simulated, strict_json

ROOT = Path(__file__).parent.parent


def effect(value: float, error: float, **more: float) -> Effect:
    return Effect(value, error, 1000, 10**6, "network; n = 1", **more)


# ---------------------------------------------------------------------------------------- verdicts


@pytest.mark.parametrize(
    ("value", "error", "sense", "verdict"),
    [
        (0.0, 0.1, "equal", "holds"),
        (0.6, 0.1, "equal", "holds"),  # 0.6 + 3.09 · 0.1 < 1
        (0.8, 0.1, "equal", "undecided"),
        (-1.2, 0.1, "equal", "undecided"),
        (-1.4, 0.1, "equal", "fails"),
        (1.4, 0.1, "equal", "fails"),
        (-9.0, 0.1, "at_most", "holds"),
        (1.4, 0.1, "at_most", "fails"),
        (9.0, 0.1, "at_least", "holds"),
        (-1.4, 0.1, "at_least", "fails"),
    ],
)
def test_verdict_by_where_the_interval_lies(value, error, sense, verdict):
    assert judge([effect(value, error)], 1.0, sense, 1e-3).verdict == verdict


def test_all_effects_have_to_hold_and_one_is_enough_to_fail():
    good, open_, bad = effect(0.0, 0.1), effect(0.9, 0.1), effect(2.0, 0.1)
    assert judge([good, good], 1.0, "equal", 1e-3).verdict == "holds"
    assert judge([good, open_], 1.0, "equal", 1e-3).verdict == "undecided"
    found = judge([good, bad, open_], 1.0, "equal", 1e-3)
    assert (found.verdict, found.effect, found.samples, found.normals) == ("fails", 2.0, 3000, 3 * 10**6)


def test_an_open_verdict_says_what_would_decide_it():
    found = judge([effect(0.8, 0.1)], 1.0, "equal", 1e-3)
    factor = found.samples_needed / found.samples
    assert found.normals_needed == pytest.approx(factor * found.normals)
    assert judge([effect(0.8, 0.1 / np.sqrt(factor * 1.001))], 1.0, "equal", 1e-3).verdict == "holds"
    assert judge([effect(0.8, 0.1 / np.sqrt(factor / 1.001))], 1.0, "equal", 1e-3).verdict == "undecided"
    assert judge([effect(1.0, 0.1)], 1.0, "equal", 1e-3).samples_needed == np.inf
    assert judge([effect(0.0, 0.1)], 1.0, "equal", 1e-3).samples_needed is None


@pytest.mark.slow
def test_wrong_verdicts_are_as_rare_as_stated():
    """At the edge of the margin a claim may be called either way at the error rate, 0.02 here, at most. 20,000
    verdicts: the counts exceed the 1 − 1e-6 quantile of a binomial law with probability 1e-6 each.
    """
    generator = np.random.default_rng(11)
    tries, rate = 20000, 0.02
    most = binom.ppf(1 - 1e-6, tries, rate)
    for count, shift in ((1, 0.0), (5, 0.0)):
        found = [
            judge([effect(1.0 + shift + noise, 1.0) for noise in row], 1.0, "equal", rate).verdict
            for row in generator.standard_normal((tries, count))
        ]
        assert found.count("holds") <= most
        assert found.count("fails") <= most
    wide = [
        judge([effect(1.0 + noise, 0.1)], 1.0, "equal", rate)
        for noise in 0.1 * generator.standard_normal(tries)
    ]
    calls = [each.verdict for each in wide]
    least = binom.ppf(1e-6, tries, rate)
    assert least <= calls.count("holds") <= most
    assert least <= calls.count("fails") <= most


def test_clopper_pearson_interval():
    some = Counted(0.03, 0.005, 100, 100, "", hits=3)
    low, high = some.interval(0.025)
    assert binom.sf(2, 100, low) == pytest.approx(0.025)
    assert binom.cdf(3, 100, high) == pytest.approx(0.025)
    assert Counted(0.0, 0.005, 100, 100, "", hits=0).interval(0.01)[0] == 0
    assert Counted(1.0, 0.005, 100, 100, "", hits=100).interval(0.01)[1] == 1
    shifted = Counted(-0.2, 0.005, 100, 100, "", hits=3, expected=0.23, factor=2.0).interval(0.025)
    assert shifted == pytest.approx(((low - 0.23) * 2, (high - 0.23) * 2))


def test_extrapolation_finds_the_limit():
    sizes = [8.0, 16.0, 32.0, 64.0]
    exact = [effect(0.25 + 3 / size, 0.01, size=size) for size in sizes]
    assert extrapolated(exact, [1.0]).value == pytest.approx(0.25)
    assert extrapolated(exact, [1.0]).samples == 4000
    bent = [effect(0.25 + 3 / size - 7 / size**2, 0.01, size=size) for size in sizes]
    assert extrapolated(bent, [1.0, 2.0]).value == pytest.approx(0.25)
    assert extrapolated(bent, [1.0]).error > extrapolated(exact, [1.0]).error
    assert extrapolated(exact[:1], [1.0]) is None


def test_extrapolation_knows_its_error():
    """Pulls of 4,000 extrapolations are standard normal: their variance is within 5 standard errors, 5 √(2/4000)."""
    generator = np.random.default_rng(5)
    pulls = []
    for _ in range(4000):
        noise = 0.01 * generator.standard_normal(6)
        limit = extrapolated(
            [
                effect(3 / size + e, 0.01, size=size)
                for size, e in zip((4, 8, 16, 32, 64, 128), noise, strict=True)
            ],
            [1.0],
        )
        pulls.append(limit.value / limit.error)
    assert np.mean(pulls) == pytest.approx(0, abs=5 / np.sqrt(4000))
    # errors are only ever widened for scatter, never narrowed
    assert 0.6 < np.var(pulls) < 1 + 5 * np.sqrt(2 / 4000)


def test_jackknife_of_a_mean_is_its_standard_error():
    values = np.random.default_rng(3).standard_normal(64)
    left = (values.sum() - values) / 63
    mean, error = jackknife(left)
    assert mean == pytest.approx(values.mean())
    assert error == pytest.approx(values.std(ddof=1) / 8)


# ---------------------------------------------------------------------------------------- files

STUDY = """
title: Small
networks:
  - {architecture: mlp, activation: {name: relu, c_plus: 0.5, c_minus: -0.5}, shaping: {by: width, exponent: 0.5}}
  - {architecture: mlp, activation: {name: identity}}
grid: {width: [8, 12, 16], depth: {times_width: 1.0}, correlation: 0.3, seed: 0}
samples: 8192
record: {layers: 2}
compare:
  - {observable: correlation, limit: correlation_sde, rate_in: width}
  - {observable: correlation, limit: linear, rate_in: width}
  - {observable: correlation, limit: correlation_ode, distances: [rms]}
  - {observable: log_variance, limit: variance}
"""
CLAIM = """
  - id: X1.{id}
    statement: Something.
    source: eq. (1)
    study: {study}
    statistic: {statistic}
    margin: {margin}
    because: a test
"""


def claims_file(folder: Path, *claims: dict[str, object]) -> Path:
    """Write claims and return their folder."""
    (folder / "claims").mkdir(exist_ok=True)
    base = {"id": "a", "study": "tiny", "margin": 0.1}
    text = "paper: A paper\nclaims:" + "".join(CLAIM.format(**(base | claim)) for claim in claims)
    (folder / "claims" / "x.yaml").write_text(text)
    return folder / "claims"


KS = "{name: ks_to_limit, observable: correlation, limit: linear, where: {network: linear}}"


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


# ---------------------------------------------------------------------------------------- from study to scoreboard


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory):
    """A project with an aggregated study and claims about it, and what the command line says of them."""
    folder = tmp_path_factory.mktemp("claims")
    config = project(folder, STUDY)
    simulated(config)
    aggregate_study(config.study("tiny"), config.results)
    project(folder, STUDY, "another")  # there, but never run
    claims_file(
        folder,
        {"id": "holds", "statistic": KS},
        {"id": "unasked", "statistic": KS.replace("limit: linear", "limit: variance")},
        {"id": "open", "statistic": KS, "margin": 0.04},
        {"id": "fails", "statistic": KS, "margin": 0.01},
        {"id": "absent", "statistic": KS, "study": "another"},
        {"id": "nobody", "statistic": KS.replace("network: linear", "network: nobody")},
        {
            "id": "drift.printed",
            "statistic": "{name: rms_to_limit, observable: correlation, limit: correlation_ode}",
        },
    )
    files = ("--out", str(config.results / "claims.json"), "--figure", str(config.results / "claims.png"))
    done = deeplimits("claims", "--json", *files, cwd=folder)
    assert done.returncode == 0, done.stderr
    rows = strict_json(done.stdout)
    assert strict_json((config.results / "claims.json").read_text()) == rows
    return folder, config, {row["id"].removeprefix("X1."): row for row in rows}


def test_a_misspelt_study_is_one_message(evaluated, tmp_path):
    folder = claims_file(tmp_path, {"statistic": KS, "study": "tinny"})
    done = deeplimits("claims", "--json", "--claims", str(folder), cwd=evaluated[0])
    assert done.returncode == 2
    assert done.stdout == ""
    assert "x.yaml: claims.0.study: found 'tinny', expected a study in" in done.stderr
    assert done.stderr.rstrip().endswith("another, tiny; did you mean 'tiny'?")


def test_rows_have_what_they_promise(evaluated):
    rows = evaluated[2]
    for row in rows.values():
        assert {
            "id",
            "statement",
            "study",
            "verdict",
            "effect",
            "interval",
            "margin",
            "samples",
        } <= row.keys()
        assert row["verdict"] in ("holds", "fails", "undecided")
    assert rows["holds"]["verdict"] == "holds"
    assert rows["fails"]["verdict"] == "fails"
    low, high = rows["holds"]["interval"]
    assert low <= rows["holds"]["effect"] <= high <= rows["holds"]["margin"]
    assert rows["holds"]["samples"] == 8192
    assert rows["holds"]["normals"] == 8192 * 16 * 16 * 2
    # a correlation that fluctuates is 0.3 away from an ODE's, whatever the width
    assert rows["drift.printed"]["verdict"] == "fails"


def test_what_cannot_be_decided_says_why(evaluated):
    rows = evaluated[2]
    assert {rows[name]["verdict"] for name in ("open", "absent", "nobody", "unasked")} == {"undecided"}
    assert rows["open"]["samples_needed"] > 8192
    assert "normals" in rows["open"]["reason"]
    assert "has not been aggregated" in rows["absent"]["reason"]
    assert "nobody" in rows["nobody"]["reason"]
    assert "does not hold correlation against variance" in rows["unasked"]["reason"]
    assert rows["absent"]["effect"] is None
    assert rows["absent"]["interval"] is None


def test_verdicts_can_be_asked_for_in_sql(evaluated):
    config = evaluated[1]
    frame = run_query(config.results, "SELECT id, low, high FROM claims WHERE verdict = 'holds'")
    assert frame.id.tolist() == ["X1.holds"]
    assert frame.low[0] <= frame.high[0]
    assert run_query(config.results / "nowhere", "SELECT count(*) AS n FROM claims").n[0] == 0


def test_table_names_every_claim(evaluated):
    done = deeplimits("claims", cwd=evaluated[0])
    assert done.returncode == 0, done.stderr
    for name, row in evaluated[2].items():
        assert f"X1.{name}" in done.stdout
        assert row["verdict"] in done.stdout


class _Page(HTMLParser):
    """Rows by id, their verdicts, and whether every tag is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.verdicts: dict[str, str] = {}
        self.links: list[str] = []
        self._row = self._class = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.links += [values[name] for name in ("src", "href") if name in values]
        if tag not in ("meta", "br", "rect", "line", "circle", "path"):
            self.open.append(tag)
        if tag == "tr" and "id" in values:
            self._row = values["id"]
        self._class = values.get("class") or ""

    def handle_endtag(self, tag):
        if tag not in ("rect", "line", "circle", "path"):
            assert self.open.pop() == tag

    def handle_data(self, data):
        if self._row and self._class.startswith("verdict "):
            assert self._class == f"verdict {data.strip()}"
            self.verdicts.setdefault(self._row, data.strip())
            self._class = ""


def test_page_is_whole_and_says_what_the_rows_say(evaluated):
    rows = list(evaluated[2].values())
    rows[0] = rows[0] | {"statement": "a < b & <script>alert(1)</script>"}
    page = _Page(page_of(rows))
    assert not page.open
    assert not page.links, "nothing from elsewhere"
    assert page.verdicts == {row["id"]: row["verdict"] for row in rows}
    assert "<script>" not in page_of(rows)
    assert "a &lt; b &amp;" in page_of(rows)
    assert page_of(rows) == page_of(rows)


def test_picture_has_every_claim_and_the_same_bytes_when_drawn_again(evaluated, tmp_path):
    _, config, rows = evaluated
    paths = [tmp_path / f"claims.{suffix}" for suffix in ("pdf", "svg", "png")]
    save(draw(list(rows.values())), tuple(paths))
    for path in paths:
        assert path.read_bytes() == (config.results / path.name).read_bytes(), path.name
    text = paths[1].read_text()
    for name in rows:
        assert f">X1.{name}<" in text
    found = [row["verdict"] for row in rows.values()]
    for verdict in ("holds", "fails", "undecided"):
        assert f">{found.count(verdict)} {verdict}<" in text
    # a claim without an effect has its row, and no interval
    (row,) = (row for row in rows.values() if row["id"] == "X1.absent")
    (axis,) = draw([row]).axes
    assert [len(line.get_xdata()) for line in axis.lines] == [1, 2]


@pytest.mark.parametrize(
    ("sense", "effect", "shaded"),
    [("equal", 0.05, (-1, 1)), ("at_most", -50.0, (-200, 1)), ("at_least", 1e9, (-1, 200))],
)
def test_picture_shades_the_margin_and_clips_what_lies_beyond(evaluated, sense, effect, shaded):
    row = evaluated[2]["holds"] | {
        "sense": sense,
        "effect": effect,
        "interval": [effect - 0.01, effect + 0.01],
    }
    (axis,) = draw([row]).axes
    (area,) = axis.collections
    corners = area.get_paths()[0].vertices[:, 0]
    assert (corners.min(), corners.max()) == shaded
    interval, mark, _ = axis.lines
    (at,) = mark.get_xdata()
    assert at == pytest.approx(min(max(effect / row["margin"], -200), 200))
    assert -200 <= interval.get_xdata()[0] <= at <= interval.get_xdata()[1] <= 200
