"""Transition laws of one-dimensional diffusions dy = a(y) dt + dB, without sampling.

A law is solved in one step from its start, however far its time, by the contour integral of ``resolvents`` on
the nodes of ``meshes``; only where coefficients change with time is there a step for each piece, or where the
drift carries the law so far that no contour of ours serves. It depends on the diffusion, its start and its
own time alone: what else is asked for leaves no trace in it. What is solved is checked, where it has to
vanish, at its total mass and between its nodes, and solved again on a wider contour or finer nodes until it
holds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from deeplimits.array_types import Array
from deeplimits.laws import TabulatedLaw, Transform
from deeplimits.limits.solvers.arrivals import shortened
from deeplimits.limits.solvers.meshes import Reach, nodes_for, reach, smooth_nodes
from deeplimits.limits.solvers.resolvents import (
    CONTOURS,
    Arrival,
    Contour,
    Diffusion,
    Profile,
    Pulse,
    profile,
    summed,
)

_TOLERANCE = 1e-10
"""Of F where it is known."""
_NOISE = 1e-9
"""Of p in standard units where there is nothing."""
_BETWEEN = 1e-7
"""Of quantiles between nodes, in the coordinate, at levels of 1e-4 and more."""
_SUMMED = 1e-7
"""Of the mass of a smooth law, summed over the nodes of the next step."""
_ROUNDED = 1e-11
"""Of F between nodes, which is no error to speak of."""
_LEAST = 1e-4
"""Density, as a part of the largest, below which quantiles are not asked for."""
_REFINEMENTS = (1.0, 2.0, 4.0)
_ARRIVING = 2.0
"""How much finer nodes are where a law is carried past the first of them."""
_SWEPT = 15.0
"""Lengths 1 / a beyond a ceiling from which e^{−30} returns."""
_SPARSER = 4.0
"""How much longer steps may be for a smooth start than those it was solved on, twice as fine as a table."""
_SWEEPS = 12.0
"""Displacement by the drift, in standard deviations, from which a law is a pulse that passes."""
_CARRIED_OFF = 1e3
"""How much larger an error may be of what is left of a law that has been carried off, nearly all of it."""
_HALVINGS = 12
_NOTHING = 1e-11
"""Density, as a part of the largest, beyond which a table ends."""

Piece = tuple[float, Diffusion]
"""The end of a piece of time, and the diffusion up to there."""


def solve(
    diffusion: Diffusion, start: float, times: Sequence[float], transform: Callable[[float], Transform]
) -> list[TabulatedLaw]:
    """Laws of the diffusion at ``times`` (ascending, positive) from the coordinate ``start`` at time 0.

    Parameters
    ----------
    diffusion
        a and a'.
    start
        y_0.
    times
        Ascending and positive, in the unit of time of the diffusion.
    transform
        The observable as a function of the coordinate, at a time.

    Returns
    -------
    A law for each time, of the observable that ``transform`` makes of y.

    Raises
    ------
    ArithmeticError
        If no law can be had to the accuracy that is kept.

    Examples
    --------
    >>> import numpy as np
    >>> from deeplimits.laws import Transform
    >>> still = Diffusion(lambda y: (-y, -np.ones_like(y)))  # Ornstein and Uhlenbeck: dy = −y dt + dB
    >>> law = solve(still, 1.0, [0.5], lambda time: Transform.linear())[0]
    >>> round(law.mean, 6), round(law.std, 6)
    (0.606531, 0.562192)
    """
    return solve_in_pieces([(float("inf"), diffusion)], start, times, transform)


def solve_in_pieces(
    pieces: Sequence[Piece], start: float, times: Sequence[float], transform: Callable[[float], Transform]
) -> list[TabulatedLaw]:
    """As ``solve``, for coefficients that change with time: ``pieces`` are the end of each piece, ascending,
    and the diffusion up to there; the last one goes on beyond its end.

    Parameters
    ----------
    pieces
        (end, diffusion) of each piece, the ends ascending.
    start
        y_0.
    times
        Ascending and positive.
    transform
        The observable as a function of the coordinate, at a time.

    Returns
    -------
    A law for each time.

    Raises
    ------
    ArithmeticError
        If no law can be had to the accuracy that is kept.
    """
    laws: list[TabulatedLaw] = []
    begun, piece = 0.0, 0
    known: Profile | float = start
    for time in times:
        while piece < len(pieces) - 1 and time > pieces[piece][0] * (1 + 1e-12):
            end, diffusion = pieces[piece]
            known = carried(diffusion, known, end - begun, onward=True)
            begun, piece = end, piece + 1
        diffusion = pieces[piece][1]
        at_end = isinstance(known, Profile) and time <= begun * (1 + 1e-12)
        found = known if at_end else carried(diffusion, known, time - begun)
        assert isinstance(found, Profile)
        laws.append(tabulated(found, transform(time)))
    return laws


def tabulated(found: Profile, transform: Transform) -> TabulatedLaw:
    """The law of an observable from that of the coordinate."""
    cumulative = np.clip(np.maximum.accumulate(found.cumulative), 0.0, 1.0)
    return TabulatedLaw(found.nodes, cumulative, np.maximum(found.density, 0.0), found.slope, transform)


def carried(
    diffusion: Diffusion, start: Profile | float, time: float, *, onward: bool = False, halvings: int = 0
) -> Profile:
    """The law after ``time``, from a point or a smooth law; finer where it is to be carried ``onward``."""
    for finer in _REFINEMENTS[onward:]:
        if isinstance(start, Profile):
            found = _from_law(diffusion, start, time, finer)
        else:
            found = _from_point(diffusion, start, time, finer)
        if found is not None and _between(found):
            return found
    if halvings == _HALVINGS:
        raise ArithmeticError(f"a law after a time of {time} could not be solved")
    middle = carried(diffusion, start, time / 2, onward=True, halvings=halvings + 1)
    return carried(diffusion, middle, time / 2, onward=onward, halvings=halvings + 1)


def escaping(diffusion: Diffusion, start: float, time: float, ceiling: float) -> Profile:
    """The law from a point, up to ``ceiling``, of a diffusion that may explode above it: F tends to less than
    1.

    The drift at the ceiling lets next to nothing return from beyond.
    """
    height = np.array([ceiling])
    beyond = ceiling + _SWEPT / float(diffusion.drift(height)[0])
    for finer in _REFINEMENTS:
        found = _from_point(diffusion, start, time, finer, beyond)
        if found is not None:
            found = found.part(0, max(int(np.searchsorted(found.nodes, ceiling, side="right")), 2))
            if _between(found):
                return found
    raise ArithmeticError(f"a law that may explode, after a time of {time}, could not be solved")


def _from_point(
    diffusion: Diffusion, start: float, time: float, finer: float, ceiling: float = np.inf
) -> Profile | None:
    """As ``carried``, on nodes so many times finer; None where no contour serves."""
    point, arrival = start, None
    found = reach(diffusion, np.array([point]), np.ones(1), time, ceiling)
    if nearer := shortened(diffusion, point, found, time):
        point, arrival = nearer
        finer *= _ARRIVING
        found = reach(diffusion, np.array([point]), np.ones(1), time - arrival.mean(time), ceiling)
    nodes, at = nodes_for(found, point, finer)
    masses = np.zeros(len(nodes))
    masses[at] = 1.0
    return _solved(diffusion, nodes, masses, time, found, arrival, np.isfinite(ceiling))


def _from_law(diffusion: Diffusion, start: Profile, time: float, finer: float) -> Profile | None:
    weights = np.gradient(start.nodes)
    masses = np.maximum(start.density, 0.0) * weights
    found = reach(diffusion, start.nodes, masses, time)
    finest = np.interp(found.places, start.nodes, _SPARSER * weights)
    nodes, lengths = smooth_nodes(found, finest, time, finer)
    carried_on = _density(start, nodes) * lengths
    total = float(carried_on.sum())
    if abs(total - 1.0) > _SUMMED:
        return None
    return _solved(diffusion, nodes, carried_on / total, time, found)


def _solved(
    diffusion: Diffusion,
    nodes: Array,
    masses: Array,
    time: float,
    reached: Reach,
    arrival: Arrival | None = None,
    escapes: bool = False,
) -> Profile | None:
    start = int(np.argmax(masses)) + 1 if arrival is not None else 0
    for contour in _contours(0.0 if escapes else reached.displacement(time)):
        found = profile(diffusion, nodes, masses, time, contour, arrival)
        first, stop = start, len(nodes)
        if isinstance(contour, Pulse):
            low, high = np.searchsorted(nodes, reached.support)
            first, stop = max(first, int(low) - 1), int(high) + 1
        found = found.part(first, stop)
        if isinstance(contour, Pulse):
            found = summed(found)
        last = escapes and contour is CONTOURS[-1]
        if _vanishes(found, time, escapes, _CARRIED_OFF if last else 1.0):
            some = np.flatnonzero(found.density > _NOTHING * found.density.max())
            return found.part(int(some[0]), int(some[-1]) + 1)
    return None


def _contours(displacement: float) -> list[Contour | Pulse]:
    """Those that may serve, the cheapest first."""
    found: list[Contour | Pulse] = [contour for contour in CONTOURS if contour.reach >= displacement]
    return [Pulse(displacement), *(found or CONTOURS[-1:])] if displacement > _SWEEPS else found


def _vanishes(found: Profile, time: float, escapes: bool, times: float) -> bool:
    """Whether there is nothing at the ends, all of the mass between them unless some escapes at the upper
    one, and no negative density, to so many ``times`` the error that is taken.
    """
    scale = min(1 / max(float(found.density.max()), 1e-300), 3 * float(np.sqrt(time)))
    missing = 0.0 if escapes else abs(float(found.cumulative[-1]) - 1.0)
    noise = max(abs(float(found.density[0])), -float(found.density.min())) * scale
    wrong = max(abs(float(found.cumulative[0])), missing)
    return wrong <= times * _TOLERANCE and noise <= times * _NOISE


def _between(found: Profile) -> bool:
    """Whether F between nodes is what the table makes of it: left out every other node, it errs 2⁶ times as
    much.
    """
    y, cumulative, density, slope = found.nodes, found.cumulative, found.density, found.slope
    last = len(y) - 2 + len(y) % 2
    left, middle, right = slice(0, last - 1, 2), slice(1, last, 2), slice(2, last + 1, 2)
    width = y[right] - y[left]
    s = (y[middle] - y[left]) / width
    guess = hermite(
        s,
        (cumulative[left], density[left] * width, slope[left] * width**2),
        (cumulative[right], density[right] * width, slope[right] * width**2),
    )
    least = np.maximum(density[middle], _LEAST * density.max())
    return bool((np.abs(guess - cumulative[middle]) <= 64 * (_BETWEEN * least + _ROUNDED)).all())


def _density(found: Profile, y: Array) -> Array:
    """p at any coordinates, 0 beyond the nodes."""
    index = np.clip(np.searchsorted(found.nodes, y, side="right") - 1, 0, len(found.nodes) - 2)
    left, right = index, index + 1
    width = found.nodes[right] - found.nodes[left]
    value = hermite(
        (y - found.nodes[left]) / width,
        (found.density[left], found.slope[left] * width, found.curvature[left] * width**2),
        (found.density[right], found.slope[right] * width, found.curvature[right] * width**2),
    )
    return np.where((y < found.nodes[0]) | (y > found.nodes[-1]), 0.0, value)


def hermite(s: Array, left: tuple[Array, Array, Array], right: tuple[Array, Array, Array]) -> Array:
    """The polynomial of degree 5 in s with values, slopes and curvatures given at 0 and at 1."""
    (f0, d0, c0), (f1, d1, c1) = left, right
    jump = f1 - f0
    a3 = 10 * jump - 6 * d0 - 4 * d1 - (3 * c0 - c1) / 2
    a4 = -15 * jump + 8 * d0 + 7 * d1 + (3 * c0 - 2 * c1) / 2
    a5 = 6 * jump - 3 * (d0 + d1) - (c0 - c1) / 2
    return np.asarray(f0 + s * (d0 + s * (c0 / 2 + s * (a3 + s * (a4 + s * a5)))))
