"""The documentation as a site: built without a warning, whole, and read from files without a network."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

import browser
import deeplimits

ROOT = Path(__file__).parent.parent

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [Path(sys.executable).with_name("mkdocs"), "build", "--strict", "--quiet", "-d", folder]
    quiet = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env=quiet)
    assert (built.returncode, built.stdout + built.stderr) == (0, "")
    return folder


class Fetched(HTMLParser):
    """What a browser fetches for a page without being asked."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in ("script", "img", "iframe", "source", "video", "audio", "embed"):
            self.found.append(given.get("src") or "")
        if tag == "link" and given.get("rel") not in ("canonical", "prev", "next"):
            self.found.append(given.get("href") or "")


def test_pages_ask_for_nothing_from_outside(site):
    for page in site.rglob("*.html"):
        fetched = Fetched()
        fetched.feed(page.read_text(encoding="utf-8"))
        assert [each for each in fetched.found if "//" in each] == []
    for sheet in site.rglob("*.css"):
        assert not re.search(r"(url\(|@import\s*)[\"']?(https?:)?//", sheet.read_text(encoding="utf-8"))


def test_every_page_is_there_with_its_formulas(site):
    for page in (ROOT / "docs").rglob("*.md"):
        made = (site / page.relative_to(ROOT / "docs")).with_suffix(".html").read_text(encoding="utf-8")
        formulas = page.read_text(encoding="utf-8").count("```math")
        assert made.count('<div class="formula">') >= formulas, page
        assert "\\frac" not in made


def test_every_public_name_has_its_docstring_on_the_page_of_the_api(site):
    page = (site / "api.html").read_text(encoding="utf-8")
    for name in deeplimits.__all__:
        if not name.startswith("__"):
            (place,) = re.findall(rf'id="(deeplimits\.(?:\w+\.)*{name})"', page)
            after = page.partition(f'id="{place}"')[2]
            assert re.search(r"<p>[^<]{20}", after), name


@browser.needed
@pytest.mark.parametrize("width", [1400, 390])
def test_a_reader_without_a_network_sees_and_searches_it(site, width):
    with browser.tab() as tab:
        tab.open((site / "limits/exact.html").as_uri(), width)
        assert tab.run("document.documentElement.scrollWidth") <= width
        assert tab.run("document.querySelector('math').getBoundingClientRect().height") > 10
        tab.run("document.getElementById('__search').click()")
        tab.run(
            "{let field = document.querySelector('[data-md-component=search-query]');"
            "field.value = 'Kolmogorov'; field.dispatchEvent(new Event('input', {bubbles: true}));"
            "field.dispatchEvent(new Event('keyup', {bubbles: true}))}"
        )
        tab.wait("document.querySelectorAll('.md-search-result__item').length > 3")
        assert [
            each for each in tab.requests if not each.startswith(("file:", "data:", "about:", "blob:"))
        ] == []
        assert tab.errors == []
