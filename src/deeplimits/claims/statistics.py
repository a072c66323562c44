"""Statistics of claims: small functions from a study store to effects, what is found less what is claimed,
with their errors.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deeplimits.claims.equivalence import Counted, Effect, NoEvidence, jackknife
from deeplimits.claims.evidence import Evidence, effect_at, expected_at, gathered, unit_at
from deeplimits.claims.group_statistics import gram, group_moments, moment, variance_of
from deeplimits.claims.growth_statistics import growth, unit
from deeplimits.claims.statistic_models import (
    FROM_LIMIT,
    GramModel,
    GrowthModel,
    KsModel,
    LimitModel,
    MeanToLimitModel,
    MomentModel,
    ProbabilityModel,
    RateModel,
    RmsToLimitModel,
    StdToLimitModel,
    UnitModel,
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


def _entry(evidence: Evidence, statistic: LimitModel) -> int:
    return evidence.entry(str(statistic.observable), statistic.limit, statistic.at)


def _distance(evidence: Evidence, statistic: KsModel | RmsToLimitModel) -> list[Effect]:
    entry = _entry(evidence, statistic)
    held = evidence.group("comparison")[["estimate", "error"]].isel(entry=entry)
    of_this = held.sel(distance="ks" if isinstance(statistic, KsModel) else "rms")
    values, errors = of_this.estimate.values, of_this.error.values

    def measure(point: int) -> Effect | None:
        if np.isnan(values[point]):
            return None
        return effect_at(evidence, statistic, point, float(values[point]), float(errors[point]))

    return gathered(evidence, statistic, measure)


def _compared_moments(evidence: Evidence, statistic: LimitModel) -> Callable[[int], list[float] | None]:
    """Of a point: mean, standard deviation and number of networks; mean and standard deviation of the law."""
    entry = _entry(evidence, statistic)
    law = evidence.group("comparison").isel(entry=entry)
    limit, layers = [law.limit_mean.values, law.limit_std.values], law.at_layer.values
    moments = evidence.group("moments").sel(observable=evidence.observable(str(statistic.observable)))
    kept = [moments[part].values for part in ("mean", "std", "count")]

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
        if not count:
            return None
        size = limit_std or 1.0
        effect = effect_at(
            evidence, statistic, point, (mean - limit_mean) / size, std / np.sqrt(count) / size
        )
        return replace(effect, value=effect.value - statistic.expected)

    return gathered(evidence, statistic, measure)


def _std_to_limit(evidence: Evidence, statistic: StdToLimitModel) -> list[Effect]:
    law = evidence.group("comparison").isel(entry=_entry(evidence, statistic))
    limit, layers = law.limit_std.values, law.at_layer.values

    def measure(point: int) -> Effect | None:
        if layers[point] != evidence.last_layer(point) or not limit[point] > 0:
            return None
        raw, _, scale = group_moments(evidence, str(statistic.observable), point)
        value, error = jackknife(scale * np.sqrt(variance_of(raw)) / limit[point])
        return effect_at(evidence, statistic, point, value - 1, error, freedom=len(raw) - 1)

    return gathered(evidence, statistic, measure)


def _probability(evidence: Evidence, statistic: ProbabilityModel) -> list[Effect]:
    events, collapse = evidence.group("events"), statistic.event == "collapsed"
    table, living = events[statistic.event].values, events.alive.values
    exact = events["collapse_probability" if collapse else "explosion_probability"].values

    def measure(point: int) -> Effect | None:
        record = evidence.record(point, evidence.last_layer(point))
        hits = int(table[point, record])
        # a network can only collapse if it is alive at its first layer
        samples = int(living[point]) if collapse else evidence.samples
        if hits < 0 or samples < 1:
            return None
        if statistic.expected == FROM_LIMIT:
            expected = float(exact[point, record] if collapse else exact[point])
        else:
            expected = expected_at(evidence, statistic, point)
        if np.isnan(expected):
            return None
        # the error that an extrapolation weighs by; half an event is added, so that none has an error too
        part = (hits + 0.5) / (samples + 1)
        error = float(np.sqrt(part * (1 - part) / samples))
        unit = unit_at(evidence, statistic, point, expected)
        plain = effect_at(evidence, statistic, point, (hits / samples - expected) / unit, error / unit)
        factor = plain.error / error
        fields = {name: getattr(plain, name) for name in Effect.__dataclass_fields__} | {"samples": samples}
        return Counted(**fields, hits=hits, expected=expected, factor=factor)

    return gathered(evidence, statistic, measure)


def _rate(evidence: Evidence, statistic: RateModel) -> list[Effect]:
    rates = evidence.group("rates")
    if "entry" not in rates:
        raise NoEvidence("the study fits no rates")
    chosen = rates.entry == evidence.entry(statistic.observable, statistic.limit, None)
    chosen &= rates.distance == statistic.distance
    if statistic.network is not None:
        chosen &= rates.network == statistic.network
    columns = ("network", "exponent", "low", "high", "rate_in", "series", "name")
    rows = rates[list(columns)].isel(rate=chosen).to_dataframe().to_dict("records")
    if not rows:
        raise NoEvidence("fewer than three distances stand above their noise")
    effects, labels = [], [str(row["network"]) for row in rows]
    for row, label in zip(rows, labels, strict=True):
        series = evidence.label(f"{row['rate_in']}_series")
        used = np.flatnonzero(series == row["series"]).tolist()
        # intervals of rates are at 95 %, widened where the points scatter
        error = float(row["high"] - row["low"]) / 2 / 1.96
        effects.append(
            Effect(
                float(row["exponent"]) - statistic.exponent,
                error,
                evidence.samples * len(used),
                sum(evidence.normals(point) for point in used),
                f"{label if labels.count(label) == 1 else row['name']}, {len(used)} sizes",
            )
        )
    return effects


_REGISTRY: dict[type[Any], Callable[[Evidence, Any], list[Effect]]] = {
    KsModel: _distance,
    MeanToLimitModel: _mean_to_limit,
    StdToLimitModel: _std_to_limit,
    RmsToLimitModel: _distance,
    RateModel: _rate,
    MomentModel: moment,
    GramModel: gram,
    ProbabilityModel: _probability,
    GrowthModel: growth,
    UnitModel: unit,
}
