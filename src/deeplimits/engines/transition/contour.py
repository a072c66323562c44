"""Densities of a ratio of sums over units, by Fourier's inversion along a contour.

For two inputs of a ReLU-like layer with correlation ρ, a unit's a = φ(u) and b = φ(v), and B = ½ (e^τ a² +
e^{−τ} b²), the sum of σab over the sum of B has at x the density

    g_τ(x) = (n/2πi) ∫ M(l)^{n−1} D(l) dl,    M = E e^{l q/(1−ρ²)},  D = E B e^{l q/(1−ρ²)},  q = σab − xB,

up to the scale of l, and M and D are sums of four closed forms, one for each pair of signs of u and v
(``lanes``). The contour is a vertical line near the minimum c of M, on it l = c + iω₀ sinh(bt)/b, and the
trapezoidal rule in t converges exponentially.
"""

from __future__ import annotations

import math
from typing import Any

from deeplimits.engines.contract.arithmetic import part, square_root
from deeplimits.engines.contract.shape import LANES
from deeplimits.engines.transition.lanes import even_sums, multiply, square, sums

_NEAR = 0.3
"""How far from the minimum, in ω₀, the contour may be, and ω₀ from its best, as a part of it."""
_ATTEMPTS, _PATIENCE = 100, 8
_PACE = 0.5
"""b: a contour is evenly paced where an integrand is Gaussian, and leaps where it has a tail."""
_BATCHES = 64
_FAR_BELOW = 12.0
"""Logarithm of what a density may be more than its (n − 1)-th power."""
_CUT = 1e-14
"""What is left out of the sum along a contour, as a part of it."""


@part
def paced(first: Any, size: Any, step: Any, pace: Any, rows: Any) -> None:
    """Rows 0 and 6 [lane]: ω at the nodes of a contour from ``first`` on, and dω/dt; ``pace`` is b."""
    more = math.exp(pace * step)
    growth = math.exp(pace * step * first)
    for lane in range(LANES):
        rows[0, lane] = 0.5 * (growth - 1.0 / growth) * size / pace
        rows[6, lane] = 0.5 * (growth + 1.0 / growth) * size
        growth = growth * more


@part
def _lanes(first: Any, c: Any, size: Any, step: Any, ratio: Any, pair: Any, rows: Any) -> None:
    """Rows of ``rows`` [row, lane] at the nodes from ``first`` on: ω, M, D, whether c is in the strip,
    dω/dt.
    """
    paced(first, size, step, _PACE, rows)
    x, grown, bent, steep = ratio
    rho, squared, apart, plus, minus, side = pair
    if plus * plus == minus * minus:
        even_sums(
            rows[0], rows[1], rows[2], rows[3], rows[4], rows[5],
            c, x, grown, 1.0 / grown, bent, steep, rho, squared, apart, plus, minus, side,
        )  # fmt: skip
    else:
        sums(
            rows[0], rows[1], rows[2], rows[3], rows[4], rows[5],
            c, x, grown, 1.0 / grown, bent, steep, rho, squared, apart, plus, minus, side,
        )  # fmt: skip


@part
def _powers(least: Any, units: Any, rows: Any) -> None:
    """Rows 7 and 8: (M / ``least``)^(n − 1); rows 9 and 10 are scratch."""
    for lane in range(LANES):
        rows[7, lane], rows[8, lane] = 1.0, 0.0
        rows[9, lane], rows[10, lane] = rows[1, lane] / least, rows[2, lane] / least
    left = units - 1
    while left > 0:
        if left & 1 == 1:
            multiply(rows[7], rows[8], rows[9], rows[10])
        square(rows[9], rows[10])
        left = left >> 1


@part
def density(
    start: Any,
    length: Any,
    ratio: Any,
    pair: Any,
    units: Any,
    step: Any,
    floor: Any,
    cut: Any,
    rows: Any,
) -> Any:
    """g_τ(x), c and ω₀: from guesses of both, by Newton's method, whose derivatives are those of M along the
    contour. Less than ``floor`` is nothing, and terms less than ``cut`` are left out of a sum.
    """
    c, known = start, 0.0
    factor = square_root(pair[1]) / 6.283185307179586
    least, better = 1.0, start
    for attempt in range(_ATTEMPTS):
        _lanes(0, c, length, step, ratio, pair, rows)
        least = rows[1, 0]
        if not (rows[5, 0] == 1.0 and least > 0.0):
            # beyond the strip: back towards a place that is in it, as 0 is
            c = 0.5 * (known + c)
            continue
        known = c
        if (units - 1) * math.log(least * factor) < math.log(floor) - _FAR_BELOW:
            return 0.0, c, length
        slope = rows[2, 1] / (rows[0, 1] * least)
        bent = units * (2.0 * (least - rows[1, 1]) / (rows[0, 1] * rows[0, 1] * least) - slope * slope)
        slope = units * slope
        if not bent > 0.0:
            length = 0.25 * length
            continue
        size = 1.0 / square_root(bent)
        # far from the minimum Newton's steps are too long
        move = -slope / (bent + abs(slope) * size * bent / square_root(float(units)))
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
        _powers(least, units, rows)
        last = 0.0
        for lane in range(LANES):
            real, imag = rows[7, lane] * rows[3, lane], rows[8, lane] * rows[4, lane]
            value, size = real - imag, abs(real) + abs(imag)
            total += 0.5 * rows[6, lane] * value if lane + first == 0 else rows[6, lane] * value
            last = rows[6, lane] * size
        if last < _CUT * abs(total) or last * scale < cut:
            break
    return total * scale, better, length
