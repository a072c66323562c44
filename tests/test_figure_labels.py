"""What generic figures say about a study: its depths, its times, and every network in turn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import deeplimits
from deeplimits.drawing.build import build_figure
from deeplimits.drawing.style import LIMIT, NETWORK, SECOND
from deeplimits.drawing.wording import limit_text, network_text, observable_text, symbol
from deeplimits.errors import InputError
from deeplimits.figures import figures, ks_against_width, law_against_limit, quantiles_against_time
from deeplimits.store.study_groups import Groups, open_study_groups
from tiny import project, simulated

LEAKY = """
title: Shaped and residual networks, shallow
networks:
  - {activation: {name: relu, c_plus: 0.0, c_minus: -0.5}, shaping: {by: width, exponent: 0.5}}
  - {architecture: resnet, activation: {name: relu}}
grid: {width: [8, 16, 24, 32], depth: {times_width: 0.5}, correlation: 0.3}
samples: 256
record: {layers: 3}
compare:
  - {observable: correlation, limit: correlation_sde}
  - {observable: correlation, limit: matched_sde}
  - {observable: correlation, limit: resnet_ode}
figures: [ks_against_width, quantiles_against_time, law_against_limit]
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from deeplimits.jobs.aggregate import aggregate_study

    made = tmp_path_factory.mktemp("leaky")
    config = project(made, LEAKY)
    simulated(config)
    aggregate_study(config.study("tiny"), config.results)
    return made


@pytest.fixture(scope="module")
def leaky(folder: Path) -> Groups:
    return open_study_groups(folder / "results", "tiny")


def _legend(of: Figure | Axes) -> list[str]:
    (legend,) = of.legends if isinstance(of, Figure) else [of.get_legend()]
    assert legend is not None
    return [text.get_text() for text in legend.get_texts()]


def test_distances_name_the_depth_and_the_time_that_they_are_at(leaky: Groups) -> None:
    (axis,) = ks_against_width.draw(leaky).axes
    assert axis.get_xlabel() == "width n (depth d = 0.5 n)"
    assert axis.get_ylabel() == "Kolmogorov distance at t = 0.5"


@pytest.mark.parametrize(
    ("depths", "text"),
    [
        ([8, 16, 32], " (depth d = n)"),
        ([9, 9, 9], " (depth d = 9)"),
        ([8, 16, 31], ""),
        ([2, 4, 8], " (depth d = 0.25 n)"),
    ],
)
def test_depths_that_follow_no_one_rule_are_not_named(depths: list[int], text: str) -> None:
    assert ks_against_width.depth_text(np.array([8.0, 16.0, 32.0]), np.array(depths, float)) == text


@pytest.mark.slow
def test_every_network_has_a_panel_before_any_has_many(leaky: Groups) -> None:
    """Eight points of two networks: three panels each, in order."""
    titles = [axis.get_title() for axis in quantiles_against_time.draw(leaky).axes]
    shaped = [f"ReLU (0, −0.5), p = 0.5, n = {n}, d = {n // 2}" for n in (8, 16, 24)]
    residual = [f"ResNet, ReLU, n = {n}, d = {n // 2}" for n in (8, 16, 24)]
    assert titles == shaped + residual
    assert [axis.get_title() for axis in law_against_limit.draw(leaky).axes] == titles


def test_limits_of_a_figure_can_be_told_apart(leaky: Groups) -> None:
    """Each has a name, a colour and a marker of its own, in one legend, and the time is that of the network."""
    figure = quantiles_against_time.draw(leaky)
    assert _legend(figure) == [
        "network: median, central half",
        "correlation SDE",
        "matched SDE",
        "ResNet ODE",
    ]
    lines = [line for axis in figure.axes for line in axis.lines if not line.get_label().startswith("_")]
    assert len({line.get_color() for line in lines}) == len({line.get_marker() for line in lines}) == 4
    letters = [axis.texts[0].get_text() for axis in figure.axes]
    assert letters == ["(a)", "(b)", "(c)", "(d)", "(e)", "(f)"]
    assert [figure.axes[i].get_xlabel() for i in (0, 3)] == ["time ℓ/n", "time ℓ/d"]
    assert [float(figure.axes[i].lines[0].get_xdata()[-1]) for i in (0, 3)] == [0.5, 1.0]


def test_a_limit_that_is_a_number_is_a_line_across_the_density(leaky: Groups) -> None:
    figure = law_against_limit.draw(leaky)
    assert _legend(figure) == ["network", "correlation SDE", "matched SDE", "ResNet ODE"]
    assert figure.axes[3].get_legend() is None
    (line,) = figure.axes[3].lines
    assert line.get_xdata()[0] == float(leaky["/comparison"].limit_mean[4, 2])
    assert len({each.get_linestyle() for each in [*figure.axes[0].lines, line]}) == 3
    found = leaky["/comparison"].value.sel(distance="ks")[0, :2].values
    assert _legend(figure.axes[0]) == [f"{each:.3f}" for each in found]


def test_names_are_those_of_formulas() -> None:
    assert limit_text("matched_covariance_sde") == "matched covariance SDE"
    assert observable_text("correlation_0_2") == "correlation of inputs 0 and 2"
    assert observable_text("log_variance_1") == "log variance of input 1"
    assert [symbol(name) for name in ("correlation", "correlation_0_2", "log_variance_1")] == [
        "ρ",
        "ρ₀₂",
        "log V₁",
    ]
    assert network_text("ReLU (0, -0.5)") == "ReLU (0, −0.5)"
    assert network_text("pre-norm ResNet, exp(-x) - 1") == "pre-norm ResNet, exp(−x) − 1"


@pytest.mark.parametrize("name", figures())
def test_no_caption_writes_powers_with_carets(name: str) -> None:
    assert "^" not in figures()[name].CAPTION


def _colors(figure: Figure) -> set[tuple[float, ...]]:
    from matplotlib.colors import to_rgb

    return {to_rgb(line.get_color()) for axis in figure.axes for line in axis.lines}


@pytest.mark.slow
def test_a_figure_is_returned_with_colours_and_a_title_of_ones_own(folder: Path) -> None:
    """Two roles change places; nothing is written, pyplot has no part in it, and Matplotlib stays as it was."""
    import matplotlib as mpl

    before, files = dict(mpl.rcParams), sorted((folder / "results").rglob("*"))
    plain = deeplimits.figure("quantiles_against_time", root=folder)
    own = deeplimits.figure(
        "tiny/quantiles_against_time",
        results="results",
        root=folder,
        title="Mine",
        colors={"network": LIMIT, "limit": NETWORK, "second": "black"},
    )
    assert {NETWORK, LIMIT, SECOND} <= _colors(plain)
    assert _colors(own) == _colors(plain) - {SECOND} | {(0.0, 0.0, 0.0)}
    assert plain.axes[0].lines[0].get_color() == NETWORK
    assert own.axes[0].lines[0].get_color()[:3] == LIMIT
    assert own.get_suptitle() == "Mine"
    assert dict(mpl.rcParams) == before
    assert sorted((folder / "results").rglob("*")) == files


@pytest.mark.slow
def test_a_study_file_has_a_title_and_colours_for_a_figure(folder: Path, tmp_path: Path) -> None:
    """They are drawn, and the store, which is the same without them, is not stale for their sake."""
    chosen = "{figure: quantiles_against_time, title: Mine, colors: {network: '#123456'}}"
    study = LEAKY.replace("figures: [", f"figures: [{chosen}, ").replace("quantiles_against_time, law", "law")
    config = project(tmp_path, study)
    (tmp_path / "results").symlink_to(folder / "results")
    asked = config.study("tiny")
    assert asked.figures == ("quantiles_against_time", "ks_against_width", "law_against_limit")
    house = "#0173b2"
    for name, own in (("quantiles_against_time", True), ("ks_against_width", False)):
        (drawn,) = (p for p in build_figure(asked, name, config.results, config) if p.suffix == ".svg")
        text = drawn.read_text()
        assert (">Mine<" in text, "#123456" in text, house in text) == (own, own, not own)


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("tiny/law_against_limt", {}, "did you mean 'law_against_limit'?"),
        ("tinny/law_against_limit", {}, "did you mean 'tiny'?"),
        ("lnr22_joint", {}, "expected one of tiny/ks_against_width"),
        ("tiny/lnr22_joint", {}, "lnr22_joint needs every network with inputs of 3 or more"),
        ("tiny/law_against_limit", {"colors": {"netwrk": "k"}}, "did you mean 'network'?"),
        ("tiny/law_against_limit", {"colors": {"limit": "blurple"}}, "colors.limit: found 'blurple'"),
    ],
)
def test_a_figure_that_cannot_be_returned_names_the_nearest(
    folder: Path, name: str, options: dict[str, object], said: str
) -> None:
    with pytest.raises(InputError) as refused:
        deeplimits.figure(name, root=folder, **options)
    assert said in str(refused.value)


def test_what_a_store_is_made_from_is_the_study_again(folder: Path) -> None:
    """Networks with one grid, and networks with a grid each, of which one has neither depth nor zip."""
    from deeplimits.sweep.config import load_config
    from deeplimits.sweep.description import as_content, described
    from deeplimits.sweep.study import study_of

    uneven = LEAKY.replace(
        "  - {architecture: resnet",
        "  - {activation: {name: tanh}, grid: {width: [[8, 12]], gram: [[1.0, 0.5], [0.5, 2.0]], depth: null}}\n"
        "  - {architecture: resnet",
    )
    for name, text in (("tiny", LEAKY), ("uneven", uneven)):
        path = folder / f"config/studies/{name}.yaml"
        path.write_text(text, encoding="utf-8")
        study = load_config(folder / "config/config.yaml").study(name)
        again = study_of(as_content(described(study)), path)
        assert described(again) == described(study)
        assert [point.network for point in again.points] == [point.network for point in study.points]
