"""The explorer: one file that asks for nothing, says what the tables hold, and the tables are those of the package."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

import browser
from deeplimits import explorer
from deeplimits.cli import app

ROOT = Path(__file__).parent.parent
OUTSIDE = ("file:", "data:", "about:", "blob:")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("explorer") / "explorer.html"
    app(["explore", "--out", str(path)], standalone_mode=False)
    return path


def test_page_is_one_file(page):
    text = page.read_text(encoding="utf-8")
    assert len(text.encode()) < 8_000_000
    assert "/* data */" not in text
    assert 'src="' not in text
    assert "@import" not in text


def test_tables_are_those_of_the_package():
    """Three points, computed anew."""
    spec = importlib.util.spec_from_file_location("explorer_tables", ROOT / "tools/explorer_tables.py")
    made = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = made
    spec.loader.exec_module(made)
    tables = np.load(explorer.TABLES)
    shape = tuple(len(values) for values in explorer.AXES.values())
    assert tables["density"].shape == (*shape, 3, len(explorer.Y))
    random = np.random.default_rng(1)
    for _ in range(3):
        place = tuple(int(random.integers(size)) for size in shape)
        values = [each[index] for each, index in zip(explorer.AXES.values(), place, strict=True)]
        for kind, law in enumerate(made.limits_of(made.network(*values)), 1):
            quantiles = law.quantile(list(explorer.LEVELS))
            np.testing.assert_allclose(tables["quantiles"][(*place, kind)], quantiles, atol=1e-5)
            np.testing.assert_allclose(tables["density"][(*place, kind)] / 1e4, made.density(law), atol=2e-4)
    mass = tables["density"][..., 0, :].sum(-1) * 1e-4 * (explorer.Y[1] - explorer.Y[0])
    assert ((mass > 0.9) & (mass < 1.01)).all()


@pytest.mark.slow
@browser.needed
@pytest.mark.parametrize("width", [1400, 390])
def test_a_reader_chooses_a_network_with_the_keyboard(page, width):
    with browser.tab() as tab:
        tab.open(page.as_uri(), width)
        tab.wait("document.querySelectorAll('.uplot canvas').length == 3")
        assert tab.run("document.documentElement.scrollWidth") <= width
        said = "document.getElementById('said').textContent"
        before = tab.run(said)
        tab.run("document.getElementById('width').focus()")
        tab.press("ArrowRight")
        after = tab.run(said)
        assert f"{explorer.AXES['width'][2]} units" in before
        assert f"{explorer.AXES['width'][3]} units" in after
        tab.run("document.getElementById('exponent').focus()")
        tab.press("ArrowLeft")
        assert "is a number here" in tab.run(said)
        for control in explorer.AXES:
            tab.run(f"document.getElementById('{control}').focus()")
            for key in ("ArrowLeft", "ArrowLeft", "ArrowRight"):
                tab.press(key)
        assert "NaN" not in tab.run(said)
        assert [each for each in tab.requests if not each.startswith(OUTSIDE)] == []
        assert tab.errors == []
