"""Rows of what a study with the key ``growth`` estimates of residual networks, as effects."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from deeplimits.claims.equivalence import Effect, NoEvidence, extrapolated
from deeplimits.claims.evidence import Evidence


def rows_of(
    evidence: Evidence, width: int | list[int], time: float, network: str | None
) -> list[dict[str, Any]]:
    """The rows of the widths and the time that are asked for, of one network or of all.

    Raises
    ------
    NoEvidence
        If one of the widths has none.
    """
    widths = set(width if isinstance(width, list) else [width])
    rows = [
        row
        for row in _table(evidence)
        if row["width"] in widths
        and abs(row["time"] - time) < 1e-9
        and network in (None, str(row["network"]))
    ]
    if widths != {int(row["width"]) for row in rows}:
        raise NoEvidence("the study does not estimate the growth at each of these widths and this time")
    return rows


def _table(evidence: Evidence) -> Iterator[dict[str, Any]]:
    for row in evidence.group("growth").to_dataframe().to_dict("records"):
        yield {str(name): value for name, value in row.items()}


def effect_of_row(evidence: Evidence, row: dict[str, Any], value: float, error: float) -> Effect:
    """An effect that a row is the evidence for."""
    width, samples = int(row["width"]), int(row["samples"])
    return Effect(
        float(value),
        float(error),
        samples,
        samples * width * int(evidence.group("growth").attrs["steps"]),
        f"{row['network']}; n = {width}, t = {row['time']:g}",
        size=float(width),
    )


def limits_of(effects: list[Effect], powers: Sequence[float]) -> list[Effect]:
    """The effects, or their limits in the width by a fit of these powers, for each network."""
    if not powers:
        return effects
    networks = dict.fromkeys(effect.about.partition("; ")[0] for effect in effects)
    found = []
    for network in networks:
        members = [effect for effect in effects if effect.about.partition("; ")[0] == network]
        found.append(extrapolated(members, powers))
    return found
