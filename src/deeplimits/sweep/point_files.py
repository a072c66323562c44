"""Files that describe a point, and what in them is no network."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from deeplimits.activations import Identity, OrnsteinUhlenbeck, ReluLike, Smooth
from deeplimits.architectures import architectures
from deeplimits.engines.gradients.call import check_gradients
from deeplimits.errors import InputError
from deeplimits.networks.network import Network
from deeplimits.sweep.activation import check_activation, check_meant
from deeplimits.sweep.activation_models import activation
from deeplimits.sweep.grams import checked_gram, inputs_gram, start_gram
from deeplimits.sweep.network_models import NetworkModel, PointModel, networks_as
from deeplimits.sweep.points import Point, recorded_layers
from deeplimits.sweep.validation import validated
from deeplimits.sweep.yamlfile import read_mapping


def load_point(path: Path, *, simulated: bool = True) -> Point:
    """Read point.yaml.

    Parameters
    ----------
    simulated
        Whether the point is to be drawn, so that the engines need a table of its activation; limits need
        none.

    Raises
    ------
    InputError
        For whatever is wrong with the file.
    """
    mapping = read_mapping(path)
    if "networks" in mapping:
        raise InputError(path, "networks", "<a study>", "a point: one network, its width, depth and inputs")
    return point_of(mapping, path, simulated=simulated)


def point_of(mapping: Mapping[str, Any], path: Path, *, simulated: bool = True) -> Point:
    """The point that a mapping with the keys of point.yaml describes.

    Parameters
    ----------
    path
        What an error names as the place of the mistake, and beside which a ``gram_file`` lies.
    simulated
        Whether the point is to be drawn; see ``load_point``.

    Raises
    ------
    InputError
        For whatever is wrong with it.
    """
    given = _plain(mapping)
    model = validated(networks_as(PointModel, given), given, path)
    check_meant(model, path, "")
    width, depth = _size(model, path)
    start = model.inputs.start
    if start is not None:
        check_start(start, model, path, "inputs.start")
    network = Network(
        activation=activation(model.activation, path, "activation"),
        width=width,
        depth=depth,
        gram=inputs_gram(model.inputs, path),
        seed=model.seed,
        start=start,
        **model.keywords,
    )
    check_activation(network, path, "activation", simulated=simulated)
    if model.record.gradients:
        check_gradients(network, path)
    layers = recorded_layers(model.record.layers, depth, path, "record.layers")
    return Point(network, layers, model.record.gradients, model.record.output)


def check_network(network: Network, where: str, *, simulated: bool = True) -> None:
    """Refuse a network of Python that no file could describe: it is asked what a file is asked.

    Parameters
    ----------
    where
        What an error names as the place of the mistake.
    simulated
        Whether it is to be drawn; see ``load_point``.

    Raises
    ------
    InputError
        For whatever is wrong with it.
    """
    place = Path(where)
    phi = network.activation
    if type(phi) not in _NAMES:
        expected = "an activation of deeplimits.activations"
        raise InputError(place, "activation", f"<{type(phi).__name__}>", expected)
    gram = checked_gram(network.gram, place, "gram")
    given: dict[str, Any] = {
        "architecture": network.architecture,
        "activation": {"name": _NAMES[type(phi)], **_keys(phi)},
        **{name: getattr(network, name) for name in ("width", "depth", "seed")},
        "inputs": {"gram": gram} if network.start is None else {"start": network.start},
    }
    if network.shaping is not None:
        given["shaping"] = _keys(network.shaping)
    if network.branch_exponent != Network.branch_exponent:
        given["branch_exponent"] = network.branch_exponent
    given = _plain(given)
    model = validated(networks_as(PointModel, given), given, place)
    _size(model, place)
    if network.start is not None:
        check_start(network.start, model, place, "start")
        if gram != start_gram(network.start):
            expected = f"the square of start, {start_gram(network.start)}"
            raise InputError(place, "gram", gram, expected)
    check_activation(network, place, "activation", simulated=simulated)


_NAMES = {
    ReluLike: "relu",
    Identity: "identity",
    Smooth: "expression",
    OrnsteinUhlenbeck: "ornstein_uhlenbeck",
}
"""What files call activations, smooth ones by their formulas."""


def _keys(described: Any) -> dict[str, Any]:
    """The fields of an activation or a shaping, as files call them."""
    found = {field.name: getattr(described, field.name) for field in fields(described)}
    if "formula" in found:
        found |= {"expression": found.pop("formula"), "centered": True}
    return found


def _plain(value: Any) -> Any:
    """Numbers, lists and dictionaries of Python in place of those of NumPy and others, which a file cannot
    hold.
    """
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(inner) for inner in value]
    return value.tolist() if hasattr(value, "tolist") else value


def _size(model: PointModel, where: Path) -> tuple[int | tuple[int, ...], int]:
    """Width, or the widths of the layers, and depth."""
    if isinstance(model.width, int):
        if model.depth is None:
            raise InputError(where, "depth", "<nothing>", "this key, which has no default")
        return model.width, model.depth
    check_layer_widths(model.width, model, where, "width")
    if model.depth not in (None, len(model.width)):
        raise InputError(where, "depth", model.depth, f"{len(model.width)}, the length of width, or nothing")
    return tuple(model.width), len(model.width)


def check_start(start: float, model: NetworkModel, where: Path, key: str) -> None:
    """Refuse a start of an architecture that has none, and what is no state.

    Raises
    ------
    InputError
        For any other architecture, for 0, and for what has no square.
    """
    if not model.kind.from_number:
        owners = " or ".join(name for name, each in architectures().items() if each.from_number)
        expected = f"correlation or gram: only a {owners} starts from a state of its own"
        raise InputError(where, key, start, expected)
    if not 0 < start * start < math.inf:
        raise InputError(where, key, start, "a number other than 0 with a finite square that is not 0")


def check_layer_widths(widths: Sequence[int], model: NetworkModel, where: Path, key: str) -> None:
    """Refuse a width per layer where layers are added to one another."""
    if not model.kind.uneven:
        expected = f"one number: all layers of a {model.architecture} have one width"
        raise InputError(where, key, list(widths), expected)
