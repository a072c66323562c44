"""From a study to the scoreboard: verdicts on claims, as rows, as a table, as a page and as a figure."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

import pytest

import browser
from claim_files import KS, STUDY, claims_file
from deeplimits.claims.links import links_of
from deeplimits.claims.page import page_of
from deeplimits.claims.scoreboard import draw
from deeplimits.drawing.style import house_style, save
from deeplimits.jobs.aggregate import aggregate_study
from deeplimits.store.query import run_query
from forked import deeplimits
from tiny import project, simulated, strict_json


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


@pytest.mark.slow
def test_a_misspelt_study_is_undecided_and_told(evaluated, tmp_path):
    folder = claims_file(tmp_path, {"statistic": KS, "study": "tinny"})
    done = deeplimits("claims", "--json", "--claims", str(folder), cwd=evaluated[0])
    assert done.returncode == 0, done.stderr
    (row,) = strict_json(done.stdout)
    assert (row["verdict"], row["reason"]) == ("undecided", "config/studies has no study tinny")
    assert "x.yaml: claims.0.study: config/studies has no study 'tinny'" in done.stderr
    assert done.stderr.rstrip().endswith("did you mean 'tiny'?")


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
        if tag not in ("meta", "br", "rect", "line", "circle", "path", "input"):
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
    assert all(link.startswith("#") for link in page.links), "nothing from elsewhere"
    assert page.verdicts == {row["id"]: row["verdict"] for row in rows}
    assert "<script>alert" not in page_of(rows)
    assert "a &lt; b &amp;" in page_of(rows)
    assert page_of(rows) == page_of(rows)


def test_powers_and_indices_in_statements_are_set_and_nothing_else_is_markup(evaluated):
    row = evaluated[2]["holds"] | {
        "statement": "(1 + ½)^L n^(−1/2) 2^{2p} x^20 a^(<b>) X_1 log_variance a_10"
    }
    shown = "(1 + ½)<sup>L</sup> n<sup>−1/2</sup> 2<sup>2p</sup> x<sup>20</sup> a<sup>&lt;b&gt;</sup>"
    shown += " X<sub>1</sub> log_variance a_10"
    assert shown in page_of([row])


def _leading_page(evaluated, rows):
    """The page of a project, with links to its study file, its figures and the errata beside its claims."""
    folder, config, _ = evaluated
    (folder / "docs").mkdir(exist_ok=True)
    (folder / "docs/errata.md").write_text("# Errata", encoding="utf-8")
    config = replace(config, claims=folder / "claims")
    page = config.results / "claims.html"
    page.write_text(page_of(rows, links_of(page, rows, config.results, config)), encoding="utf-8")
    return page


def test_a_claim_leads_to_its_study_its_figures_and_its_erratum(evaluated):
    row = evaluated[2]["holds"] | {"study": "drawn"}
    (evaluated[1].studies_folder / "drawn.yaml").write_text(STUDY + "figures: [ks_against_width]\n")
    rows = [row, row | {"id": f"{row['id']}.printed"}, row | {"id": "X9", "study": "no"}]
    page = _leading_page(evaluated, rows)
    links = _Page(page.read_text(encoding="utf-8")).links
    study = ["../config/studies/drawn.yaml", "figures/drawn/ks_against_width.svg"]
    assert [each for each in links if not each.startswith("#")] == 2 * ["../docs/errata.md", *study]
    assert (page.parent / study[0]).is_file()
    assert links.count(f"#{row['id']}.printed") == links.count(f"#{row['id']}") == 2


@pytest.mark.slow
@browser.needed
@pytest.mark.parametrize("width", [1400, 390])
def test_a_reader_searches_and_filters_the_page(evaluated, width):
    rows = list(evaluated[2].values())
    rows += [rows[0] | {"id": "X1.drift", "statement": "An unmistakable word."}]
    page = _leading_page(evaluated, rows)
    shown = (
        "[...document.querySelectorAll('tr[id]')].filter(row => row.offsetHeight).map(row => row.id).join()"
    )

    def names(keep):
        return ",".join(row["id"] for row in rows if keep(row))

    with browser.tab() as tab:
        tab.open(page.as_uri(), width)
        assert tab.run("document.documentElement.scrollWidth") <= width
        assert tab.run(shown) == names(bool)
        for verdict in ("holds", "undecided"):
            tab.run(f"document.querySelector('[value={verdict}]').click()")
        assert tab.run(shown) == names(lambda row: row["verdict"] == "fails")
        tab.run("document.querySelector('[value=printed]').click()")
        assert tab.run(shown) == "X1.drift.printed"
        # the corrected claim is filtered out, and the link leads to it
        tab.run("document.querySelector('a[href=\"#X1.drift\"]').click()")
        tab.wait("location.hash == '#X1.drift'")
        assert tab.run(shown) == names(bool)
        tab.run(
            "{let field = document.querySelector('[type=search]'); field.value = 'UNMISTAKABLE word';"
            "field.dispatchEvent(new Event('input', {bubbles: true}))}"
        )
        assert tab.run(shown) == "X1.drift"
        assert tab.run("document.querySelector('output').textContent") == f"1 of {len(rows)}"
        assert tab.run("document.querySelectorAll('section:not([hidden])').length") == 1
        assert {each.partition(":")[0] for each in tab.requests} == {"file"}
        assert tab.errors == []


def test_picture_has_every_claim_and_the_same_bytes_when_drawn_again(evaluated, tmp_path):
    _, config, rows = evaluated
    paths = [tmp_path / f"claims.{suffix}" for suffix in ("pdf", "svg", "png")]
    with house_style():
        picture = draw(list(rows.values()))
    save(picture, tuple(paths))
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
