"""The CPU kernels of the piecewise-linear multilayer perceptron: whole networks, no weight matrix.

Given the layers before, the preactivations of a layer are N(0, V ⊗ I_n) with V the Gram matrix of the layer's
inputs, so a layer takes m normals a unit and never its n² weights. φ_s is homogeneous: a layer sees its
inputs only through their correlations, and the scale of V is carried beside them as a float32 in [1, 2) and
an exact power of two, out of reach of overflow.

1 − ρ is carried, never ρ. With unit inputs u_a, u_b, per-unit sums S_a = Σ φ(z_a)², D = Σ (φ(z_a) − φ(z_b))²,
E = Σ (φ(z_a)² − φ(z_b)²) give 1 − ρ' = (D − E² / (√S_a + √S_b)²) / (2 √(S_a S_b)), and each φ(z_a) − φ(z_b)
is formed from z_a − z_b where both have one sign, so small angles keep their digits.

Units are summed in 16 lanes; a tile of 1,024 units is reduced by a fixed tree and added to the running total.
The shape depends on nothing but n, so neither do the bits.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from deeplimits.engines.contract.arithmetic import (
    f4,
    fma,
    inline,
    kernel,
    square_root,
    u4,
)
from deeplimits.engines.contract.normals import cosine_sine, logarithm, minus_two_log
from deeplimits.engines.contract.philox import PURPOSE_FORWARD, philox, sample_words
from deeplimits.engines.contract.shape import LANES, TILE
from deeplimits.engines.contract.totals import DEAD, NAN, rescale, tree


@kernel
def single_input(
    key: Any,
    first: Any,
    widths: Any,
    depth: Any,
    layers: Any,
    slopes_plus: Any,
    slopes_minus: Any,
    normalizers: Any,
    mantissa_0: Any,
    exponent_0: Any,
    log_variance: Any,
    lanes: Any,
) -> None:
    """Fill ``log_variance`` [sample, record, 1] at the recorded ``layers`` of the samples from ``first`` on;
    layer 0 is the caller's, and so is ``lanes`` [1, LANES], for scratch. Widths, slopes and c/n are those of
    each layer.
    """
    k0, k1 = u4(key & np.uint64(0xFFFFFFFF)), u4(key >> np.uint64(32))
    sums = lanes[0]
    for row in range(log_variance.shape[0]):
        low, high = sample_words(np.int64(first) + row, PURPOSE_FORWARD)
        mantissa, exponent = mantissa_0[0], exponent_0[0]
        record = 1 if layers[0] == 0 else 0
        for layer in range(depth):
            width, normalizer = widths[layer], normalizers[layer]
            slope_plus, slope_minus = slopes_plus[layer], slopes_minus[layer]
            total = f4(0)
            for tile in range(0, width, TILE):
                sums[:] = f4(0)
                stop = min(width, tile + TILE)
                for start in range(tile, stop, 4 * LANES):
                    full = start + 4 * LANES <= width
                    for lane in range(LANES):
                        unit = start + 4 * lane
                        w0, w1, w2, w3 = philox(u4(unit // 4), u4(layer), low, high, k0, k1)
                        radius = minus_two_log(w0)
                        cosine, sine = cosine_sine(w1)
                        a = cosine * (slope_plus if cosine > f4(0) else slope_minus)
                        b = sine * (slope_plus if sine > f4(0) else slope_minus)
                        if not full:
                            a = a if unit < width else f4(0)
                            b = b if unit + 1 < width else f4(0)
                        partial = fma(radius * b, b, fma(radius * a, a, sums[lane]))
                        radius = minus_two_log(w2)
                        cosine, sine = cosine_sine(w3)
                        a = cosine * (slope_plus if cosine > f4(0) else slope_minus)
                        b = sine * (slope_plus if sine > f4(0) else slope_minus)
                        if not full:
                            a = a if unit + 2 < width else f4(0)
                            b = b if unit + 3 < width else f4(0)
                        sums[lane] = fma(radius * b, b, fma(radius * a, a, partial))
                total = total + tree(sums)
            mantissa, exponent = rescale(mantissa, exponent, total * normalizer)
            if record < len(layers) and layers[record] == layer + 1:
                log_variance[row, record, 0] = logarithm(mantissa, exponent) if mantissa > f4(0) else DEAD
                record += 1


@inline
def pair_terms(radius: Any, cosine: Any, sine: Any, slope_plus: Any, slope_minus: Any) -> Any:
    """One unit's φ(z_a), φ(z_b), φ(z_a) − φ(z_b), each over R, from the polar angle around the bisector of
    the inputs.

    ``cosine`` and ``sine`` carry the factors cos(α/2) and sin(α/2), so that z_a = cosine + sine, z_b = cosine
    − sine.
    """
    z_a = cosine + sine
    z_b = cosine - sine
    slope_a = slope_plus if z_a > f4(0) else slope_minus
    slope_b = slope_plus if z_b > f4(0) else slope_minus
    phi_a = z_a * slope_a
    phi_b = z_b * slope_b
    difference = (f4(2) * sine) * slope_a if slope_a == slope_b else phi_a - phi_b
    return phi_a, phi_b, difference


@kernel
def two_inputs(
    key: Any,
    first: Any,
    widths: Any,
    depth: Any,
    layers: Any,
    slopes_plus: Any,
    slopes_minus: Any,
    normalizers: Any,
    mantissa_0: Any,
    exponent_0: Any,
    gap_0: Any,
    log_variance: Any,
    correlation_gap: Any,
    lanes: Any,
) -> None:
    """Fill ``log_variance`` [sample, record, 2] and ``correlation_gap`` [sample, record, 1]; see
    ``single_input``. ``lanes`` [5, LANES] is scratch.
    """
    k0, k1 = u4(key & np.uint64(0xFFFFFFFF)), u4(key >> np.uint64(32))
    lanes_a, lanes_b, lanes_c, lanes_d, lanes_e = lanes[0], lanes[1], lanes[2], lanes[3], lanes[4]
    for row in range(log_variance.shape[0]):
        low, high = sample_words(np.int64(first) + row, PURPOSE_FORWARD)
        mantissa_a, exponent_a = mantissa_0[0], exponent_0[0]
        mantissa_b, exponent_b = mantissa_0[1], exponent_0[1]
        gap = gap_0[0]
        record = 1 if layers[0] == 0 else 0
        for layer in range(depth):
            width, normalizer = widths[layer], normalizers[layer]
            slope_plus, slope_minus = slopes_plus[layer], slopes_minus[layer]
            along = square_root(fma(f4(-0.5), gap, f4(1)))
            across = square_root(f4(0.5) * gap)
            sum_a = f4(0)
            sum_b = f4(0)
            sum_d = f4(0)
            sum_e = f4(0)
            sum_c = f4(0)
            for tile in range(0, width, TILE):
                lanes_a[:] = f4(0)
                lanes_b[:] = f4(0)
                lanes_d[:] = f4(0)
                lanes_e[:] = f4(0)
                lanes_c[:] = f4(0)
                stop = min(width, tile + TILE)
                for start in range(tile, stop, 2 * LANES):
                    full = start + 2 * LANES <= width
                    for lane in range(LANES):
                        unit = start + 2 * lane
                        w0, w1, w2, w3 = philox(u4(unit // 2), u4(layer), low, high, k0, k1)
                        radius = minus_two_log(w0)
                        if not full:
                            radius = radius if unit < width else f4(0)
                        cosine, sine = cosine_sine(w1)
                        a, b, difference = pair_terms(
                            radius, along * cosine, across * sine, slope_plus, slope_minus
                        )
                        scaled_a, scaled_b, scaled = radius * a, radius * b, radius * difference
                        part_a = fma(scaled_a, a, lanes_a[lane])
                        part_b = fma(scaled_b, b, lanes_b[lane])
                        part_d = fma(scaled, difference, lanes_d[lane])
                        part_e = fma(scaled, a + b, lanes_e[lane])
                        part_c = fma(scaled_a, b, lanes_c[lane])
                        radius = minus_two_log(w2)
                        if not full:
                            radius = radius if unit + 1 < width else f4(0)
                        cosine, sine = cosine_sine(w3)
                        a, b, difference = pair_terms(
                            radius, along * cosine, across * sine, slope_plus, slope_minus
                        )
                        scaled_a, scaled_b, scaled = radius * a, radius * b, radius * difference
                        lanes_a[lane] = fma(scaled_a, a, part_a)
                        lanes_b[lane] = fma(scaled_b, b, part_b)
                        lanes_d[lane] = fma(scaled, difference, part_d)
                        lanes_e[lane] = fma(scaled, a + b, part_e)
                        lanes_c[lane] = fma(scaled_a, b, part_c)
                sum_a = sum_a + tree(lanes_a)
                sum_b = sum_b + tree(lanes_b)
                sum_d = sum_d + tree(lanes_d)
                sum_e = sum_e + tree(lanes_e)
                sum_c = sum_c + tree(lanes_c)
            mantissa_a, exponent_a = rescale(mantissa_a, exponent_a, sum_a * normalizer)
            mantissa_b, exponent_b = rescale(mantissa_b, exponent_b, sum_b * normalizer)
            alive = mantissa_a > f4(0) and mantissa_b > f4(0)
            # a dead input has no direction: the one that lives on goes on alone, which gap = 0 does
            gap = gap_after(sum_a, sum_b, sum_d, sum_e, sum_c) if alive else f4(0)
            if record < len(layers) and layers[record] == layer + 1:
                log_variance[row, record, 0] = (
                    logarithm(mantissa_a, exponent_a) if mantissa_a > f4(0) else DEAD
                )
                log_variance[row, record, 1] = (
                    logarithm(mantissa_b, exponent_b) if mantissa_b > f4(0) else DEAD
                )
                correlation_gap[row, record, 0] = gap if alive else NAN
                record += 1


@inline
def gap_after(sum_a: Any, sum_b: Any, sum_d: Any, sum_e: Any, sum_c: Any) -> Any:
    """1 − ρ of two vectors from their square norms, the square norm D of their difference, the difference E
    of their square norms, and their inner product C.

    Near one another, D and E give it to a relative error; far apart or of unequal norms, C to an absolute
    one, where D would lose as much as the norms differ.
    """
    product = square_root(sum_a * sum_b)
    shift = sum_e / (square_root(sum_a) + square_root(sum_b))
    near = fma(-shift, shift, sum_d) / (f4(2) * product)
    far = (product - sum_c) / product
    return min(max(near if sum_d < product else far, f4(0)), f4(2))
