"""The CPU kernel of the piecewise-linear multilayer perceptron for three inputs or more.

The same recursion as in ``mlp_kernels``, with a Cholesky factor a layer instead of a half-angle. The factor
is that of u_0 and the differences u_a − u_0, in float64, from the carried 1 − ρ: ⟨u_a − u_0, u_b − u_0⟩ =
g_0a + g_0b − g_ab, so that inputs close to one another lose nothing that their distances still hold. z_a −
z_b has coefficients of its own and is not formed as a difference of large numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from deeplimits.engines.arithmetic import f4, fma, inline, kernel, square_root, u4
from deeplimits.engines.lanewise import Vector, lanewise
from deeplimits.engines.mlp_kernels import DEAD, LANES, NAN, TILE, rescale, tree
from deeplimits.engines.normals import logarithm, normal_pair
from deeplimits.engines.philox import PURPOSE_FORWARD, philox, sample_words


@inline
def difference_factor(gaps: Any, rows: Any) -> Any:
    """Fill ``rows`` [m, m] so that row a holds the coefficients of u_a − u_0 (a ≥ 1); lower triangular beyond
    column 0.

    ``gaps`` [m, m] holds 1 − ρ in float64, zero on the diagonal. Every row keeps its square norm 2 g_0a: no
    entry exceeds what the row has left, however little rounding leaves of a pivot.
    """
    inputs = gaps.shape[0]
    rows[0, :] = 0.0
    for a in range(1, inputs):
        rows[a, :] = 0.0
        rows[a, 0] = -gaps[0, a]
        left = fma(-gaps[0, a], gaps[0, a], 2.0 * gaps[0, a])
        for b in range(1, a):
            if rows[b, b] > 0.0:
                value = (gaps[0, a] + gaps[0, b]) - gaps[a, b]
                for column in range(b):
                    value = value - rows[a, column] * rows[b, column]
                bound = square_root(max(left, 0.0))
                rows[a, b] = min(max(value / rows[b, b], -bound), bound)
                left = fma(-rows[a, b], rows[a, b], left)
        rows[a, a] = square_root(max(left, 0.0))


@inline
def gaps_after(sums: Any, inputs: Any, gaps: Any) -> Any:
    """Update ``gaps`` from the reduced sums: S_a for every input, then D, E and C for every pair.

    A dead input has no direction; it is carried along with the first one that lives, which leaves the others
    as they are.
    """
    living = -1
    for a in range(inputs):
        if living < 0 and sums[a] > f4(0):
            living = a
    pair = inputs
    pairs = inputs * (inputs - 1) // 2
    for a in range(inputs):
        for b in range(a + 1, inputs):
            gap = 0.0
            if sums[a] > f4(0) and sums[b] > f4(0):
                norm_a = square_root(np.float64(sums[a]))
                norm_b = square_root(np.float64(sums[b]))
                product = norm_a * norm_b
                square = np.float64(sums[pair])
                if square < product:
                    shift = np.float64(sums[pair + pairs]) / (norm_a + norm_b)
                    gap = fma(-shift, shift, square) / (2.0 * product)
                else:
                    gap = (product - np.float64(sums[pair + 2 * pairs])) / product
                gap = min(max(gap, 0.0), 2.0)
            gaps[a, b] = gap
            gaps[b, a] = gap
            pair += 1
    if living >= 0:
        for a in range(inputs):
            if not sums[a] > f4(0):
                for b in range(inputs):
                    gap = gaps[living, b] if sums[b] > f4(0) else 0.0
                    gaps[a, b] = gap
                    gaps[b, a] = gap


@kernel
def fill_normals(
    normals: Any, calls: Any, start: Any, width: Any, layer: Any, low: Any, high: Any, k0: Any, k1: Any
) -> None:
    """Fill ``normals`` [4 · calls, lane] for the units from ``start`` on, one a lane; zero beyond
    ``width``.
    """
    for call in range(calls):
        for lane in range(LANES):
            w0, w1, w2, w3 = philox(u4((start + lane) * calls + call), u4(layer), low, high, k0, k1)
            inside = f4(1) if start + lane < width else f4(0)
            x0, x1 = normal_pair(w0, w1)
            x2, x3 = normal_pair(w2, w3)
            normals[4 * call, lane] = x0 * inside
            normals[4 * call + 1, lane] = x1 * inside
            normals[4 * call + 2, lane] = x2 * inside
            normals[4 * call + 3, lane] = x3 * inside


@lanewise
def scale_lanes(coefficient: Vector, normals: Vector, combined: Vector) -> dict[str, Vector]:
    """combined = coefficient · normals."""
    return {"combined": coefficient * normals}


@lanewise
def add_lanes(coefficient: Vector, normals: Vector, combined: Vector) -> dict[str, Vector]:
    """combined + coefficient · normals."""
    return {"combined": coefficient.fma(normals, combined)}


@inline
def combine(coefficients: Any, normals: Any, columns: Any, combined: Any) -> Any:
    """combined[lane] = Σ coefficients[column] · normals[column, lane] over the first ``columns``, in their
    order.
    """
    scale_lanes(coefficients[0], normals[0], combined)
    for column in range(1, columns):
        add_lanes(coefficients[column], normals[column], combined)


@lanewise
def activate(
    z: Vector, slope_plus: Vector, slope_minus: Vector, slopes: Vector, phi: Vector, lanes: Vector
) -> dict[str, Vector]:
    """The slope and the value of φ at each preactivation; the squares are added to ``lanes``."""
    slope = (z > 0.0).then(slope_plus, slope_minus)
    product = z * slope
    return {"slopes": slope, "phi": product, "lanes": product.fma(product, lanes)}


def sloped_difference(
    difference: Vector, slopes_a: Vector, slopes_b: Vector, phi_a: Vector, phi_b: Vector
) -> Vector:
    """φ_a − φ_b, given z_a − z_b in ``difference``; for functions of ``lanewise``."""
    return slopes_a.equals(slopes_b).then(difference * slopes_a, phi_a - phi_b)


@lanewise
def add_pair(
    difference: Vector,
    slopes_a: Vector,
    slopes_b: Vector,
    phi_a: Vector,
    phi_b: Vector,
    lanes_d: Vector,
    lanes_e: Vector,
    lanes_c: Vector,
) -> dict[str, Vector]:
    """Add a pair's terms of D, E and C, given z_a − z_b in ``difference``."""
    difference = sloped_difference(difference, slopes_a, slopes_b, phi_a, phi_b)
    return {
        "lanes_d": difference.fma(difference, lanes_d),
        "lanes_e": difference.fma(phi_a + phi_b, lanes_e),
        "lanes_c": phi_a.fma(phi_b, lanes_c),
    }


def many_inputs(inputs: int) -> Callable[..., None]:
    """The kernel for ``inputs`` inputs, a compile-time constant so that its loops unroll; see
    ``mlp_kernels.single_input``, and ``cpu.scratch`` for the last five arguments.
    """
    pairs = inputs * (inputs - 1) // 2
    calls = (inputs + 3) // 4
    reduced = inputs + 3 * pairs
    filled = 4 * calls + 1 + inputs

    @kernel
    def run(
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
        vectors: Any,
        coefficients: Any,
        numbers: Any,
        exponent: Any,
        matrices: Any,
    ) -> None:
        normals, combined = vectors[: 4 * calls], vectors[4 * calls]
        phi, slopes = vectors[4 * calls + 1 : filled], vectors[filled : filled + inputs]
        lanes = vectors[filled + inputs :]
        factor, differences = coefficients[:inputs], coefficients[inputs:]
        sums, mantissa = numbers[:reduced], numbers[reduced:]
        gaps, rows = matrices[:inputs], matrices[inputs:]
        k0, k1 = u4(key & np.uint64(0xFFFFFFFF)), u4(key >> np.uint64(32))
        for row in range(log_variance.shape[0]):
            low, high = sample_words(np.int64(first) + row, PURPOSE_FORWARD)
            pair = 0
            for a in range(inputs):
                mantissa[a], exponent[a] = mantissa_0[a], exponent_0[a]
                gaps[a, a] = 0.0
                for b in range(a + 1, inputs):
                    gaps[a, b] = np.float64(gap_0[pair])
                    gaps[b, a] = gaps[a, b]
                    pair += 1
            record = 1 if layers[0] == 0 else 0
            for layer in range(depth):
                width, normalizer = widths[layer], normalizers[layer]
                slope_plus, slope_minus = slopes_plus[layer], slopes_minus[layer]
                difference_factor(gaps, rows)
                pair = 0
                for a in range(inputs):
                    for column in range(inputs):
                        factor[a, column] = f4(rows[a, column] + (1.0 if column == 0 else 0.0))
                    for b in range(a + 1, inputs):
                        for column in range(inputs):
                            differences[pair, column] = f4(rows[a, column] - rows[b, column])
                        pair += 1
                sums[:] = f4(0)
                for tile in range(0, width, TILE):
                    lanes[:] = f4(0)
                    stop = min(width, tile + TILE)
                    for start in range(tile, stop, LANES):
                        fill_normals(normals, calls, start, width, layer, low, high, k0, k1)
                        for a in range(inputs):
                            combine(factor[a], normals, a + 1, combined)
                            activate(combined, slope_plus, slope_minus, slopes[a], phi[a], lanes[a])
                        pair = 0
                        for a in range(inputs):
                            for b in range(a + 1, inputs):
                                combine(differences[pair], normals, b + 1, combined)
                                add_pair(
                                    combined,
                                    slopes[a],
                                    slopes[b],
                                    phi[a],
                                    phi[b],
                                    lanes[inputs + pair],
                                    lanes[inputs + pairs + pair],
                                    lanes[inputs + 2 * pairs + pair],
                                )
                                pair += 1
                    for at in range(reduced):
                        sums[at] = sums[at] + tree(lanes[at])
                gaps_after(sums, inputs, gaps)
                for a in range(inputs):
                    mantissa[a], exponent[a] = rescale(mantissa[a], exponent[a], sums[a] * normalizer)
                if record < len(layers) and layers[record] == layer + 1:
                    pair = 0
                    for a in range(inputs):
                        log_variance[row, record, a] = (
                            logarithm(mantissa[a], exponent[a]) if mantissa[a] > f4(0) else DEAD
                        )
                        for b in range(a + 1, inputs):
                            alive = mantissa[a] > f4(0) and mantissa[b] > f4(0)
                            correlation_gap[row, record, pair] = f4(gaps[a, b]) if alive else NAN
                            pair += 1
                    record += 1

    return run
