"""The densities of ``contour`` for layers whose activation is 0 on one side, without what has no density.

A unit may have a and b, one of them, or none. Where no unit has both, P = 0, and where one has both beside
others that have none, ρ' = 1: with M = J_both + J_one + J of all kinds of units and R = J_one + J,
the integrand is

    M^{n−1} D − R^{n−1} D_one − J^{n−1} D_both = D_both (M − J) S(M, J) + D_one (M − R) S(M, R),

S(A, B) = Σ A^j B^{n−2−j}: of positive terms alone on the real axis, so that no digit is lost however small
it is.
"""

from __future__ import annotations

import math
from typing import Any

from deeplimits.engines.contract.arithmetic import part, square_root
from deeplimits.engines.contract.shape import LANES
from deeplimits.engines.transition.contour import paced
from deeplimits.engines.transition.one_sided_lanes import begun, doubled, finished, increased, parted_sums

_NEAR = 0.3
"""How far from the minimum, in ω₀, the contour may be, and ω₀ from its best, as a part of it."""
_PACE = 0.7
"""b of the contour: tails are those of a power where a unit may have none of a and b."""
_ATTEMPTS, _PATIENCE = 100, 8
_BATCHES = 64
_FAR_BELOW = 12.0
"""Logarithm of what a density may be more than its (n − 1)-th power."""
_CUT = 1e-14
"""What is left out of the sum along a contour, as a part of it."""


@part
def _lanes(first: Any, c: Any, size: Any, step: Any, ratio: Any, pair: Any, rows: Any) -> None:
    """Rows of ``rows`` [row, lane] at the nodes from ``first`` on: ω in 0, whether c is in the strip in 5,
    dω/dt in 6; J of units that have both and that have one from 11 on, and what they make of D from 15 on.
    """
    paced(first, size, step, _PACE, rows)
    x, grown, bent, steep = ratio
    rho, squared, apart = pair
    parted_sums(
        rows[0], rows[11], rows[12], rows[13], rows[14], rows[15], rows[16], rows[17], rows[18], rows[5],
        c, x, grown, 1.0 / grown, bent, steep, rho, squared, apart,
    )  # fmt: skip


@part
def _integrands(least: Any, units: Any, silent: Any, rows: Any) -> None:
    """Rows 7 and 8: what is integrated along a contour, by ``least``^(n − 1); rows from 19 on are scratch."""
    bit = 1
    while 2 * bit <= units - 1:
        bit = 2 * bit
    inverse = 1.0 / least
    begun(
        rows[19], rows[20], rows[21], rows[22], rows[23], rows[24], rows[25], rows[26], rows[27],
        rows[11], rows[12], rows[13], rows[14], inverse, silent,
    )  # fmt: skip
    left = bit >> 1
    while left > 0:
        doubled(rows[19], rows[20], rows[21], rows[22], rows[23], rows[24], rows[25], rows[26], rows[27])
        if (units - 1) & left != 0:
            increased(
                rows[19], rows[20], rows[21], rows[22], rows[23], rows[24], rows[25], rows[26], rows[27],
                rows[11], rows[12], rows[13], rows[14], inverse, silent,
            )  # fmt: skip
        left = left >> 1
    finished(
        rows[7], rows[8], rows[24], rows[25], rows[26], rows[27], rows[11], rows[12], rows[13], rows[14],
        rows[15], rows[16], rows[17], rows[18], inverse,
    )  # fmt: skip


@part
def parted_density(
    start: Any,
    length: Any,
    ratio: Any,
    pair: Any,
    units: Any,
    step: Any,
    floor: Any,
    cut: Any,
    silent: Any,
    rows: Any,
) -> Any:
    """g_τ(x) without atoms, c and ω₀: from guesses of both, by Newton's method on the logarithm of the
    integrand, whose derivatives are had along the contour. Less than ``floor`` is nothing.

    Parameters
    ----------
    pair
        ρ, 1 − ρ², x − ρ.
    cut
        How small terms are that are left out of it.
    silent
        J, what a unit without a and b makes of M.
    rows
        Scratch [28, 16].
    """
    factor = square_root(pair[1]) / 6.283185307179586
    usual = 0.3 / square_root(float(units))
    # whether a place has been found, where, ω₀ there; and a place that is of no use
    found, known, size, wall, walled = False, 0.0, usual, 0.0, False
    c, least, better, shrunk = start, 1.0, start, 0
    for attempt in range(_ATTEMPTS):
        _lanes(0, c, length, step, ratio, pair, rows)
        least = rows[11, 0] + rows[13, 0] + silent
        slope, bent = 0.0, 0.0
        within = rows[5, 0] == 1.0 and least > 0.0
        if within:
            if (units - 1) * math.log(least * factor) < math.log(floor) - _FAR_BELOW:
                return 0.0, c, length
            _integrands(least, units, silent, rows)
            slope = rows[8, 1] / (rows[0, 1] * rows[7, 0])
            bent = 2.0 * (rows[7, 0] - rows[7, 1]) / (rows[0, 1] * rows[0, 1] * rows[7, 0]) - slope * slope
        if within and not bent > 0.0 and shrunk < _PATIENCE:
            length, shrunk = 0.25 * length, shrunk + 1
            continue
        if not bent > 0.0:
            # beyond the strip: back towards a place that is in it, as 0 is
            if c == 0.0:
                return math.nan, c, length
            wall, walled, shrunk = c, True, 0
            c, length = (0.5 * (known + c), min(length, size)) if found else (0.0, usual)
            continue
        found, known, size, shrunk = True, c, 1.0 / square_root(bent), 0
        # far from the minimum Newton's steps are too long
        move = -slope / (bent + abs(slope) * size * bent / square_root(float(units)))
        if walled and (wall - c) * move > 0.0 and abs(move) > 0.5 * abs(wall - c):
            move = 0.5 * (wall - c)
        better = c + move
        if abs(move) < _NEAR * size and abs(length / size - 1.0) < _NEAR:
            break
        if attempt > _PATIENCE and abs(move) < size and length < 4.0 * size and size < 4.0 * length:
            break
        if attempt == _ATTEMPTS - 1:
            return math.nan, c, length
        length = min(max(size, 0.1 * length), 10.0 * length)
        c = better
    total, first = 0.0, 0
    scale = units * step / math.pi * factor * math.exp((units - 1) * math.log(least * factor))
    for batch in range(_BATCHES):
        if batch > 0:
            first = batch * LANES
            _lanes(first, c, length, step, ratio, pair, rows)
            _integrands(least, units, silent, rows)
        last = 0.0
        for lane in range(LANES):
            value = rows[6, lane] * rows[7, lane]
            total += 0.5 * value if lane + first == 0 else value
            last = rows[6, lane] * (abs(rows[7, lane]) + abs(rows[8, lane]))
        if last < _CUT * abs(total) or last * scale < cut:
            break
    return total * scale, better, length
