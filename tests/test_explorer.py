"""The explorer: one file that asks for nothing, says what the tables hold, and the tables are those of the package."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

import browser
import deeplimits
from deeplimits import explorer
from deeplimits.cli import app

ROOT = Path(__file__).parent.parent
VIEWS = (explorer.CORRELATION, explorer.VARIANCE)
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


@pytest.fixture(scope="module")
def made():
    """The tool that computes the tables."""
    spec = importlib.util.spec_from_file_location("explorer_tables", ROOT / "tools/explorer_tables.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_tables_are_those_of_the_package(made, view):
    """Three points, computed anew."""
    tables, anew = np.load(view.tables), made.empty(view)
    assert {name: tables[name].shape for name in anew} == {name: each.shape for name, each in anew.items()}
    grid, random = list(made.places(view)), np.random.default_rng(1)
    for index in random.choice(len(grid), 3, replace=False):
        place, chosen = grid[index]
        if view is explorer.CORRELATION:
            laws = made.limits_of(made.two_inputs(*chosen))
        else:
            laws = [deeplimits.limit(made.one_input(*chosen), "log_variance", name="smooth_variance")]
        made.fill(view, anew, place, [laws[0], *laws])
        here = (*place, slice(1, None))
        np.testing.assert_allclose(tables["quantiles"][here], anew["quantiles"][here], atol=1e-5)
        np.testing.assert_allclose(tables["density"][here] / 1e4, anew["density"][here] / 1e4, atol=2e-4)
    mass = tables["density"][..., 0, :].sum(-1) * 1e-4 * (view.at[1] - view.at[0])
    # what has exploded lies beyond what is drawn
    beyond = tables["explosion"][..., 0] if "explosion" in tables else 0
    assert ((mass > 0.9 - beyond) & (mass < 1.01)).all()


def test_paths_are_those_of_networks(made):
    count, steps = explorer.PATHS
    view = explorer.CORRELATION
    paths = np.load(view.tables.with_name("correlation_paths.npz"))["paths"] / 32767
    assert paths.shape == (
        *(len(view.axes[name]) for name in ("slopes", "exponent", "width", "rho")),
        count,
        steps,
    )
    assert (np.abs(paths[..., 0] - np.array(view.axes["rho"])[:, None]) < 1e-4).all()
    point = made.two_inputs((0.5, -0.5), 0.5, 32, 2.0, 0.3)
    np.testing.assert_allclose(paths[1, 1, 1, 2], 1 - made.paths_of(point, "correlation_gap"), atol=1e-4)
    tables = np.load(explorer.VARIANCE.tables)
    np.testing.assert_allclose(
        tables["paths"][5, 0],
        made.paths_of(made.one_input(("softplus", -1.0), 16, 2.0), "log_variance"),
        rtol=1e-6,
    )


def test_networks_explode_more_often_as_they_widen_and_less_than_their_limit():
    """Where a limit explodes, networks of growing width do so ever more often, but for the noise of the samples."""
    tables, view = np.load(explorer.VARIANCE.tables), explorer.VARIANCE
    part, limit = tables["explosion"][..., 0], tables["explosion"][..., 1]
    explodes = tables["ever"] > 0
    assert {name for name, each in zip(view.axes["activation"], explodes, strict=True) if each} == {
        ("softplus", 0.0),
        ("softplus", -1.0),
        ("silu", 0.0),
        ("gelu", 0.0),
    }
    assert (limit[explodes] > 0).any() and (limit[~explodes] == 0).all()
    assert (limit <= tables["ever"][:, None, None] + 1e-6).all()
    assert (part[explodes, -1, -1] > part[explodes, 0, 0]).all()
    assert (np.abs(part - limit)[explodes, -1] <= np.abs(part - limit)[explodes, 0] + 0.01).all()


@pytest.mark.slow
@browser.needed
@pytest.mark.parametrize("width", [1400, 390])
def test_a_reader_chooses_a_network_with_the_keyboard(page, width):
    with browser.tab() as tab:
        tab.open(page.as_uri(), width)
        tab.wait("document.querySelectorAll('.uplot canvas').length == 4")
        assert tab.run("document.documentElement.scrollWidth") <= width
        said = "document.getElementById('said').textContent"
        before = tab.run(said)
        tab.run("document.getElementById('width').focus()")
        tab.press("ArrowRight")
        after = tab.run(said)
        assert f"{explorer.CORRELATION.axes['width'][2]} units" in before
        assert f"{explorer.CORRELATION.axes['width'][3]} units" in after
        tab.run("document.getElementById('exponent').focus()")
        tab.press("ArrowLeft")
        assert "is a number here" in tab.run(said)
        _move_every_control(tab, explorer.CORRELATION)
        # the other view, by its radio button
        tab.run("document.getElementById('correlation').focus()")
        tab.press("ArrowRight")
        tab.wait("document.querySelectorAll('section:not([hidden]) .uplot canvas').length == 6")
        assert tab.run("document.documentElement.scrollWidth") <= width
        tab.run("document.getElementById('activation').focus()")
        for _ in explorer.VARIANCE.axes["activation"]:
            tab.press("ArrowLeft")
        assert "It never explodes" in tab.run(said)
        for _ in explorer.VARIANCE.axes["activation"]:
            tab.press("ArrowRight")
        assert "It has exploded with probability" in tab.run(said)
        _move_every_control(tab, explorer.VARIANCE)
        assert [each for each in tab.requests if not each.startswith(OUTSIDE)] == []
        assert tab.errors == []


def _move_every_control(tab, view):
    for control in view.axes:
        tab.run(f"document.getElementById('{control}').focus()")
        for key in ("ArrowLeft", "ArrowLeft", "ArrowRight"):
            tab.press(key)
            said = tab.run("document.getElementById('said').textContent")
            assert "NaN" not in said and "undefined" not in said
