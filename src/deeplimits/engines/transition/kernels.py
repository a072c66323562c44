"""The kernel of the exact law of one layer: densities of a ratio of sums over units, by Fourier's inversion.

For two inputs of a ReLU-like layer with correlation ρ, a unit's a = φ(u) and b = φ(v), and B = ½ (e^τ a² +
e^{−τ} b²), the sum of σab over the sum of B has at x the density

    g_τ(x) = (n/2πi) ∫ M(l)^{n−1} D(l) dl,    M = E e^{l q/(1−ρ²)},  D = E B e^{l q/(1−ρ²)},  q = σab − xB,

up to the scale of l, and M and D are sums of four closed forms, one for each pair of signs of u and v
(``lanes``); ``limits.transition`` tells what is made of them. The contour is a vertical line near
the minimum c of M, on it l = c + iω₀ sinh(bt)/b, and the trapezoidal rule in t and in τ converges
exponentially.

These kernels make numbers of theory, not of the number contract: exp is that of the machine's library.
"""

from __future__ import annotations

import math
from typing import Any

from deeplimits.engines.contract.arithmetic import inline, kernel, part, square_root
from deeplimits.engines.contract.shape import LANES
from deeplimits.engines.transition.lanes import multiply, square, sums

_NEAR = 0.3
"""How far from the minimum, in ω₀, the contour may be, and ω₀ from its best, as a part of it."""
_ATTEMPTS, _PATIENCE = 100, 8
_LEAST = 1e-16
_BEND = 0.4
"""b: a contour is evenly paced where an integrand is Gaussian, and leaps where it has a tail."""
_BATCHES = 64
_ABSENT = 1e-16
"""Of h, which is nothing."""
_FAR_BELOW = 12.0
"""Logarithm of what a density may be more than its (n − 1)-th power."""
_CUT, _LEFT_OUT = 1e-14, 1e-15
"""What is left out of sums along a contour and over τ, as a part of them."""


@inline
def _hyperbolic(x: Any) -> Any:
    """sinh x and cosh x."""
    grown = math.exp(x)
    even = 0.5 * (grown + 1.0 / grown)
    squared = x * x
    odd = 0.5 * (grown - 1.0 / grown)
    if squared < 0.04:
        odd = squared / 72.0 * (1.0 + squared / 110.0)
        odd = x * (1.0 + squared / 6.0 * (1.0 + squared / 20.0 * (1.0 + squared / 42.0 * (1.0 + odd))))
    return odd, even


@part
def _lanes(first: Any, c: Any, size: Any, step: Any, ratio: Any, pair: Any, rows: Any) -> None:
    """Rows of ``rows`` [row, lane] at the nodes from ``first`` on: ω, M, D, whether c is in the strip, dω/dt;
    and from row 11 on what units make of M and D of which a or b is 0.
    """
    more = math.exp(_BEND * step)
    growth = math.exp(_BEND * step * first)
    for lane in range(LANES):
        rows[0, lane] = 0.5 * (growth - 1.0 / growth) * size / _BEND
        rows[6, lane] = 0.5 * (growth + 1.0 / growth) * size
        growth = growth * more
    x, grown, bent, steep = ratio
    rho, squared, apart, plus, minus, side = pair
    sums(
        rows[0], rows[1], rows[2], rows[3], rows[4], rows[5], rows[11], rows[12], rows[13], rows[14],
        c, x, grown, 1.0 / grown, bent, steep, rho, squared, apart, plus, minus, side,
    )  # fmt: skip


@part
def _raised(real: Any, imag: Any, least: Any, power: Any, out: Any, out_imag: Any, rows: Any) -> None:
    """``out``: (real + i imag) / ``least`` to a whole ``power`` [lane]; rows 9 and 10 are scratch."""
    for lane in range(LANES):
        out[lane], out_imag[lane] = 1.0, 0.0
        rows[9, lane], rows[10, lane] = real[lane] / least, imag[lane] / least
    left = power
    while left > 0:
        if left & 1 == 1:
            multiply(out, out_imag, rows[9], rows[10])
        square(rows[9], rows[10])
        left = left >> 1


@part
def _powers(least: Any, units: Any, parted: Any, rows: Any) -> None:
    """Rows 7 and 8: (M / ``least``)^(n − 1); rows 15 and 16 that of the units of which a or b is 0."""
    _raised(rows[1], rows[2], least, units - 1, rows[7], rows[8], rows)
    if parted:
        _raised(rows[11], rows[12], least, units - 1, rows[15], rows[16], rows)


@inline
def _whole(lane: Any, least: Any, rows: Any) -> Any:
    """(M^n − rest^n) / ``least``^n, a transform of P − xB where some unit has a and b."""
    real = rows[7, lane] * rows[1, lane] - rows[8, lane] * rows[2, lane]
    imag = rows[7, lane] * rows[2, lane] + rows[8, lane] * rows[1, lane]
    real -= rows[15, lane] * rows[11, lane] - rows[16, lane] * rows[12, lane]
    imag -= rows[15, lane] * rows[12, lane] + rows[16, lane] * rows[11, lane]
    return real / least, imag / least


@part
def _derivatives(units: Any, parted: Any, rows: Any) -> Any:
    """The first two derivatives of n log M at c, along the contour: or of log (M^n − rest^n)."""
    least, omega = rows[1, 0], rows[0, 1]
    if not parted:
        slope = rows[2, 1] / (omega * least)
        return units * slope, units * (2.0 * (least - rows[1, 1]) / (omega * omega * least) - slope * slope)
    _powers(least, units, parted, rows)
    here, _ = _whole(0, least, rows)
    real, imag = _whole(1, least, rows)
    slope = imag / (omega * here)
    return slope, 2.0 * (here - real) / (omega * omega * here) - slope * slope


@part
def _density(
    start: Any,
    length: Any,
    ratio: Any,
    pair: Any,
    units: Any,
    step: Any,
    floor: Any,
    parted: Any,
    rows: Any,
) -> Any:
    """g_τ(x), c and ω₀: from guesses of both, by Newton's method, whose derivatives are those of M along the
    contour. Less than ``floor`` is nothing.
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
        slope, bent = _derivatives(units, parted, rows)
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
        if batch > 0 or not parted:
            _powers(least, units, parted, rows)
        last = 0.0
        for lane in range(LANES):
            real, imag = rows[7, lane] * rows[3, lane], rows[8, lane] * rows[4, lane]
            value, size = real - imag, abs(real) + abs(imag)
            if parted:
                value -= rows[15, lane] * rows[13, lane] - rows[16, lane] * rows[14, lane]
                size = abs(value)
            total += 0.5 * rows[6, lane] * value if lane + first == 0 else rows[6, lane] * value
            last = rows[6, lane] * size
        if last < _CUT * abs(total) or last * scale < floor:
            break
    return total * scale, better, length


_FAR = 1.0
"""dθ/dτ far from where g is large: ρ' near 0 asks for steps shorter than 1."""


@inline
def _paced(time: Any, middle: Any, broad: Any) -> Any:
    """θ of τ, and dθ/dτ."""
    below, above = (time - middle) / broad, (time + middle) / broad
    one, two = square_root(below * below + 1.0), square_root(above * above + 1.0)
    lower = math.log(below + one) if below >= 0.0 else -math.log(one - below)
    upper = math.log(above + two)
    return lower + upper + _FAR * time, (1.0 / one + 1.0 / two) / broad + _FAR


@part
def _over_times(
    at: Any,
    centre: Any,
    spacing: Any,
    broad: Any,
    y: Any,
    slopes: Any,
    side: Any,
    units: Any,
    step: Any,
    rows: Any,
) -> Any:
    """h(x) = x ∫₀^∞ g_τ(x) dτ at x = tanh ``at``, by the trapezoidal rule from where g is large on."""
    sinh_x, cosh_x = _hyperbolic(at)
    sinh_y, cosh_y = _hyperbolic(y)
    x, rho = sinh_x / cosh_x, sinh_y / cosh_y
    apart = _hyperbolic(at - y)[0] / (cosh_x * cosh_y)
    pair = (rho, 1.0 / (cosh_y * cosh_y), apart, slopes[0], slopes[1], side)
    middle = 0.0
    if centre > at:
        root = square_root(0.5 * _hyperbolic(centre - at)[0] / (_hyperbolic(centre)[1] * sinh_x))
        middle = 2.0 * math.log(root + square_root(root * root + 1.0))
    # τ goes with θ = arsinh((τ − middle)/b) + arsinh((τ + middle)/b) + τ, odd as g is even
    pace = spacing * _paced(middle, middle, broad)[1]
    first = int(_paced(middle, middle, broad)[0] / pace)
    floor = _ABSENT / (x * broad)
    parted = slopes[0] * slopes[1] == 0.0
    total, alternating = 0.0, 0.0
    first_c, first_length = 0.0, 0.3 / square_root(float(units))
    for direction in range(2):
        c, before, length = first_c, first_c, first_length
        number = first if direction == 0 else first - 1
        few, time = 0, middle
        while number >= 0:
            for _ in range(30):
                reached, slope = _paced(time, middle, broad)
                change = (number * pace - reached) / slope
                time = max(time + change, 0.0)
                if abs(change) < 1e-15 * (broad + time):
                    break
            weight = 1.0 / _paced(time, middle, broad)[1]
            grown = math.exp(time)
            half = _hyperbolic(0.5 * time)[0]
            here = (x, grown, 2.0 * half * half, 1.0 / (cosh_x * cosh_x))
            guess = c if number == first or few > 0 else 2.0 * c - before
            before = c
            value, c, length = _density(guess, length, here, pair, units, step, floor, parted, rows)
            if direction == 0 and number == first:
                first_c, first_length, before = c, length, c
            value = 0.5 * value * weight if number == 0 else value * weight
            total += value
            alternating += value if number & 1 == 0 else -value
            few = few + 1 if value <= _LEFT_OUT * total or value <= floor else 0
            if few == 2 or value == 0.0 or math.isnan(value):
                break
            number += 1 if direction == 0 else -1
    return x * total * pace, x * alternating * pace


@kernel
def transforms(
    y: Any,
    plus: Any,
    minus: Any,
    side: Any,
    units: Any,
    centre: Any,
    spacing: Any,
    broad: Any,
    step: Any,
    nodes: Any,
    out: Any,
    alternating: Any,
    rows: Any,
) -> None:
    """Fill ``out`` [node] with h at x = tanh of ``nodes`` [node], all positive; and ``alternating`` with the
    sum over τ of terms of alternating sign, which is the error of the rule of twice the spacing.

    Parameters
    ----------
    y
        artanh ρ before the layer.
    side
        σ: 1 for ρ' > 0, −1 for the law of −ρ' > 0.
    centre
        Where the law of y' (or of −y') has its middle.
    spacing
        Step in τ where g is large.
    broad
        How far from there steps are longer, in proportion.
    step
        Step in t of the contour.
    rows
        Scratch [17, 16].
    """
    for node in range(len(nodes)):
        out[node], alternating[node] = _over_times(
            nodes[node], centre, spacing, broad, y, (plus, minus), side, units, step, rows
        )


@kernel
def densities(
    low: Any, high: Any, graded: Any, slope: Any, points: Any, weights: Any, nodes: Any, out: Any
) -> None:
    """Fill ``out`` [node] with the density of y' at ``nodes`` [node], between ``low`` and ``high``: the Abel
    transform −(2/π) ∫ h'(x) dx / √(x² − r²), times dr/dy.

    Parameters
    ----------
    graded
        p where places are ``low`` + (``high`` − ``low``) u^p and ``slope`` is a polynomial of 2u − 1: 1 or 2.
    slope
        Chebyshev coefficients of u^{p − 1} dh/dy [power].
    points, weights
        Gauss' rule on [0, 1].
    """
    for node in range(len(nodes)):
        at = nodes[node]
        sinh_r, cosh_r = _hyperbolic(at)
        total = 0.0
        for point in range(len(points)):
            z = points[point]
            beyond = (high - at) * z * z
            place = at + beyond
            sinh_x, cosh_x = _hyperbolic(place)
            far = _hyperbolic(beyond)[0] / (cosh_x * cosh_r)
            far = far * (sinh_x / cosh_x + sinh_r / cosh_r)
            part_ = (place - low) / (high - low)
            u = 1.0
            if graded == 2:
                u = part_ = square_root(part_)
            t = 2.0 * part_ - 1.0
            last, value = 0.0, 0.0
            for power in range(len(slope) - 1, 0, -1):
                last, value = value, slope[power] + 2.0 * t * value - last
            value = (slope[0] + t * value - last) / u
            total += weights[point] * z * value / square_root(far)
        out[node] = -(4.0 / math.pi) * (high - at) * total / (cosh_r * cosh_r)
