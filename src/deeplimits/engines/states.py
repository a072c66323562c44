"""The forward pass of a perceptron over again, a layer at a time, for passes that need its states."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from deeplimits.engines.arithmetic import f4, fma, kernel, square_root
from deeplimits.engines.backward_units import fill_polar, units_of
from deeplimits.engines.mlp_general import difference_factor, gaps_after
from deeplimits.engines.mlp_kernels import LANES, TILE, gap_after, tree
from deeplimits.engines.smooth_kernels import fill, units_per_lane


def drawn_of(inputs: int, smooth: bool) -> Callable[..., Any]:
    """A function that fills the normals [unit of a lane · input, lane] of a group of units, and where the
    forward pass takes two inputs by their angle also that ``polar``.
    """
    fill_normals = fill(inputs)
    polar_form = inputs == 2 and not smooth

    @kernel
    def run(
        polar: Any, normals: Any, start: Any, width: Any, layer: Any, low: Any, high: Any, k0: Any, k1: Any
    ) -> None:
        if polar_form:
            fill_polar(polar, normals, start, width, layer, low, high, k0, k1)
        else:
            fill_normals(normals, start, width, layer, low, high, k0, k1)

    return run


def coefficients_of(inputs: int, smooth: bool) -> Callable[..., Any]:
    """A function that fills ``factor`` [m, m] with the coefficients of each input's preactivations in the
    normals and ``differences`` [pair, m] with those of their differences, from 1 − ρ.
    """
    polar_form = inputs == 2 and not smooth

    @kernel
    def run(gaps: Any, rows: Any, factor: Any, differences: Any) -> None:
        if polar_form:
            gap = f4(gaps[0, 1])
            factor[0, 0] = square_root(fma(f4(-0.5), gap, f4(1)))
            factor[0, 1] = square_root(f4(0.5) * gap)
        else:
            difference_factor(gaps, rows)
            pair = 0
            for a in range(inputs):
                for column in range(inputs):
                    factor[a, column] = f4(rows[a, column] + (1.0 if column == 0 else 0.0))
                for b in range(a + 1, inputs):
                    for column in range(inputs):
                        differences[pair, column] = f4(rows[a, column] - rows[b, column])
                    pair += 1

    return run


def advance(inputs: int, smooth: bool) -> Callable[..., Any]:
    """A function that draws a layer of ``width`` units and fills ``sums``, S of every input, then D, E and C
    of every pair, as the kernels of the forward pass have them.
    """
    pairs = inputs * (inputs - 1) // 2
    units = units_per_lane(inputs)
    reduced = inputs + 3 * pairs
    draw, units_function = drawn_of(inputs, smooth), units_of(inputs, smooth)

    @kernel
    def run(
        width: Any,
        layer: Any,
        low: Any,
        high: Any,
        k0: Any,
        k1: Any,
        factor: Any,
        factor_differences: Any,
        reach: Any,
        plus: Any,
        minus: Any,
        table: Any,
        bits: Any,
        top: Any,
        normals: Any,
        polar: Any,
        z: Any,
        psi: Any,
        derivative: Any,
        phi: Any,
        differences: Any,
        lanes: Any,
        sums: Any,
    ) -> None:
        sums[:] = f4(0)
        for tile in range(0, width, TILE):
            lanes[:] = f4(0)
            stop = min(width, tile + TILE)
            for start in range(tile, stop, units * LANES):
                draw(polar, normals, start, width, layer, low, high, k0, k1)
                for unit in range(units):
                    units_function(
                        normals[unit * inputs : (unit + 1) * inputs],
                        polar[4 * unit : 4 * unit + 4],
                        factor,
                        factor_differences,
                        inputs,
                        reach,
                        plus,
                        minus,
                        table,
                        bits,
                        top,
                        z,
                        psi,
                        derivative,
                        phi,
                        differences,
                        lanes,
                    )
            for at in range(reduced):
                sums[at] = sums[at] + tree(lanes[at])

    return run


def update(inputs: int, smooth: bool) -> Callable[..., Any]:
    """A function that brings 1 − ρ [m, m] from one layer to the next, given the sums and who lives."""
    polar_form = inputs == 2 and not smooth

    @kernel
    def run(sums: Any, living: Any, gaps: Any) -> None:
        if polar_form:
            gap = f4(0)
            if living[0] and living[inputs - 1]:
                gap = gap_after(sums[0], sums[1], sums[2], sums[3], sums[4])
            gaps[0, inputs - 1], gaps[inputs - 1, 0] = gap, gap
        else:
            gaps_after(sums, inputs, gaps)

    return run
