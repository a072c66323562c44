"""A layer of a residual network, for any number of inputs, and no weight matrix.

Given z_ℓ, the increments d^{-b} n^{-1/2} W φ(z_ℓ) of a unit's preactivations are N(0, d^{-2b} n^{-1} Φᵀ Φ), Φ
= φ(z_ℓ) [unit, input], and independent of those of other units: m normals a unit and layer. z_a − z_b has
increments of its own, and the factor of Φᵀ Φ is that of the directions of ``correlations`` with its carried 1
− ρ: nearly parallel inputs of equal growth keep their distance.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from deeplimits.engines.contract.activation_tables import LOWEST
from deeplimits.engines.contract.arithmetic import f4, fma, i4, part, square_root
from deeplimits.engines.contract.lane_operations import add_combined, pair_sums, reduce_tile, subtract
from deeplimits.engines.contract.lanewise import Table, Vector, lanewise
from deeplimits.engines.contract.layer_normals import fill
from deeplimits.engines.contract.shape import LANES, TILE, units_per_lane
from deeplimits.engines.mlp.correlations import difference_factor, first_gaps
from deeplimits.engines.mlp.many_inputs import activate, add_pair
from deeplimits.engines.mlp.smooth import add_smooth_pair, evaluate
from deeplimits.engines.resnet.state import find_near, gaps_from, scale_input

SLOPES, SMOOTH, ORNSTEIN_UHLENBECK = 0, 1, 2
"""Kinds of branch activations: ReLU-like or the identity, smooth, that of the Ornstein–Uhlenbeck process."""

_MAGNITUDE, _FRACTION, _ONE = 0x7FFFFFFF, 0x007FFFFF, 0x3F800000
_LOWEST_BITS = (127 + LOWEST) << 23


class Constants(NamedTuple):
    """Of a residual network.

    Parameters
    ----------
    branch
        d^{-b} n^{-1/2}.
    start
        The sign of the start where every unit has the same, else 0.
    plus, minus
        Slopes, or 1 / s and nothing, or the two numbers of the Ornstein–Uhlenbeck activation.
    bits, top, table
        Of the activation, where it is not piecewise linear.
    mantissa_0, exponent_0, gap_0
        V_0 of every input, 1 − ρ_0 of every pair.
    """

    width: Any
    branch: Any
    start: Any
    plus: Any
    minus: Any
    mantissa_0: Any
    exponent_0: Any
    gap_0: Any
    bits: Any
    top: Any
    table: Any


@lanewise
def ornstein_uhlenbeck(
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
    return pair_sums(phi_a - phi_b, phi_a, phi_b, lanes_d, lanes_e, lanes_c)


def mark_units(inputs: int) -> Callable[..., Any]:
    """A function that fills ``inside`` [unit] with 1 for a unit, 0 beyond the width."""
    units = units_per_lane(inputs)

    @part
    def run(inside: Any, width: Any) -> None:
        for at in range(inside.shape[0]):
            # units are kept in the order in which lanes draw them
            group, rest = at // (units * LANES), at % (units * LANES)
            unit = group * (units * LANES) + units * (rest % LANES) + rest // LANES
            inside[at] = f4(1) if unit < width else f4(0)

    return run


@part
def start_sample(constants: Any, state: Any) -> None:
    """Bring a ``State`` before its first layer."""
    z, inside = state.z, state.inside
    z[:] = f4(0)
    state.apart[:] = f4(0)
    state.near[:] = i4(1)
    state.power_of[:] = i4(0)
    first_gaps(constants.gap_0, state.gaps)
    for a in range(z.shape[0]):
        scale_input(state, a, constants.mantissa_0, constants.exponent_0, constants.plus)
        state.gaps_of_states[a, a] = 0.0
    if constants.start != f4(0):
        for at in range(inside.shape[0]):
            z[0, at] = constants.start * inside[at]


def coefficients(inputs: int) -> Callable[..., Any]:
    """A function of the directions of the activations, and what they are multiplied by."""
    pairs = inputs * (inputs - 1) // 2

    @part
    def run(state: Any, layer: Any, branch: Any, width: Any) -> None:
        sums, rows, power_of = state.sums, state.rows, state.power_of
        difference_factor(state.gaps, rows)
        pair = 0
        for a in range(inputs):
            size_a = branch * square_root(np.float64(sums[a])) if layer > 0 else 1.0
            for column in range(inputs):
                along = rows[a, column] + (1.0 if column == 0 else 0.0)
                state.factor[a, column] = f4(size_a * along)
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
                    state.differences[pair, column] = f4(
                        fma(size_a, rows[a, column] - rows[b, column], excess * along)
                    )
                pair += 1

    return run


def _units(inputs: int, kind: int) -> Callable[..., Any]:
    """A function that moves the states of sixteen units, from place ``at`` on, and adds their terms to the
    lanes of S, D, E and C of the activations; ``drawn`` [input, lane] are their normals.
    """
    pairs = inputs * (inputs - 1) // 2

    @part
    def run(constants: Any, state: Any, drawn: Any, at: Any) -> None:
        z, lanes, aux, phi, reach = state.z, state.lanes, state.aux, state.phi, state.reach
        bits, top, table = constants.bits, constants.top, constants.table
        end = at + LANES
        for a in range(inputs):
            z_a = z[a, at:end]
            add_combined(state.factor[a], drawn, a + 1, z_a)
            if kind == SLOPES:
                activate(z_a, constants.plus, constants.minus, aux[a], phi[a], lanes[a])
            elif kind == SMOOTH:
                evaluate(z_a, reach[a], table, bits, top, aux[a], phi[a], lanes[a])
            else:
                inside, inverse = state.inside[at:end], state.inverse[a]
                ornstein_uhlenbeck(
                    z_a, reach[a], constants.minus, inverse, inside, table, bits, phi[a], lanes[a]
                )
        pair = 0
        for a in range(inputs):
            for b in range(a + 1, inputs):
                z_a, z_b, apart = z[a, at:end], z[b, at:end], state.apart[pair, at:end]
                if state.near[pair] == 1:
                    add_combined(state.differences[pair], drawn, b + 1, apart)
                else:
                    subtract(z_a, z_b, apart)
                lanes_d = lanes[inputs + pair]
                lanes_e = lanes[inputs + pairs + pair]
                lanes_c = lanes[inputs + 2 * pairs + pair]
                if kind == SLOPES:
                    add_pair(apart, aux[a], aux[b], phi[a], phi[b], lanes_d, lanes_e, lanes_c)
                elif kind == SMOOTH:
                    add_smooth_pair(
                        apart, z_a, z_b, aux[a], aux[b], phi[a], phi[b], lanes_d, lanes_e, lanes_c
                    )
                else:
                    add_difference(phi[a], phi[b], lanes_d, lanes_e, lanes_c)
                pair += 1

    return run


def next_layer(
    inputs: int, kind: int, find_coefficients: Callable[..., Any] | None = None
) -> Callable[..., Any]:
    """A function that brings a ``State`` to ``layer`` and sums its activations there, for an activation of
    ``kind``; ``find_coefficients`` may take the place of ``coefficients``.
    """
    units, find_coefficients = units_per_lane(inputs), find_coefficients or coefficients(inputs)
    fill_normals, move_units = fill(inputs), _units(inputs, kind)

    @part
    def run(constants: Any, state: Any, layer: Any, stream: Any) -> None:
        width, normals, lanes, padded = constants.width, state.normals, state.lanes, state.z.shape[1]
        find_coefficients(state, layer, constants.branch, width)
        state.sums[:] = f4(0)
        for tile in range(0, padded, TILE):
            lanes[:] = f4(0)
            for group in range(tile, min(padded, tile + TILE), units * LANES):
                if layer > 0 or constants.start == f4(0):
                    fill_normals(normals, group, width, layer, stream)
                else:
                    normals[:] = f4(0)
                for unit in range(units):
                    drawn = normals[unit * inputs : (unit + 1) * inputs]
                    move_units(constants, state, drawn, group + unit * LANES)
            reduce_tile(lanes, state.sums)
        gaps_from(state.sums, state.power_of, width, state.gaps)
        find_near(state)

    return run
