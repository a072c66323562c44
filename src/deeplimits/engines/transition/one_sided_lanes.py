"""M and D of the kernel of a layer whose activation is 0 on one side, by how many of a and b a unit has; and
differences of powers of them.
"""

from __future__ import annotations

from deeplimits.engines.contract.lanewise import Vector, lanewise
from deeplimits.engines.transition.lanes import Complex, Ratio, quadrant


@lanewise
def parted_sums(
    imag: Vector,
    both: Vector,
    both_imag: Vector,
    one: Vector,
    one_imag: Vector,
    both_weighted: Vector,
    both_weighted_imag: Vector,
    one_weighted: Vector,
    one_weighted_imag: Vector,
    inside: Vector,
    real: Vector,
    x: Vector,
    grown: Vector,
    shrunk: Vector,
    bent: Vector,
    steep: Vector,
    rho: Vector,
    square: Vector,
    apart: Vector,
) -> dict[str, Vector]:
    """What units make of M and of D at l = ``real`` + i ``imag`` that have a and b, and that have one of
    them, up to a common factor; ``inside`` is 1 where a real l is within the strip of M. Slopes are 1 and 0.
    """
    full, none = real.like(1.0), real.like(0.0)
    of = Ratio(x, grown, shrunk, bent, steep, rho, square, apart, full)
    place = Complex(real, imag)
    common, by_a, by_b, within = quadrant(place, full, full, True, of)
    first, of_first, _, valid = quadrant(place, full, none, False, of)
    second, _, of_second, also = quadrant(place, none, full, False, of)
    weight, lone, lone_weight = by_a + by_b, first + second, of_first + of_second
    return {
        "both": common.real,
        "both_imag": common.imag,
        "one": lone.real,
        "one_imag": lone.imag,
        "both_weighted": weight.real,
        "both_weighted_imag": weight.imag,
        "one_weighted": lone_weight.real,
        "one_weighted_imag": lone_weight.imag,
        "inside": (within & valid & also & (imag >= -1.0)).then(full, 0.0),
    }


@lanewise
def begun(
    power: Vector,
    power_imag: Vector,
    low: Vector,
    low_imag: Vector,
    dead: Vector,
    to_low: Vector,
    to_low_imag: Vector,
    to_dead: Vector,
    to_dead_imag: Vector,
    both: Vector,
    both_imag: Vector,
    one: Vector,
    one_imag: Vector,
    inverse: Vector,
    silent: Vector,
) -> dict[str, Vector]:
    """First powers of M, R and J, times ``inverse``, and S₁ = 1."""
    return {
        "power": (both + one + silent) * inverse,
        "power_imag": (both_imag + one_imag) * inverse,
        "low": (one + silent) * inverse,
        "low_imag": one_imag * inverse,
        "dead": silent * inverse,
        "to_low": both.like(1.0),
        "to_low_imag": both.like(0.0),
        "to_dead": both.like(1.0),
        "to_dead_imag": both.like(0.0),
    }


@lanewise
def doubled(
    power: Vector,
    power_imag: Vector,
    low: Vector,
    low_imag: Vector,
    dead: Vector,
    to_low: Vector,
    to_low_imag: Vector,
    to_dead: Vector,
    to_dead_imag: Vector,
) -> dict[str, Vector]:
    """Powers of twice the exponent: S_{2m} = S_m (M^m + B^m)."""
    whole, lacking = Complex(power, power_imag), Complex(low, low_imag)
    onto_low = Complex(to_low, to_low_imag) * (whole + lacking)
    onto_dead = Complex(to_dead, to_dead_imag) * whole.plus(dead)
    whole, lacking = whole * whole, lacking * lacking
    return {
        "power": whole.real,
        "power_imag": whole.imag,
        "low": lacking.real,
        "low_imag": lacking.imag,
        "dead": dead * dead,
        "to_low": onto_low.real,
        "to_low_imag": onto_low.imag,
        "to_dead": onto_dead.real,
        "to_dead_imag": onto_dead.imag,
    }


@lanewise
def increased(
    power: Vector,
    power_imag: Vector,
    low: Vector,
    low_imag: Vector,
    dead: Vector,
    to_low: Vector,
    to_low_imag: Vector,
    to_dead: Vector,
    to_dead_imag: Vector,
    both: Vector,
    both_imag: Vector,
    one: Vector,
    one_imag: Vector,
    inverse: Vector,
    silent: Vector,
) -> dict[str, Vector]:
    """Powers of the next exponent: S_{m+1} = M S_m + B^m."""
    first = Complex((both + one + silent) * inverse, (both_imag + one_imag) * inverse)
    least = Complex((one + silent) * inverse, one_imag * inverse)
    whole, lacking = Complex(power, power_imag), Complex(low, low_imag)
    onto_low = first * Complex(to_low, to_low_imag) + lacking
    onto_dead = (first * Complex(to_dead, to_dead_imag)).plus(dead)
    whole, lacking = whole * first, lacking * least
    return {
        "power": whole.real,
        "power_imag": whole.imag,
        "low": lacking.real,
        "low_imag": lacking.imag,
        "dead": dead * silent * inverse,
        "to_low": onto_low.real,
        "to_low_imag": onto_low.imag,
        "to_dead": onto_dead.real,
        "to_dead_imag": onto_dead.imag,
    }


@lanewise
def finished(
    real: Vector,
    imag: Vector,
    to_low: Vector,
    to_low_imag: Vector,
    to_dead: Vector,
    to_dead_imag: Vector,
    both: Vector,
    both_imag: Vector,
    one: Vector,
    one_imag: Vector,
    both_weighted: Vector,
    both_weighted_imag: Vector,
    one_weighted: Vector,
    one_weighted_imag: Vector,
    inverse: Vector,
) -> dict[str, Vector]:
    """D_both (M − J) S(M, J) + D_one (M − R) S(M, R), times ``inverse``^(n − 1)."""
    common, lone = Complex(both, both_imag), Complex(one, one_imag)
    found = Complex(both_weighted, both_weighted_imag) * (common + lone) * Complex(to_dead, to_dead_imag)
    found = found + Complex(one_weighted, one_weighted_imag) * common * Complex(to_low, to_low_imag)
    found = found.times(inverse)
    return {"real": found.real, "imag": found.imag}
