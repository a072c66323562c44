"""Statistics of claims: small functions from a study store to effects, what is found less what is claimed,
with their errors.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deeplimits.analysis.equivalence import Counted, Effect, jackknife
from deeplimits.analysis.evidence import Evidence, NoEvidence, gathered
from deeplimits.analysis.groups import pair_index
from deeplimits.limits.predictions import PREDICTIONS
from deeplimits.sweep.claims import (
    FROM_LIMIT,
    ExpectedModel,
    GramModel,
    GrowthModel,
    KsModel,
    LimitModel,
    MeanToLimitModel,
    MomentModel,
    ProbabilityModel,
    RateModel,
    RmsToLimitModel,
    StatisticModel,
    StdToLimitModel,
)

Array = NDArray[np.float64]


def effects_of(evidence: Evidence, statistic: Any) -> list[Effect]:
    """The effects of a statistic, as its model describes it.

    Raises
    ------
    NoEvidence
        If the store does not hold what it needs.
    """
    if isinstance(statistic, LimitModel) and isinstance(statistic.observable, list):
        each = [statistic.model_copy(update={"observable": name}) for name in statistic.observable]
        return [effect for one in each for effect in effects_of(evidence, one)]
    return _REGISTRY[type(statistic)](evidence, statistic)


def _effect(
    evidence: Evidence, statistic: StatisticModel, point: int, value: float, error: float, **more: Any
) -> Effect:
    """An effect at a point, scaled as the statistic asks."""
    factor = float(evidence.at("width", point)) ** statistic.times_width
    return Effect(
        value * factor,
        error * factor,
        evidence.samples,
        evidence.normals(point),
        evidence.about(point),
        size=float(evidence.at(statistic.size, point)),
        **more,
    )


def _entry(evidence: Evidence, statistic: LimitModel) -> int:
    return evidence.entry(str(statistic.observable), statistic.limit, statistic.at)


def _distance(evidence: Evidence, statistic: KsModel | RmsToLimitModel) -> list[Effect]:
    entry = _entry(evidence, statistic)
    name = "ks" if isinstance(statistic, KsModel) else "rms"
    values, errors = (
        evidence.array("comparison", f"{name}_{part}")[:, entry] for part in ("estimate", "error")
    )

    def measure(point: int) -> Effect | None:
        if np.isnan(values[point]):
            return None
        return _effect(evidence, statistic, point, float(values[point]), float(errors[point]))

    return gathered(evidence, statistic, measure)


def _compared_moments(evidence: Evidence, statistic: LimitModel) -> Callable[[int], list[float] | None]:
    """Of a point: mean, standard deviation and number of networks; mean and standard deviation of the law."""
    entry = _entry(evidence, statistic)
    limit = [evidence.array("comparison", f"limit_{part}")[:, entry] for part in ("mean", "std")]
    layers = evidence.array("comparison", "at_layer")[:, entry]
    place = evidence.observable(str(statistic.observable))
    kept = [evidence.array("moments", part)[:, :, place] for part in ("mean", "std", "count")]

    def found(point: int) -> list[float] | None:
        if layers[point] < 0 or not np.isfinite(limit[0][point]):
            return None
        record = evidence.record(point, int(layers[point]))
        return [float(each[point, record]) for each in kept] + [float(each[point]) for each in limit]

    return found


def _mean_to_limit(evidence: Evidence, statistic: MeanToLimitModel) -> list[Effect]:
    moments = _compared_moments(evidence, statistic)

    def measure(point: int) -> Effect | None:
        found = moments(point)
        if found is None:
            return None
        mean, std, count, limit_mean, limit_std = found
        unit = limit_std or 1.0
        effect = _effect(evidence, statistic, point, (mean - limit_mean) / unit, std / np.sqrt(count) / unit)
        return replace(effect, value=effect.value - statistic.expected)

    return gathered(evidence, statistic, measure)


def _group_moments(evidence: Evidence, observable: str, point: int) -> tuple[Array, float, float]:
    """Mean power sums of the standardised observable with one group left out each [group, power], and the
    centre and scale that it was standardised by.
    """
    place = evidence.observable(observable)
    sums = evidence.array("groups", "power_sum")[point, place]
    counts = evidence.array("groups", "counted")[point, place]
    centre, scale = evidence.array("groups", "scaling")[point, place]
    held = counts > 0
    if held.sum() < 2 or not np.isfinite(centre):
        raise NoEvidence(f"fewer than two groups of samples have a finite {observable}")
    sums, counts = sums[held], counts[held]
    left = (sums.sum(axis=0) - sums) / (counts.sum() - counts)[:, None]
    return left, float(centre), float(scale)


def _variance(raw: Array) -> Array:
    return np.asarray(raw[:, 1] - raw[:, 0] ** 2)


def _third(raw: Array) -> Array:
    mean = raw[:, 0]
    return np.asarray(raw[:, 2] - 3 * mean * raw[:, 1] + 2 * mean**3)


def _fourth(raw: Array) -> Array:
    mean = raw[:, 0]
    return np.asarray(raw[:, 3] - 4 * mean * raw[:, 2] + 6 * mean**2 * raw[:, 1] - 3 * mean**4)


def _moment_of(name: str, raw: Array, centre: float, scale: float) -> Array:
    """A moment of the observable from mean power sums of what it is standardised to."""
    variance = _variance(raw)
    if name == "mean":
        return centre + scale * raw[:, 0]
    if name == "variance":
        return scale**2 * variance
    return _third(raw) / variance**1.5 if name == "skewness" else _fourth(raw) / variance**2 - 3


def _std_to_limit(evidence: Evidence, statistic: StdToLimitModel) -> list[Effect]:
    entry = _entry(evidence, statistic)
    limit = evidence.array("comparison", "limit_std")[:, entry]
    layers = evidence.array("comparison", "at_layer")[:, entry]

    def measure(point: int) -> Effect | None:
        if layers[point] != evidence.last_layer(point) or not limit[point] > 0:
            return None
        raw, _, scale = _group_moments(evidence, str(statistic.observable), point)
        value, error = jackknife(scale * np.sqrt(_variance(raw)) / limit[point])
        return _effect(evidence, statistic, point, value - 1, error, freedom=len(raw) - 1)

    return gathered(evidence, statistic, measure)


def _expected(
    evidence: Evidence, statistic: ExpectedModel, point: int, entries: list[list[int]] | None = None
) -> float:
    if not isinstance(statistic.expected, str):
        return float(statistic.expected)
    return PREDICTIONS[statistic.expected](evidence.setting(point, entries or []))


def _held_against(
    evidence: Evidence, statistic: ExpectedModel, point: int, left: Array, expected: float
) -> Effect:
    """An effect from delete-a-group values of a number."""
    value, error = jackknife(left)
    unit = abs(expected) if statistic.relative else 1.0
    return _effect(evidence, statistic, point, (value - expected) / unit, error / unit, freedom=len(left) - 1)


def _moment(evidence: Evidence, statistic: MomentModel) -> list[Effect]:
    def measure(point: int) -> Effect | None:
        left = _moment_of(statistic.moment, *_group_moments(evidence, statistic.observable, point))
        return _held_against(evidence, statistic, point, left, _expected(evidence, statistic, point))

    return gathered(evidence, statistic, measure)


def _gram(evidence: Evidence, statistic: GramModel) -> list[Effect]:
    def measure(point: int) -> Effect | None:
        inputs = int(evidence.at("inputs", point))
        if inputs < max((max(entry) for entry in statistic.entries), default=2):
            return None
        counts = evidence.array("groups", "gram_count")[point]
        held = counts > 0
        if held.sum() < 2:
            raise NoEvidence("fewer than two groups of samples have a finite covariance")
        weight = counts[held].astype(float)

        def left(values: Array) -> Array:
            total = weight @ values
            return np.asarray((total - weight * values) / (weight.sum() - weight))

        means = evidence.array("groups", "gram_mean")[point][held]
        products = evidence.array("groups", "gram_product")[point][held]
        places = [pair_index(inputs, a - 1, b - 1) for a, b in statistic.entries]
        if statistic.moment == "mean":
            value = left(means[:, places[0]])
        elif statistic.moment == "determinant":
            value = left(products[:, 0, 2]) - left(products[:, 1, 1])
        else:
            value = left(products[:, places[0], places[1]])
            if statistic.moment == "covariance":
                value = value - left(means[:, places[0]]) * left(means[:, places[1]])
        expected = _expected(evidence, statistic, point, statistic.entries)
        return _held_against(evidence, statistic, point, value, expected)

    return gathered(evidence, statistic, measure)


def _probability(evidence: Evidence, statistic: ProbabilityModel) -> list[Effect]:
    table = evidence.array("events", statistic.event)
    collapse = statistic.event == "collapsed"
    exact = evidence.array("events", "collapse_probability" if collapse else "explosion_probability")

    def measure(point: int) -> Effect | None:
        record = evidence.record(point, evidence.last_layer(point))
        hits = int(table[point, record])
        # a network can only collapse if it is alive at its first layer
        samples = int(evidence.array("events", "alive")[point]) if collapse else evidence.samples
        if hits < 0 or samples < 1:
            return None
        if statistic.expected == FROM_LIMIT:
            expected = float(exact[point, record] if collapse else exact[point])
        else:
            expected = _expected(evidence, statistic, point)
        if np.isnan(expected):
            return None
        # the error that an extrapolation weighs by; half an event is added, so that none has an error too
        part = (hits + 0.5) / (samples + 1)
        error = float(np.sqrt(part * (1 - part) / samples))
        plain = _effect(evidence, statistic, point, hits / samples - expected, error)
        factor = plain.error / error
        fields = {name: getattr(plain, name) for name in Effect.__dataclass_fields__} | {"samples": samples}
        return Counted(**fields, hits=hits, expected=expected, factor=factor)

    return gathered(evidence, statistic, measure)


def _rate(evidence: Evidence, statistic: RateModel) -> list[Effect]:
    if "entry" not in evidence.tree["rates"].to_dataset():
        raise NoEvidence("the study fits no rates")
    entry = evidence.entry(statistic.observable, statistic.limit, None)
    columns = {
        name: evidence.array("rates", name)
        for name in ("entry", "network", "distance", "exponent", "low", "high")
    }
    rows = [
        i
        for i in range(len(columns["entry"]))
        if columns["entry"][i] == entry
        and str(columns["distance"][i]) == statistic.distance
        and statistic.network in (None, str(columns["network"][i]))
    ]
    if not rows:
        raise NoEvidence("fewer than three distances stand above their noise")
    effects = []
    for i in rows:
        label = str(columns["network"][i])
        used = [
            point
            for point in range(len(evidence.array("moments", "width")))
            if str(evidence.at("network", point)) == label
        ]
        # intervals of rates are at 95 %, widened where the points scatter
        error = float(columns["high"][i] - columns["low"][i]) / 2 / 1.96
        effects.append(
            Effect(
                float(columns["exponent"][i]) - statistic.exponent,
                error,
                evidence.samples * len(used),
                sum(evidence.normals(point) for point in used),
                f"{label}, {len(used)} sizes",
            )
        )
    return effects


def _growth(evidence: Evidence, statistic: GrowthModel) -> list[Effect]:
    table = evidence.tree["growth"].to_dataset()
    widths = statistic.width if isinstance(statistic.width, list) else [statistic.width]
    effects = []
    for row in range(table.sizes["growth"]):
        column = {str(name): array.values[row] for name, array in table.data_vars.items()}
        if (
            column["width"] not in widths
            or abs(column["time"] - statistic.time) > 1e-9
            or statistic.network not in (None, str(column["network"]))
        ):
            continue
        expected = (
            column[statistic.expected] if isinstance(statistic.expected, str) else float(statistic.expected)
        )
        width, samples = int(column["width"]), int(column["samples"])
        factor = float(width) ** statistic.times_width
        effects.append(
            Effect(
                float(column["mean"] - expected) * factor,
                float(column["error"]) * factor,
                samples,
                samples * width * int(evidence.tree["growth"].attrs["steps"]),
                f"{column['network']}; n = {width}, t = {statistic.time:g}",
            )
        )
    if len(effects) < len(widths):
        raise NoEvidence("the study does not estimate the growth at each of these widths and this time")
    return effects


_REGISTRY: dict[type[Any], Callable[[Evidence, Any], list[Effect]]] = {
    KsModel: _distance,
    MeanToLimitModel: _mean_to_limit,
    StdToLimitModel: _std_to_limit,
    RmsToLimitModel: _distance,
    RateModel: _rate,
    MomentModel: _moment,
    GramModel: _gram,
    ProbabilityModel: _probability,
    GrowthModel: _growth,
}
