"""Results that earlier versions wrote, kept as they were: readable for good.

A version that changes a format adds a tree of its own to ``kept``, made by its verbs from the study that is in all of
them, and changes none that is there.
"""

from __future__ import annotations

import tarfile
import warnings
from pathlib import Path

import numpy as np
import pytest

from deeplimits.api_studies import open_samples, open_study
from deeplimits.jobs.verify import verify_store
from deeplimits.jobs.workflow import prepare
from deeplimits.store.errors import StaleStore
from deeplimits.store.query import run_query

KEPT = sorted(Path(__file__).with_name("kept").glob("*.tar.xz"))
LOG_VARIANCE = np.float32(np.log(2))


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.name.removesuffix(".tar.xz"))
def test_results_of_every_version_are_readable(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tarfile.open(path) as archive:
        archive.extractall(tmp_path, filter="data")
    monkeypatch.chdir(tmp_path)
    results = Path("results")
    # todo files of studies are no results: each plan writes its own
    left = [
        each
        for each in verify_store(results, recompute=2).findings
        if each.part and each.part.kind != "study todo"
    ]
    assert left == []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", StaleStore)
        tree = open_study("small", results=results)
        rows = run_query(results, "SELECT depth, mean, count FROM moments ORDER BY depth")
    assert tree.attrs["title"] == "A small study, kept"
    np.testing.assert_array_equal(tree["moments"]["mean"].values.ravel(), [LOG_VARIANCE] * 2)
    assert rows["depth"].tolist() == [1, 2] and rows["count"].tolist() == [16, 16]
    drawn = open_samples("small", results=results)["log_variance"].values
    assert drawn.dtype == np.float32 and drawn.size == 32 and (drawn == LOG_VARIANCE).all()
    assert len(run_query(results, "SELECT * FROM blocks")) == 2
    # nothing is simulated again
    _, targets = prepare(Path("config/config.yaml"))
    assert targets["small"].messages == {}
