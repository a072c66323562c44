"""The state of a sample of a residual network, and the powers of two that are taken out of it.

The state z is kept unit by unit. An input is kept over √V_0, and a power of two besides, which its norm
moves: a deep network leaves float32's range only where it leaves all sense. z_a − z_b is kept too. Where two
inputs have grown so differently that their powers of two are not the same they are not nearly parallel, and
nothing is lost by forming their correlation from their inner product.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from deeplimits.engines.contract.arithmetic import bits_float, f4, i4, inline, part, square_root
from deeplimits.engines.contract.lane_operations import add_square, add_terms, multiply, reduce_tile
from deeplimits.engines.contract.shape import LANES, TILE
from deeplimits.engines.mlp.correlations import gaps_after
from deeplimits.engines.mlp.smooth import scaled_root

_LARGE, _COMPANION = f4(2.0**60), f4(2.0**30)
"""A mean square beyond which a power of two is taken out; and beyond which that is done with others."""
_NEAR = 0.0625
"""D of a near pair, at most, over √S_a √S_b."""
_STEP = 30
"""The power of two."""
_APART = f4(np.inf)
"""D of a pair whose powers of two differ: it decides for the inner product."""


class State(NamedTuple):
    """A sample on its way through the layers.

    Parameters
    ----------
    z, apart
        z_a [input, unit] and z_a − z_b [pair, unit], in the order of the lanes.
    inside
        1 for a unit, 0 beyond the width.
    sums, of_states
        S, D, E and C of the activations and of the states.
    gaps, gaps_of_states
        1 − ρ [m, m] of the same.
    reach, inverse
        √V / s and 1 / √V of what is kept of each input.
    power_of, shift
        Exponent of the power of two of each input, and what it has just been moved by.
    near
        Which pairs have differences that are carried.
    factor, differences, rows
        Coefficients of the normals in each input [m, m] and each pair [pair, m]; scratch.
    normals, lanes, aux, phi
        Of a few units, a row of lanes each.
    """

    z: Any
    apart: Any
    inside: Any
    sums: Any
    of_states: Any
    gaps: Any
    gaps_of_states: Any
    reach: Any
    inverse: Any
    power_of: Any
    shift: Any
    near: Any
    factor: Any
    differences: Any
    rows: Any
    normals: Any
    lanes: Any
    aux: Any
    phi: Any


def state_of(inputs: int) -> Callable[..., Any]:
    """A function that finds a ``State`` in ``resnet.call.scratch``."""
    pairs, slots = inputs * (inputs - 1) // 2, 4 * ((inputs + 3) // 4)
    reduced = inputs + 3 * pairs
    used = slots + reduced

    @inline
    def run(scratch: Any) -> Any:
        z, apart, inside, vectors, factors, numbers, whole, matrices = scratch
        return State(
            z,
            apart,
            inside,
            numbers[:reduced],
            numbers[reduced : 2 * reduced],
            matrices[:inputs],
            matrices[2 * inputs :],
            numbers[2 * reduced : 2 * reduced + inputs],
            numbers[2 * reduced + inputs :],
            whole[:inputs],
            whole[inputs : 2 * inputs],
            whole[2 * inputs :],
            factors[:inputs],
            factors[inputs:],
            matrices[inputs : 2 * inputs],
            vectors[:slots],
            vectors[slots:used],
            vectors[used : used + inputs],
            vectors[used + inputs :],
        )

    return run


@inline
def _power(exponent: Any) -> Any:
    """2^exponent, float32."""
    return bits_float(i4((i4(exponent) + i4(127)) << i4(23)))


@inline
def scale_input(state: Any, a: Any, mantissa_0: Any, exponent_0: Any, factor: Any) -> None:
    """√V / s and 1 / √V of what is kept of an input; ``factor`` = 1 / s."""
    exponent = i4(exponent_0[a] + i4(2) * state.power_of[a])
    state.reach[a] = scaled_root(mantissa_0[a], exponent, factor)
    state.inverse[a] = f4(1) / scaled_root(mantissa_0[a], exponent, f4(1))


def sum_states(inputs: int) -> Callable[..., Any]:
    """A function of S of the states of every input, then D, E and C of their pairs."""
    pairs = inputs * (inputs - 1) // 2

    @part
    def run(state: Any) -> None:
        z, apart, lanes = state.z, state.apart, state.lanes
        state.of_states[:] = f4(0)
        padded = z.shape[1]
        for tile in range(0, padded, TILE):
            lanes[:] = f4(0)
            for at in range(tile, min(padded, tile + TILE), LANES):
                end = at + LANES
                pair = 0
                for a in range(inputs):
                    add_square(z[a, at:end], lanes[a])
                    for b in range(a + 1, inputs):
                        add_terms(
                            apart[pair, at:end],
                            z[a, at:end],
                            z[b, at:end],
                            lanes[inputs + pair],
                            lanes[inputs + pairs + pair],
                            lanes[inputs + 2 * pairs + pair],
                        )
                        pair += 1
            reduce_tile(lanes, state.of_states)

    return run


def take_powers(inputs: int) -> Callable[..., Any]:
    """A function that takes powers of two out of the states where they need it, given their sums.

    Inputs of one power that are large (or small) with one that is too large (or small) are moved with it, so
    that near ones stay together.
    """
    pairs = inputs * (inputs - 1) // 2

    @part
    def run(state: Any, width: Any, mantissa_0: Any, exponent_0: Any, factor: Any) -> None:
        if not _find_shifts(state, width):
            return
        z, apart, sums, shift, power_of = state.z, state.apart, state.sums, state.shift, state.power_of
        pair = 0
        for a in range(inputs):
            scale = _power(-shift[a])
            for at in range(0, z.shape[1], LANES):
                multiply(z[a, at : at + LANES], scale, z[a, at : at + LANES])
            sums[a] = sums[a] * scale * scale
            for b in range(a + 1, inputs):
                if power_of[a] == power_of[b] and shift[a] == shift[b]:
                    for at in range(0, z.shape[1], LANES):
                        multiply(apart[pair, at : at + LANES], scale, apart[pair, at : at + LANES])
                excess = inputs + pairs + pair
                sums[excess] = sums[excess] * scale * scale
                pair += 1
        for a in range(inputs):
            power_of[a] = i4(power_of[a] + shift[a])
            scale_input(state, a, mantissa_0, exponent_0, factor)

    return run


@part
def _find_shifts(state: Any, width: Any) -> Any:
    """Fill ``shift``; whether there is any."""
    sums, shift, power_of = state.of_states, state.shift, state.power_of
    found = False
    shift[:] = i4(0)
    for a in range(shift.shape[0]):
        mean = sums[a] / f4(width)
        if mean > _LARGE or (mean < f4(1) / _LARGE and mean > f4(0)):
            found = True
            for b in range(shift.shape[0]):
                other = sums[b] / f4(width)
                if power_of[b] == power_of[a]:
                    if mean > f4(1) and other > _COMPANION:
                        shift[b] = i4(_STEP)
                    if mean < f4(1) and other < f4(1) / _COMPANION:
                        shift[b] = i4(-_STEP)
    return found


@part
def find_near(state: Any) -> None:
    """Which pairs have differences that need be carried: those that are small beside what they are of. Others
    are formed anew, for the rounding of what once was large does not shrink with it.
    """
    sums, inputs = state.sums, state.power_of.shape[0]
    pair = 0
    for a in range(inputs):
        for b in range(a + 1, inputs):
            product = square_root(np.float64(sums[a])) * square_root(np.float64(sums[b]))
            state.near[pair] = i4(1) if np.float64(sums[inputs + pair]) < _NEAR * product else i4(0)
            pair += 1


@part
def gaps_from(sums: Any, power_of: Any, width: Any, gaps: Any) -> None:
    """1 − ρ of the activations or of the states, from their sums. The inner product decides where powers of
    two differ, and one unit has but two directions.
    """
    inputs = power_of.shape[0]
    pair = inputs
    for a in range(inputs):
        for b in range(a + 1, inputs):
            if power_of[a] != power_of[b]:
                sums[pair] = _APART
            pair += 1
    gaps_after(sums, inputs, gaps)
    if width == 1:
        for a in range(inputs):
            for b in range(inputs):
                gaps[a, b] = 2.0 if gaps[a, b] > 1.0 else 0.0
