"""Comparisons: at which layers of a point an entry of a study's ``compare`` is evaluated, checked before
anything is computed.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from deeplimits.errors import InputError
from deeplimits.limits import registry
from deeplimits.observables import parse
from deeplimits.sweep.blocks import is_stored
from deeplimits.sweep.models import CompareModel
from deeplimits.sweep.points import Point

_OF_NUMBERS, _OF_LAWS = {"rms"}, {"ks", "wasserstein"}


def compared_layers(entry: CompareModel, point: Point, where: Path, index: int) -> list[int] | None:
    """Layers at which an entry is evaluated at a point; None where the limit is not about this network.

    Raises
    ------
    InputError
        If the time lies beyond the network, or its layer is not recorded.
    """
    limit, network = registry()[entry.limit], point.network

    def refused(key: str, expected: str) -> InputError:
        return InputError(where, f"compare.{index}.{key}", getattr(entry, key), expected)

    if parse(entry.observable).kind not in limit.spoken:
        raise refused("observable", f"one that {entry.limit} speaks of: " + ", ".join(limit.spoken))
    last = point.layers[-1]
    if not limit.applies(network, entry.observable) or not is_recorded(entry.observable, point, last):
        return None
    if entry.at == "all":
        return [layer for layer in point.layers if is_recorded(entry.observable, point, layer)]
    if entry.at is None:
        return [last]
    layer = limit.layer(network, float(entry.at))
    of = f"width {network.widest}"
    if layer > network.depth:
        end = limit.time(network, network.depth)
        raise refused("at", f"a time up to {end:.6g}, the end of {of}, depth {network.depth}")
    if layer not in point.layers:
        raise refused("at", f"the time of a recorded layer; layer {layer} of {of} is not in record.layers")
    if not is_recorded(entry.observable, point, layer):
        why = "an output or a tangent kernel is of the last layer, and a perceptron's input has no gradient"
        raise refused("at", f"a layer that has {entry.observable}: layer {layer} has none; {why}")
    return [layer]


def is_recorded(observable: str, point: Point, layer: int) -> bool:
    """Whether an observable can be read off what is stored of a point at a layer; an output is that of the
    last one, a tangent kernel needs all, and layer 0 of a perceptron, its input, has no gradient.
    """
    found = parse(observable)
    return (
        found.inputs[-1] < point.network.inputs
        and found.record.within(point.layers, point.network.depth)
        and found.record.exists(point.network, layer)
        and all(is_stored(point, variable) for variable in found.record.made_of(point.network))
    )


def _check_all_layers(entry: CompareModel, points: Sequence[Point], where: Path, index: int) -> None:
    """Refuse an observable of all layers where networks that the limit is about, deeper than others, record
    some: it would be compared at the others alone.
    """
    found, limit = parse(entry.observable), registry()[entry.limit]
    if not found.record.all_layers:
        return
    for point in points:
        network = point.network
        if (
            found.inputs[-1] < network.inputs
            and found.record.exists(network, network.depth)
            and not found.record.within(point.layers, network.depth)
            and limit.applies(network, entry.observable)
        ):
            some = f"width {network.widest}, depth {network.depth} has {len(point.layers)} of its layers"
            expected = f"one of what is recorded, or layers: all under record; {some}"
            raise InputError(where, f"compare.{index}.observable", entry.observable, expected)


def check_comparisons(points: Sequence[Point], compare: Sequence[CompareModel], where: Path) -> None:
    """Refuse what could only fail after the simulation: limits that are about no point, times beyond the end,
    layers not recorded, distances that the limit does not have.
    """
    for index, entry in enumerate(compare):
        key, limit = f"compare.{index}", registry()[entry.limit]
        if not any(is_recorded(entry.observable, point, point.layers[-1]) for point in points):
            expected = (
                "an observable of what the study records: its inputs, and gradients or output under record"
            )
            record = parse(entry.observable).record
            if record.all_layers:
                expected += ", with layers: all" + (f", of {record.of_only}" if record.of_only else "")
            raise InputError(where, f"{key}.observable", entry.observable, expected)
        _check_all_layers(entry, points, where, index)
        compared = [(point, compared_layers(entry, point, where, index)) for point in points]
        is_number = limit.is_number(entry.observable)
        if not set(entry.distances) & (_OF_NUMBERS if is_number else _OF_LAWS):
            has = "rms, since it is a number" if is_number else "ks or wasserstein, since it is random"
            expected = f"{has} in {entry.limit}"
            raise InputError(where, f"{key}.distances", entry.distances, expected)
        for point, layers in compared:
            if layers:
                _check_explosion(entry, point, layers[-1], where, index)
        if all(layers is None for _, layers in compared):
            expected = "a limit that is about at least one network of the study; " + _why(points, entry)
            raise InputError(where, f"{key}.limit", entry.limit, expected)


def _why(points: Sequence[Point], entry: CompareModel) -> str:
    """Why a limit is about none of the points: the reasons, each once."""
    limit = registry()[entry.limit]
    reasons = (limit.refusal(point.network, entry.observable) for point in points)
    return "; ".join(list(dict.fromkeys(filter(None, reasons)))[:3]) or "it is not recorded"


def _check_explosion(entry: CompareModel, point: Point, layer: int, where: Path, index: int) -> None:
    """Refuse times beyond the explosion of a limit that is a number: it has none there."""
    limit = registry()[entry.limit]
    if limit.is_number(entry.observable) and limit.explosion_probability(point.network, layer):
        found = entry.at if entry.at is not None else f"<layer {layer}>"
        expected = (
            f"a time before {entry.limit} explodes; at layer {layer} of width {point.network.widest} it has"
        )
        raise InputError(where, f"compare.{index}.at", found, expected)
