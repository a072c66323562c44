"""Distances, moments and the choice of points on stores whose truth is known: it is found, with the true error."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from deeplimits.analysis.groups import GROUPS
from deeplimits.claims.equivalence import NoEvidence
from deeplimits.claims.statistics import STATISTICS
from known_stores import SAMPLES, comparison, statistic, store, verdict


@pytest.mark.parametrize("name", ["ks", "rms"])
def test_distance_holds_fails_and_stays_open(name):
    table = comparison(2, estimate=[0.5, 0.10], error=[0.01, 0.01])
    evidence = store([{"width": 4}, {"width": 8}], comparison=table)
    chosen = statistic(f"{name}_to_limit", observable="log_variance", limit="variance")
    assert [verdict(evidence, chosen, margin) for margin in (0.2, 0.11, 0.05)] == [
        "holds",
        "undecided",
        "fails",
    ]
    both = statistic(f"{name}_to_limit", observable="log_variance", limit="variance", points="all")
    assert verdict(evidence, both, 0.2) == "fails"
    assert both.effects(evidence)[0].samples == SAMPLES
    assert both.effects(evidence)[0].normals == SAMPLES * 64


def test_distance_is_extrapolated_over_one_curve_each():
    points = [{"network": name, "width": n} for name in "ab" for n in (4, 8, 16)]
    values = [limit + 2 / point["width"] for limit, point in zip([0.0] * 3 + [0.3] * 3, points, strict=True)]
    evidence = store(points, comparison=comparison(6, estimate=values, error=[0.01] * 6))
    keys = {"observable": "log_variance", "limit": "variance", "extrapolate": [1.0]}
    found = statistic("ks_to_limit", **keys).effects(evidence)
    assert [effect.value for effect in found] == pytest.approx([0.0, 0.3])
    only = statistic("ks_to_limit", **keys, where={"network": "a"})
    assert verdict(evidence, only, 0.1) == "holds"
    assert verdict(evidence, statistic("ks_to_limit", **keys), 0.1) == "fails"


@pytest.mark.slow
def test_mean_and_std_against_a_limit_know_their_errors():
    """Pulls of 200 stores have mean 0 and variance 1 to 4.5 standard errors: false alarm below 1e-4."""
    generator = np.random.default_rng(7)
    pulls: dict[str, list[float]] = {"mean_to_limit": [], "std_to_limit": []}
    for _ in range(200):
        values = -1 + 2 * generator.standard_normal(SAMPLES)
        evidence = store([{"values": values}], comparison=comparison(1, limit_mean=[-1.0], limit_std=[2.0]))
        for name, found in pulls.items():
            effect = statistic(name, observable="log_variance", limit="variance").effects(evidence)[0]
            found.append(effect.value / effect.error)
    for name, found in pulls.items():
        assert abs(np.mean(found)) < 4.5 / np.sqrt(200), name
        assert abs(np.var(found) - 1) < 4.5 * np.sqrt(2 / 200), name
    off = store([{"values": values}], comparison=comparison(1, limit_mean=[0.0], limit_std=[1.0]))
    for name in pulls:
        chosen = statistic(name, observable="log_variance", limit="variance")
        assert [verdict(off, chosen, margin) for margin in (2.0, 0.1)] == ["holds", "fails"]
        assert verdict(off, chosen, abs(chosen.effects(off)[0].value)) == "undecided"


@pytest.mark.parametrize(
    ("name", "truth"), [("mean", 1.0), ("variance", 1.0), ("skewness", 2.0), ("excess_kurtosis", 6.0)]
)
def test_moments_of_an_exponential_law(name, truth):
    """Within 5 of its own errors (t with 63 degrees of freedom: 5e-6), which fall like 1/√N."""
    generator = np.random.default_rng(2)
    errors = []
    for count in (GROUPS * 512, GROUPS * 2048):
        evidence = store([{"values": generator.exponential(size=count)}])
        chosen = statistic("moment", observable="log_variance", moment=name, expected=truth)
        effect = chosen.effects(evidence)[0]
        assert abs(effect.value) < 5 * effect.error
        errors.append(effect.error)
    assert 1.2 < errors[0] / errors[1] < 4
    assert verdict(evidence, chosen, 10 * errors[1]) == "holds"
    beyond = statistic("moment", observable="log_variance", moment=name, expected=truth + 20 * errors[1])
    assert verdict(evidence, beyond, 10 * errors[1]) == "fails"


def test_relative_effects_and_those_times_width():
    values = np.random.default_rng(4).normal(3.0, 1.0, SAMPLES)
    evidence = store([{"values": values, "width": 16}])
    keys = {"observable": "log_variance", "moment": "mean", "expected": 2.0}
    plain = statistic("moment", **keys).effects(evidence)[0]
    assert plain.value == pytest.approx(values.mean() - 2)
    assert plain.error == pytest.approx(1 / np.sqrt(SAMPLES), rel=0.3)
    relative = statistic("moment", **keys, relative=True).effects(evidence)[0]
    assert (relative.value, relative.error) == pytest.approx((plain.value / 2, plain.error / 2))
    scaled = statistic("moment", **keys, times_width=0.5).effects(evidence)[0]
    assert (scaled.value, scaled.error) == pytest.approx((plain.value * 4, plain.error * 4))


def relu_layer(width: int, generator: np.random.Generator) -> dict[str, Any]:
    """One layer of ReLU of two inputs: V, log V of the first and 1 − ρ as ``values``."""
    count, rho = GROUPS * 128, -0.5
    normals = generator.standard_normal((count, 2, width))
    normals[:, 1] = rho * normals[:, 0] + np.sqrt(1 - rho**2) * normals[:, 1]
    active = np.maximum(normals, 0)
    gram = 2 * active @ active.transpose(0, 2, 1) / width
    return {
        "gram": gram,
        "values": gram[:, 0, 1] / np.sqrt(gram[:, 0, 0] * gram[:, 1, 1]),
        "gram_0": np.array([[1.0, rho], [rho, 1.0]]),
        "inputs": 2,
        "width": width,
        "depth": 1,
        "correlation_0": rho,
    }


def test_control_takes_the_noise_off_a_mean_and_not_its_value():
    """In parts of μ_r/n, extrapolated: within 5 of its own errors (1e-6); the plain mean has four times the
    error. A drift that is off by two fifths is seen (planted).
    """
    generator = np.random.default_rng(21)
    found = store([relu_layer(width, generator) for width in (32, 64, 128)], observable="correlation")
    keys = {"observable": "correlation", "moment": "mean", "expected": "step_mean", "unit": "step_drift"}
    plain, controlled = (
        statistic("moment", **keys, control=control, extrapolate=[1.0]).effects(found)[0]
        for control in (False, True)
    )
    assert abs(controlled.value) < 5 * controlled.error
    assert plain.error > 4 * controlled.error
    assert abs(plain.value - controlled.value) < 5 * plain.error
    off = keys | {"expected": "exact_kernel"}
    missing = statistic("moment", **off, control=True, extrapolate=[1.0]).effects(found)[0]
    assert abs(missing.value) == pytest.approx(1, abs=5 * missing.error)
    assert 5 * missing.error < 0.4
    deeper = store([relu_layer(16, generator) | {"depth": 2}], observable="correlation")
    with pytest.raises(NoEvidence, match="after one layer"):
        statistic("moment", **keys, control=True).effects(deeper)


def test_pooled_sizes_are_one_mean():
    """Its error is the one of all samples together; a size that disagrees widens it."""
    generator = np.random.default_rng(22)
    same = [{"width": n, "values": 3 + generator.standard_normal(SAMPLES)} for n in (4, 8, 16, 32)]
    keys = {"observable": "log_variance", "moment": "mean", "expected": 3.0, "points": "pooled"}
    (effect,) = statistic("moment", **keys).effects(store(same))
    assert abs(effect.value) < 5 * effect.error
    assert effect.error == pytest.approx(1 / np.sqrt(4 * SAMPLES), rel=0.5)
    assert effect.samples == 4 * SAMPLES
    apart = [*same[:3], {"width": 32, "values": 4 + generator.standard_normal(SAMPLES)}]
    (wider,) = statistic("moment", **keys).effects(store(apart))
    assert wider.error > 5 * effect.error


@pytest.mark.parametrize(
    "keys",
    [
        {"points": "pooled", "extrapolate": [1.0]},
        {"relative": True, "unit": "step_drift"},
        {"control": True, "moment": "variance"},
    ],
)
def test_keys_that_contradict_each_other_are_refused(keys):
    with pytest.raises(ValueError, match=r"either|control"):
        statistic("moment", **({"observable": "correlation", "moment": "mean"} | keys))


def test_points_are_chosen_by_their_coordinates():
    evidence = store([{"network": name, "width": n, "depth": 8} for name in "ab" for n in (4, 8)])
    where = STATISTICS["moment"].model_fields["where"].annotation.__args__[0]
    assert evidence.points(None) == [0, 1, 2, 3]
    assert evidence.points(where(network="b")) == [2, 3]
    assert evidence.points(where(network=["a", "b"], width=8)) == [1, 3]
    for absent in ({"network": "c"}, {"width": 5}, {"correlation": 0.1}):
        with pytest.raises(NoEvidence):
            evidence.points(where(**absent))
    assert evidence.curves([0, 1, 2, 3], "width") == [[0, 1], [2, 3]]
    with pytest.raises(NoEvidence, match="several points"):
        evidence.curves([0, 0], "width")
