"""Figures are functions of the study store: the same bytes when drawn again, in any order, by any process."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from docutils.core import publish_parts
from jinja2 import StrictUndefined, Template
from matplotlib.figure import Figure

from deeplimits.drawing.build import build_figure
from deeplimits.figures import figures
from deeplimits.figures.ln24_do_limits_commute import two_terms
from deeplimits.jobs.aggregate import aggregate_study
from deeplimits.store.errors import StoreError
from deeplimits.store.study_groups import open_study_groups
from figure_data import alike, known, shown
from forked import deeplimits
from paper_studies import STUDIES
from tiers import everyday
from tiny import project, simulated


def test_a_change_of_what_a_figure_shows_is_seen() -> None:
    """Of a label, of one point among many, of a line more; not of the last digits, in which solvers differ."""

    def made(moved: float = 0.0, label: str = "a", lines: int = 1) -> list[dict[str, Any]]:
        figure = Figure()
        axes = figure.subplots()
        for _ in range(lines):
            axes.plot([0.0, 1.0, 2.0, 3.0], [1.0, 2.0, 3.0 + moved, 4.0], label=label)
        axes.fill_between([0.0, 1.0], [0.0, 0.0], [1.0, 2.0])
        return shown(figure)

    assert alike(made(), made(1e-8))
    for other in (made(1e-3), made(label="b"), made(lines=2)):
        assert not alike(made(), other)


@pytest.mark.slow
@pytest.mark.parametrize("text", everyday(STUDIES.values(), 7), ids=STUDIES)
def test_figures_are_the_same_bytes_when_drawn_again(tmp_path: Path, text: str) -> None:
    """And show what they showed when they were last looked at."""
    config = project(tmp_path, text)
    simulated(config)
    study = config.study("tiny")
    with pytest.raises(StoreError):
        build_figure(study, study.figures[0], config.results)
    aggregate_study(study, config.results)
    drawn = {}
    showed = known(next(name for name, each in STUDIES.items() if each == text))
    assert showed.keys() == dict.fromkeys(study.figures).keys()
    groups = open_study_groups(config.results, study.name)
    for figure in study.figures:
        assert alike(shown(figures()[figure].draw(groups)), showed[figure]), figure
        for path in build_figure(study, figure, config.results):
            drawn[path] = path.read_bytes()
            assert len(drawn[path]) > 2000
            # powers are superscripts; comments have the source of formulas
            assert path.suffix != ".svg" or b"^" not in re.sub(rb"<!--.*?-->", b"", drawn[path])
    assert len(drawn) == 3 * len(study.figures)
    for figure in reversed(study.figures):
        done = deeplimits("figure", f"tiny/{figure}", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert {Path(line) for line in done.stdout.split()} <= drawn.keys()
    for path, content in drawn.items():
        assert path.read_bytes() == content, path.name


def test_every_figure_is_drawn_by_a_test() -> None:
    named = {
        name
        for text in STUDIES.values()
        for name in text.rpartition("figures: [")[2].strip("]\n ").split(", ")
    }
    assert named == set(figures())


def test_every_figure_has_a_caption() -> None:
    """It fills in, and says from how many networks and which seed."""
    facts = {"study": "STUDY", "title": "TITLE", "samples": "1,234", "seeds": "seed 5", "noise": "0.02"}
    for name in figures():
        caption = Template(figures()[name].CAPTION, undefined=StrictUndefined).render(facts)
        assert caption.startswith("**"), name
        assert "1,234 networks" in caption, name
        assert "seed 5" in caption, name
        assert "STUDY" in caption, name
        publish_parts(caption, writer="html", settings_overrides={"halt_level": 2, "report_level": 2})


def test_two_terms_are_found_and_bound_the_distances() -> None:
    """Of distances that are a sum of both, the sum itself; of others, the factor makes it a bound."""
    widths, depths = np.array([4.0, 16.0, 64.0]), np.array([4.0, 8.0, 32.0])
    total = 1.5 * widths[:, None] ** -0.5 + 0.25 / depths
    assert two_terms(widths, depths, total) == pytest.approx((1.5, 0.25, 1.0), rel=1e-9)
    bent = total * np.linspace(0.8, 1.1, 9).reshape(3, 3)
    a, b, factor = two_terms(widths, depths, bent)
    assert (bent <= factor * (a * widths[:, None] ** -0.5 + b / depths) * (1 + 1e-12)).all()
    assert min(a, b) >= 0
