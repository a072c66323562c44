"""Probabilities of events, rates and growth, on stores whose truth is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr

from deeplimits.claims.equivalence import NoEvidence
from known_stores import SAMPLES, comparison, statistic, store, verdict


def events(**columns: Any) -> xr.Dataset:
    per_record = ("exploded", "collapsed", "collapse_probability")
    return xr.Dataset(
        {
            name: (
                (("point", "record"), np.array(array)[:, None]) if name in per_record else ("point", array)
            )
            for name, array in columns.items()
        }
    )


def test_probability_of_an_event():
    table = events(
        exploded=[41], explosion_probability=[0.01], collapsed=[30], alive=[3000], collapse_probability=[0.01]
    )
    evidence = store([{}], events=table)
    exploded = statistic("probability", event="exploded", expected="limit")
    assert exploded.effects(evidence)[0].value == pytest.approx(41 / SAMPLES - 0.01)
    assert verdict(evidence, exploded, 0.02) == "holds"
    assert verdict(evidence, statistic("probability", event="exploded", expected=0.1), 0.02) == "fails"
    collapsed = statistic("probability", event="collapsed", expected="limit").effects(evidence)[0]
    assert (collapsed.value, collapsed.samples) == (pytest.approx(0.0), 3000)
    never = store([{}], events=table.assign(exploded=(("point", "record"), [[-1]])))
    with pytest.raises(NoEvidence):
        exploded.effects(never)


def test_rate_of_a_distance():
    rates = xr.Dataset(
        {
            "entry": ("rate", [0, 0]),
            "network": ("rate", ["a", "b"]),
            "rate_in": ("rate", ["width", "width"]),
            "series": ("rate", [0, 1]),
            "name": ("rate", ["a; seed 0", "b; seed 0"]),
            "distance": ("rate", ["ks", "ks"]),
            "exponent": ("rate", [1.02, 0.5]),
            "low": ("rate", [0.92, 0.4]),
            "high": ("rate", [1.12, 0.6]),
        }
    )
    table = comparison(2, estimate=[0.1, 0.1], error=[0.01, 0.01])
    points = [{"network": "a"}, {"network": "b", "width_series": 1}]
    evidence = store(points, comparison=table, rates=rates)
    keys = {"observable": "log_variance", "limit": "variance", "exponent": 1.0}
    assert verdict(evidence, statistic("rate", **keys, network="a"), 0.3) == "holds"
    assert verdict(evidence, statistic("rate", **keys, network="a"), 0.1) == "undecided"
    assert verdict(evidence, statistic("rate", **keys, network="b"), 0.3) == "fails"
    with pytest.raises(NoEvidence):
        statistic("rate", **keys, distance="rms").effects(evidence)
    twice = rates.assign(network=("rate", ["a", "a"]), name=("rate", ["a; seed 0", "a; seed 1"]))
    evidence = store([points[0], points[1] | {"network": "a"}], comparison=table, rates=twice)
    effects = statistic("rate", **keys, network="a").effects(evidence)
    assert [effect.about for effect in effects] == ["a; seed 0, 1 sizes", "a; seed 1, 1 sizes"]
    assert [effect.samples for effect in effects] == [SAMPLES, SAMPLES]


def test_growth_against_the_formulas_beside_it():
    columns = {"width": [3, 6], "time": [1.0, 1.0], "mean": [-0.05, 0.10], "error": [1e-4, 1e-4]}
    columns |= {"corrected": [-0.05, 0.10], "printed": [-0.046, 0.102], "samples": [SAMPLES, SAMPLES]}
    table = xr.Dataset(
        {name: ("growth", array) for name, array in columns.items()} | {"network": ("growth", ["r", "r"])},
        attrs={"steps": 50},
    )
    evidence = store([{}], growth=table)
    assert verdict(evidence, statistic("growth", width=[3, 6], expected="corrected"), 1e-3) == "holds"
    assert verdict(evidence, statistic("growth", width=[3, 6], expected="printed"), 1e-3) == "fails"
    effect = statistic("growth", width=6, times_width=2.0).effects(evidence)[0]
    assert (effect.value, effect.normals) == (pytest.approx(3.6), SAMPLES * 300)
    line = {"width": [4, 8, 16], "time": [1.0] * 3, "samples": [SAMPLES] * 3, "network": ["r"] * 3}
    line |= {"mean": [0.5 + 2 / n for n in (4, 8, 16)], "error": [1e-3] * 3, "corrected": [0.5] * 3}
    line |= {"unit_estimate": [0.01 + 1 / n for n in (4, 8, 16)], "unit_error": [1e-3] * 3}
    several = xr.Dataset({name: ("growth", array) for name, array in line.items()}, attrs={"steps": 50})
    table = store([{}], growth=several)
    for name, keys, limit in (
        ("growth", {"expected": "corrected", "times_width": 1.0}, 2.0),
        ("growth", {"expected": 0.4}, 0.1),
        ("unit_to_limit", {}, 0.01),
    ):
        chosen = statistic(name, width=[4, 8, 16], extrapolate=[1.0], **keys)
        (effect,) = chosen.effects(table)
        assert effect.value == pytest.approx(limit)
        assert effect.samples == 3 * SAMPLES
    with pytest.raises(NoEvidence, match="too few"):
        statistic("unit_to_limit", width=4, extrapolate=[1.0]).effects(table)
    for absent in ({"width": 4}, {"width": 3, "time": 0.5}, {"width": 3, "network": "s"}):
        with pytest.raises(NoEvidence):
            statistic("growth", **absent).effects(evidence)
