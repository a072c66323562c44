"""Every statistic of claims on stores whose truth is known: it is found, with an error that is the true one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr

from deeplimits.analysis.equivalence import judge
from deeplimits.analysis.evidence import Evidence, NoEvidence
from deeplimits.analysis.groups import GROUPS, pair_index
from deeplimits.analysis.statistics import effects_of
from deeplimits.limits import predictions
from deeplimits.limits.setting import Setting
from deeplimits.sweep.statistics import STATISTICS

SAMPLES = 4096
RATE = 1e-3


def store(points: list[dict[str, Any]], observable: str = "log_variance", **groups: xr.Dataset) -> Evidence:
    """A study store with these points; ``values`` are samples of ``observable``, ``gram`` of V [sample, a, b]."""
    first = {"network": "a", "width": 8, "depth": 8, "seed": 0, "inputs": 1, "normals": 64}
    numbers = {"correlation_0": np.nan, "exponent": 0.0, "center": np.nan, "start": np.nan}
    slopes = {"c_plus": 0.0, "c_minus": -1.0}
    filled = [first | numbers | slopes | point for point in points]
    names = [*first, *numbers, *slopes]
    coordinates: dict[str, Any] = {name: ("point", [point[name] for point in filled]) for name in names}
    coordinates["layer"] = (("point", "record"), [[point["depth"]] for point in filled])
    coordinates["observable"] = ("observable", [observable])
    moments = {
        name: (("point", "record", "observable"), [[[find(point)]] for point in filled])
        for name, find in {
            "mean": lambda point: np.mean(point["values"]),
            "std": lambda point: np.std(point["values"]),
            "count": lambda point: len(point["values"]),
        }.items()
        if "values" in filled[0]
    }
    tree = {
        "/": xr.Dataset(attrs={"study": "known", "samples": SAMPLES}),
        "/moments": xr.Dataset(moments, coordinates),
        "/groups": xr.Dataset(_groups(filled), coordinates),
    }
    return Evidence(xr.DataTree.from_dict(tree | {f"/{name}": group for name, group in groups.items()}))


def _groups(points: list[dict[str, Any]]) -> dict[str, Any]:
    found: dict[str, list[Any]] = {"power_sum": [], "counted": [], "scaling": []}
    grams: dict[str, list[Any]] = {"gram_0": [], "gram_count": [], "gram_mean": [], "gram_product": []}
    for point in points:
        if "values" in point:
            values = point["values"]
            scaled = (values - values.mean()) / values.std()
            split = scaled.reshape(-1, GROUPS)
            found["power_sum"].append([[[(part**k).sum() for k in range(1, 5)] for part in split.T]])
            found["counted"].append([[len(split)] * GROUPS])
            found["scaling"].append([[values.mean(), values.std()]])
        if "gram" in point:
            upper = np.triu_indices(point["gram"].shape[1])
            entries = point["gram"][:, upper[0], upper[1]].reshape(-1, GROUPS, len(upper[0]))
            grams["gram_0"].append(point["gram_0"][upper])
            grams["gram_count"].append([len(entries)] * GROUPS)
            grams["gram_mean"].append(entries.mean(axis=0))
            grams["gram_product"].append(np.einsum("sga,sgb->gab", entries, entries) / len(entries))
    dimensions = {
        "power_sum": ("point", "observable", "group", "power"),
        "counted": ("point", "observable", "group"),
        "scaling": ("point", "observable", "part"),
        "gram_0": ("point", "pair"),
        "gram_count": ("point", "group"),
        "gram_mean": ("point", "group", "pair"),
        "gram_product": ("point", "group", "pair", "pair_2"),
    }
    return {name: (dimensions[name], np.array(array)) for name, array in (found | grams).items() if array}


def comparison(points: int, **columns: Any) -> xr.Dataset:
    """One entry, log_variance against ``variance``, with columns [point]."""
    return xr.Dataset(
        {name: (("point", "entry"), np.array(array, float)[:, None]) for name, array in columns.items()}
        | {
            "at_layer": (("point", "entry"), [[8]] * points),
            "at_time": (("point", "entry"), [[1.0]] * points),
        },
        {"limit": ("entry", ["variance"]), "compared": ("entry", ["log_variance"])},
    )


def statistic(name: str, **keys: Any) -> Any:
    return STATISTICS[name].model_validate({"name": name} | keys)


def verdict(evidence: Evidence, chosen: Any, margin: float) -> str:
    return judge(effects_of(evidence, chosen), margin, "equal", RATE).verdict


# ------------------------------------------------------------------------------------- distances to limits


@pytest.mark.parametrize("name", ["ks", "rms"])
def test_distance_holds_fails_and_stays_open(name):
    table = comparison(2, **{f"{name}_estimate": [0.5, 0.10], f"{name}_error": [0.01, 0.01]})
    evidence = store([{"width": 4}, {"width": 8}], comparison=table)
    chosen = statistic(f"{name}_to_limit", observable="log_variance", limit="variance")
    assert [verdict(evidence, chosen, margin) for margin in (0.2, 0.11, 0.05)] == [
        "holds",
        "undecided",
        "fails",
    ]
    both = statistic(f"{name}_to_limit", observable="log_variance", limit="variance", points="all")
    assert verdict(evidence, both, 0.2) == "fails"
    assert effects_of(evidence, both)[0].samples == SAMPLES
    assert effects_of(evidence, both)[0].normals == SAMPLES * 64


def test_distance_is_extrapolated_over_one_curve_each():
    points = [{"network": name, "width": n} for name in "ab" for n in (4, 8, 16)]
    values = [limit + 2 / point["width"] for limit, point in zip([0.0] * 3 + [0.3] * 3, points, strict=True)]
    evidence = store(points, comparison=comparison(6, ks_estimate=values, ks_error=[0.01] * 6))
    keys = {"observable": "log_variance", "limit": "variance", "extrapolate": [1.0]}
    found = effects_of(evidence, statistic("ks_to_limit", **keys))
    assert [effect.value for effect in found] == pytest.approx([0.0, 0.3])
    only = statistic("ks_to_limit", **keys, where={"network": "a"})
    assert verdict(evidence, only, 0.1) == "holds"
    assert verdict(evidence, statistic("ks_to_limit", **keys), 0.1) == "fails"


def test_mean_and_std_against_a_limit_know_their_errors():
    """Pulls of 200 stores have mean 0 and variance 1 to 4.5 standard errors: false alarm below 1e-4."""
    generator = np.random.default_rng(7)
    pulls: dict[str, list[float]] = {"mean_to_limit": [], "std_to_limit": []}
    for _ in range(200):
        values = -1 + 2 * generator.standard_normal(SAMPLES)
        evidence = store([{"values": values}], comparison=comparison(1, limit_mean=[-1.0], limit_std=[2.0]))
        for name, found in pulls.items():
            effect = effects_of(evidence, statistic(name, observable="log_variance", limit="variance"))[0]
            found.append(effect.value / effect.error)
    for name, found in pulls.items():
        assert abs(np.mean(found)) < 4.5 / np.sqrt(200), name
        assert abs(np.var(found) - 1) < 4.5 * np.sqrt(2 / 200), name
    off = store([{"values": values}], comparison=comparison(1, limit_mean=[0.0], limit_std=[1.0]))
    for name in pulls:
        chosen = statistic(name, observable="log_variance", limit="variance")
        assert [verdict(off, chosen, margin) for margin in (2.0, 0.1)] == ["holds", "fails"]
        assert verdict(off, chosen, abs(effects_of(off, chosen)[0].value)) == "undecided"


# ------------------------------------------------------------------------------------- moments


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
        effect = effects_of(evidence, chosen)[0]
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
    plain = effects_of(evidence, statistic("moment", **keys))[0]
    assert plain.value == pytest.approx(values.mean() - 2)
    assert plain.error == pytest.approx(1 / np.sqrt(SAMPLES), rel=0.3)
    relative = effects_of(evidence, statistic("moment", **keys, relative=True))[0]
    assert (relative.value, relative.error) == pytest.approx((plain.value / 2, plain.error / 2))
    scaled = effects_of(evidence, statistic("moment", **keys, times_width=0.5))[0]
    assert (scaled.value, scaled.error) == pytest.approx((plain.value * 4, plain.error * 4))


GRAM = np.array([[1.0, 0.3, -0.2], [0.3, 1.5, 0.4], [-0.2, 0.4, 0.8]])


def wishart(width: int, count: int, gram: np.ndarray, seed: int) -> np.ndarray:
    """V of one linear layer: its covariances are those of Isserlis' theorem, exactly."""
    vectors = np.linalg.cholesky(gram) @ np.random.default_rng(seed).standard_normal(
        (count, len(gram), width)
    )
    return vectors @ vectors.transpose(0, 2, 1) / width


@pytest.mark.parametrize("entries", [[[1, 1], [1, 1]], [[1, 2], [1, 3]], [[2, 3], [1, 2]], [[1, 1], [2, 3]]])
def test_covariances_of_a_linear_layer(entries):
    """Five standard errors; the transposed or shifted entry is off by more (planted)."""
    samples = wishart(8, GROUPS * 512, GRAM, 6)
    point = {"gram": samples, "gram_0": GRAM, "inputs": 3, "depth": 1, "correlation_0": 0.3}
    keys = {"moment": "covariance", "entries": entries, "times_width": 1.0}
    effect = effects_of(store([point]), statistic("gram", **keys, expected="isserlis"))[0]
    assert abs(effect.value) < 5 * effect.error
    assert effect.error < 0.1
    wrong = store([point | {"gram_0": np.diag(np.diag(GRAM)) * 1.5}])
    off = effects_of(wrong, statistic("gram", **keys, expected="isserlis"))[0]
    assert abs(off.value) > 5 * off.error


def test_means_products_and_determinants_of_a_linear_layer():
    two = np.array([[1.0, 0.3], [0.3, 1.0]])
    samples = wishart(8, GROUPS * 512, two, 9)
    evidence = store([{"gram": samples, "gram_0": two, "inputs": 2, "correlation_0": 0.3}])
    exact = {
        "mean": ([[1, 2]], 0.3),
        "product": ([[1, 2], [1, 2]], 0.09 + (1 + 0.09) / 8),
        "determinant": ([], 0.91 * 7 / 8),
    }
    for name, (entries, value) in exact.items():
        chosen = statistic("gram", moment=name, entries=entries, expected=value)
        effect = effects_of(evidence, chosen)[0]
        assert abs(effect.value) < 5 * effect.error < 0.05, name
        assert verdict(evidence, chosen, 10 * effect.error) == "holds"


def test_place_of_a_pair():
    for inputs in (1, 2, 3, 4):
        pairs = zip(*np.triu_indices(inputs), strict=True)
        for place, (a, b) in enumerate(pairs):
            assert pair_index(inputs, int(a), int(b)) == pair_index(inputs, int(b), int(a)) == place


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
        effects_of(found, statistic("moment", **keys, control=control, extrapolate=[1.0]))[0]
        for control in (False, True)
    )
    assert abs(controlled.value) < 5 * controlled.error
    assert plain.error > 4 * controlled.error
    assert abs(plain.value - controlled.value) < 5 * plain.error
    off = keys | {"expected": "exact_kernel"}
    missing = effects_of(found, statistic("moment", **off, control=True, extrapolate=[1.0]))[0]
    assert abs(missing.value) == pytest.approx(1, abs=5 * missing.error)
    assert 5 * missing.error < 0.4
    deeper = store([relu_layer(16, generator) | {"depth": 2}], observable="correlation")
    with pytest.raises(NoEvidence, match="after one layer"):
        effects_of(deeper, statistic("moment", **keys, control=True))


def test_pooled_sizes_are_one_mean():
    """Its error is the one of all samples together; a size that disagrees widens it."""
    generator = np.random.default_rng(22)
    same = [{"width": n, "values": 3 + generator.standard_normal(SAMPLES)} for n in (4, 8, 16, 32)]
    keys = {"observable": "log_variance", "moment": "mean", "expected": 3.0, "points": "pooled"}
    (effect,) = effects_of(store(same), statistic("moment", **keys))
    assert abs(effect.value) < 5 * effect.error
    assert effect.error == pytest.approx(1 / np.sqrt(4 * SAMPLES), rel=0.5)
    assert effect.samples == 4 * SAMPLES
    apart = [*same[:3], {"width": 32, "values": 4 + generator.standard_normal(SAMPLES)}]
    (wider,) = effects_of(store(apart), statistic("moment", **keys))
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


# ------------------------------------------------------------------------------------- probabilities and rates


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
    assert effects_of(evidence, exploded)[0].value == pytest.approx(41 / SAMPLES - 0.01)
    assert verdict(evidence, exploded, 0.02) == "holds"
    assert verdict(evidence, statistic("probability", event="exploded", expected=0.1), 0.02) == "fails"
    collapsed = effects_of(evidence, statistic("probability", event="collapsed", expected="limit"))[0]
    assert (collapsed.value, collapsed.samples) == (pytest.approx(0.0), 3000)
    never = store([{}], events=table.assign(exploded=(("point", "record"), [[-1]])))
    with pytest.raises(NoEvidence):
        effects_of(never, exploded)


def test_rate_of_a_distance():
    rates = xr.Dataset(
        {
            "entry": ("rate", [0, 0]),
            "network": ("rate", ["a", "b"]),
            "distance": ("rate", ["ks", "ks"]),
            "exponent": ("rate", [1.02, 0.5]),
            "low": ("rate", [0.92, 0.4]),
            "high": ("rate", [1.12, 0.6]),
        }
    )
    table = comparison(2, ks_estimate=[0.1, 0.1], ks_error=[0.01, 0.01])
    evidence = store([{"network": "a"}, {"network": "b"}], comparison=table, rates=rates)
    keys = {"observable": "log_variance", "limit": "variance", "exponent": 1.0}
    assert verdict(evidence, statistic("rate", **keys, network="a"), 0.3) == "holds"
    assert verdict(evidence, statistic("rate", **keys, network="a"), 0.1) == "undecided"
    assert verdict(evidence, statistic("rate", **keys, network="b"), 0.3) == "fails"
    with pytest.raises(NoEvidence):
        effects_of(evidence, statistic("rate", **keys, distance="rms"))


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
    effect = effects_of(evidence, statistic("growth", width=6, times_width=2.0))[0]
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
        (effect,) = effects_of(table, chosen)
        assert effect.value == pytest.approx(limit)
        assert effect.samples == 3 * SAMPLES
    with pytest.raises(NoEvidence, match="too few widths"):
        effects_of(table, statistic("unit_to_limit", width=4, extrapolate=[1.0]))
    for absent in ({"width": 4}, {"width": 3, "time": 0.5}, {"width": 3, "network": "s"}):
        with pytest.raises(NoEvidence):
            effects_of(evidence, statistic("growth", **absent))


# ------------------------------------------------------------------------------------- choosing points


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


def test_a_store_that_cannot_be_read_is_no_evidence():
    class Gone:
        def __getitem__(self, group: str) -> None:
            raise OSError(f"{group} is gone")

    with pytest.raises(NoEvidence, match=r"cannot be read: moments is gone"):
        Evidence(Gone()).array("moments", "width")


# ------------------------------------------------------------------------------------- predictions


def relu_samples(rho: float, width: int, count: int) -> np.ndarray:
    """V of one ReLU layer, by its definition."""
    normals = np.random.default_rng(12).standard_normal((count, 2, width))
    normals[:, 1] = rho * normals[:, 0] + np.sqrt(1 - rho**2) * normals[:, 1]
    active = np.maximum(normals, 0)
    return 2 * active @ active.transpose(0, 2, 1) / width


@pytest.mark.parametrize("rho", [-0.5, 0.3, 0.9])
def test_formulas_for_one_layer_of_relu(rho):
    """Against its definition: five standard errors, 1e-6 each."""
    count, width = 1 << 17, 8
    samples = relu_samples(rho, width, count)
    setting = Setting(width, 1, 0.0, 0.0, -1.0, np.array([[1, rho], [rho, 1]]))
    first, second, cross = samples[:, 0, 0], samples[:, 1, 1], samples[:, 0, 1]

    def close(values: np.ndarray, expected: float) -> None:
        assert abs(values.mean() - expected) < 5 * values.std() / np.sqrt(count)

    kernel = predictions.relu_kernel_1(setting)
    assert predictions.exact_kernel(setting) == pytest.approx(kernel)
    close(cross, kernel)
    close((first - 1) * (second - 1), predictions.relu_kernel_2(setting))
    close((first - 1) * (cross - kernel), predictions.relu_kernel_31(setting))
    close((first - 1) ** 2, predictions.relu_fourth(setting))


def test_formulas_near_one_are_those_of_any_correlation():
    for x in (1e-2, 1e-3):
        setting = Setting(100, 1, 0.0, 0.0, -1.0, np.array([[1, 1 - x], [1 - x, 1]]))
        mean = predictions.step_mean(setting) - predictions.near_one_mean(setting)
        assert abs(mean) < x**3.5 + x**3 / 100
        assert predictions.near_one_variance(setting) / predictions.step_variance(setting) == pytest.approx(
            1, abs=3 * x
        )
        step = predictions.exact_kernel(setting) - predictions.infinite_width_near_one(setting)
        assert abs(step) < 0.1 * x**2.5


def test_noise_as_printed_and_as_it_is():
    """The Bessel process against half a million draws of it, to 5 standard errors; Σ Σᵀ against the matrix."""
    one = Setting(16, 8, 1.0, 0.0, 0.0, np.eye(1), ((0, 0), (0, 0)))
    assert predictions.linear_log_variance(one) == 1.0
    normals = np.sqrt(one.time) * np.random.default_rng(31).standard_normal((1 << 19, 3)) + [0.5, 0, 0]
    log_v = -np.log(2 * np.sqrt((normals**2).sum(axis=1)))
    deviations = (log_v - log_v.mean()) ** 2
    error = deviations.std() / np.sqrt(len(log_v))
    assert predictions.linear_log_variance_printed(one) == pytest.approx(deviations.mean(), abs=5 * error)
    assert (predictions.isserlis(one), predictions.isserlis_printed(one)) == (2 / 16, 4 / 16)
    pairs = [(a, b) for a in range(3) for b in range(a, 3)]
    sigma = 4 * np.array(
        [[predictions.isserlis(Setting(4, 1, 0.3, 0.5, -0.5, GRAM, (p, q))) for q in pairs] for p in pairs]
    )
    chosen = Setting(4, 1, 0.3, 0.5, -0.5, GRAM, (pairs[1], pairs[3]))
    assert predictions.isserlis_printed(chosen) == pytest.approx((sigma @ sigma.T)[1, 3] / 4)


def test_printed_formulas_differ_from_the_corrected_ones():
    gram = np.array([[1.0, 0.3], [0.3, 1.0]])
    shaped = Setting(100, 1, 0.3, 0.5, -0.5, gram, ((0, 1),))
    exact = predictions.exact_kernel(shaped)
    assert abs(predictions.shaped_step(shaped) - exact) < 1e-3
    assert abs(predictions.shaped_step_printed(shaped) - exact) > 5e-3
    assert predictions.ode_correlation(shaped) == pytest.approx(0.3829466571)
    assert predictions.resnet_covariance(shaped) == pytest.approx(0.6313722991)
    assert predictions.resnet_covariance_printed(shaped) == pytest.approx(0.3829466571)
