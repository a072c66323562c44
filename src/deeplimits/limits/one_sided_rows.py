"""The one-step kernel of a layer with a slope of 0 for all ρ ≥ 0 at once: a polynomial in w (``step_places``)
and ρ.

At equal w, which follow the middle and the breadth of a law, densities of y' from neighbouring y differ
little: some thirty to sixty of them, which ``one_sided`` makes, tell those of all rows. They are at
Chebyshev's nodes in y as long as laws have something near ρ' = 0, and beyond in θ = arccos ρ, of which the
law of y' − y is a smooth function up to θ = 0. So rows far out, where ρ' is 1 to any rounding, cost nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from threading import Lock

import numpy as np
from numpy.polynomial import chebyshev

from deeplimits.array_types import Array
from deeplimits.limits import kept_rows
from deeplimits.limits.one_sided import FARTHEST, Middle, everywhere, reach, transform_of
from deeplimits.limits.one_thread import in_threads
from deeplimits.limits.quadrature import interpolating, nodes

_RESOLVED = 1e-7
"""The last coefficients of densities in w, as a part of the largest: distances of laws are a tenth of it."""
_NODES, _BEYOND, _MOST = 90, 9, 64
"""In w; at first in θ; at last in y or θ."""
_FIRST, _MORE = 18, 2.2
"""At first in y, and for each unit of y."""
_MARGIN = 0.05


@dataclass(frozen=True)
class Layout:
    """Where the densities of a layer of ``units`` units are had.

    Parameters
    ----------
    turn
        y up to which laws have something near 0.
    below, above
        How far from the centre they have something: below, for y beyond ``turn``.
    """

    units: int
    turn: float
    below: float
    above: float

    @classmethod
    def of(cls, units: int) -> Layout:
        """The layout of a layer of ``units`` units."""
        below = Middle.of(FARTHEST, units).below
        turn = 0.0
        while Middle.of(turn, units).centre < below + _MARGIN:
            turn += 0.125
        above = max(reach(Middle.of(y, units)) for y in (0.0, 0.5, 1.0, 2.0, 4.0, 8.0))
        return cls(units, turn, below, above)

    def y(self, beyond: bool, part: Array) -> Array:
        """The coordinates at parts of the way, on either side of ``turn``."""
        if not beyond:
            return self.turn * part
        return -np.log(np.tan(self._furthest * np.maximum(part, _TINY) / 2))

    def part(self, beyond: bool, y: Array) -> Array:
        """The parts of the way at which coordinates are."""
        return 2 * np.arctan(np.exp(-y)) / self._furthest if beyond else y / self.turn

    @property
    def _furthest(self) -> float:
        """θ at ``turn``."""
        return 2 * float(np.arctan(np.exp(-self.turn)))


_TINY = 1e-12


@dataclass(frozen=True)
class Densities:
    """Densities in w of steps from all y on one side of the turn.

    Parameters
    ----------
    coefficients
        Chebyshev's [in y or θ, in w].
    ends
        Of h e^{−centre} at the last places [in y or θ].
    """

    layout: Layout
    beyond: bool
    coefficients: Array
    ends: Array

    def row(self, y: float, at: Array) -> Array:
        """The density of y' at places above 0, of a step from ``y``, without atoms [node]."""
        layout = self.layout
        middle = Middle.of(y, layout.units)
        places = middle.places(layout.above, onto_zero=not self.beyond, below=layout.below)
        t = 2 * layout.part(self.beyond, np.array([y])) - 1
        weights = chebyshev.chebvander(t, len(self.coefficients) - 1)[0]
        coefficients = weights @ self.coefficients

        def density(w: Array) -> Array:
            t = 2 * (w - places.low) / (places.high - places.low) - 1
            return np.asarray(chebyshev.chebval(t, coefficients) / places.slope(w))

        return everywhere(middle, places, at, density, float(weights @ self.ends))


def densities(layout: Layout, beyond: bool) -> Densities:
    """The densities on one side of the turn, computed in all threads."""
    count = _BEYOND if beyond else _FIRST + int(_MORE * layout.turn)
    while True:
        y = layout.y(beyond, (nodes(count) + 1) / 2)

        def found(each: float) -> tuple[Array, float]:
            return _density(layout, beyond, each)

        rows, ends = zip(*in_threads(found, y.tolist()), strict=True)
        coefficients = interpolating(count) @ np.array(rows) @ interpolating(_NODES).T
        largest = np.abs(coefficients).max()
        if np.abs(coefficients[-2:]).max() <= _RESOLVED * largest or count > _MOST:
            return Densities(layout, beyond, coefficients, interpolating(count) @ np.array(ends))
        count = int(1.4 * count)


def _density(layout: Layout, beyond: bool, y: float) -> tuple[Array, float]:
    """The density in w of a step from ``y`` at Chebyshev's nodes, and its end."""
    middle = Middle.of(y, layout.units)
    places = middle.places(layout.above, onto_zero=not beyond, below=layout.below)
    found = transform_of(middle, places, _NODES, refined=False)
    w = places.at((nodes(_NODES) + 1) / 2)
    return found.density(w) * places.slope(w), found.end * float(np.exp(-middle.centre))


class OneSided:
    """The kernel of layers of ``units`` units with a slope of 0: what its rows are made of, kept."""

    def __init__(self, units: int):
        self.units = units
        self._lock = Lock()
        self._layout: Layout | None = None
        self._sides: dict[bool, Densities] = {}

    def row(self, y: float, at: Array) -> Array:
        """The density of y' at places above 0, of a step from ``y`` ≥ 0, without atoms [node]."""
        return self._side(y).row(y, at)

    def ends(self, y: float) -> tuple[float, float]:
        """Between which places it has something."""
        side, centre = self._side(y), Middle.of(y, self.units).centre
        return centre - side.layout.below if side.beyond else 0.0, centre + side.layout.above

    def _side(self, y: float) -> Densities:
        with self._lock:
            if self._layout is None:
                self._made()
            assert self._layout is not None
            return self._sides[y >= self._layout.turn]

    def _made(self) -> None:
        key = ("correlation of one side", str(self.units))
        kept = kept_rows.read(key, Kept)
        if not kept:
            layout = Layout.of(self.units)
            kept = dict[int, Kept]()
            for beyond in (False, True) if layout.turn else (True,):
                side = densities(layout, beyond)
                kept[int(beyond)] = Kept(0, np.column_stack([side.ends, side.coefficients]))
            kept[_LAYOUT] = Kept(0, np.array([[layout.turn, layout.below, layout.above]]))
            kept_rows.write(key, kept)
        self._layout = layout = Layout(self.units, *map(float, kept.pop(_LAYOUT).values[0]))
        for number, each in kept.items():
            self._sides[bool(number)] = Densities(layout, bool(number), each.values[:, 1:], each.values[:, 0])


@dataclass(frozen=True)
class Kept:
    """Coefficients of one side of the turn, those of the end first; or a layout, under ``_LAYOUT``."""

    first: int
    values: Array


_LAYOUT = 2


@lru_cache(maxsize=32)
def one_sided(units: int) -> OneSided:
    """The kernel of layers like this, shared by all networks."""
    return OneSided(units)
