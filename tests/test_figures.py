"""Figures are functions of the study store: the same bytes when drawn again, in any order, by any process."""

from __future__ import annotations

from pathlib import Path

import pytest

from deeplimits.analysis.aggregate import aggregate_study
from deeplimits.figures import build_figure
from deeplimits.figures.names import FIGURE_NAMES
from deeplimits.store.errors import StoreError
from tiny import STUDY, deeplimits, project, simulated

PAPERS = """
title: Figures of the papers, small
networks:
  - {architecture: mlp, activation: {name: relu}}
  - {architecture: mlp, activation: {name: relu, c_minus: -1.0}, shaping: {by: width, exponent: 0.5}}
grid: {width: 20, depth: {times_width: 1.0}, correlation: 0.3, seed: 0}
samples: 2048
record: {layers: all}
compare:
  - {observable: correlation, limit: markov_chain, at: all}
  - {observable: correlation, limit: infinite_width, at: all}
  - {observable: correlation, limit: unshaped, at: all}
  - {observable: correlation, limit: correlation_sde, at: all}
  - {observable: correlation, limit: correlation_sde_euler, at: all}
  - {observable: correlation, limit: matched_sde, at: all}
  - {observable: correlation, limit: correlation_ode, at: all}
  - {observable: rescaled_correlation, limit: unshaped, at: 1.0}
  - {observable: rescaled_correlation, limit: unshaped_corrected, at: 1.0}
  - {observable: rescaled_correlation, limit: ln24_theorem_4_1_printed, at: 1.0}
  - {observable: rescaled_correlation, limit: unshaped_euler, at: 1.0}
figures: [lnr22_figure_1, ln24_figure_1]
"""


@pytest.mark.slow
@pytest.mark.parametrize("text", [STUDY, PAPERS], ids=["own", "papers"])
def test_figures_are_the_same_bytes_when_drawn_again(tmp_path: Path, text: str) -> None:
    config = project(tmp_path, text)
    simulated(config)
    study = config.study("tiny")
    with pytest.raises(StoreError):
        build_figure(study, study.figures[0], config.results)
    aggregate_study(study, config.results)
    drawn = {}
    for figure in study.figures:
        for path in build_figure(study, figure, config.results):
            drawn[path] = path.read_bytes()
            assert len(drawn[path]) > 2000
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
        for text in (STUDY, PAPERS)
        for name in text.rpartition("figures: [")[2].strip("]\n ").split(", ")
    }
    assert named == set(FIGURE_NAMES)
