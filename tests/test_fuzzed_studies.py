"""Random studies are refused when they are read, or come to an end: simulated, compared and drawn without an exception or
a warning, with a distance wherever something was compared and a network is alive."""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import numpy as np
import pytest

from deeplimits.errors import InputError, NotCompared
from deeplimits.figures import figures
from deeplimits.store.study_groups import Groups, open_study_groups
from deeplimits.sweep.figures import refusal
from deeplimits.sweep.study import Study
from figure_studies import aggregated
from fuzzed_studies import fuzzed

TRIED = (5, 12, 43, 63, 68, 72, 310, 428, 481, 515, 1486)
"""Seeds that are tried each time: studies that failed once, and others."""


def lacking(study: Study, groups: Groups) -> list[str]:
    """Comparisons without a law or a distance, though a network is alive there."""
    found, compared = [], groups["/comparison"]
    counts = groups["/moments"]["count"]
    for i, point in enumerate(study.points):
        for j, entry in enumerate(study.compare):
            layer = int(compared.at_layer[i, j])
            if layer < 0:
                continue
            record = point.layers.index(layer)
            alive = int(counts.sel(observable=entry.observable)[i, record])
            law = [float(compared[f"limit_{part}"][i, j]) for part in ("mean", "std")]
            known = np.isfinite(law[0]) and bool(compared.value[i, j].notnull().any())
            if np.isnan(law).any() or (alive and np.isfinite(law[0]) and not known):
                found.append(f"{entry.observable} to {entry.limit} at layer {layer} of {point.network}")
    return found


@pytest.mark.slow
@pytest.mark.parametrize(
    "seed",
    [
        *TRIED,
        *(pytest.param(seed, marks=pytest.mark.exhaustive) for seed in range(100, 2000) if seed not in TRIED),
    ],
)
def test_a_random_study_is_refused_or_comes_to_an_end(tmp_path: Path, seed: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # said, and the other comparisons are made
        warnings.simplefilter("ignore", NotCompared)
        study = fuzzed(tmp_path, seed)
        if isinstance(study, InputError):
            assert study.expected and study.key
            return
        aggregated(tmp_path, study)
        data = open_study_groups(tmp_path, study.name)
        assert lacking(study, data) == []
        assert all(np.isfinite(data["/rates"][name]).all() for name in ("exponent", "low", "high"))
        assert all(refusal(study, name) is None for name in study.figures)
        for figure in (name for name in figures() if refusal(study, name) is None):
            figures()[figure].draw(data).savefig(io.BytesIO(), dpi=40)


@pytest.mark.slow
def test_a_law_that_cannot_be_solved_leaves_the_other_comparisons(tmp_path: Path) -> None:
    """Nine units of swish have no smooth density, which only solving tells."""
    study = fuzzed(tmp_path, 515)
    assert isinstance(study, Study)
    said = r"compare\.1: exact_variance of variance_1 could not be solved at \d of 6 points"
    for _ in range(2):  # where rows are kept, too
        with pytest.warns(NotCompared, match=said):
            aggregated(tmp_path, study)
    compared = open_study_groups(tmp_path, study.name)["/comparison"].value
    known = compared.notnull().any([each for each in compared.dims if each not in ("point", "entry")])
    assert known.sel(entry=0).all() and not known.sel(entry=1).any()


@pytest.mark.slow
def test_many_random_studies_are_read_or_refused(tmp_path: Path) -> None:
    """Reading them raises nothing else; neither all nor none are refused."""
    found = [fuzzed(tmp_path, seed) for seed in range(1000, 1040)]
    assert 5 < sum(isinstance(study, InputError) for study in found) < 35
