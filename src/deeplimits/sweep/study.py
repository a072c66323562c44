"""Studies: a named sweep, expanded into points."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from deeplimits.activations import Activation, ReluLike, Smooth
from deeplimits.errors import InputError, nearest_name
from deeplimits.figures.names import FIGURE_NAMES
from deeplimits.limits.names import LIMIT_NAMES
from deeplimits.limits.observables import parse
from deeplimits.networks.network import Network
from deeplimits.sweep.models import CompareModel, DepthModel, GridModel, NetworkModel, StudyModel, validated
from deeplimits.sweep.points import (
    Point,
    activation,
    check_activation,
    check_architecture,
    check_layer_widths,
    check_start,
    checked_gram,
    correlation_gram,
    one_spelling,
    recorded_layers,
    shaping,
    start_gram,
)
from deeplimits.sweep.yamlfile import read_mapping

MAX_POINTS = 1_000_000
"""Points of one study; more is a slip of the pen."""


@dataclass(frozen=True)
class Study:
    """A validated study file.

    ``samples`` has the scale applied already. ``points`` are in the order of the file: networks first, then
    the axes of the grid.
    """

    name: str
    path: Path
    title: str
    samples: int
    compare: tuple[CompareModel, ...]
    figures: tuple[str, ...]
    networks: tuple[NetworkModel, ...]
    grid: GridModel
    layers_spec: int | tuple[int, ...] | str
    gradients: bool = False
    output: bool = False

    @cached_property
    def points(self) -> tuple[Point, ...]:
        """Every point of the study."""
        return tuple(self._points())

    def _points(self) -> Iterator[Point]:
        spec: Any = list(self.layers_spec) if isinstance(self.layers_spec, tuple) else self.layers_spec
        grams = {value: correlation_gram(value) for value in _values(self.grid.correlation)}
        starts = {value: start_gram(value) for value in _values(self.grid.start)}
        fixed = checked_gram(self.grid.gram, self.path, "grid.gram") if self.grid.gram is not None else None
        layers: dict[int, tuple[int, ...]] = {}
        for index, model in enumerate(self.networks):
            phi = activation(model.activation, self.path, f"networks.{index}.activation")
            shape = shaping(model.shaping)
            for sizes, depth, correlation, start, seed in _grid(self.grid):
                if depth not in layers:
                    layers[depth] = recorded_layers(spec, depth, self.path, "record.layers")
                width = sizes if isinstance(sizes, int) else one_spelling(sizes)
                network = Network(
                    phi,
                    width if isinstance(width, int) else max(width),
                    depth,
                    fixed or (starts[start] if start is not None else grams[correlation]),
                    seed,
                    shape,
                    model.architecture,
                    model.branch_exponent,
                    start,
                    None if isinstance(width, int) else width,
                )
                yield Point(network, layers[depth], self.gradients, self.output)


def load_study(path: Path, scale: int = 1) -> Study:
    """Read a study file; its name is the file's.

    Parameters
    ----------
    scale
        Factor on the samples of the file.

    Raises
    ------
    InputError
        For whatever is wrong with the file, before anything is computed or expanded.
    """
    model = validated(StudyModel, read_mapping(path), path)
    if not path.stem.replace("-", "_").isidentifier():
        raise InputError(
            path, "", path.stem, "a file name of letters, digits, - and _, which names the study"
        )
    for index, entry in enumerate(model.compare):
        _known(entry.limit, LIMIT_NAMES, path, f"compare.{index}.limit")
        parse(entry.observable, path, f"compare.{index}.observable")
    for index, name in enumerate(model.figures):
        _known(name, FIGURE_NAMES, path, f"figures.{index}")
    _check_axes(model.grid, path)
    count, axes = _size(model)
    if count > MAX_POINTS:
        raise InputError(path, "grid", f"<{count:,} points: {axes}>", f"at most {MAX_POINTS:,} points")
    networks = tuple(_networks(model.networks, path))
    for index, network_model in networks:
        _check_network(network_model, model.grid, path, f"networks.{index}.")
    spec = model.record.layers
    study = Study(
        name=path.stem,
        path=path,
        title=model.title,
        samples=model.samples * scale,
        compare=tuple(
            entry.model_copy(update={"observable": parse(entry.observable).name}) for entry in model.compare
        ),
        figures=tuple(model.figures),
        networks=tuple(network for _, network in networks),
        grid=model.grid,
        layers_spec=tuple(spec) if isinstance(spec, list) else spec,
        gradients=model.record.gradients,
        output=model.record.output,
    )
    for network in _extremes(study.points):
        check_activation(network, path, "networks")
    if study.compare:
        from deeplimits.sweep.comparisons import check_comparisons  # the limits import SciPy

        check_comparisons(study.points, study.compare, path)
    return study


def _extremes(points: tuple[Point, ...]) -> Iterator[Network]:
    """Of each activation, the networks that are hardest on it: the least shaped, the deepest from the largest
    inputs if residual, and a zero at some width.
    """
    least: dict[Activation, Network] = {}
    deepest: dict[tuple[Activation, float], Network] = {}
    largest: dict[tuple[Activation, float], Network] = {}
    for point in points:
        network = point.network
        match network.activation:
            case ReluLike(c_plus, c_minus) if c_plus == c_minus:
                yield network
            case Smooth() if network.residual:
                branch = (network.activation, network.branch_exponent)
                if branch not in deepest or network.depth > deepest[branch].depth:
                    deepest[branch] = network
                if branch not in largest or _largest(network) > _largest(largest[branch]):
                    largest[branch] = network
            case Smooth() as phi:
                known = least.get(phi)
                if known is None or _least_scale(network) < _least_scale(known):
                    least[phi] = network
    yield from least.values()
    for key, network in deepest.items():
        yield replace(network, gram=largest[key].gram)


def _least_scale(network: Network) -> Any:
    return network.at_width(min(network.layer_widths or [network.width])).scale


def _largest(network: Network) -> float:
    return max(network.gram[a][a] for a in range(network.inputs))


def _check_axes(grid: GridModel, where: Path) -> None:
    for name in ("width", "depth", "correlation", "start", "seed"):
        if getattr(grid, name) == []:
            raise InputError(where, f"grid.{name}", [], "at least one value")
    for name in grid.zip:
        if not isinstance(getattr(grid, name), list):
            raise InputError(
                where, f"grid.{name}", getattr(grid, name), "a list, since grid.zip names this axis"
            )
    lengths = {name: len(getattr(grid, name)) for name in grid.zip}
    if len(set(lengths.values())) > 1:
        raise InputError(where, "grid.zip", lengths, "axes of equal length")

    for width in _values(grid.width):
        _check_depth(grid.depth, width, where)


def _check_depth(depth: int | list[int] | DepthModel | None, width: int | list[int], where: Path) -> None:
    """A depth where the width is a number; nothing but their number where it holds those of the layers."""
    if isinstance(width, int):
        if depth is None:
            raise InputError(where, "grid.depth", "<nothing>", "this key, which has no default")
    elif depth is not None and any(value != len(width) for value in _values(depth)):
        found = "<a function of the width>" if isinstance(depth, DepthModel) else depth
        expected = f"{len(width)}, the length of a width that is a list, or nothing"
        raise InputError(where, "grid.depth", found, expected)


def _known(found: str, names: tuple[str, ...], where: Path, key: str) -> None:
    if found not in names:
        raise InputError(where, key, found, "one of " + ", ".join(names), nearest_name(found, names))


def _values(value: Any) -> list[Any]:
    return [] if value is None else value if isinstance(value, list) else [value]


def _grid(grid: GridModel) -> Iterator[tuple[int | list[int], int, float | None, float | None, int]]:
    """(width or widths, depth, correlation, start, seed) of every point of the grid."""
    axes: dict[str, list[Any]] = {
        "width": _values(grid.width),
        "depth": [grid.depth] if isinstance(grid.depth, DepthModel) else _values(grid.depth) or [None],
        "correlation": _values(grid.correlation) or [None],
        "start": _values(grid.start) or [None],
        "seed": _values(grid.seed),
    }
    groups = [[name] for name in axes if name not in grid.zip]
    if grid.zip:
        groups.append(list(grid.zip))
    groups.sort(key=lambda group: min(list(axes).index(name) for name in group))
    names = [name for group in groups for name in group]
    for choice in itertools.product(*(zip(*(axes[name] for name in group), strict=True) for group in groups)):
        point = dict(zip(names, itertools.chain.from_iterable(choice), strict=True))
        width = point["width"]
        depth = _depth(point["depth"], width) if isinstance(width, int) else len(width)
        yield width, depth, point["correlation"], point["start"], point["seed"]


def _depth(depth: int | DepthModel, width: int) -> int:
    if isinstance(depth, int):
        return depth
    real = (
        depth.times_width * width
        if depth.times_width is not None
        else float(width) ** (depth.power_of_width or 1.0)
    )
    return max(1, math.floor(real + 0.5))


def _size(model: StudyModel) -> tuple[int, str]:
    """Number of points and the sizes of the axes, without expanding them."""
    sizes = {
        name: len(_values(getattr(model.grid, name))) or 1
        for name in ("width", "correlation", "start", "seed")
    }
    fixed = isinstance(model.grid.depth, DepthModel | None)
    sizes["depth"] = 1 if fixed else len(_values(model.grid.depth))
    sizes["networks"] = sum(math.prod(len(values) for _, values in _lists(entry)) for entry in model.networks)
    zipped = {sizes[name] for name in model.grid.zip}
    count = math.prod(size for name, size in sizes.items() if name not in model.grid.zip) * (
        zipped.pop() if zipped else 1
    )
    return count, " × ".join(f"{name} {size}" for name, size in sizes.items() if size > 1)


def _lists(entry: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], list[Any]]]:
    """Every leaf of a network that is a list: its path and values."""
    for key, value in entry.items():
        if isinstance(value, dict):
            yield from _lists(value, (*path, key))
        elif isinstance(value, list):
            yield (*path, key), value


def _check_network(model: NetworkModel, grid: GridModel, where: Path, prefix: str) -> None:
    check_architecture(model, where, prefix)
    for start in _values(grid.start):
        check_start(start, model, where, "grid.start")
    for width in _values(grid.width):
        if isinstance(width, list):
            check_layer_widths(width, model, where, "grid.width")


def _networks(entries: list[dict[str, Any]], where: Path) -> Iterator[tuple[int, NetworkModel]]:
    """The networks of every entry, with its index."""
    for index, entry in enumerate(entries):
        axes = list(_lists(entry))
        for path, values in axes:
            if not values:
                raise InputError(where, f"networks.{index}." + ".".join(path), [], "at least one value")
        for choice in itertools.product(*(values for _, values in axes)):
            chosen = _substituted(entry, {path: value for (path, _), value in zip(axes, choice, strict=True)})
            yield index, validated(NetworkModel, chosen, where, f"networks.{index}")


def _substituted(entry: Any, values: dict[tuple[str, ...], Any], path: tuple[str, ...] = ()) -> Any:
    if path in values:
        return values[path]
    if isinstance(entry, dict):
        return {key: _substituted(value, values, (*path, key)) for key, value in entry.items()}
    return entry
