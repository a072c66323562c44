"""Every figure with every study: refused when the study is read, with what is missing, or drawn without an exception or a
warning, whatever little was simulated."""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import numpy as np
import pytest

import small_studies
from deeplimits.errors import InputError
from deeplimits.figures import figures
from deeplimits.store.study_groups import open_study_groups
from deeplimits.sweep.config import load_config
from deeplimits.sweep.figures import refusal
from deeplimits.sweep.study import load_study
from figure_studies import STUDIES, aggregated, written

CHEAP = [
    "claims-collapse",
    "claims-resnet",
    "h22-figure-1",
    "h22-figure-3",
    "h22-figure-4",
    "h22-figure-5",
    "h22-figure-6",
    "h22-figure-7",
    "h22-figure-8",
    "ln24-ode-regime",
    "ln24-do-limits-commute",
    "no-start",
    "no-compare",
    "one-sample",
    "nothing-collapses",
    "dead",
    "at-one-time",
    "unscaled",
]
"""Whose limits are solved in no time."""
DRAWN = set(np.random.default_rng(20).choice(CHEAP, 4, replace=False))


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[] if name in DRAWN else [pytest.mark.exhaustive]) for name in STUDIES],
)
@pytest.mark.slow
def test_a_figure_is_refused_or_drawn(tmp_path: Path, name: str) -> None:
    study = load_study(written(tmp_path, name))
    reasons = {figure: refusal(study, figure) for figure in figures()}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        aggregated(tmp_path, study)
        for figure in (figure for figure, reason in reasons.items() if reason is None):
            data = open_study_groups(tmp_path, name)
            figures()[figure].draw(data).savefig(io.BytesIO(), dpi=40)


@pytest.mark.slow
def test_a_figure_that_is_refused_says_what_is_missing_and_what_can_be_drawn(tmp_path: Path) -> None:
    """Of all pairs a seeded draw; most figures of papers are refused outside their own study."""
    pairs = [(study, figure) for study in STUDIES for figure in figures()]
    refused = 0
    for place in np.random.default_rng(21).choice(len(pairs), 60, replace=False):
        study_name, figure = pairs[place]
        path = written(tmp_path, study_name, [figure])
        missing = refusal(load_study(written(tmp_path, study_name)), figure)
        written(tmp_path, study_name, [figure])
        if missing is None:
            assert load_study(path).figures == (figure,)
            continue
        refused += 1
        with pytest.raises(InputError) as caught:
            load_study(path)
        error = caught.value
        assert (error.where, error.key, error.found) == (str(path), "figures.0", figure)
        assert f"{figure} needs {missing}; it can draw " in error.expected
        assert error.nearest is None
        assert "None" not in missing and ", and " in missing, missing
    assert refused > 30


@pytest.mark.parametrize(
    ("study", "figure", "missing"),
    [
        ("no-compare", "ks_against_width", "an entry under compare with a limit that is random"),
        ("claims-collapse", "ks_against_width", "an entry under compare with a limit that is random"),
        (
            "one-record",
            "quantiles_against_time",
            "2 or more recorded layers of log_variance, and there are 1",
        ),
        (
            "h22-figure-1",
            "lnr22_figure_2",
            "every network with architecture mlp, and one is of architecture resnet",
        ),
        ("two-seeds", "lnr22_critical_exponent", "of its 2 kinds of networks the nearest, and one is of"),
        ("not-the-last", "h22_figure_13", "every network with its last layer recorded, and one is without"),
        ("at-one-time", "h22_figure_7", "with at: all, and there it is 1.0"),
        ("one-sample", "h22_figure_5", "samples of 2 or more, and there is 1"),
        ("h22-figure-5", "h22_figure_6", "the key growth, and it is not there"),
        ("one-width", "ln24_do_limits_commute", "2 to 20 values of width, and there are 1"),
        ("lnr22-figure-1", "ln24_figure_1", "every network with exponent 0, and one is of exponent 0.5"),
        ("ln24-figure-1", "lnr22_joint", "every network with inputs of 3 or more, and one is of inputs 2"),
        ("no-start", "h22_figure_13", "every network with layer 0 recorded, and one is without"),
    ],
)
def test_what_is_missing_is_named(tmp_path: Path, study: str, figure: str, missing: str) -> None:
    found = refusal(load_study(written(tmp_path, study)), figure)
    assert found is not None and missing in found


@pytest.mark.slow
def test_shipped_studies_draw_their_figures_and_no_paper_has_two_studies() -> None:
    """A figure of a paper can be drawn from its own study, and from few others."""
    able: dict[str, list[str]] = {figure: [] for figure in figures()}
    for study in load_config(small_studies.FOLDER.parent / "config.yaml").studies():
        for figure in figures():
            if refusal(study, figure) is None:
                able[figure].append(study.name)
    general = {"ks_against_width", "quantiles_against_time", "law_against_limit", "exact_rates", "which_law"}
    for figure in set(figures()) - general:
        assert 1 <= len(able[figure]) <= 3, (figure, able[figure])
    assert len(able["law_against_limit"]) == 37
