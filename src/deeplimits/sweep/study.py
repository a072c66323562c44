"""Studies: a named sweep, expanded into points."""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from deeplimits.activations import Activation, OrnsteinUhlenbeck, ReluLike, Smooth
from deeplimits.engines.gradients.call import check_gradients
from deeplimits.errors import InputError, check_name
from deeplimits.limits import registry
from deeplimits.networks.network import Gram, Network
from deeplimits.observables import parse
from deeplimits.sweep.activation import check_activation, check_meant
from deeplimits.sweep.activation_models import activation
from deeplimits.sweep.blocks import block_size
from deeplimits.sweep.distinct import check_distinct
from deeplimits.sweep.families import Family
from deeplimits.sweep.figures import check_figures
from deeplimits.sweep.grams import checked_gram, correlation_gram, start_gram
from deeplimits.sweep.grid import as_list, check_axes, check_once, combinations, own_grid, size_of
from deeplimits.sweep.growth import check_growth, scaled_growth
from deeplimits.sweep.looks import Look, figures_asked
from deeplimits.sweep.models import CompareModel, GridModel, GrowthModel, StudyModel
from deeplimits.sweep.network_lists import _lists, networks_of, without_grid
from deeplimits.sweep.network_models import NetworkModel
from deeplimits.sweep.point_files import check_layer_widths, check_start
from deeplimits.sweep.points import Point, recorded_layers
from deeplimits.sweep.study_name import check_study_name
from deeplimits.sweep.validation import validated
from deeplimits.sweep.yamlfile import read_mapping

MAX_POINTS = 1_000_000
"""Points of one study; more is a slip of the pen."""
MAX_BLOCKS = 500_000
"""Blocks of one study: each has a name, a line in a receipt, and a part of a plan."""


@dataclass(frozen=True)
class Study:
    """A validated study file.

    ``looks`` has the figures that are asked for. ``samples`` has the scale applied already. ``points`` are
    in the order of the file: networks first, then the axes of the grid. ``network_entries`` says of each of
    ``networks`` which entry of the file it is from.
    """

    name: str
    path: Path
    title: str
    samples: int
    compare: tuple[CompareModel, ...]
    looks: Mapping[str, Look]
    networks: tuple[tuple[NetworkModel, GridModel], ...]
    layers_spec: int | tuple[int, ...] | str
    gradients: bool = False
    output: bool = False
    growth: GrowthModel | None = None
    network_entries: tuple[int, ...] = ()

    @property
    def figures(self) -> tuple[str, ...]:
        """The names of the figures that it asks for."""
        return tuple(self.looks)

    @cached_property
    def entries(self) -> tuple[int, ...]:
        """For each point, which entry of the file's ``networks`` it is from."""
        counts = [size_of(grid)[0] for _, grid in self.networks]
        return tuple(
            index for index, count in zip(self.network_entries, counts, strict=True) for _ in range(count)
        )

    @cached_property
    def points(self) -> tuple[Point, ...]:
        """Every point of the study."""
        return tuple(point for family in self.families for point in family.points)

    @cached_property
    def laws(self) -> tuple[Point, ...]:
        """The points that differ in more than their seed: one for each law."""
        found: list[Point] = []
        for family in self.families:
            first: dict[Gram, Point] = {}
            for point in family.points:
                first.setdefault(point.network.gram, point)
            found += first.values()
        return tuple(found)

    @property
    def records(self) -> int:
        """The most layers that a point records."""
        return max(len(family.first.layers) for family in self.families)

    @cached_property
    def seeds(self) -> tuple[int, ...]:
        """Every seed of the study, ascending."""
        return tuple(sorted({seed for _, grid in self.networks for seed in as_list(grid.seed)}))

    @cached_property
    def families(self) -> tuple[Family, ...]:
        """The points, in their order, those together that differ in their inputs and their seed alone."""
        return tuple(self._families())

    def _families(self) -> Iterator[Family]:
        spec: Any = list(self.layers_spec) if isinstance(self.layers_spec, tuple) else self.layers_spec
        layers: dict[int, tuple[int, ...]] = {}
        for index, (model, grid) in enumerate(self.networks):
            grams = {value: correlation_gram(value) for value in as_list(grid.correlation)}
            starts = {value: start_gram(value) for value in as_list(grid.start)}
            fixed = checked_gram(grid.gram, self.path, "grid.gram") if grid.gram is not None else None
            phi = activation(model.activation, self.path, f"networks.{index}.activation")
            # consecutive combinations of one width, depth and start
            for (sizes, depth, start), alike in itertools.groupby(
                combinations(grid), key=operator.itemgetter(0, 1, 3)
            ):
                if depth not in layers:
                    layers[depth] = recorded_layers(spec, depth, self.path, "record.layers")
                if fixed or start is not None:
                    one = fixed or starts[start]
                    variants = tuple([(one, each[4]) for each in alike])
                else:
                    variants = tuple([(grams[each[2]], each[4]) for each in alike])
                network = Network(
                    phi,
                    sizes if isinstance(sizes, int) else tuple(sizes),
                    depth,
                    *variants[0],
                    start=start,
                    **model.keywords,
                )
                yield Family(Point(network, layers[depth], self.gradients, self.output), variants)


def load_study(path: Path, scale: int = 1) -> Study:
    """Read a study file and check that it can be computed; its name is the file's.

    Parameters
    ----------
    scale
        Factor on the samples of the file.

    Raises
    ------
    InputError
        For whatever is wrong with the file, before anything is computed.
    """
    study = read_study(path, scale)
    _check_blocks(study)
    check_distinct(study.entries, study.points, path)
    for network in _extremes(study.laws):
        check_activation(network, path, "networks")
    if study.gradients:
        for point in study.laws:
            check_gradients(point.network, path)
    if study.growth:
        check_growth(study.growth, study.laws, path)
    if study.compare:
        from deeplimits.sweep.comparisons import check_comparisons  # the limits import SciPy

        check_comparisons(study.laws, study.compare, path)
        if study.samples < 2 and any(entry.rate_in for entry in study.compare):
            expected = "2 or more: a rate weighs distances by their errors, and one network has none"
            raise InputError(path, "samples", study.samples, expected)
    if study.figures:
        check_figures(study)
    return study


def read_study(path: Path, scale: int = 1) -> Study:
    """What a study file says, in milliseconds: its keys and values are checked, and not whether its networks
    can be computed, which ``load_study`` does.

    Raises
    ------
    InputError
        For a key or a value that is none.
    """
    content = read_mapping(path)
    check_study_name(path)
    return study_of(content, path, scale)


def study_of(content: Mapping[str, Any], path: Path, scale: int = 1) -> Study:
    """The study with this content, called as the file is; its name is not checked.

    Raises
    ------
    InputError
        For a key or a value that is none.
    """
    model = validated(StudyModel, content, path)
    for index, entry in enumerate(model.compare):
        check_name(entry.limit, registry(), path, f"compare.{index}.limit")
        parse(entry.observable, path, f"compare.{index}.observable")
    _check_lists(model, path)
    check_axes(model.grid, path, "grid")
    grids = []
    for index, given in enumerate(model.networks):
        key = f"networks.{index}.grid"
        grids.append(own_grid(model.grid, given.get("grid"), path, key))
        if "grid" in given:
            check_axes(grids[-1], path, key)
    _check_size(model, grids, path)
    networks = tuple(networks_of(model.networks, path))
    for index, network_model in networks:
        _check_network(network_model, grids[index], path, f"networks.{index}.")
    spec = model.record.layers
    return Study(
        name=path.stem,
        path=path,
        title=model.title,
        samples=model.samples * scale,
        compare=tuple(
            entry.model_copy(update={"observable": parse(entry.observable).name}) for entry in model.compare
        ),
        looks=figures_asked(model.figures, path),
        networks=tuple((network, grids[index]) for index, network in networks),
        layers_spec=tuple(spec) if isinstance(spec, list) else spec,
        gradients=model.record.gradients,
        output=model.record.output,
        growth=scaled_growth(model.growth, scale),
        network_entries=tuple(index for index, _ in networks),
    )


def _check_lists(model: StudyModel, where: Path) -> None:
    """Refuse lists that name a thing twice."""
    lists: dict[str, Any] = {"record.layers": model.record.layers}
    lists |= {f"compare.{index}.distances": entry.distances for index, entry in enumerate(model.compare)}
    lists["compare"] = [entry.model_dump(exclude_defaults=True) for entry in model.compare]
    lists["growth.times"] = model.growth.times if model.growth else []
    for key, values in lists.items():
        if isinstance(values, list):
            check_once(values, where, key)


def _extremes(points: tuple[Point, ...]) -> Iterator[Network]:
    """The networks that are hardest on an activation, for each of them: the least shaped, the deepest from
    the largest inputs if residual, and a zero at some width.
    """
    least: dict[Activation, Network] = {}
    deepest: dict[tuple[Activation, float], Network] = {}
    largest: dict[tuple[Activation, float], Network] = {}
    for point in points:
        network = point.network
        match network.activation:
            case ReluLike(c_plus, c_minus) if c_plus == c_minus:
                yield network
            case Smooth() | OrnsteinUhlenbeck() if network.residual:
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
    return min(layer.scale for layer in network.layer_kinds.values())


def _largest(network: Network) -> float:
    return max(network.gram[a][a] for a in range(network.inputs))


def _check_size(model: StudyModel, grids: Sequence[GridModel], where: Path) -> None:
    """Refuse a study with more points than anyone means, without expanding it."""
    total, largest, text = 0, 0, ""
    for entry, grid in zip(model.networks, grids, strict=True):
        networks = math.prod(len(each) for _, each in _lists(without_grid(entry)))
        count, sizes = size_of(grid)
        total += networks * count
        if networks * count > largest:
            largest, sizes = networks * count, sizes | {"networks": networks}
            text = " × ".join(f"{name} {size}" for name, size in sizes.items() if size > 1)
    if total > MAX_POINTS:
        raise InputError(where, "grid", f"<{total:,} points: {text}>", f"at most {MAX_POINTS:,} points")


def _check_blocks(study: Study) -> None:
    """Refuse more samples than can be planned, without naming a block."""
    sizes = [(len(family.variants), block_size(family.first.network)) for family in study.families]
    total = sum(points * -(-study.samples // size) for points, size in sizes)
    if total > MAX_BLOCKS:
        found = f"<{study.samples:,} of each point, {total:,} blocks in all>"
        raise InputError(
            study.path, "samples", found, f"so many that there are at most {MAX_BLOCKS:,} blocks"
        )


def _check_network(model: NetworkModel, grid: GridModel, where: Path, prefix: str) -> None:
    check_meant(model, where, prefix)
    for start in as_list(grid.start):
        check_start(start, model, where, "grid.start")
    for width in as_list(grid.width):
        if isinstance(width, list):
            check_layer_widths(width, model, where, "grid.width")
