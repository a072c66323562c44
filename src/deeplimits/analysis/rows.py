"""What is kept of points: arrays by group and name, of one point [...] or of several [point, ...]."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Rows = Mapping[str, Mapping[str, NDArray[Any]]]
"""Arrays by group and name."""


def stacked(rows: Sequence[Rows]) -> dict[str, dict[str, NDArray[Any]]]:
    """Points one after another: a dimension in front."""
    return _each(rows, np.stack)


def joined(parts: Sequence[Rows]) -> dict[str, dict[str, NDArray[Any]]]:
    """Several points after several others."""
    return _each(parts, np.concatenate)


def chosen(rows: Rows, index: Any) -> dict[str, dict[str, NDArray[Any]]]:
    """Some of several points."""
    return {group: {name: array[index] for name, array in arrays.items()} for group, arrays in rows.items()}


def _each(parts: Sequence[Rows], join: Any) -> dict[str, dict[str, NDArray[Any]]]:
    return {
        group: {name: join([part[group][name] for part in parts]) for name in arrays}
        for group, arrays in parts[0].items()
    }
