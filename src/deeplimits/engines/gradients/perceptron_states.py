"""The forward pass of a perceptron over again, a layer at a time, for passes that need its states."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from deeplimits.engines.contract.arithmetic import f4, fma, i4, inline, part, square_root
from deeplimits.engines.contract.lane_operations import reduce_tile
from deeplimits.engines.contract.layer_normals import fill, fill_polar
from deeplimits.engines.contract.shape import LANES, TILE, units_per_lane
from deeplimits.engines.contract.totals import rescale
from deeplimits.engines.gradients.units import Curve, units_of
from deeplimits.engines.mlp.correlations import coefficients, first_gaps, gaps_after
from deeplimits.engines.mlp.one_or_two_inputs import gap_after
from deeplimits.engines.mlp.smooth import scaled_root


class Constants(NamedTuple):
    """Of a perceptron, a number a layer where it has one of them; see ``calls``."""

    widths: Any
    plus: Any
    minus: Any
    inverse_scale: Any
    normalizer: Any
    mantissa_0: Any
    exponent_0: Any
    gap_0: Any
    bits: Any
    top: Any
    table: Any


class Layers(NamedTuple):
    """What a sample's layers are drawn from.

    Parameters
    ----------
    gaps, reach, living
        1 − ρ [m, m], √V / s [m] and which inputs live, of every layer.
    factor, differences, rows
        Coefficients of the preactivations of a layer and of their differences; scratch.
    polar, units, derivative, sums
        Of a few units, see ``backward_units``; S, D, E and C.
    """

    gaps: Any
    reach: Any
    living: Any
    factor: Any
    differences: Any
    rows: Any
    polar: Any
    units: Any
    derivative: Any
    sums: Any


def drawn_of(inputs: int, smooth: bool) -> Callable[..., Any]:
    """A function that fills the normals [unit of a lane · input, lane] of a group of units, and where the
    forward pass takes two inputs by their angle also that ``polar``.
    """
    fill_normals = fill(inputs)
    polar_form = inputs == 2 and not smooth

    @part
    def run(polar: Any, normals: Any, start: Any, width: Any, layer: Any, stream: Any) -> None:
        if polar_form:
            fill_polar(polar, normals, start, width, layer, stream)
        else:
            fill_normals(normals, start, width, layer, stream)

    return run


def coefficients_of(inputs: int, smooth: bool) -> Callable[..., Any]:
    """A function that fills ``factor`` and ``differences`` of the layer ``at``, as ``coefficients`` or, where
    the forward pass takes two inputs by their angle, with cos α/2 and sin α/2.
    """
    polar_form = inputs == 2 and not smooth

    @part
    def run(found: Any, at: Any) -> None:
        if polar_form:
            gap = f4(found.gaps[at, 0, 1])
            found.factor[0, 0] = square_root(fma(f4(-0.5), gap, f4(1)))
            found.factor[0, 1] = square_root(f4(0.5) * gap)
        else:
            coefficients(found.gaps[at], found.rows, found.factor, found.differences)

    return run


@inline
def curve_at(constants: Any, at: Any) -> Any:
    """The activation of a layer."""
    return Curve(constants.plus[at], constants.minus[at], constants.bits, constants.top, constants.table)


def advance(inputs: int, smooth: bool) -> Callable[..., Any]:
    """A function that draws the layer ``at`` and fills ``sums``, S of every input, then D, E and C of every
    pair, as the kernels of the forward pass have them. ``normals`` is scratch.
    """
    units = units_per_lane(inputs)
    draw, units_function = drawn_of(inputs, smooth), units_of(inputs, smooth)

    @part
    def run(constants: Any, found: Any, at: Any, normals: Any, stream: Any) -> None:
        width, lanes, polar, curve = (
            constants.widths[at],
            found.units.lanes,
            found.polar,
            curve_at(constants, at),
        )
        found.sums[:] = f4(0)
        for tile in range(0, width, TILE):
            lanes[:] = f4(0)
            for start in range(tile, min(width, tile + TILE), units * LANES):
                draw(polar, normals, start, width, at, stream)
                for unit in range(units):
                    units_function(
                        normals[unit * inputs : (unit + 1) * inputs],
                        polar[4 * unit : 4 * unit + 4],
                        found.factor,
                        found.differences,
                        inputs,
                        found.reach[at],
                        curve,
                        found.units,
                        found.derivative,
                    )
            reduce_tile(lanes, found.sums)

    return run


def update(inputs: int, smooth: bool) -> Callable[..., Any]:
    """A function that brings 1 − ρ [m, m] from one layer to the next, given the sums and who lives."""
    polar_form = inputs == 2 and not smooth

    @part
    def run(sums: Any, living: Any, gaps: Any) -> None:
        if polar_form:
            gap = f4(0)
            if living[0] and living[inputs - 1]:
                gap = gap_after(sums[0], sums[1], sums[2], sums[3], sums[4])
            gaps[0, inputs - 1], gaps[inputs - 1, 0] = gap, gap
        else:
            gaps_after(sums, inputs, gaps)

    return run


def find_layers(inputs: int, smooth: bool) -> Callable[..., Any]:
    """A function that goes forward and fills ``gaps``, ``reach`` and ``living`` of every layer. ``normals``,
    ``mantissa`` and ``exponent`` are scratch.
    """
    find_coefficients, advance_layer = coefficients_of(inputs, smooth), advance(inputs, smooth)
    update_gaps = update(inputs, smooth)

    @part
    def run(constants: Any, found: Any, normals: Any, mantissa: Any, exponent: Any, stream: Any) -> None:
        gaps, reach, living, scale = found.gaps, found.reach, found.living, constants.inverse_scale
        first_gaps(constants.gap_0, gaps[0])
        for a in range(inputs):
            mantissa[a], exponent[a] = constants.mantissa_0[a], constants.exponent_0[a]
            reach[0, a] = scaled_root(mantissa[a], exponent[a], scale[0])
            living[0, a] = i4(1)
        for layer in range(constants.widths.shape[0] - 1):
            find_coefficients(found, layer)
            advance_layer(constants, found, layer, normals, stream)
            for a in range(inputs):
                factor = found.sums[a] * constants.normalizer[layer]
                mantissa[a], exponent[a] = rescale(mantissa[a], exponent[a], factor)
                reach[layer + 1, a] = scaled_root(mantissa[a], exponent[a], scale[layer + 1])
                living[layer + 1, a] = i4(1) if mantissa[a] > f4(0) else i4(0)
                for b in range(inputs):
                    gaps[layer + 1, a, b] = gaps[layer, a, b]
            update_gaps(found.sums, living[layer + 1], gaps[layer + 1])

    return run
