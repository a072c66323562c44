"""The axes of a study: what every network runs over, and where a network has axes of its own."""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from deeplimits.errors import InputError
from deeplimits.sweep.models import DepthModel, GridModel
from deeplimits.sweep.validation import validated

LARGEST_DEPTH = 2**31 - 1
_INPUTS = ("correlation", "gram", "start")
"""Keys of which a grid has one."""


def as_list(value: Any) -> list[Any]:
    """The values of an axis, given as one, a list, or not at all."""
    return [] if value is None else value if isinstance(value, list) else [value]


def check_once(values: Sequence[Any], where: Path, key: str, expected: str = "each value once") -> None:
    """Refuse a list with one value twice: numbers that are equal are one value, however they are written.

    Raises
    ------
    InputError
        If there is one.
    """
    seen: set[Any] = set()
    for index, value in enumerate(values):
        plain = _plain(value)
        if plain in seen:
            shown = list(value) if isinstance(value, tuple) else value
            raise InputError(where, f"{key}.{index}", shown, expected)
        seen.add(plain)


def _plain(value: Any) -> Any:
    """Something that is equal for equal values; true is not 1."""
    if isinstance(value, list | tuple):
        return tuple(map(_plain, value))
    return repr(value) if isinstance(value, dict | bool) else value


def own_grid(shared: GridModel, own: Any, where: Path, key: str) -> GridModel:
    """The grid of a network: the study's, but for the keys that the network has of its own.

    Raises
    ------
    InputError
        If that is no grid.
    """
    if own is None:
        return shared
    if not isinstance(own, Mapping):
        raise InputError(where, key, own, "a mapping with keys of grid")
    kept = shared.model_dump(exclude_unset=True)
    if any(name in own for name in _INPUTS):
        kept = {name: value for name, value in kept.items() if name not in _INPUTS}
    return validated(GridModel, kept | dict(own), where, key)


def combinations(grid: GridModel) -> Iterator[tuple[int | list[int], int, float | None, float | None, int]]:
    """(width or widths, depth, correlation, start, seed) of every point of the grid."""
    axes: dict[str, list[Any]] = {
        "width": as_list(grid.width),
        "depth": [grid.depth] if isinstance(grid.depth, DepthModel) else as_list(grid.depth) or [None],
        "correlation": as_list(grid.correlation) or [None],
        "start": as_list(grid.start) or [None],
        "seed": as_list(grid.seed),
    }
    choices: Iterator[tuple[Any, ...]] = itertools.product(*axes.values())
    if grid.zip:
        choices = _in_step(axes, grid.zip)
    for width, depth, correlation, start, seed in choices:
        if not isinstance(width, int):
            yield width, len(width), correlation, start, seed
        elif isinstance(depth, int):
            yield width, depth, correlation, start, seed
        else:
            yield width, depth_of(depth, width), correlation, start, seed


def _in_step(axes: Mapping[str, list[Any]], zipped: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """Combinations, in the order of the axes, some of which are taken in step where the first of them is."""
    names = list(axes)
    groups = [[name] for name in names if name not in zipped] + [list(zipped)]
    groups.sort(key=lambda group: min(names.index(name) for name in group))
    order = list(itertools.chain.from_iterable(groups))
    pick = operator.itemgetter(*(order.index(name) for name in names))
    steps = [list(zip(*(axes[name] for name in group), strict=True)) for group in groups]
    for choice in itertools.product(*steps):
        yield pick(tuple(itertools.chain.from_iterable(choice)))


def depth_of(depth: int | DepthModel, width: int) -> int:
    """d at a width."""
    if isinstance(depth, int):
        return depth
    real = (
        depth.times_width * width
        if depth.times_width is not None
        else float(width) ** (depth.power_of_width or 1.0)
    )
    return max(1, math.floor(real + 0.5))


def size_of(grid: GridModel) -> tuple[int, dict[str, int]]:
    """Number of combinations and the length of each axis, without expanding them."""
    sizes = {
        name: len(as_list(getattr(grid, name))) or 1 for name in ("width", "correlation", "start", "seed")
    }
    sizes["depth"] = 1 if isinstance(grid.depth, DepthModel | None) else len(as_list(grid.depth))
    zipped = {sizes[name] for name in grid.zip}
    count = math.prod(size for name, size in sizes.items() if name not in grid.zip)
    return count * (zipped.pop() if zipped else 1), sizes


def check_axes(grid: GridModel, where: Path, key: str) -> None:
    """Refuse axes that are empty, of unequal length where they are taken in step, or that have a value twice,
    and unfit depths.

    Raises
    ------
    InputError
        If there is one.
    """
    for name in ("width", "depth", "correlation", "start", "seed"):
        if getattr(grid, name) == []:
            raise InputError(where, f"{key}.{name}", [], "at least one value")
    check_once(grid.zip, where, f"{key}.zip")
    for name in grid.zip:
        if not isinstance(getattr(grid, name), list):
            raise InputError(where, f"{key}.{name}", getattr(grid, name), "a list, since zip names this axis")
    lengths = {name: len(getattr(grid, name)) for name in grid.zip}
    if len(set(lengths.values())) > 1:
        raise InputError(where, f"{key}.zip", lengths, "axes of equal length")
    for name in ("width", "depth", "correlation", "start", "seed"):
        if name not in grid.zip and isinstance(getattr(grid, name), list):
            check_once(getattr(grid, name), where, f"{key}.{name}")
    steps = list(zip(*(getattr(grid, name) for name in grid.zip), strict=True))
    check_once(steps, where, f"{key}.zip", f"each combination of {', '.join(grid.zip)} once")

    for width in as_list(grid.width):
        _check_depth(grid.depth, width, where, key)


def _check_depth(
    depth: int | list[int] | DepthModel | None, width: int | list[int], where: Path, key: str
) -> None:
    """A depth where the width is a number; nothing but their number where it holds those of the layers."""
    if isinstance(width, int):
        if depth is None:
            raise InputError(where, f"{key}.depth", "<nothing>", "this key, which has no default")
        if isinstance(depth, DepthModel) and depth_of(depth, width) > LARGEST_DEPTH:
            deep = f"<a depth of {depth_of(depth, width):,} at width {width:,}>"
            raise InputError(where, f"{key}.depth", deep, f"depths up to {LARGEST_DEPTH:,}")
    elif depth is not None and any(value != len(width) for value in as_list(depth)):
        found = "<a function of the width>" if isinstance(depth, DepthModel) else depth
        expected = f"{len(width)}, the length of a width that is a list, or nothing"
        raise InputError(where, f"{key}.depth", found, expected)
