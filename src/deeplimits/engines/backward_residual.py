"""The CPU kernels of gradients of a residual network; see ``backward_kernels``.

g_d = n^{-1/2} w and g_ℓ = g_{ℓ+1} + d^{-b} n^{-1/2} φ'(z_ℓ) ⊙ W_ℓᵀ g_{ℓ+1}. A sample goes forward by the
kernel of the forward pass, which keeps the states of all layers, and back over these; the readout w is the
weights of one more unit, on z_d.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from deeplimits.engines.arithmetic import f4, i4, kernel, u4
from deeplimits.engines.backward_algebra import directions, gap_between, orthonormalise, transposed
from deeplimits.engines.backward_kernels import add_products, unpack
from deeplimits.engines.backward_units import (
    copy,
    mix,
    multiply,
    sloped_pair,
    sloped_unit,
    smooth_pair,
    smooth_unit,
    step,
)
from deeplimits.engines.lanewise import LANES
from deeplimits.engines.mlp_general import add_lanes, scale_lanes
from deeplimits.engines.mlp_kernels import DEAD, NAN, TILE, rescale, tree
from deeplimits.engines.normals import logarithm
from deeplimits.engines.output_kernels import output_normals
from deeplimits.engines.philox import PURPOSE_BACKWARD, PURPOSE_FORWARD, PURPOSE_OUTPUT, sample_words
from deeplimits.engines.resnet_kernels import KINDS, SLOPES, SMOOTH, residual_inputs
from deeplimits.engines.smooth_kernels import fill, units_per_lane


def piecewise_linear(inputs: int) -> Callable[..., None]:
    """The kernel for ``inputs`` inputs and a piecewise-linear activation of the branch."""
    return _gradients(inputs, smooth=False)


def smooth(inputs: int) -> Callable[..., None]:
    """The kernel for ``inputs`` inputs and a smooth activation of the branch."""
    return _gradients(inputs, smooth=True)


def _gradients(inputs: int, *, smooth: bool) -> Callable[..., None]:
    """See ``backward.residual_scratch`` for the arguments after the outputs."""
    forward = residual_inputs(KINDS * inputs + (SMOOTH if smooth else SLOPES))
    backward = _backward(inputs, smooth=smooth)

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
        no_layers: Any,
        log_variance: Any,
        correlation_gap: Any,
        log_activation: Any,
        collapsed_at: Any,
        z: Any,
        apart: Any,
        inside: Any,
        forward_vectors: Any,
        coefficients: Any,
        numbers: Any,
        whole: Any,
        forward_matrices: Any,
        states: Any,
        reach: Any,
        normals: Any,
        fresh: Any,
        basis: Any,
        slopes: Any,
        carried: Any,
        vectors: Any,
        wide: Any,
        product: Any,
        skip: Any,
        matrices: Any,
        pulled: Any,
        reals: Any,
        mantissa: Any,
        exponent: Any,
    ) -> None:
        for row in range(log_norm.shape[0]):
            sample = np.int64(first) + row
            forward(
                key,
                sample,
                width,
                depth,
                no_layers,
                branch,
                start,
                plus,
                minus,
                mantissa_0,
                exponent_0,
                gap_0,
                bits,
                top,
                table,
                log_variance,
                correlation_gap,
                log_activation,
                collapsed_at,
                z,
                apart,
                inside,
                forward_vectors,
                coefficients,
                numbers,
                whole,
                forward_matrices,
                states,
                reach,
            )
            backward(
                key,
                sample,
                width,
                depth,
                layers,
                f4(branch),
                plus,
                minus,
                bits,
                top,
                table,
                states,
                reach,
                log_norm[row],
                gradient_gap[row],
                normals,
                fresh,
                basis,
                slopes,
                carried,
                vectors,
                wide,
                product,
                skip,
                matrices,
                pulled,
                reals,
                mantissa,
                exponent,
            )

    return run


def _backward(inputs: int, *, smooth: bool) -> Callable[..., None]:
    """A function that goes back over the ``states`` of one sample."""
    units, slots = units_per_lane(inputs), 4 * ((inputs + 3) // 4)
    products = inputs * (inputs + 1) // 2 + inputs - 1 + inputs**2
    fill_normals = fill(inputs)
    unit_of, difference_of = (smooth_unit, smooth_pair) if smooth else (sloped_unit, sloped_pair)

    @kernel
    def run(
        key: Any,
        sample: Any,
        width: Any,
        depth: Any,
        layers: Any,
        branch: Any,
        plus: Any,
        minus: Any,
        bits: Any,
        top: Any,
        table: Any,
        states: Any,
        reach: Any,
        log_norm: Any,
        gradient_gap: Any,
        normals: Any,
        fresh: Any,
        basis: Any,
        slopes: Any,
        carried: Any,
        vectors: Any,
        wide: Any,
        product: Any,
        skip: Any,
        matrices: Any,
        pulled: Any,
        reals: Any,
        mantissa: Any,
        exponent: Any,
    ) -> None:
        k0, k1 = u4(key & np.uint64(0xFFFFFFFF)), u4(key >> np.uint64(32))
        h, p, psi = vectors[:inputs], vectors[inputs : 2 * inputs], vectors[2 * inputs : 3 * inputs]
        phi, drawn = vectors[3 * inputs : 4 * inputs], vectors[4 * inputs : 5 * inputs]
        back, back_differences = product[:inputs], product[inputs:]
        skip_differences = skip[inputs:]
        gram, along, lower, orthonormal, cross = (
            matrices[0],
            matrices[1],
            matrices[2],
            matrices[3],
            matrices[4],
        )
        gram_back, along_back, lower_back, cross_back = matrices[5], matrices[6], matrices[7], matrices[8]
        totals = reals[:products]
        squares, squares_back = reals[products : products + inputs], reals[products + inputs :]
        low, high = sample_words(sample, PURPOSE_FORWARD)
        _, high_back = sample_words(sample, PURPOSE_BACKWARD)
        _, high_output = sample_words(sample, PURPOSE_OUTPUT)
        cross_back[:] = 0.0
        along_back[:] = 0.0
        lower_back[:] = 0.0
        along_back[0, 0] = 1.0
        lower_back[0, 0] = 1.0
        squares_back[:] = 1.0
        output_normals(cross_back[0], depth, low, high_output, k0, k1)
        for a in range(inputs):
            mantissa[a], exponent[a] = f4(1), i4(0)
        record = layers.shape[0] - 1
        for layer in range(depth, layers[0] - 1, -1):
            for a in range(inputs):
                for i in range(inputs):
                    own = along_back[0, i] + (along_back[a, i] if a > 0 else 0.0)
                    skip[a, i] = f4(own)
                    skip_differences[a, i] = f4(-along_back[a, i])
            # activations, fresh normals, and what the forward pass has drawn of the weights
            totals[:] = 0.0
            for tile in range(0, width, TILE):
                wide[:] = 0.0
                stop = min(width, tile + TILE)
                for start in range(tile, stop, units * LANES):
                    block = start // (units * LANES)
                    fill_normals(
                        fresh[block * slots : (block + 1) * slots],
                        start,
                        width,
                        layer,
                        low,
                        high_back,
                        k0,
                        k1,
                    )
                    for unit in range(units):
                        group = block * units + unit
                        at, end = group * LANES, (group + 1) * LANES
                        rows = basis[group * inputs : (group + 1) * inputs]
                        kept_slopes = slopes[group * inputs : (group + 1) * inputs]
                        if layer == depth:
                            for a in range(inputs):
                                copy(states[layer, a, at:end], phi[a])
                        else:
                            for a in range(inputs):
                                unit_of(
                                    states[layer, a, at:end],
                                    reach[layer, a],
                                    plus,
                                    minus,
                                    table,
                                    bits,
                                    top,
                                    psi[a],
                                    kept_slopes[a],
                                    phi[a],
                                    drawn[a],
                                )
                        copy(phi[0], rows[0])
                        for a in range(1, inputs):
                            copy(states[layer, inputs + a - 1, at:end], rows[a])
                            if layer < depth:
                                difference_of(
                                    rows[a],
                                    states[layer, 0, at:end],
                                    states[layer, a, at:end],
                                    psi[0],
                                    psi[a],
                                    phi[0],
                                    phi[a],
                                )
                        more = fresh[block * slots + unit * inputs : block * slots + (unit + 1) * inputs]
                        add_products(inputs, rows, phi, more, wide)
                for i in range(products):
                    totals[i] = totals[i] + tree(wide[i])
            unpack(totals, gram, squares, cross)
            directions(gram, squares, along)
            orthonormalise(gram, along, lower, orthonormal)
            transposed(
                orthonormal,
                cross,
                cross_back,
                along_back,
                lower_back,
                squares_back,
                pulled,
                back,
                back_differences,
            )
            totals[:] = 0.0
            for tile in range(0, width, TILE):
                wide[:] = 0.0
                stop = min(width, tile + TILE)
                for start in range(tile, stop, units * LANES):
                    block = start // (units * LANES)
                    # of the weights that lead to this layer, for the step after this one
                    fill_normals(normals, start, width, layer, low, high, k0, k1)
                    for unit in range(units):
                        group = block * units + unit
                        rows = basis[group * inputs : (group + 1) * inputs]
                        kept_slopes = slopes[group * inputs : (group + 1) * inputs]
                        before = carried[group * inputs : (group + 1) * inputs]
                        more = fresh[block * slots + unit * inputs : block * slots + (unit + 1) * inputs]
                        for a in range(inputs):
                            mix(back[a], inputs, rows, more, h[a])
                            if layer == depth:
                                copy(h[a], p[a])
                            else:
                                multiply(h[a], kept_slopes[a], phi[a])
                                scale_lanes(skip[a, 0], before[0], p[a])
                                for i in range(1, inputs):
                                    add_lanes(skip[a, i], before[i], p[a])
                                step(branch, phi[a], p[a])
                        copy(p[0], drawn[0])
                        for a in range(1, inputs):
                            mix(back_differences[a], inputs, rows, more, psi[a])
                            if layer == depth:
                                copy(psi[a], drawn[a])
                            else:
                                difference_of(
                                    psi[a], h[0], h[a], kept_slopes[0], kept_slopes[a], phi[0], phi[a]
                                )
                                scale_lanes(skip_differences[a, 0], before[0], drawn[a])
                                for i in range(1, inputs):
                                    add_lanes(skip_differences[a, i], before[i], drawn[a])
                                step(branch, psi[a], drawn[a])
                        for a in range(inputs):
                            copy(drawn[a], before[a])
                        own = normals[unit * inputs : (unit + 1) * inputs]
                        add_products(inputs, before, p, own, wide)
                for i in range(products):
                    totals[i] = totals[i] + tree(wide[i])
            unpack(totals, gram_back, squares_back, cross_back)
            directions(gram_back, squares_back, along_back)
            orthonormalise(gram_back, along_back, lower_back, matrices[9])
            for a in range(inputs):
                factor = f4(squares_back[a]) / f4(width) if layer == depth else f4(squares_back[a])
                mantissa[a], exponent[a] = rescale(mantissa[a], exponent[a], factor)
            if record >= 0 and layers[record] == layer:
                pair = 0
                for a in range(inputs):
                    alive = mantissa[a] > f4(0)
                    log_norm[record, a] = logarithm(mantissa[a], exponent[a]) if alive else DEAD
                    for b in range(a + 1, inputs):
                        both = alive and mantissa[b] > f4(0)
                        gap = f4(gap_between(gram_back, squares_back, a, b)) if both else NAN
                        gradient_gap[record, pair] = gap
                        pair += 1
                record -= 1

    return run
