"""The CPU kernels of gradients of a residual network; see ``perceptron``.

g_d = n^{-1/2} w and g_ℓ = g_{ℓ+1} + d^{-b} n^{-1/2} φ'(z_ℓ) ⊙ W_ℓᵀ g_{ℓ+1}. A sample goes forward as it does
without gradients (``resnet_layers``), the states of all layers are kept, and it goes back over these; the
readout w is the weights of one more unit, on z_d.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from deeplimits.engines.contract.arithmetic import f4, kernel, part
from deeplimits.engines.contract.lane_operations import (
    add_multiple,
    combine,
    copy,
    mix,
    multiply,
    reduce_tile,
)
from deeplimits.engines.contract.layer_normals import fill, stream_of
from deeplimits.engines.contract.philox import PURPOSE_BACKWARD, PURPOSE_FORWARD, PURPOSE_OUTPUT
from deeplimits.engines.contract.shape import LANES, TILE, units_per_lane
from deeplimits.engines.contract.totals import rescale
from deeplimits.engines.gradients.sums import (
    add_products,
    pull_back,
    record_gradients,
    start_gradients,
    take_gradients,
    workspace_of,
)
from deeplimits.engines.gradients.units import sloped_pair, sloped_unit, smooth_pair, smooth_unit
from deeplimits.engines.resnet.forward import EVERY
from deeplimits.engines.resnet.layer import (
    SLOPES,
    SMOOTH,
    Constants,
    mark_units,
    next_layer,
    start_sample,
)
from deeplimits.engines.resnet.state import state_of, sum_states, take_powers


def piecewise_linear(inputs: int) -> Callable[..., None]:
    """The kernel for ``inputs`` inputs and a piecewise-linear activation of the branch."""
    return _gradients(inputs, smooth=False)


def smooth(inputs: int) -> Callable[..., None]:
    """The kernel for ``inputs`` inputs and a smooth activation of the branch."""
    return _gradients(inputs, smooth=True)


def _forward(inputs: int, *, smooth: bool) -> Callable[..., Any]:
    """A function that fills ``states`` [layer, row, unit], the z_a, then the z_0 − z_a, and ``reach`` [layer,
    input], √V / s.
    """
    advance = next_layer(inputs, SMOOTH if smooth else SLOPES)
    add_states, rescale_states = sum_states(inputs), take_powers(inputs)

    @part
    def run(constants: Any, state: Any, states: Any, reach: Any, stream: Any) -> None:
        start_sample(constants, state)
        for layer in range(states.shape[0]):
            advance(constants, state, layer, stream)
            for a in range(inputs):
                reach[layer, a] = state.reach[a]
                for at in range(states.shape[2]):
                    states[layer, a, at] = state.z[a, at]
                    if a > 0:
                        states[layer, inputs + a - 1, at] = state.apart[a - 1, at]
            if layer % EVERY == 0:
                add_states(state)
                rescale_states(
                    state, constants.width, constants.mantissa_0, constants.exponent_0, constants.plus
                )

    return run


def _keep(inputs: int, *, smooth: bool) -> Callable[..., Any]:
    """A function that keeps the activations of a layer and their slopes, of the last one the states
    themselves, and fresh normals, and fills the sums of products. ``vectors`` is scratch.
    """
    units, slots = units_per_lane(inputs), 4 * ((inputs + 3) // 4)
    fill_fresh = fill(inputs)
    unit_of, difference_of = (smooth_unit, smooth_pair) if smooth else (sloped_unit, sloped_pair)

    @part
    def run(
        constants: Any,
        kept: Any,
        states: Any,
        reach: Any,
        layer: Any,
        last: Any,
        vectors: Any,
        stream_back: Any,
    ) -> None:
        width, plus, minus = constants.width, constants.plus, constants.minus
        table, bits, top = constants.table, constants.bits, constants.top
        phi, psi, squares = vectors[:inputs], vectors[inputs : 2 * inputs], vectors[2 * inputs : 3 * inputs]
        kept.totals[:] = 0.0
        for tile in range(0, width, TILE):
            kept.wide[:] = 0.0
            for start in range(tile, min(width, tile + TILE), units * LANES):
                block = start // (units * LANES)
                drawn = kept.fresh[block * slots : (block + 1) * slots]
                fill_fresh(drawn, start, width, layer, stream_back)
                for unit in range(units):
                    group = block * units + unit
                    at, end = group * LANES, (group + 1) * LANES
                    rows = kept.basis[group * inputs : (group + 1) * inputs]
                    slopes = kept.slopes[group * inputs : (group + 1) * inputs]
                    for a in range(inputs):
                        z_a = states[a, at:end]
                        if last:
                            copy(z_a, phi[a])
                        else:
                            unit_of(
                                z_a,
                                reach[a],
                                plus,
                                minus,
                                table,
                                bits,
                                top,
                                psi[a],
                                slopes[a],
                                phi[a],
                                squares[a],
                            )
                    copy(phi[0], rows[0])
                    for a in range(1, inputs):
                        copy(states[inputs + a - 1, at:end], rows[a])
                        if not last:
                            z_0, z_a = states[0, at:end], states[a, at:end]
                            difference_of(rows[a], z_0, z_a, psi[0], psi[a], phi[0], phi[a])
                    add_products(inputs, rows, phi, drawn[unit * inputs : (unit + 1) * inputs], kept.wide)
            reduce_tile(kept.wide, kept.totals)

    return run


def _skip(inputs: int) -> Callable[..., Any]:
    """A function of the coefficients of the gradients of the layer above, over their norms, and of their
    differences, in what is carried of them.
    """

    @part
    def run(kept: Any, skip: Any) -> None:
        for a in range(inputs):
            for i in range(inputs):
                own = kept.along_back[0, i] + (kept.along_back[a, i] if a > 0 else 0.0)
                skip[a, i] = f4(own)
                skip[inputs + a, i] = f4(-kept.along_back[a, i])

    return run


def _step_back(inputs: int, *, smooth: bool) -> Callable[..., Any]:
    """A function that brings ``carried``, g_0 and g_0 − g_a of the layer above, to a layer that is kept, and
    fills the sums of products. ``vectors`` is scratch.
    """
    units, slots = units_per_lane(inputs), 4 * ((inputs + 3) // 4)
    fill_normals = fill(inputs)
    difference_of = smooth_pair if smooth else sloped_pair

    @part
    def run(
        constants: Any, kept: Any, carried: Any, skip: Any, layer: Any, last: Any, vectors: Any, stream: Any
    ) -> None:
        width, branch = constants.width, f4(constants.branch)
        h, phi, gradients = vectors[:inputs], vectors[inputs : 2 * inputs], vectors[2 * inputs : 3 * inputs]
        apart, moved = vectors[3 * inputs : 4 * inputs], vectors[4 * inputs : 5 * inputs]
        kept.totals[:] = 0.0
        for tile in range(0, width, TILE):
            kept.wide[:] = 0.0
            for start in range(tile, min(width, tile + TILE), units * LANES):
                block = start // (units * LANES)
                # of the weights that lead to this layer, for the step after this one
                fill_normals(kept.normals, start, width, layer, stream)
                for unit in range(units):
                    place, slot = (block * units + unit) * inputs, block * slots + unit * inputs
                    rows, slopes = kept.basis[place : place + inputs], kept.slopes[place : place + inputs]
                    before, fresh = carried[place : place + inputs], kept.fresh[slot : slot + inputs]
                    for a in range(inputs):
                        mix(kept.back[a], inputs, rows, fresh, h[a])
                        if last:
                            copy(h[a], gradients[a])
                        else:
                            multiply(h[a], slopes[a], phi[a])
                            combine(skip[a], before, inputs, gradients[a])
                            add_multiple(branch, phi[a], gradients[a])
                    copy(gradients[0], moved[0])
                    for a in range(1, inputs):
                        mix(kept.back_differences[a], inputs, rows, fresh, apart[a])
                        if last:
                            copy(apart[a], moved[a])
                        else:
                            difference_of(apart[a], h[0], h[a], slopes[0], slopes[a], phi[0], phi[a])
                            combine(skip[inputs + a], before, inputs, moved[a])
                            add_multiple(branch, apart[a], moved[a])
                    for a in range(inputs):
                        copy(moved[a], before[a])
                    own = kept.normals[unit * inputs : (unit + 1) * inputs]
                    add_products(inputs, before, gradients, own, kept.wide)
            reduce_tile(kept.wide, kept.totals)

    return run


def _gradients(inputs: int, *, smooth: bool) -> Callable[..., None]:
    """See ``backward.residual_scratch`` for the arguments after the outputs."""
    find_state, find_workspace, mark = state_of(inputs), workspace_of(inputs), mark_units(inputs)
    go_forward, keep = _forward(inputs, smooth=smooth), _keep(inputs, smooth=smooth)
    find_product, find_skip = pull_back(by_angle=False), _skip(inputs)
    step_back = _step_back(inputs, smooth=smooth)

    @kernel
    def run(
        key: Any,
        first: Any,
        width: Any,
        depth: Any,
        layers: Any,
        branch: Any,
        start: Any,
        plus: Any,
        minus: Any,
        mantissa_0: Any,
        exponent_0: Any,
        gap_0: Any,
        bits: Any,
        top: Any,
        table: Any,
        log_norm: Any,
        gradient_gap: Any,
        states: Any,
        reach: Any,
        carried: Any,
        vectors: Any,
        skip: Any,
        *scratch: Any,
    ) -> None:
        constants = Constants(
            width, branch, start, plus, minus, mantissa_0, exponent_0, gap_0, bits, top, table
        )
        state, kept = find_state(scratch[:8]), find_workspace(scratch[8:])
        mantissa, exponent = kept.mantissa, kept.exponent
        mark(state.inside, width)
        for row in range(log_norm.shape[0]):
            sample = np.int64(first) + row
            stream = stream_of(key, sample, PURPOSE_FORWARD)
            stream_back = stream_of(key, sample, PURPOSE_BACKWARD)
            go_forward(constants, state, states, reach, stream)
            start_gradients(kept, depth, stream_of(key, sample, PURPOSE_OUTPUT))
            record = layers.shape[0] - 1
            for layer in range(depth, layers[0] - 1, -1):
                last = layer == depth
                find_skip(kept, skip)
                keep(constants, kept, states[layer], reach[layer], layer, last, vectors, stream_back)
                find_product(kept, False)
                step_back(constants, kept, carried, skip, layer, last, vectors, stream)
                take_gradients(kept)
                for a in range(inputs):
                    square = f4(kept.squares_back[a])
                    square = square / f4(width) if last else square
                    mantissa[a], exponent[a] = rescale(mantissa[a], exponent[a], square)
                if record >= 0 and layers[record] == layer:
                    record_gradients(kept, log_norm[row, record], gradient_gap[row, record])
                    record -= 1

    return run
