"""Joint counts of a study store: those of the samples themselves, and of the limit's own joint law."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from deeplimits.limits import registry
from small_studies import THREE
from tiny import drawn, project, reduced, simulated


@pytest.mark.slow
def test_counts_are_those_of_the_samples_and_of_the_limit(tmp_path: Path) -> None:
    config = project(tmp_path, THREE)
    simulated(config)
    study = config.study("tiny")
    joint = reduced(config)["joint"].isel(point=0)
    names = [*zip(joint["first"].values.tolist(), joint["second"].values.tolist(), strict=True)]
    assert len(names) == 6
    assert ("correlation", "correlation_0_2") in names
    assert ("log_variance_1", "log_variance_2") in names
    data = drawn(config.results, study.points[0], study.samples).compute()
    gap, log_variance = (
        data[name].values[:, -1].astype(float) for name in ("correlation_gap", "log_variance")
    )
    stored = {
        "correlation": 1 - gap[:, 0],
        "correlation_0_2": 1 - gap[:, 1],
        "correlation_1_2": 1 - gap[:, 2],
    }
    stored |= {
        "log_variance": log_variance[:, 0],
        "log_variance_1": log_variance[:, 1],
        "log_variance_2": log_variance[:, 2],
    }
    assert (int(joint["samples"]), int(joint["limit_samples"])) == (12000, 1 << 17)
    limit = registry()["covariance_sde"].joint_samples(study.points[0].network, 24, list(stored))
    assert limit is not None
    for plane, (x, y) in enumerate(names):
        edges = [joint[f"{axis}_edge"].values[plane] for axis in "xy"]
        for values, found in ((stored, "count"), (limit, "limit_count")):
            expected = np.histogram2d(values[x], values[y], edges)[0]
            np.testing.assert_array_equal(joint[found].values[plane], expected)
        # 0.1 % lie beyond each of the four sides
        assert joint["count"].values[plane].sum() > 0.99 * 12000
    # the same planes of both: correlations between the observables agree to O(1/n) and four standard errors
    for x, y in names:
        ours, theirs = (float(np.corrcoef(values[x], values[y])[0, 1]) for values in (stored, limit))
        assert abs(ours - theirs) < 2 / 24 + 4 / np.sqrt(12000), (x, y)


def test_limits_without_a_joint_law_have_none() -> None:
    network = None
    for name in ("correlation_sde", "variance", "linear"):
        assert registry()[name].joint_samples(network, 1, ["correlation"]) is None
