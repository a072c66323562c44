"""The CPU kernels of residual networks, for any number of inputs, and no weight matrix.

Given z_ℓ, the increments d^{-b} n^{-1/2} W φ(z_ℓ) of a unit's preactivations are N(0, d^{-2b} n^{-1} Φᵀ Φ), Φ
= φ(z_ℓ) [unit, input], and independent of those of other units: m normals a unit and layer. The state z is
kept unit by unit. An input is kept over √V_0, and a power of two besides, which its norm moves: a deep
network leaves float32's range only where it leaves all sense.

z_a − z_b is kept too, with increments of its own, and the factor of Φᵀ Φ is that of the directions of
``mlp_general`` with its carried 1 − ρ: nearly parallel inputs of equal growth keep their distance. Where two
inputs have grown so differently that their powers of two are not the same they are not nearly parallel, and
nothing is lost by forming their correlation from their inner product.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from deeplimits.engines.arithmetic import bits_float, f4, fma, i4, inline, kernel, square_root, u4
from deeplimits.engines.lanewise import Table, Vector, lanewise
from deeplimits.engines.mlp_general import activate, add_lanes, add_pair, difference_factor, gaps_after
from deeplimits.engines.mlp_kernels import DEAD, LANES, TILE, rescale, tree
from deeplimits.engines.normals import logarithm
from deeplimits.engines.philox import PURPOSE_FORWARD, sample_words
from deeplimits.engines.smooth_kernels import add_smooth_pair, evaluate, fill, scaled_root, units_per_lane
from deeplimits.engines.tables import LOWEST

SLOPES, SMOOTH, EXOTIC = 0, 1, 2
"""Kinds of branch activations: ReLU-like or the identity, smooth, that of the Ornstein–Uhlenbeck process."""
KINDS = 3

_EVERY = 8
"""Layers from one look at the norms to the next."""
_LARGE, _COMPANION = f4(2.0**60), f4(2.0**30)
"""A mean square beyond which a power of two is taken out; and beyond which that is done with others."""
_NEAR = 0.0625
"""D of a near pair, at most, over √S_a √S_b."""
_STEP = 30
"""The power of two."""
_APART = f4(np.inf)
"""D of a pair whose powers of two differ: it decides for the inner product."""
_MAGNITUDE, _FRACTION, _ONE = 0x7FFFFFFF, 0x007FFFFF, 0x3F800000
_LOWEST_BITS = (127 + LOWEST) << 23


@lanewise
def exotic(
    z: Vector,
    reach: Vector,
    offset: Vector,
    inverse: Vector,
    inside: Vector,
    table: Table,
    bits: Vector,
    phi: Vector,
    lanes: Vector,
) -> dict[str, Vector]:
    """exp(h⁻¹(v)²) / σ with v = z · reach + offset and 1 / σ in ``inverse``, 0 where ``inside`` is; the
    squares are added to ``lanes``.

    The first row of the table is in |v|, for |v| < 2^LOWEST; the others hold φ / |v| in the part of |v| / 2^e
    that lies within a cell, of which an octave has 2^bits.
    """
    size = (z.fma(reach, offset).bits() & _MAGNITUDE).bits()
    word = size.bits()
    far = (word > (_LOWEST_BITS - 1)).then(word - _LOWEST_BITS, 0)
    cell = far >> (23 - bits)
    within = ((((word & _FRACTION) << bits) & _FRACTION) >> bits) + _ONE
    near = size < 2.0**LOWEST
    t = near.then(size, within.bits() - 1.0)
    last = table.rows - 1
    c = table[near.then(0, (cell < last).then(cell + 1, last))]
    value = c[3].fma(t, c[2]).fma(t, c[1]).fma(t, c[0])
    product = (value * near.then(1.0, size)) * inverse * inside
    return {"phi": product, "lanes": product.fma(product, lanes)}


@lanewise
def add_difference(
    phi_a: Vector, phi_b: Vector, lanes_d: Vector, lanes_e: Vector, lanes_c: Vector
) -> dict[str, Vector]:
    """Add a pair's terms of D, E and C where only the activations are at hand."""
    difference = phi_a - phi_b
    return {
        "lanes_d": difference.fma(difference, lanes_d),
        "lanes_e": difference.fma(phi_a + phi_b, lanes_e),
        "lanes_c": phi_a.fma(phi_b, lanes_c),
    }


@lanewise
def add_square(z: Vector, lanes: Vector) -> dict[str, Vector]:
    """Add the squares of a state."""
    return {"lanes": z.fma(z, lanes)}


@lanewise
def add_states(
    difference: Vector, z_a: Vector, z_b: Vector, lanes_d: Vector, lanes_e: Vector, lanes_c: Vector
) -> dict[str, Vector]:
    """Add a pair's terms of D, E and C of its states."""
    return {
        "lanes_d": difference.fma(difference, lanes_d),
        "lanes_e": difference.fma(z_a + z_b, lanes_e),
        "lanes_c": z_a.fma(z_b, lanes_c),
    }


@lanewise
def multiply(z: Vector, factor: Vector) -> dict[str, Vector]:
    """z · factor."""
    return {"z": z * factor}


@lanewise
def subtract(difference: Vector, z_a: Vector, z_b: Vector) -> dict[str, Vector]:
    """z_a − z_b."""
    return {"difference": z_a - z_b}


@inline
def power(exponent: Any) -> Any:
    """2^exponent, float32."""
    return bits_float(i4((i4(exponent) + i4(127)) << i4(23)))


@inline
def log_mean(mantissa: Any, exponent: Any, power_of: Any, total: Any, width: Any) -> Any:
    """log(mantissa · 2^exponent · 4^power_of · total / width), −inf for a total of 0."""
    found, raised = rescale(mantissa, i4(exponent + i4(2) * power_of), total / f4(width))
    return logarithm(found, raised) if found > f4(0) else DEAD


def states(inputs: int) -> Callable[..., Any]:
    """A function of S_a of the states, then D, E and C of their pairs, into ``sums``."""
    pairs = inputs * (inputs - 1) // 2
    reduced = inputs + 3 * pairs

    @kernel
    def run(z: Any, apart: Any, lanes: Any, sums: Any) -> None:
        sums[:] = f4(0)
        padded = z.shape[1]
        for tile in range(0, padded, TILE):
            lanes[:] = f4(0)
            stop = min(padded, tile + TILE)
            for at in range(tile, stop, LANES):
                pair = 0
                for a in range(inputs):
                    add_square(z[a, at : at + LANES], lanes[a])
                    for b in range(a + 1, inputs):
                        add_states(
                            apart[pair, at : at + LANES],
                            z[a, at : at + LANES],
                            z[b, at : at + LANES],
                            lanes[inputs + pair],
                            lanes[inputs + pairs + pair],
                            lanes[inputs + 2 * pairs + pair],
                        )
                        pair += 1
            for at in range(reduced):
                sums[at] = sums[at] + tree(lanes[at])

    return run


def moved(inputs: int) -> Callable[..., Any]:
    """A function that takes powers of two out of the states, given S_a in ``sums``; whether it did.

    Inputs of one power that are large (or small) with one that is too large (or small) are moved with it, so
    that near ones stay together.
    """

    @kernel
    def run(z: Any, apart: Any, width: Any, sums: Any, power_of: Any, shift: Any) -> Any:
        found = False
        for a in range(inputs):
            shift[a] = i4(0)
        for a in range(inputs):
            mean = sums[a] / f4(width)
            if mean > _LARGE or (mean < f4(1) / _LARGE and mean > f4(0)):
                found = True
                for b in range(inputs):
                    other = sums[b] / f4(width)
                    if power_of[b] == power_of[a]:
                        if mean > f4(1) and other > _COMPANION:
                            shift[b] = i4(_STEP)
                        if mean < f4(1) and other < f4(1) / _COMPANION:
                            shift[b] = i4(-_STEP)
        if not found:
            return False
        for a in range(inputs):
            for at in range(0, z.shape[1], LANES):
                multiply(z[a, at : at + LANES], power(-shift[a]))
        pair = 0
        for a in range(inputs):
            for b in range(a + 1, inputs):
                if power_of[a] == power_of[b] and shift[a] == shift[b]:
                    for at in range(0, z.shape[1], LANES):
                        multiply(apart[pair, at : at + LANES], power(-shift[a]))
                pair += 1
        for a in range(inputs):
            power_of[a] = i4(power_of[a] + shift[a])
        return True

    return run


@inline
def near_pairs(sums: Any, inputs: Any, near: Any) -> None:
    """Which pairs have differences that need be carried: those that are small beside what they are of. Others
    are formed anew, for the rounding of what once was large does not shrink with it.
    """
    pair = 0
    for a in range(inputs):
        for b in range(a + 1, inputs):
            product = square_root(np.float64(sums[a])) * square_root(np.float64(sums[b]))
            near[pair] = i4(1) if np.float64(sums[inputs + pair]) < _NEAR * product else i4(0)
            pair += 1


@inline
def set_apart(sums: Any, power_of: Any, inputs: Any) -> None:
    """Decide for the inner product of pairs whose powers of two differ."""
    pair = inputs
    for a in range(inputs):
        for b in range(a + 1, inputs):
            if power_of[a] != power_of[b]:
                sums[pair] = _APART
            pair += 1


@inline
def settle(gaps: Any, width: Any) -> None:
    """One unit has but two directions."""
    if width == 1:
        for a in range(gaps.shape[0]):
            for b in range(gaps.shape[0]):
                gaps[a, b] = 2.0 if gaps[a, b] > 1.0 else 0.0


def residual_inputs(constant: int) -> Callable[..., None]:
    """The kernel for ``constant // KINDS`` inputs and the activation of kind ``constant % KINDS``; see
    ``mlp_kernels.single_input``, and ``resnet.scratch`` for the arguments after the outputs.
    """
    inputs, kind = divmod(constant, KINDS)
    pairs = inputs * (inputs - 1) // 2
    reduced = inputs + 3 * pairs
    units = units_per_lane(inputs)
    slots = 4 * ((inputs + 3) // 4)
    fill_normals, states_of, move = fill(inputs), states(inputs), moved(inputs)

    @kernel
    def run(
        key: Any,
        first: Any,
        width: Any,
        depth: Any,
        layers: Any,
        branch: Any,
        start: Any,
        slope_plus: Any,
        slope_minus: Any,
        mantissa_0: Any,
        exponent_0: Any,
        gap_0: Any,
        bits: Any,
        top: Any,
        table: Any,
        log_variance: Any,
        correlation_gap: Any,
        log_activation: Any,
        collapsed_at: Any,
        z: Any,
        apart: Any,
        inside: Any,
        vectors: Any,
        coefficients: Any,
        numbers: Any,
        whole: Any,
        matrices: Any,
        kept: Any,
        kept_reach: Any,
    ) -> None:
        normals, lanes = vectors[:slots], vectors[slots : slots + reduced]
        aux = vectors[slots + reduced : slots + reduced + inputs]
        phi = vectors[slots + reduced + inputs :]
        factor, differences = coefficients[:inputs], coefficients[inputs:]
        sums, of_states = numbers[:reduced], numbers[reduced : 2 * reduced]
        reach, inverse = numbers[2 * reduced : 2 * reduced + inputs], numbers[2 * reduced + inputs :]
        power_of, shift, near = whole[:inputs], whole[inputs : 2 * inputs], whole[2 * inputs :]
        gaps, rows, of_z = matrices[:inputs], matrices[inputs : 2 * inputs], matrices[2 * inputs :]
        k0, k1 = u4(key & np.uint64(0xFFFFFFFF)), u4(key >> np.uint64(32))
        padded = z.shape[1]
        for at in range(padded):
            # units are kept in the order in which lanes draw them
            group, rest = at // (units * LANES), at % (units * LANES)
            unit = group * (units * LANES) + units * (rest % LANES) + rest // LANES
            inside[at] = f4(1) if unit < width else f4(0)
        for row in range(log_variance.shape[0]):
            low, high = sample_words(np.int64(first) + row, PURPOSE_FORWARD)
            z[:] = f4(0)
            apart[:] = f4(0)
            near[:] = i4(1)
            pair = 0
            for a in range(inputs):
                power_of[a] = i4(0)
                collapsed_at[row, a] = i4(-1)
                reach[a] = scaled_root(mantissa_0[a], exponent_0[a], slope_plus)
                inverse[a] = f4(1) / scaled_root(mantissa_0[a], exponent_0[a], f4(1))
                gaps[a, a] = 0.0
                of_z[a, a] = 0.0
                for b in range(a + 1, inputs):
                    gaps[a, b] = np.float64(gap_0[pair])
                    gaps[b, a] = gaps[a, b]
                    pair += 1
            if start != f4(0):
                for at in range(padded):
                    z[0, at] = start * inside[at]
            record = 0
            for layer in range(depth + 1):
                # the directions of the activations, and what they are multiplied by
                difference_factor(gaps, rows)
                pair = 0
                for a in range(inputs):
                    size_a = branch * square_root(np.float64(sums[a])) if layer > 0 else 1.0
                    for column in range(inputs):
                        along = rows[a, column] + (1.0 if column == 0 else 0.0)
                        factor[a, column] = f4(size_a * along)
                    for b in range(a + 1, inputs):
                        size_b = branch * square_root(np.float64(sums[b])) if layer > 0 else 1.0
                        excess = 0.0
                        if layer > 0 and size_a + size_b > 0.0:
                            total = np.float64(sums[inputs + pairs + pair])
                            excess = branch * branch * total / (size_a + size_b)
                        if power_of[a] != power_of[b]:
                            excess = size_a - size_b
                        for column in range(inputs):
                            along = rows[b, column] + (1.0 if column == 0 else 0.0)
                            differences[pair, column] = f4(
                                fma(size_a, rows[a, column] - rows[b, column], excess * along)
                            )
                        pair += 1
                sums[:] = f4(0)
                for tile in range(0, padded, TILE):
                    lanes[:] = f4(0)
                    stop = min(padded, tile + TILE)
                    for group in range(tile, stop, units * LANES):
                        if layer > 0 or start == f4(0):
                            fill_normals(normals, group, width, layer, low, high, k0, k1)
                        else:
                            normals[:] = f4(0)
                        for unit in range(units):
                            drawn = normals[unit * inputs : (unit + 1) * inputs]
                            at = group + unit * LANES
                            end = at + LANES
                            for a in range(inputs):
                                for column in range(a + 1):
                                    add_lanes(factor[a, column], drawn[column], z[a, at:end])
                                if kind == SLOPES:
                                    activate(z[a, at:end], slope_plus, slope_minus, aux[a], phi[a], lanes[a])
                                elif kind == SMOOTH:
                                    evaluate(
                                        z[a, at:end], reach[a], table, bits, top, aux[a], phi[a], lanes[a]
                                    )
                                else:
                                    exotic(
                                        z[a, at:end],
                                        reach[a],
                                        slope_minus,
                                        inverse[a],
                                        inside[at:end],
                                        table,
                                        bits,
                                        phi[a],
                                        lanes[a],
                                    )
                            pair = 0
                            for a in range(inputs):
                                for b in range(a + 1, inputs):
                                    if near[pair] == 1:
                                        for column in range(b + 1):
                                            coefficient = differences[pair, column]
                                            add_lanes(coefficient, drawn[column], apart[pair, at:end])
                                    else:
                                        subtract(apart[pair, at:end], z[a, at:end], z[b, at:end])
                                    lanes_d = lanes[inputs + pair]
                                    lanes_e = lanes[inputs + pairs + pair]
                                    lanes_c = lanes[inputs + 2 * pairs + pair]
                                    if kind == SLOPES:
                                        add_pair(
                                            apart[pair, at:end],
                                            aux[a],
                                            aux[b],
                                            phi[a],
                                            phi[b],
                                            lanes_d,
                                            lanes_e,
                                            lanes_c,
                                        )
                                    elif kind == SMOOTH:
                                        add_smooth_pair(
                                            apart[pair, at:end],
                                            z[a, at:end],
                                            z[b, at:end],
                                            aux[a],
                                            aux[b],
                                            phi[a],
                                            phi[b],
                                            lanes_d,
                                            lanes_e,
                                            lanes_c,
                                        )
                                    else:
                                        add_difference(phi[a], phi[b], lanes_d, lanes_e, lanes_c)
                                    pair += 1
                    for at in range(reduced):
                        sums[at] = sums[at] + tree(lanes[at])
                set_apart(sums, power_of, inputs)
                near_pairs(sums, inputs, near)
                gaps_after(sums, inputs, gaps)
                settle(gaps, width)
                for a in range(inputs):
                    if collapsed_at[row, a] < 0 and not sums[a] > f4(0):
                        collapsed_at[row, a] = i4(layer)
                recorded = record < len(layers) and layers[record] == layer
                looked = layer % _EVERY == 0
                if recorded or looked:
                    states_of(z, apart, lanes, of_states)
                if recorded:
                    set_apart(of_states, power_of, inputs)
                    gaps_after(of_states, inputs, of_z)
                    settle(of_z, width)
                    pair = 0
                    for a in range(inputs):
                        log_variance[row, record, a] = log_mean(
                            mantissa_0[a], exponent_0[a], power_of[a], of_states[a], width
                        )
                        log_activation[row, record, a] = log_mean(
                            mantissa_0[a], exponent_0[a], power_of[a], sums[a], width
                        )
                        for b in range(a + 1, inputs):
                            correlation_gap[row, record, pair] = f4(of_z[a, b])
                            pair += 1
                    record += 1
                if kept.shape[0] > 0:
                    for a in range(inputs):
                        kept_reach[layer, a] = reach[a]
                        for at in range(padded):
                            kept[layer, a, at] = z[a, at]
                            if a > 0:
                                kept[layer, inputs + a - 1, at] = apart[a - 1, at]
                if looked and move(z, apart, width, of_states, power_of, shift):
                    pair = inputs + pairs
                    for a in range(inputs):
                        scale = power(-shift[a])
                        sums[a] = sums[a] * scale * scale
                        exponent = i4(exponent_0[a] + i4(2) * power_of[a])
                        reach[a] = scaled_root(mantissa_0[a], exponent, slope_plus)
                        inverse[a] = f4(1) / scaled_root(mantissa_0[a], exponent, f4(1))
                        for _ in range(a + 1, inputs):
                            sums[pair] = sums[pair] * scale * scale
                            pair += 1

    return run
