"""The kernels of the exact law of one layer, at places in y = artanh ρ.

``transforms`` integrates the densities g_τ of a ratio of sums over units (``contour``) over τ, by the
trapezoidal rule, which converges exponentially; ``abel`` inverts what it gives.
``limits.transition`` tells what is made of them.

These kernels make numbers of theory, not of the number contract: exp is that of the machine's library.
"""

from __future__ import annotations

import math
from typing import Any

from deeplimits.engines.contract.arithmetic import inline, kernel, part, square_root
from deeplimits.engines.transition.contour import density
from deeplimits.engines.transition.one_sided import parted_density

_ABSENT = 1e-15
"""Of h, which is nothing."""
_ABSENT_THERE = 1e-14
"""Of a term of h likewise where a slope is 0, as a part of h / cosh y."""
_LEFT_OUT = 1e-14
"""What is left out of the sum over τ, as a part of it."""
_FAR = 1.0
"""dθ/dτ far from where g is large: ρ' near 0 asks for steps shorter than 1."""


@inline
def hyperbolic(x: Any) -> Any:
    """sinh x and cosh x."""
    grown = math.exp(x)
    even = 0.5 * (grown + 1.0 / grown)
    squared = x * x
    odd = 0.5 * (grown - 1.0 / grown)
    if squared < 0.04:
        odd = squared / 72.0 * (1.0 + squared / 110.0)
        odd = x * (1.0 + squared / 6.0 * (1.0 + squared / 20.0 * (1.0 + squared / 42.0 * (1.0 + odd))))
    return odd, even


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
    silent: Any,
    step: Any,
    rows: Any,
) -> Any:
    """h(x) = x ∫₀^∞ g_τ(x) dτ at x = tanh ``at``, by the trapezoidal rule from where g is large on."""
    sinh_x, cosh_x = hyperbolic(at)
    sinh_y, cosh_y = hyperbolic(y)
    x, rho = sinh_x / cosh_x, sinh_y / cosh_y
    apart = hyperbolic(at - y)[0] / (cosh_x * cosh_y)
    pair = (rho, 1.0 / (cosh_y * cosh_y), apart, slopes[0], slopes[1], side)
    middle = 0.0
    if centre > at:
        root = square_root(0.5 * hyperbolic(centre - at)[0] / (hyperbolic(centre)[1] * sinh_x))
        middle = 2.0 * math.log(root + square_root(root * root + 1.0))
    # τ goes with θ = arsinh((τ − middle)/b) + arsinh((τ + middle)/b) + τ, odd as g is even
    pace = spacing * _paced(middle, middle, broad)[1]
    first = int(_paced(middle, middle, broad)[0] / pace)
    floor = _ABSENT / (x * broad)
    rough, left_out = floor, _LEFT_OUT
    if silent > 0.0:
        rough, left_out = _ABSENT_THERE * min(cosh_x, hyperbolic(centre)[1]) / x, _ABSENT_THERE
    # where a law has only little beyond its middle, units are of one pair of signs all, and that shifts s
    shifted = 0.0
    if slopes[0] * slopes[1] != 0.0:
        shifted = abs(math.log(abs(slopes[1] / slopes[0])))
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
            half = hyperbolic(0.5 * time)[0]
            here = (x, grown, 2.0 * half * half, 1.0 / (cosh_x * cosh_x))
            guess = c if number == first or few > 0 else 2.0 * c - before
            before = c
            cut = max(rough, left_out * total) / weight
            if silent > 0.0:
                rest = (rho, pair[1], apart)
                value, c, length = parted_density(
                    guess, length, here, rest, units, step, floor, cut, silent, rows
                )
            else:
                value, c, length = density(guess, length, here, pair, units, step, floor, cut, rows)
            if direction == 0 and number == first:
                first_c, first_length, before = c, length, c
            value = 0.5 * value * weight if number == 0 else value * weight
            total += value
            alternating += value if number & 1 == 0 else -value
            few = few + 1 if value <= left_out * total or value <= rough else 0
            if math.isnan(value) or ((few >= 2 or value == 0.0) and (direction == 1 or time >= shifted)):
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
    silent: Any,
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
    silent
        J of a unit with a = b = 0 (``one_sided``); 0 where there is none. Slopes are otherwise 1 and 0, and
        h is without what has no density.
    centre
        Where the law of y' (or of −y') has its middle.
    spacing
        Step in τ where g is large.
    broad
        How far from there steps are longer, in proportion.
    step
        Step in t of the contour.
    rows
        Scratch [28, 16].
    """
    for node in range(len(nodes)):
        out[node], alternating[node] = _over_times(
            nodes[node], centre, spacing, broad, y, (plus, minus), side, units, silent, step, rows
        )
