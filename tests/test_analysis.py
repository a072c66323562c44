"""Reductions are exact and do not depend on how the data come; distances and rates have the coverage they claim."""

from __future__ import annotations

import tracemalloc
from collections.abc import Sequence
from pathlib import Path

import dask
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy import stats

from deeplimits.analysis import order_statistics as order
from deeplimits.analysis.aggregate import aggregate_study
from deeplimits.analysis.deviations import Deviations, root_mean_square
from deeplimits.analysis.distances import CELLS, Distance, cell_counts, distances
from deeplimits.analysis.observables import MEASURES
from deeplimits.analysis.rates import fit_rate
from deeplimits.analysis.reduce import BINS, LEVELS, TOGETHER, Reduced, reduce_point
from deeplimits.laws import EmpiricalLaw, NormalLaw, PointMass, kolmogorov
from deeplimits.store.paths import study_store
from deeplimits.store.zarr_zip import digest
from tiny import STUDY, project, reduced, simulated

FLOATS = arrays(np.float32, st.integers(1, 60), elements=st.floats(allow_nan=False, width=32))


class Held:
    """A block that is in memory, as a block in a container looks to the reductions."""

    def __init__(self, **variables: NDArray[np.float32]) -> None:
        self._variables = variables
        self.reads = 0

    def read(self, name: str) -> NDArray[np.float32]:
        self.reads += 1
        return self._variables[name]


def column(values: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(values, np.float32)[:, None, None]


@given(FLOATS)
def test_keys_have_the_order_of_the_values_and_lead_back(values: NDArray[np.float32]) -> None:
    keys = order.keys(values)
    assert (np.sort(values) == values[np.argsort(keys, kind="stable")]).all()
    assert (order.values_of(keys) == values).all()


@given(FLOATS, st.lists(st.integers(1, 59), max_size=4), st.lists(st.floats(0, 1), min_size=1, max_size=5))
@settings(deadline=None)
def test_order_statistics_are_those_of_a_sort(
    values: NDArray[np.float32], cuts: list[int], levels: list[float]
) -> None:
    blocks = np.split(values, sorted(cuts))
    counts = order.added(order.upper_counts(block) for block in blocks)
    assert counts.total == len(values)
    places = order.locate(counts, order.ranks_of(levels, len(values)))
    lower = [order.lower_counts(block, {cell for cell, _ in places}) for block in blocks]
    merged = {cell: order.added(each[cell] for each in lower) for cell in lower[0]}
    expected = np.sort(values)[order.ranks_of(levels, len(values))]
    np.testing.assert_array_equal(order.found(places, merged), expected.astype(np.float32))


OF_NORMS = ("log_variance", "log_activation", "gradient_log_norm")
OF_ONE_LAYER = (
    "correlation",
    "rescaled_correlation",
    "log_variance",
    "variance",
    "log_activation",
    "gradient_log_norm",
)


def split(values: Sequence[NDArray[np.float32]], cuts: Sequence[int]) -> list[tuple[Held, int]]:
    parts = zip(*(np.split(each, cuts) for each in values), strict=True)
    return [
        (Held(correlation_gap=column(g), **dict.fromkeys(OF_NORMS, column(v))), len(v))
        for v, g in parts
        if len(v)
    ]


def reduce_all(located: list[tuple[Held, int]]) -> tuple[list[Reduced], list[NDArray[np.int64]]]:
    tasks = [(name, 0, 7) for name in OF_ONE_LAYER]
    return reduce_point(located, tasks, [("log_variance", 0, 7, NormalLaw(0.0, 1.0))])


@pytest.fixture(scope="module")
def drawn() -> list[NDArray[np.float32]]:
    generator = np.random.default_rng(0)
    log_variance = generator.normal(size=20_000).astype(np.float32)
    gap = generator.uniform(size=20_000).astype(np.float32) ** 3
    log_variance[:100], gap[:150] = -np.inf, np.nan
    return [log_variance, gap]


def test_reductions_are_what_numpy_says(drawn: list[NDArray[np.float32]]) -> None:
    reduced, (counts,) = reduce_all(split(drawn, [5000, 5001, 17000]))
    log_variance, gap = (each[np.isfinite(each)].astype(float) for each in drawn)
    for kept, name in zip(reduced, OF_ONE_LAYER, strict=True):
        stored = gap if "correlation" in name else log_variance
        values = MEASURES[name].transform(stored, 7)
        assert (kept.count, kept.dead) == (len(values), 20_000 - len(values))
        np.testing.assert_allclose([kept.mean, kept.std], [values.mean(), values.std()], rtol=1e-9)
        np.testing.assert_allclose(
            kept.quantiles, np.quantile(values, LEVELS, method="inverted_cdf"), rtol=1e-7
        )
        assert kept.histogram.total == len(values)
        assert len(kept.histogram.counts) == BINS
        assert abs(kept.histogram.counts.sum() / len(values) - 0.998) < 1e-3
    assert counts.sum() == len(log_variance)


def test_growth_is_that_of_each_network() -> None:
    """Half the difference to layer 0, of networks that are alive at both."""
    generator = np.random.default_rng(5)
    values = generator.normal(size=(4000, 3, 1)).astype(np.float32)
    values[:100], values[100:250, 1:], values[250:300, 2] = -np.inf, -np.inf, -np.inf
    blocks = [(Held(log_activation=part), len(part)) for part in np.split(values, [1000, 1700])]
    reduced, _ = reduce_point(blocks, [("log_growth", record, 9) for record in range(3)], [])
    assert [(kept.count, kept.dead) for kept in reduced] == [(3900, 100), (3750, 250), (3700, 300)]
    assert (reduced[0].mean, reduced[0].std) == (0.0, 0.0)
    for record, alive in ((1, 250), (2, 300)):
        growth = (values[alive:, record, 0] - values[alive:, 0, 0]).astype(float) / 2
        np.testing.assert_allclose(
            [reduced[record].mean, reduced[record].std], [growth.mean(), growth.std()], rtol=1e-9
        )
        np.testing.assert_array_equal(
            reduced[record].quantiles, np.quantile(growth, LEVELS, method="inverted_cdf")
        )


@pytest.mark.parametrize("cuts", [[], [10_000], [3, 3, 9999, 19_999], list(range(500, 20_000, 500))])
@pytest.mark.parametrize("scheduler", ["synchronous", "threads"])
def test_neither_chunks_nor_schedulers_change_counts(
    drawn: list[NDArray[np.float32]], cuts: list[int], scheduler: str
) -> None:
    truth, (counts,) = reduce_all(split(drawn, [8192, 16384]))
    with dask.config.set(scheduler=scheduler):
        reduced, (again,) = reduce_all(split(drawn, cuts))
    assert (again == counts).all()
    for one, other in zip(truth, reduced, strict=True):
        assert (one.quantiles == other.quantiles).all()
        assert (one.histogram.edges == other.histogram.edges).all()
        assert (one.histogram.counts == other.histogram.counts).all()
        np.testing.assert_allclose([one.mean, one.std], [other.mean, other.std], rtol=1e-12)


@pytest.mark.slow
def test_schedulers_change_no_bit_of_a_study_store(tmp_path: Path) -> None:
    # so many blocks that there is more than one task
    config = project(tmp_path, STUDY.replace("samples: 8192", f"samples: {(TOGETHER + 1) * 8192}"))
    simulated(config)
    digests = set()
    for scheduler in ("synchronous", "threads"):
        with dask.config.set(scheduler=scheduler):
            aggregate_study(config.study("tiny"), config.results)
        digests.add(digest(study_store(config.results, "tiny")))
    assert len(digests) == 1


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_blocks() -> None:
    """64 blocks take no more than a few do: blocks are made when read and are not kept."""

    class Made(Held):
        def __init__(self, seed: int) -> None:
            super().__init__()
            self._seed = seed

        def read(self, name: str) -> NDArray[np.float32]:
            assert name == "correlation_gap"
            return column(np.random.default_rng(self._seed).uniform(size=1 << 14).astype(np.float32))

    def peak(blocks: int) -> int:
        tracemalloc.start()
        with dask.config.set(scheduler="synchronous"):
            reduce_point(
                [(Made(seed), 1 << 14) for seed in range(blocks)],
                [("correlation", 0, 7)],
                [],
            )
        memory = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return memory

    assert peak(100) < 1.3 * peak(36)


def test_distances_agree_with_scipy() -> None:
    values = np.random.default_rng(1).normal(0.1, 1.1, size=5000)
    law = NormalLaw(0.0, 1.0)
    found = distances(law, cell_counts(law, values), "test")
    exact = stats.kstest(values, "norm").statistic
    assert kolmogorov(law, values) == pytest.approx(exact, abs=1e-12)
    assert abs(found["ks"].value - exact) <= 1 / CELLS
    levels = (np.arange(200_000) + 0.5) / 200_000
    reference = np.mean(np.abs(EmpiricalLaw.of(values).quantile(levels) - stats.norm.ppf(levels)))
    assert found["wasserstein"].value == pytest.approx(reference, rel=2e-3)


@pytest.mark.slow
def test_intervals_cover_and_noise_is_recognised() -> None:
    """95 % intervals cover a known distance, and the floor is what samples from the law itself show."""
    law, generator = NormalLaw(0.0, 1.0), np.random.default_rng(2)
    truth = 2 * stats.norm.cdf(0.05) - 1
    covered = {"ks": 0, "wasserstein": 0}
    pure: dict[str, list[float]] = {"ks": [], "wasserstein": []}
    floors: dict[str, list[float]] = {"ks": [], "wasserstein": []}
    runs, size = 200, 16384
    for run in range(runs):
        found = distances(law, cell_counts(law, generator.normal(0.1, 1, size=size)), f"shifted {run}")
        for name, true in (("ks", truth), ("wasserstein", 0.1)):
            covered[name] += found[name].low <= true <= found[name].high
        null = distances(law, cell_counts(law, generator.normal(size=size)), f"null {run}")
        for name, values in pure.items():
            values.append(null[name].value)
            floors[name].append(null[name].floor)
    # 95 % of 200 is 190 ± 3.1
    assert all(count >= 178 for count in covered.values()), covered
    for name, values in pure.items():
        assert np.mean(values) == pytest.approx(np.mean(floors[name]), rel=0.08)


def synthetic(generator: np.random.Generator, sizes: list[int], rate: float) -> list[Distance]:
    result = []
    for size in sizes:
        true, error = 0.5 * size**-rate, 1.5e-3
        value = abs(true + error * generator.normal())
        result.append(Distance(value, value, value - 2 * error, value + 2 * error, error, 1.7e-3))
    return result


def test_root_mean_squares_cover_and_do_not_depend_on_chunks() -> None:
    """The 95 % interval of √E (X − x)² for a shifted normal, in 300 samples: within 91 to 98 % but for a chance
    of 1e-3; its estimate, sums and all, is the same bits however the sample is cut.
    """
    generator, truth, covered = np.random.default_rng(8), float(np.hypot(0.3, 0.5)), 0
    for _ in range(300):
        sample = generator.normal(0.3, 0.5, 2000)
        distance = root_mean_square(Deviations.of(0.0, sample))
        covered += distance.low <= truth <= distance.high
        assert distance.value == pytest.approx(np.sqrt(np.mean(sample**2)), rel=1e-12)
    assert 273 <= covered <= 294
    values = generator.normal(size=(20_000, 1, 1)).astype(np.float32)
    values[:7] = -np.inf
    whole, *others = (
        reduce_point(
            [(Held(log_variance=part), len(part)) for part in np.split(values, cuts)],
            [("log_variance", 0, 7)],
            [("log_variance", 0, 7, PointMass(0.5))],
        )[1][0]
        for cuts in ([], [10_000], [3, 9999, 19_999])
    )
    assert isinstance(whole, Deviations)
    assert whole.count == 19_993
    for other in others:
        assert isinstance(other, Deviations)
        np.testing.assert_allclose(root_mean_square(other).value, root_mean_square(whole).value, rtol=1e-14)


def test_distances_to_a_number_are_kept_with_their_rate(tmp_path: Path) -> None:
    """Their own names in the store, and nothing under those of distances between laws."""
    study = STUDY.replace(
        "limit: correlation_sde, rate_in: width", "limit: correlation_ode, rate_in: width"
    ).replace("[8, 12]", "[8, 12, 16]")
    config = project(tmp_path, study)
    simulated(config)
    tree = reduced(config)
    comparison, rates = tree["comparison"], tree["rates"]
    moments = tree["moments"].sel(observable="correlation").isel(record=-1)
    value = tree["limits"]["quantile"].isel(record=-1, entry=0, level=3).values
    expected = np.hypot(moments["std"].values, moments["mean"].values - value)
    np.testing.assert_allclose(comparison["rms_value"].values[:, 0], expected, rtol=1e-9)
    assert np.isnan(comparison["ks_value"].values[:, 0]).all()
    assert np.isnan(comparison["rms_value"].values[:, 1]).all()
    assert list(rates["distance"].values) == ["rms"]


@pytest.mark.parametrize("rate", [0.5, 1.0])
def test_rates_cover_and_tell_one_from_a_half(rate: float) -> None:
    generator = np.random.default_rng(3)
    fits = [
        fit_rate([12, 16, 24, 32, 48, 64], synthetic(generator, [12, 16, 24, 32, 48, 64], rate))
        for _ in range(400)
    ]
    found = [fit for fit in fits if fit is not None]
    assert len(found) == 400
    covered = np.mean([fit.low <= rate <= fit.high for fit in found])
    assert 0.91 <= covered <= 1.0
    other = 1.5 - rate
    assert np.mean([fit.low <= other <= fit.high for fit in found]) < 0.01


def test_what_is_all_noise_has_no_rate() -> None:
    sizes = [16, 32, 64, 128]
    noise = [Distance(1e-3, 2e-4, 0.0, 2e-3, 5e-4, 1e-3) for _ in sizes]
    assert fit_rate(sizes, noise) is None
    assert fit_rate([16, 16, 16, 32], synthetic(np.random.default_rng(4), [16, 16, 16, 32], 1.0)) is None
