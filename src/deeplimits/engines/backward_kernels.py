"""The CPU kernels of gradients of a perceptron: backpropagation through the weights that the forward pass has
not formed.

g_d = √(c/n) φ'(z_d) ⊙ w and g_ℓ = √(c/n) φ'(z_ℓ) ⊙ W_ℓᵀ g_{ℓ+1}. What the forward pass has drawn of W_ℓ is
its product with the activations of layer ℓ, so given all layers W_ℓᵀ g_{ℓ+1} is a sum over these and fresh
normals (``backward_algebra``), m normals a unit. The readout w is treated likewise, the weights of one more
unit, whose products with the activations make the output.

A layer is drawn again from the counters of its normals, so that no more than one is held. Gradients are
carried over their norms, as one of them and its differences to the others, and their norms beside them as a
float32 in [1, 2) and a power of two.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from deeplimits.engines.arithmetic import f4, i4, kernel, u4
from deeplimits.engines.backward_algebra import (
    around_bisector,
    directions,
    gap_between,
    orthonormalise,
    transposed,
)
from deeplimits.engines.backward_units import (
    add_product,
    copy,
    mix,
    multiply,
    sloped_pair,
    smooth_pair,
    subtract,
    units_of,
)
from deeplimits.engines.mlp_kernels import DEAD, LANES, NAN, TILE, rescale, tree
from deeplimits.engines.normals import logarithm
from deeplimits.engines.output_kernels import output_normals
from deeplimits.engines.philox import PURPOSE_BACKWARD, PURPOSE_FORWARD, PURPOSE_OUTPUT, sample_words
from deeplimits.engines.smooth_kernels import fill, scaled_root, units_per_lane
from deeplimits.engines.states import advance, coefficients_of, drawn_of, update


@kernel
def add_products(size: Any, rows: Any, vectors: Any, others: Any, wide: Any) -> None:
    """Add to the lanes of all products of ``rows``, of the squares of ``vectors`` from the second on, and of
    the products of ``rows`` and ``others``.
    """
    at = 0
    for i in range(size):
        for j in range(i, size):
            add_product(rows[i], rows[j], wide[at])
            at += 1
    for i in range(1, size):
        add_product(vectors[i], vectors[i], wide[at])
        at += 1
    for i in range(size):
        for j in range(size):
            add_product(rows[i], others[j], wide[at])
            at += 1


@kernel
def unpack(totals: Any, gram: Any, squares: Any, cross: Any) -> None:
    """Sort the sums of ``add_products`` into matrices."""
    size = gram.shape[0]
    at = 0
    for i in range(size):
        for j in range(i, size):
            gram[i, j], gram[j, i] = totals[at], totals[at]
            at += 1
    squares[0] = gram[0, 0]
    for i in range(1, size):
        squares[i] = totals[at]
        at += 1
    for i in range(size):
        for j in range(size):
            cross[i, j] = totals[at]
            at += 1


def piecewise_linear(inputs: int) -> Callable[..., None]:
    """The kernel for ``inputs`` inputs and a piecewise-linear activation."""
    return _backward(inputs, smooth=False)


def smooth(inputs: int) -> Callable[..., None]:
    """The kernel for ``inputs`` inputs and a smooth activation."""
    return _backward(inputs, smooth=True)


def _backward(inputs: int, *, smooth: bool) -> Callable[..., None]:
    """See ``backward.scratch`` for the last arguments of the kernel."""
    pairs = inputs * (inputs - 1) // 2
    units, slots = units_per_lane(inputs), 4 * ((inputs + 3) // 4)
    polar_form = inputs == 2 and not smooth
    products = inputs * (inputs + 1) // 2 + inputs - 1 + inputs**2
    draw, fill_fresh = drawn_of(inputs, smooth), fill(inputs)
    units_function, coefficients = units_of(inputs, smooth), coefficients_of(inputs, smooth)
    advance_layer, update_gaps = advance(inputs, smooth), update(inputs, smooth)
    difference_of = smooth_pair if smooth else sloped_pair

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
        normals: Any,
        fresh: Any,
        basis: Any,
        slopes: Any,
        vectors: Any,
        wide: Any,
        factor: Any,
        product: Any,
        matrices: Any,
        pulled: Any,
        all_gaps: Any,
        all_reach: Any,
        all_living: Any,
        reals: Any,
        sums: Any,
        mantissa: Any,
        exponent: Any,
    ) -> None:
        depth = widths.shape[0]
        k0, k1 = u4(key & np.uint64(0xFFFFFFFF)), u4(key >> np.uint64(32))
        polar, z, psi = vectors[:8], vectors[8 : 8 + inputs], vectors[8 + inputs : 8 + 2 * inputs]
        phi, derivative = (
            vectors[8 + 2 * inputs : 8 + 3 * inputs],
            vectors[8 + 3 * inputs : 8 + 4 * inputs],
        )
        differences = vectors[8 + 4 * inputs : 8 + 4 * inputs + pairs]
        lanes = vectors[8 + 4 * inputs + pairs :]
        combined, factor_differences = factor[:inputs], factor[inputs:]
        back, back_differences = product[:inputs], product[inputs:]
        rows, gram, along, lower, orthonormal, cross = (
            matrices[0],
            matrices[1],
            matrices[2],
            matrices[3],
            matrices[4],
            matrices[5],
        )
        gram_back, along_back, lower_back, cross_back, scrap = (
            matrices[6],
            matrices[7],
            matrices[8],
            matrices[9],
            matrices[10],
        )
        totals, squares, squares_back = (
            reals[:products],
            reals[products : products + inputs],
            reals[products + inputs :],
        )
        for row in range(log_norm.shape[0]):
            low, high = sample_words(np.int64(first) + row, PURPOSE_FORWARD)
            _, high_back = sample_words(np.int64(first) + row, PURPOSE_BACKWARD)
            _, high_output = sample_words(np.int64(first) + row, PURPOSE_OUTPUT)
            pair = 0
            for a in range(inputs):
                mantissa[a], exponent[a] = mantissa_0[a], exponent_0[a]
                all_reach[0, a] = scaled_root(mantissa[a], exponent[a], inverse_scale[0])
                all_living[0, a] = i4(1)
                all_gaps[0, a, a] = 0.0
                for b in range(a + 1, inputs):
                    all_gaps[0, a, b], all_gaps[0, b, a] = gap_0[pair], gap_0[pair]
                    pair += 1
            for layer in range(depth - 1):
                coefficients(all_gaps[layer], rows, combined, factor_differences)
                advance_layer(
                    widths[layer],
                    layer,
                    low,
                    high,
                    k0,
                    k1,
                    combined,
                    factor_differences,
                    all_reach[layer],
                    plus[layer],
                    minus[layer],
                    table,
                    bits,
                    top,
                    normals,
                    polar,
                    z,
                    psi,
                    derivative,
                    phi,
                    differences,
                    lanes,
                    sums,
                )
                for a in range(inputs):
                    mantissa[a], exponent[a] = rescale(mantissa[a], exponent[a], sums[a] * normalizer[layer])
                    all_reach[layer + 1, a] = scaled_root(mantissa[a], exponent[a], inverse_scale[layer + 1])
                    all_living[layer + 1, a] = i4(1) if mantissa[a] > f4(0) else i4(0)
                    for b in range(inputs):
                        all_gaps[layer + 1, a, b] = all_gaps[layer, a, b]
                update_gaps(sums, all_living[layer + 1], all_gaps[layer + 1])
            # the readout is one unit more, whose gradient is 1 for all inputs
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
            for layer in range(depth, max(layers[0], 1) - 1, -1):
                at = layer - 1
                width = widths[at]
                living = all_living[at]
                all_live = True
                for a in range(inputs):
                    all_live = all_live and living[a] == i4(1)
                coefficients(all_gaps[at], rows, combined, factor_differences)
                totals[:] = 0.0
                for tile in range(0, width, TILE):
                    wide[:] = 0.0
                    stop = min(width, tile + TILE)
                    for start in range(tile, stop, units * LANES):
                        block = start // (units * LANES)
                        drawn = normals[block * slots : (block + 1) * slots]
                        drawn_fresh = fresh[block * slots : (block + 1) * slots]
                        draw(polar, drawn, start, width, at, low, high, k0, k1)
                        fill_fresh(drawn_fresh, start, width, layer, low, high_back, k0, k1)
                        for unit in range(units):
                            place = (block * units + unit) * inputs
                            kept = basis[place : place + inputs]
                            kept_slopes = slopes[place : place + inputs]
                            units_function(
                                drawn[unit * inputs : (unit + 1) * inputs],
                                polar[4 * unit : 4 * unit + 4],
                                combined,
                                factor_differences,
                                1,
                                all_reach[at],
                                plus[at],
                                minus[at],
                                table,
                                bits,
                                top,
                                z,
                                psi,
                                kept_slopes,
                                phi,
                                differences,
                                lanes,
                            )
                            if not all_live:
                                # z = 0, where the slope of a piecewise-linear activation is s₋
                                for a in range(inputs):
                                    if living[a] == i4(0):
                                        phi[a, :] = f4(0)
                                        kept_slopes[a, :] = minus[at]
                            copy(phi[0], kept[0])
                            for a in range(1, inputs):
                                if all_live:
                                    copy(differences[a - 1], kept[a])
                                else:
                                    subtract(phi[0], phi[a], kept[a])
                            add_products(
                                inputs, kept, phi, drawn_fresh[unit * inputs : (unit + 1) * inputs], wide
                            )
                    for i in range(products):
                        totals[i] = totals[i] + tree(wide[i])
                unpack(totals, gram, squares, cross)
                directions(gram, squares, along)
                if polar_form and layer < depth:
                    around_bisector(squares, along)
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
                        for unit in range(units):
                            place = (block * units + unit) * inputs
                            kept = basis[place : place + inputs]
                            kept_slopes = slopes[place : place + inputs]
                            own = normals[block * slots + unit * inputs : block * slots + (unit + 1) * inputs]
                            more = fresh[block * slots + unit * inputs : block * slots + (unit + 1) * inputs]
                            for a in range(inputs):
                                mix(back[a], inputs, kept, more, z[a])
                                multiply(z[a], kept_slopes[a], phi[a])
                            copy(phi[0], derivative[0])
                            for a in range(1, inputs):
                                mix(back_differences[a], inputs, kept, more, derivative[a])
                                difference_of(
                                    derivative[a],
                                    z[0],
                                    z[a],
                                    kept_slopes[0],
                                    kept_slopes[a],
                                    phi[0],
                                    phi[a],
                                )
                            add_products(inputs, derivative, phi, own, wide)
                    for i in range(products):
                        totals[i] = totals[i] + tree(wide[i])
                unpack(totals, gram_back, squares_back, cross_back)
                directions(gram_back, squares_back, along_back)
                orthonormalise(gram_back, along_back, lower_back, scrap)
                for a in range(inputs):
                    factor_a = f4(squares_back[a]) * normalizer[at]
                    mantissa[a], exponent[a] = rescale(mantissa[a], exponent[a], factor_a)
                if record >= 0 and layers[record] == layer:
                    pair = 0
                    for a in range(inputs):
                        alive = mantissa[a] > f4(0)
                        log_norm[row, record, a] = logarithm(mantissa[a], exponent[a]) if alive else DEAD
                        for b in range(a + 1, inputs):
                            both = alive and mantissa[b] > f4(0)
                            gap = f4(gap_between(gram_back, squares_back, a, b)) if both else NAN
                            gradient_gap[row, record, pair] = gap
                            pair += 1
                    record -= 1

    return run
