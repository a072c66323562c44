"""What is kept of points: arrays by group and name, of one point [...] or of several [point, ...]."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Rows = Mapping[str, Mapping[str, NDArray[Any]]]
"""Arrays by group and name."""


def stacked(rows: Sequence[Rows]) -> Rows:
    """Points one after another: a dimension in front."""
    return _each(lambda *arrays: np.stack(arrays), *rows)


def merged(old: NDArray[np.bool_], kept: Rows, fresh: Rows) -> Rows:
    """Points of two kinds, each in their order: ``kept`` where ``old`` [point] is true."""

    def both(one: NDArray[Any], other: NDArray[Any]) -> NDArray[Any]:
        found = np.empty((len(old), *one.shape[1:]), one.dtype)
        found[old], found[~old] = one, other
        return found

    return _each(both, kept, fresh)


def bytes_of_point(rows: Rows) -> int:
    """Bytes of the arrays of one of several points."""
    return sum(array[:1].nbytes for arrays in rows.values() for array in arrays.values())


class Stream:
    """The points of several rows one after another, to be taken in any portions.

    Parameters
    ----------
    tell
        Called with how many points there are in rows that have come.
    """

    def __init__(self, rows: Iterator[Rows], tell: Callable[[float], None]) -> None:
        self._rows, self._tell, self._left = rows, tell, list[Rows]()

    def _next(self) -> Rows:
        rows = next(self._rows)
        self._tell(_size(rows))
        return rows

    def first(self) -> Rows:
        """The next rows, which stay."""
        if not self._left:
            self._left.append(self._next())
        return self._left[0]

    def take(self, points: int) -> Rows:
        """The next points."""
        held, parts = 0, []
        while held < points:
            rows = self._left.pop() if self._left else self._next()
            size, wanted = _size(rows), points - held
            if size > wanted:
                self._left.append(_each(lambda array: array[wanted:], rows))  # noqa: B023
                rows = _each(lambda array: array[:wanted], rows)  # noqa: B023
            parts.append(rows)
            held += _size(rows)
        return parts[0] if len(parts) == 1 else _each(lambda *arrays: np.concatenate(arrays), *parts)


def _size(rows: Rows) -> int:
    return len(next(iter(next(iter(rows.values())).values())))


def _each(function: Callable[..., NDArray[Any]], *rows: Rows) -> Rows:
    """A function of the arrays of each group and name."""
    return {
        group: {name: function(*(each[group][name] for each in rows)) for name in arrays}
        for group, arrays in rows[0].items()
    }
