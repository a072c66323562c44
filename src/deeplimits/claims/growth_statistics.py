"""Statistics of claims from what a study with the key ``growth`` estimates: the mean growth of residual
networks at infinite depth, and the law of one of their units.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from deeplimits.claims.equivalence import Effect, NoEvidence, extrapolated
from deeplimits.claims.evidence import Evidence
from deeplimits.claims.statistic_models import GrowthModel, UnitModel


def growth(evidence: Evidence, statistic: GrowthModel) -> list[Effect]:
    """Effects of the mean growth."""
    effects = []
    for row in _rows(evidence, statistic):
        expected = statistic.expected
        if isinstance(expected, str) and np.isnan(row[expected]):
            raise NoEvidence(f"there is no {expected} formula for {row['network']}")
        difference = row["mean"] - (row[expected] if isinstance(expected, str) else float(expected))
        factor = float(row["width"]) ** statistic.times_width
        effects.append(_effect(evidence, row, difference * factor, row["error"] * factor))
    return _limits(effects, statistic)


def unit(evidence: Evidence, statistic: UnitModel) -> list[Effect]:
    """Effects of the distance of a unit to its limit."""
    rows = _rows(evidence, statistic)
    effects = [_effect(evidence, row, row["unit_estimate"], row["unit_error"]) for row in rows]
    return _limits(effects, statistic)


def _rows(evidence: Evidence, statistic: GrowthModel | UnitModel) -> list[dict[str, Any]]:
    """The rows of the widths and the time that are asked for.

    Raises
    ------
    NoEvidence
        If one of the widths has none.
    """
    widths = set(statistic.width if isinstance(statistic.width, list) else [statistic.width])
    rows = [
        row
        for row in _table(evidence)
        if row["width"] in widths
        and abs(row["time"] - statistic.time) < 1e-9
        and statistic.network in (None, str(row["network"]))
    ]
    if widths != {int(row["width"]) for row in rows}:
        raise NoEvidence("the study does not estimate the growth at each of these widths and this time")
    return rows


def _table(evidence: Evidence) -> Iterator[dict[str, Any]]:
    for row in evidence.group("growth").to_dataframe().to_dict("records"):
        yield {str(name): value for name, value in row.items()}


def _effect(evidence: Evidence, row: dict[str, Any], value: float, error: float) -> Effect:
    width, samples = int(row["width"]), int(row["samples"])
    return Effect(
        float(value),
        float(error),
        samples,
        samples * width * int(evidence.group("growth").attrs["steps"]),
        f"{row['network']}; n = {width}, t = {row['time']:g}",
        size=float(width),
    )


def _limits(effects: list[Effect], statistic: GrowthModel | UnitModel) -> list[Effect]:
    if not statistic.extrapolate:
        return effects
    networks = dict.fromkeys(effect.about.partition("; ")[0] for effect in effects)
    found = []
    for network in networks:
        members = [effect for effect in effects if effect.about.partition("; ")[0] == network]
        found.append(extrapolated(members, statistic.extrapolate))
    return found
