"""Networks of a study file whose leaves are lists: every choice of one value each."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deeplimits.errors import InputError
from deeplimits.sweep.grid import check_once
from deeplimits.sweep.network_models import NetworkModel, networks_as
from deeplimits.sweep.validation import validated


def without_grid(entry: dict[str, Any]) -> dict[str, Any]:
    """An entry of ``networks`` without axes of its own."""
    return {key: value for key, value in entry.items() if key != "grid"}


def _lists(entry: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], list[Any]]]:
    """Every leaf of a network that is a list: its path and values."""
    for key, value in entry.items():
        if isinstance(value, dict):
            yield from _lists(value, (*path, key))
        elif isinstance(value, list):
            yield (*path, key), value


def networks_of(entries: list[dict[str, Any]], where: Path) -> Iterator[tuple[int, NetworkModel]]:
    """The networks of every entry, with its index."""
    for index, whole in enumerate(entries):
        entry = without_grid(whole)
        axes = list(_lists(entry))
        for path, values in axes:
            if not values:
                raise InputError(where, f"networks.{index}." + ".".join(path), [], "at least one value")
            check_once(values, where, f"networks.{index}." + ".".join(path))
        for choice in itertools.product(*(values for _, values in axes)):
            chosen = _substituted(entry, {path: value for (path, _), value in zip(axes, choice, strict=True)})
            yield index, validated(networks_as(NetworkModel, chosen), chosen, where, f"networks.{index}")


def _substituted(entry: Any, values: dict[tuple[str, ...], Any], path: tuple[str, ...] = ()) -> Any:
    if path in values:
        return values[path]
    if isinstance(entry, dict):
        return {key: _substituted(value, values, (*path, key)) for key, value in entry.items()}
    return entry
