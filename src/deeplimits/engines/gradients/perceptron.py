"""The CPU kernels of gradients of a perceptron: backpropagation through the weights that the forward pass has
not formed.

g_d = √(c/n) φ'(z_d) ⊙ w and g_ℓ = √(c/n) φ'(z_ℓ) ⊙ W_ℓᵀ g_{ℓ+1}. What the forward pass has drawn of W_ℓ is
its product with the activations of layer ℓ, so given all layers W_ℓᵀ g_{ℓ+1} is a sum over these and fresh
normals (``backward_algebra``), m normals a unit. The readout w is treated likewise, the weights of one more
unit, whose products with the activations make the output.

A layer is drawn again from the counters of its normals, so that no more than one is held.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from deeplimits.engines.contract.arithmetic import f4, i4, kernel, part
from deeplimits.engines.contract.lane_operations import (
    copy,
    mix,
    multiply,
    reduce_tile,
    subtract,
)
from deeplimits.engines.contract.layer_normals import fill, stream_of
from deeplimits.engines.contract.philox import PURPOSE_BACKWARD, PURPOSE_FORWARD, PURPOSE_OUTPUT
from deeplimits.engines.contract.shape import LANES, TILE, units_per_lane
from deeplimits.engines.contract.totals import rescale
from deeplimits.engines.gradients.perceptron_states import (
    Constants,
    Layers,
    coefficients_of,
    curve_at,
    drawn_of,
    find_layers,
)
from deeplimits.engines.gradients.sums import (
    add_products,
    pull_back,
    record_gradients,
    start_gradients,
    take_gradients,
    workspace_of,
)
from deeplimits.engines.gradients.units import Units, sloped_pair, smooth_pair, units_of


def piecewise_linear(inputs: int) -> Callable[..., None]:
    """The kernel for ``inputs`` inputs and a piecewise-linear activation."""
    return _backward(inputs, smooth=False)


def smooth(inputs: int) -> Callable[..., None]:
    """The kernel for ``inputs`` inputs and a smooth activation."""
    return _backward(inputs, smooth=True)


def _keep(inputs: int, *, smooth: bool) -> Callable[..., Any]:
    """A function that draws the layer ``at`` again and keeps it, activations, slopes and normals, and fills
    the sums of its products.
    """
    units, slots = units_per_lane(inputs), 4 * ((inputs + 3) // 4)
    draw, fill_fresh, units_function = drawn_of(inputs, smooth), fill(inputs), units_of(inputs, smooth)

    @part
    def run(constants: Any, found: Any, kept: Any, at: Any, stream: Any, stream_back: Any) -> None:
        width, curve, polar, living = (
            constants.widths[at],
            curve_at(constants, at),
            found.polar,
            found.living[at],
        )
        phi, differences = found.units.phi, found.units.differences
        all_live = True
        for a in range(inputs):
            all_live = all_live and living[a] == i4(1)
        kept.totals[:] = 0.0
        for tile in range(0, width, TILE):
            kept.wide[:] = 0.0
            for start in range(tile, min(width, tile + TILE), units * LANES):
                block = start // (units * LANES)
                normals = kept.normals[block * slots : (block + 1) * slots]
                fresh = kept.fresh[block * slots : (block + 1) * slots]
                draw(polar, normals, start, width, at, stream)
                fill_fresh(fresh, start, width, at + 1, stream_back)
                for unit in range(units):
                    place = (block * units + unit) * inputs
                    rows, slopes = kept.basis[place : place + inputs], kept.slopes[place : place + inputs]
                    units_function(
                        normals[unit * inputs : (unit + 1) * inputs],
                        polar[4 * unit : 4 * unit + 4],
                        found.factor,
                        found.differences,
                        1,
                        found.reach[at],
                        curve,
                        found.units,
                        slopes,
                    )
                    if not all_live:
                        # z = 0, where the slope of a piecewise-linear activation is s₋
                        for a in range(inputs):
                            if living[a] == i4(0):
                                phi[a, :] = f4(0)
                                slopes[a, :] = curve.minus
                    copy(phi[0], rows[0])
                    for a in range(1, inputs):
                        if all_live:
                            copy(differences[a - 1], rows[a])
                        else:
                            subtract(phi[0], phi[a], rows[a])
                    add_products(inputs, rows, phi, fresh[unit * inputs : (unit + 1) * inputs], kept.wide)
            reduce_tile(kept.wide, kept.totals)

    return run


def _step_back(inputs: int, *, smooth: bool) -> Callable[..., Any]:
    """A function that fills the sums of products of the gradients at a layer that is kept; they themselves
    are not. ``units_rows`` is scratch.
    """
    units, slots = units_per_lane(inputs), 4 * ((inputs + 3) // 4)
    difference_of = smooth_pair if smooth else sloped_pair

    @part
    def run(kept: Any, width: Any, units_rows: Any) -> None:
        h, gradients, rows_back = units_rows.z, units_rows.phi, units_rows.psi
        kept.totals[:] = 0.0
        for tile in range(0, width, TILE):
            kept.wide[:] = 0.0
            for start in range(tile, min(width, tile + TILE), units * LANES):
                block = start // (units * LANES)
                for unit in range(units):
                    place, slot = (block * units + unit) * inputs, block * slots + unit * inputs
                    rows, slopes = kept.basis[place : place + inputs], kept.slopes[place : place + inputs]
                    own, fresh = kept.normals[slot : slot + inputs], kept.fresh[slot : slot + inputs]
                    for a in range(inputs):
                        mix(kept.back[a], inputs, rows, fresh, h[a])
                        multiply(h[a], slopes[a], gradients[a])
                    copy(gradients[0], rows_back[0])
                    for a in range(1, inputs):
                        mix(kept.back_differences[a], inputs, rows, fresh, rows_back[a])
                        difference_of(
                            rows_back[a], h[0], h[a], slopes[0], slopes[a], gradients[0], gradients[a]
                        )
                    add_products(inputs, rows_back, gradients, own, kept.wide)
            reduce_tile(kept.wide, kept.totals)

    return run


def _backward(inputs: int, *, smooth: bool) -> Callable[..., None]:
    """See ``backward.scratch`` for the last arguments of the kernel."""
    pairs = inputs * (inputs - 1) // 2
    find_workspace, find_coefficients = workspace_of(inputs), coefficients_of(inputs, smooth)
    go_forward, keep = find_layers(inputs, smooth), _keep(inputs, smooth=smooth)
    find_product = pull_back(by_angle=inputs == 2 and not smooth)
    step_back = _step_back(inputs, smooth=smooth)

    @kernel
    def run(
        key: Any,
        first: Any,
        widths: Any,
        layers: Any,
        plus: Any,
        minus: Any,
        inverse_scale: Any,
        normalizer: Any,
        mantissa_0: Any,
        exponent_0: Any,
        gap_0: Any,
        bits: Any,
        top: Any,
        table: Any,
        log_norm: Any,
        gradient_gap: Any,
        vectors: Any,
        factor: Any,
        rows: Any,
        gaps: Any,
        reach: Any,
        living: Any,
        sums: Any,
        *workspace: Any,
    ) -> None:
        constants = Constants(
            widths, plus, minus, inverse_scale, normalizer, mantissa_0, exponent_0, gap_0, bits, top, table
        )
        polar, derivative, own = vectors[:8], vectors[8 : 8 + inputs], vectors[8 + inputs :]
        units = Units(
            own[:inputs],
            own[inputs : 2 * inputs],
            own[2 * inputs : 3 * inputs],
            own[3 * inputs : 3 * inputs + pairs],
            own[3 * inputs + pairs :],
        )
        found = Layers(
            gaps, reach, living, factor[:inputs], factor[inputs:], rows, polar, units, derivative, sums
        )
        kept = find_workspace(workspace)
        mantissa, exponent, depth = kept.mantissa, kept.exponent, widths.shape[0]
        for row in range(log_norm.shape[0]):
            sample = np.int64(first) + row
            stream = stream_of(key, sample, PURPOSE_FORWARD)
            go_forward(constants, found, kept.normals, mantissa, exponent, stream)
            start_gradients(kept, depth, stream_of(key, sample, PURPOSE_OUTPUT))
            record = layers.shape[0] - 1
            for layer in range(depth, max(layers[0], 1) - 1, -1):
                at = layer - 1
                find_coefficients(found, at)
                keep(constants, found, kept, at, stream, stream_of(key, sample, PURPOSE_BACKWARD))
                find_product(kept, layer < depth)
                step_back(kept, widths[at], units)
                take_gradients(kept)
                for a in range(inputs):
                    square = f4(kept.squares_back[a]) * normalizer[at]
                    mantissa[a], exponent[a] = rescale(mantissa[a], exponent[a], square)
                if record >= 0 and layers[record] == layer:
                    record_gradients(kept, log_norm[row, record], gradient_gap[row, record])
                    record -= 1

    return run
