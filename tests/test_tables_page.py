"""The page of distances and rates: what the stores hold, escaped, searched, the same bytes again, and made again."""

from __future__ import annotations

import html

import pytest

import browser
from deeplimits.cli import app
from deeplimits.errors import InputError
from deeplimits.jobs.aggregate import aggregate_study
from deeplimits.jobs.repair import Repair
from deeplimits.jobs.tables import write_tables
from deeplimits.jobs.verify import check_parts, parts_of
from deeplimits.store.errors import StoreError
from deeplimits.store.place import Place
from deeplimits.store.shown import shown_study
from tiny import STUDY, project, simulated

WIDE = (
    STUDY.replace("A tiny study", "Widths <of> & more")
    .replace("[8, 12]", "[8, 12, 16, 24]")
    .replace("limit: variance}", "limit: variance, rate_in: width}")
)
BARE = (
    STUDY.replace("A tiny study", "Bare")
    .replace("\ncompare", "\n# compare")
    .replace("ks_against_width, ", "")
)


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tables")
    project(folder, STUDY)
    project(folder, BARE, "bare")
    made = project(folder, WIDE, "wide")
    simulated(made)
    for name in made.study_names:
        aggregate_study(made.study(name), made.results)
    return made


def test_page_has_every_distance_and_rate(config):
    page, beside = write_tables(config.results, config.study_names)
    text = page.read_text(encoding="utf-8")
    assert "Widths &lt;of&gt; &amp; more" in text and "<of>" not in text
    assert "Without distances: bare." in text
    wide = shown_study(config.results, "wide")
    assert len(wide.comparison) == 8 and len(wide.rates) > 0
    rows = [text.count("<tr><td", text.index(f'<section id="{name}"')) for name in ("tiny", "wide")]
    assert rows == [4 + 8 + len(wide.rates), 8 + len(wide.rates)]
    for value in wide.comparison["estimate"]:
        assert f">{value:.5f}".replace("-", "−") in text
    for value in wide.rates["exponent"]:
        assert f">{value:.3f}<".replace("-", "−") in text
    for network in wide.comparison["network"]:
        assert html.escape(network) in text
    # slopes are told by the network
    assert ">c_plus<" not in text
    again = page.read_bytes(), beside.read_bytes()
    write_tables(config.results, config.study_names)
    assert (page.read_bytes(), beside.read_bytes()) == again


def test_the_verb_writes_all_studies_or_those_that_are_named(config, capsys):
    app(["tables", "--results", str(config.results)], standalone_mode=False)
    page = config.results / "tables.html"
    assert capsys.readouterr().out.split()[0] == str(page)
    assert page.read_text().count("<section") == 2
    app(["tables", "wide", "--results", str(config.results)], standalone_mode=False)
    assert page.read_text().count("<section") == 1
    with pytest.raises((InputError, StoreError), match="wdie"):
        app(["tables", "wdie", "--results", str(config.results)], standalone_mode=False)


@pytest.mark.parametrize("name", ["tables.html", "tables.sha256"])
@pytest.mark.parametrize("how", ["changed", "gone"])
def test_what_is_damaged_is_found_and_made_again(config, name, how):
    write_tables(config.results, config.study_names)
    (part,) = (part for part in parts_of(config.results) if part.kind == "tables")
    assert check_parts(config.results, [part])[0] == []
    path = config.results / name
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"a", b"b")) if how == "changed" else path.unlink()
    found = check_parts(config.results, [part])[0]
    assert [each.part for each in found] == [part]
    assert Repair(Place(config.results, config)).mend(found) == []
    assert path.read_bytes() == whole


@browser.needed
@pytest.mark.parametrize("width", [1400, 390])
def test_a_reader_searches_the_page(config, width):
    page, _ = write_tables(config.results, config.study_names)
    with browser.tab() as tab:
        tab.open(page.as_uri(), width)
        assert tab.run("document.documentElement.scrollWidth") <= width
        said = "document.querySelector('output').textContent"
        rows = tab.run("document.querySelectorAll('tbody tr').length")
        assert tab.run(said) == f"{rows} of {rows} rows"
        tab.run(
            "{let field = document.querySelector('[type=search]'); field.value = 'wide MATCHED none';"
            "field.dispatchEvent(new Event('input', {bubbles: true}))}"
        )
        assert tab.run(said) == f"0 of {rows} rows"
        tab.run(
            "{let field = document.querySelector('[type=search]'); field.value = 'Tiny correlation_SDE';"
            "field.dispatchEvent(new Event('input', {bubbles: true}))}"
        )
        assert tab.run(said) == f"2 of {rows} rows"
        assert (
            tab.run("[...document.querySelectorAll('section:not([hidden])')].map(each => each.id).join()")
            == "tiny"
        )
        assert {each.partition(":")[0] for each in tab.requests} == {"file"}
        assert tab.errors == []
