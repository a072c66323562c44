"""Verdicts: what counts as holding, failing and undecided, and how rarely they are wrong."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from deeplimits.claims.equivalence import (
    Counted,
    Effect,
    NoEvidence,
    extrapolated,
    jackknife,
    pooled,
    verdict_of,
)


def effect(value: float, error: float, **more: float) -> Effect:
    return Effect(value, error, 1000, 10**6, "network; n = 1", **more)


@pytest.mark.parametrize(
    ("value", "error", "sense", "verdict"),
    [
        (0.0, 0.1, "equal", "holds"),
        (0.6, 0.1, "equal", "holds"),  # 0.6 + 3.09 · 0.1 < 1
        (0.8, 0.1, "equal", "undecided"),
        (-1.2, 0.1, "equal", "undecided"),
        (-1.4, 0.1, "equal", "fails"),
        (1.4, 0.1, "equal", "fails"),
        (-9.0, 0.1, "at_most", "holds"),
        (1.4, 0.1, "at_most", "fails"),
        (9.0, 0.1, "at_least", "holds"),
        (-1.4, 0.1, "at_least", "fails"),
    ],
)
def test_verdict_by_where_the_interval_lies(value, error, sense, verdict):
    assert verdict_of([effect(value, error)], 1.0, sense, 1e-3).verdict == verdict


def test_all_effects_have_to_hold_and_one_is_enough_to_fail():
    good, open_, bad = effect(0.0, 0.1), effect(0.9, 0.1), effect(2.0, 0.1)
    assert verdict_of([good, good], 1.0, "equal", 1e-3).verdict == "holds"
    assert verdict_of([good, open_], 1.0, "equal", 1e-3).verdict == "undecided"
    found = verdict_of([good, bad, open_], 1.0, "equal", 1e-3)
    assert (found.verdict, found.effect, found.samples, found.normals) == ("fails", 2.0, 3000, 3 * 10**6)


def test_an_open_verdict_says_what_would_decide_it():
    found = verdict_of([effect(0.8, 0.1)], 1.0, "equal", 1e-3)
    factor = found.samples_needed / found.samples
    assert found.normals_needed == pytest.approx(factor * found.normals)
    assert verdict_of([effect(0.8, 0.1 / np.sqrt(factor * 1.001))], 1.0, "equal", 1e-3).verdict == "holds"
    assert verdict_of([effect(0.8, 0.1 / np.sqrt(factor / 1.001))], 1.0, "equal", 1e-3).verdict == "undecided"
    assert verdict_of([effect(1.0, 0.1)], 1.0, "equal", 1e-3).samples_needed == np.inf
    assert verdict_of([effect(0.0, 0.1)], 1.0, "equal", 1e-3).samples_needed is None


@pytest.mark.slow
def test_wrong_verdicts_are_as_rare_as_stated():
    """At the edge of the margin a claim may be called either way at the error rate, 0.02 here, at most. 20,000
    verdicts: the counts exceed the 1 − 1e-6 quantile of a binomial law with probability 1e-6 each.
    """
    generator = np.random.default_rng(11)
    tries, rate = 20000, 0.02
    most = binom.ppf(1 - 1e-6, tries, rate)
    for count, shift in ((1, 0.0), (5, 0.0)):
        found = [
            verdict_of([effect(1.0 + shift + noise, 1.0) for noise in row], 1.0, "equal", rate).verdict
            for row in generator.standard_normal((tries, count))
        ]
        assert found.count("holds") <= most
        assert found.count("fails") <= most
    wide = [
        verdict_of([effect(1.0 + noise, 0.1)], 1.0, "equal", rate)
        for noise in 0.1 * generator.standard_normal(tries)
    ]
    calls = [each.verdict for each in wide]
    least = binom.ppf(1e-6, tries, rate)
    assert least <= calls.count("holds") <= most
    assert least <= calls.count("fails") <= most


def test_clopper_pearson_interval():
    some = Counted(0.03, 0.005, 100, 100, "", hits=3)
    low, high = some.interval(0.025)
    assert binom.sf(2, 100, low) == pytest.approx(0.025)
    assert binom.cdf(3, 100, high) == pytest.approx(0.025)
    assert Counted(0.0, 0.005, 100, 100, "", hits=0).interval(0.01)[0] == 0
    assert Counted(1.0, 0.005, 100, 100, "", hits=100).interval(0.01)[1] == 1
    shifted = Counted(-0.2, 0.005, 100, 100, "", hits=3, expected=0.23, factor=2.0).interval(0.025)
    assert shifted == pytest.approx(((low - 0.23) * 2, (high - 0.23) * 2))


def test_extrapolation_finds_the_limit():
    sizes = [8.0, 16.0, 32.0, 64.0]
    exact = [effect(0.25 + 3 / size, 0.01, size=size) for size in sizes]
    assert extrapolated(exact, [1.0]).value == pytest.approx(0.25)
    assert extrapolated(exact, [1.0]).samples == 4000
    bent = [effect(0.25 + 3 / size - 7 / size**2, 0.01, size=size) for size in sizes]
    assert extrapolated(bent, [1.0, 2.0]).value == pytest.approx(0.25)
    assert extrapolated(bent, [1.0]).error > extrapolated(exact, [1.0]).error
    with pytest.raises(NoEvidence, match="one size is too few"):
        extrapolated(exact[:1], [1.0])
    with pytest.raises(NoEvidence, match="apart"):
        extrapolated(exact, [1e-9])


def test_extrapolation_knows_its_error():
    """Pulls of 4,000 extrapolations are standard normal: their variance is within 5 standard errors, 5 √(2/4000)."""
    generator = np.random.default_rng(5)
    pulls = []
    for _ in range(4000):
        noise = 0.01 * generator.standard_normal(6)
        limit = extrapolated(
            [
                effect(3 / size + e, 0.01, size=size)
                for size, e in zip((4, 8, 16, 32, 64, 128), noise, strict=True)
            ],
            [1.0],
        )
        pulls.append(limit.value / limit.error)
    assert np.mean(pulls) == pytest.approx(0, abs=5 / np.sqrt(4000))
    # errors are only ever widened for scatter, never narrowed
    assert 0.6 < np.var(pulls) < 1 + 5 * np.sqrt(2 / 4000)


def test_jackknife_of_a_mean_is_its_standard_error():
    values = np.random.default_rng(3).standard_normal(64)
    left = (values.sum() - values) / 63
    mean, error = jackknife(left)
    assert mean == pytest.approx(values.mean())
    assert error == pytest.approx(values.std(ddof=1) / 8)


def test_what_has_no_error_is_pooled_by_what_it_scatters():
    """Of equal values exactly, of others with their scatter; none of them is dropped."""
    same = pooled([effect(0.5, 0.0, size=size) for size in (8.0, 16.0)])
    assert (same.value, same.error) == (0.5, 0.0)
    apart = pooled([effect(value, 0.0, size=size) for value, size in ((0.0, 8.0), (1.0, 16.0))])
    assert (apart.value, apart.error) == (pytest.approx(0.5), pytest.approx(0.5))
