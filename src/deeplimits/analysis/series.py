"""Series of points: all is equal along one but the size, and it is along one alone that a rate is fitted.

The size is the width or the depth. What the grid ties to it goes along: the depth where it is a function of
the width, and a width, depth or seed that ``zip`` takes in step with it, so that every size may have a seed
of its own. Nothing else changes along a series: activation, shaping, inputs; seeds are not pooled.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from deeplimits.analysis.labels import label_of, number
from deeplimits.networks.network import Network
from deeplimits.sweep.axes import axes_of
from deeplimits.sweep.grid import combinations
from deeplimits.sweep.models import DepthModel, GridModel
from deeplimits.sweep.study import Study

if TYPE_CHECKING:
    import xarray as xr

Size = Literal["width", "depth"]
SIZES: tuple[Size, ...] = ("width", "depth")

_IN_STEP = "in step"
_GRIDDED = ("width", "depth", "gram", "seed")
"""What a key holds beside the rest of the canonical form, which never changes along a series."""
_TIED = ("width", "depth", "seed")
"""Axes that may go with the size; inputs that are taken in step with it are those of other series."""


@dataclass(frozen=True)
class Series:
    """The series of a study, by size.

    Attributes
    ----------
    of
        For each point, the index of its series.
    names
        For each series, what is so of all of its points: no two names are equal.
    """

    of: dict[Size, list[int]]
    names: dict[Size, list[str]]

    @classmethod
    def of_study(cls, study: Study) -> Series:
        """The series of a study's points."""
        found = {size: _series(study, size) for size in SIZES}
        return cls(
            {size: of for size, (of, _) in found.items()}, {size: names for size, (_, names) in found.items()}
        )

    def members(self, size: Size) -> list[list[int]]:
        """The points of each series."""
        members: list[list[int]] = [[] for _ in self.names[size]]
        for point, series in enumerate(self.of[size]):
            members[series].append(point)
        return members

    def dataset(self) -> xr.Dataset:
        """The names, as a group of the study store."""
        import xarray as xr

        return xr.Dataset({size: (f"{size}_series", np.array(self.names[size], str)) for size in SIZES})


def _series(study: Study, size: Size) -> tuple[list[int], list[str]]:
    """The series of each point, and their names."""
    networks = [point.network for point in study.points]
    grids = [grid for _, grid in study.networks for _ in combinations(grid)]
    moving = [_moving(network, grid, size) for network, grid in zip(networks, grids, strict=True)]
    keys = [_key(network, moves) for network, moves in zip(networks, moving, strict=True)]
    for tied in ("seed", "depth", "width", ""):
        for i in _at_a_size_again(networks, moving, keys):
            if tied:
                moving[i] = {name: how for name, how in moving[i].items() if name != tied or how != _IN_STEP}
            keys[i] = _key(networks[i], moving[i]) if tied else (*keys[i], i)
    index = {key: i for i, key in enumerate(dict.fromkeys(keys))}
    names: dict[int, str] = {}
    for network, moves, key in zip(networks, moving, keys, strict=True):
        if index[key] not in names:
            names[index[key]] = _name(network, moves)
    return [index[key] for key in keys], _distinguished(list(names.values()))


def _moving(network: Network, grid: GridModel, size: Size) -> dict[str, str]:
    """The axes that change with the size, the one that the others go with first: how they do."""
    function = isinstance(grid.depth, DepthModel)
    base = "width" if function else size
    tied = [name for name in _TIED if name != base and name in grid.zip and base in grid.zip]
    moving: dict[str, str] = {base: "", **dict.fromkeys(tied, _IN_STEP)}
    if isinstance(grid.depth, DepthModel) and not network.uneven:
        moving["depth"] = _rule(grid.depth)
    return moving


def _rule(depth: DepthModel) -> str:
    if depth.power_of_width is not None:
        return f"d = n^{number(depth.power_of_width)}"
    factor = depth.times_width or 1.0
    return "d = n" if factor == 1 else f"d = {number(factor)} n"


def _key(network: Network, moving: dict[str, str]) -> tuple[Hashable, ...]:
    """What is equal along a series, and nowhere else."""
    form = network.canonical_form()
    widths = _widths(network)
    kind = {name: value for name, value in form.items() if name not in _GRIDDED}
    return (
        json.dumps(kind, sort_keys=True),
        tuple(map(tuple, form["gram"])),
        ("in proportion", *_proportion(widths)) if "width" in moving else widths,
        moving.get("depth", form["depth"]),
        moving.get("seed", form["seed"]),
    )


def _widths(network: Network) -> tuple[int, ...]:
    """Units of each layer where they differ, or of all."""
    return (network.units,) if not network.uneven else network.widths


def _proportion(widths: tuple[int, ...]) -> tuple[int, ...]:
    """The least whole numbers in the proportion of the widths of layers, which is one along a series."""
    return tuple(units // math.gcd(*widths) for units in widths)


def _at_a_size_again(
    networks: list[Network], moving: list[dict[str, str]], keys: list[tuple[Hashable, ...]]
) -> list[int]:
    """The points of series in which one size is that of two points."""
    sizes: dict[tuple[Hashable, ...], list[int]] = {}
    for network, moves, key in zip(networks, moving, keys, strict=True):
        sizes.setdefault(key, []).append(
            max(_widths(network)) if "width" in next(iter(moves)) else network.depth
        )
    return [i for i, key in enumerate(keys) if len(set(sizes[key])) < len(sizes[key])]


def _name(network: Network, moving: dict[str, str]) -> str:
    """What is equal along the series of a network, in words."""
    axes, widths = axes_of(network), _widths(network)
    parts = [label_of(network), inputs_text(axes)]
    if "width" not in moving:
        parts.append(f"n = {_listed(widths)}")
    elif len(widths) > 1:
        parts.append(f"n in proportion {_listed(_proportion(widths))}")
    elif moving["width"]:
        parts.append("n in step with d")
    depth = moving.get("depth", f"d = {axes['depth']}")
    parts += ["d in step with n" if depth == _IN_STEP else depth] if depth else []
    parts.append("seeds in step" if "seed" in moving else f"seed {axes['seed']}")
    return "; ".join(parts)


def _listed(widths: tuple[int, ...], most: int = 8) -> str:
    return (
        f"{widths[0]}"
        if len(widths) == 1
        else str([*widths[:most]])[:-1] + ("]" if len(widths) <= most else ", …]")
    )


def inputs_text(axes: dict[str, Any]) -> str:
    """The inputs of a network in words, from its columns of ``sweep.axes``."""
    if axes["start"] == axes["start"]:
        return f"z₀ = {number(axes['start'])}"
    gram = json.loads(axes["gram"])
    if any(gram[a][a] != 1 for a in range(len(gram))) or len(gram) > 2:
        return f"V₀ = {axes['gram']}"
    return "one input" if len(gram) == 1 else f"ρ₀ = {number(gram[0][1])}"


def _distinguished(names: list[str]) -> list[str]:
    """The names, with a number where two of them are one."""
    times, seen = Counter(names), Counter[str]()
    told = []
    for name in names:
        seen[name] += 1
        told.append(name if times[name] == 1 else f"{name} ({seen[name]})")
    return told
