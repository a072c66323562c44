"""The CPU kernel of the piecewise-linear multilayer perceptron for three inputs or more.

The same recursion as in ``one_or_two_inputs``, with a Cholesky factor a layer instead of a half-angle. The
factor is that of u_0 and the differences u_a − u_0, in float64, from the carried 1 − ρ: ⟨u_a − u_0, u_b −
u_0⟩ = g_0a + g_0b − g_ab, so that inputs close to one another lose nothing that their distances still hold.
z_a − z_b has coefficients of its own and is not formed as a difference of large numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from deeplimits.engines.contract.arithmetic import f4, kernel
from deeplimits.engines.contract.lane_operations import combine, pair_sums, reduce_tile
from deeplimits.engines.contract.lanewise import Vector, lanewise
from deeplimits.engines.contract.layer_normals import fill, stream_of
from deeplimits.engines.contract.philox import PURPOSE_FORWARD
from deeplimits.engines.contract.shape import LANES, TILE
from deeplimits.engines.contract.totals import rescale
from deeplimits.engines.mlp.correlations import coefficients, first_gaps, gaps_after, record_layer


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
    return pair_sums(difference, phi_a, phi_b, lanes_d, lanes_e, lanes_c)


def many_inputs(inputs: int) -> Callable[..., None]:
    """The kernel for ``inputs`` inputs, a compile-time constant so that its loops unroll; see
    ``one_or_two_inputs.single_input``, and ``mlp.call.scratch`` for the last five arguments.
    """
    pairs, slots = inputs * (inputs - 1) // 2, 4 * ((inputs + 3) // 4)
    filled, reduced = slots + 1 + inputs, inputs + 3 * pairs
    fill_normals = fill(inputs)

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
        factors: Any,
        numbers: Any,
        exponent: Any,
        matrices: Any,
    ) -> None:
        normals, combined = vectors[:slots], vectors[slots]
        phi, slopes = vectors[slots + 1 : filled], vectors[filled : filled + inputs]
        lanes = vectors[filled + inputs :]
        factor, differences = factors[:inputs], factors[inputs:]
        sums, mantissa = numbers[:reduced], numbers[reduced:]
        gaps, rows = matrices[:inputs], matrices[inputs:]
        for row in range(log_variance.shape[0]):
            stream = stream_of(key, np.int64(first) + row, PURPOSE_FORWARD)
            for a in range(inputs):
                mantissa[a], exponent[a] = mantissa_0[a], exponent_0[a]
            first_gaps(gap_0, gaps)
            record = 1 if layers[0] == 0 else 0
            for layer in range(depth):
                width, normalizer = widths[layer], normalizers[layer]
                slope_plus, slope_minus = slopes_plus[layer], slopes_minus[layer]
                coefficients(gaps, rows, factor, differences)
                sums[:] = f4(0)
                for tile in range(0, width, TILE):
                    lanes[:] = f4(0)
                    for start in range(tile, min(width, tile + TILE), LANES):
                        fill_normals(normals, start, width, layer, stream)
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
                    reduce_tile(lanes, sums)
                gaps_after(sums, inputs, gaps)
                for a in range(inputs):
                    mantissa[a], exponent[a] = rescale(mantissa[a], exponent[a], sums[a] * normalizer)
                if record < len(layers) and layers[record] == layer + 1:
                    record_layer(
                        mantissa, exponent, gaps, log_variance[row, record], correlation_gap[row, record]
                    )
                    record += 1

    return run
