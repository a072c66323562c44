"""Comparisons: at which layers of a point an entry of a study's ``compare`` is evaluated, checked before
anything is computed.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from deeplimits.errors import InputError
from deeplimits.limits import registry
from deeplimits.sweep.models import CompareModel
from deeplimits.sweep.points import Point


def compared_layers(entry: CompareModel, point: Point, where: Path, index: int) -> list[int] | None:
    """Layers at which an entry is evaluated at a point; None where the limit is not about this network.

    Raises
    ------
    InputError
        If the time lies beyond the network, or its layer is not recorded.
    """
    limit = registry()[entry.limit]
    if entry.observable not in limit.observables:
        raise InputError(
            where,
            f"compare.{index}.observable",
            entry.observable,
            f"one that {entry.limit} speaks of: " + ", ".join(limit.observables),
        )
    network = point.network
    if not limit.applies(network):
        return None
    if entry.at == "all":
        return list(point.layers)
    layer = point.layers[-1] if entry.at is None else limit.layer(network, float(entry.at))
    end = limit.time(network, network.depth)
    if layer > network.depth:
        raise InputError(
            where,
            f"compare.{index}.at",
            entry.at,
            f"a time up to {end:.6g}, the end of width {network.width}, depth {network.depth}",
        )
    if layer not in point.layers:
        raise InputError(
            where,
            f"compare.{index}.at",
            entry.at,
            f"the time of a recorded layer; layer {layer} of width {network.width} is not in record.layers",
        )
    return [layer]


def check_comparisons(points: Sequence[Point], compare: Sequence[CompareModel], where: Path) -> None:
    """Refuse what could only fail after the simulation: limits that are about no point, times beyond the end,
    layers not recorded.
    """
    for index, entry in enumerate(compare):
        if not [point for point in points if compared_layers(entry, point, where, index) is not None]:
            raise InputError(
                where,
                f"compare.{index}.limit",
                entry.limit,
                "a limit that is about at least one network of the study",
            )
