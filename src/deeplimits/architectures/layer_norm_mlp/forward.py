"""The CPU kernel of the piecewise-linear perceptron with LayerNorm, for any number of inputs.

The recursion is that of ``engines.mlp.many_inputs``, with sums about the mean over units. Beside S_a, D, E
and C, a layer sums T_a = Σ φ_a and U = Σ (φ_a − φ_b) of every pair: S_a − T_a² / n, D − U² / n, E − U (T_a +
T_b) / n and C − T_a T_b / n are those of the centred activations. Norms are 1: directions are all there is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from deeplimits.engines.contract.arithmetic import f4, fma, kernel, part
from deeplimits.engines.contract.lane_operations import combine, pair_sums, reduce_tile
from deeplimits.engines.contract.lanewise import Vector, lanewise
from deeplimits.engines.contract.layer_normals import fill, stream_of
from deeplimits.engines.contract.philox import PURPOSE_FORWARD
from deeplimits.engines.contract.shape import LANES, TILE, units_per_lane
from deeplimits.engines.mlp.correlations import coefficients, first_gaps, gaps_after, record_layer
from deeplimits.engines.mlp.many_inputs import sloped_difference


@lanewise
def activate(
    z: Vector,
    slope_plus: Vector,
    slope_minus: Vector,
    slopes: Vector,
    phi: Vector,
    lanes: Vector,
    lanes_t: Vector,
) -> dict[str, Vector]:
    """The slope and the value of φ at each preactivation; squares and values are added."""
    slope = (z > 0.0).then(slope_plus, slope_minus)
    product = z * slope
    return {
        "slopes": slope,
        "phi": product,
        "lanes": product.fma(product, lanes),
        "lanes_t": lanes_t + product,
    }


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
    lanes_u: Vector,
) -> dict[str, Vector]:
    """Add a pair's terms of D, E, C and U, given z_a − z_b in ``difference``."""
    difference = sloped_difference(difference, slopes_a, slopes_b, phi_a, phi_b)
    return {
        **pair_sums(difference, phi_a, phi_b, lanes_d, lanes_e, lanes_c),
        "lanes_u": lanes_u + difference,
    }


@part
def centre(sums: Any, inputs: Any, width: Any) -> None:
    """Make S, D, E and C of the activations those of the centred ones, in float64, rounded once."""
    pairs = inputs * (inputs - 1) // 2
    reduced = inputs + 3 * pairs
    count = np.float64(width)
    pair = 0
    for a in range(inputs):
        total_a = np.float64(sums[reduced + a])
        for b in range(a + 1, inputs):
            total_b = np.float64(sums[reduced + b])
            apart = np.float64(sums[reduced + inputs + pair])
            square, shift, product = inputs + pair, inputs + pairs + pair, inputs + 2 * pairs + pair
            both = (total_a + total_b) / count
            sums[square] = f4(max(fma(-apart, apart / count, np.float64(sums[square])), 0.0))
            sums[shift] = f4(fma(-apart, both, np.float64(sums[shift])))
            sums[product] = f4(fma(-total_a, total_b / count, np.float64(sums[product])))
            pair += 1
    for a in range(inputs):
        total_a = np.float64(sums[reduced + a])
        sums[a] = f4(max(fma(-total_a, total_a / count, np.float64(sums[a])), 0.0))


def layer_norm(inputs: int) -> Callable[..., None]:
    """The kernel for ``inputs`` inputs; see ``engines.mlp.one_or_two_inputs.single_input``, and
    ``layer_norm_mlp.call.scratch`` for the last four arguments.
    """
    pairs, slots = inputs * (inputs - 1) // 2, 4 * ((inputs + 3) // 4)
    units, filled, reduced = units_per_lane(inputs), slots + 1 + inputs, inputs + 3 * pairs
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
        sums, living = numbers[: lanes.shape[0]], numbers[lanes.shape[0] :]
        gaps, rows = matrices[:inputs], matrices[inputs:]
        for row in range(log_variance.shape[0]):
            stream = stream_of(key, np.int64(first) + row, PURPOSE_FORWARD)
            living[:] = f4(1)
            exponent[:] = 0
            first_gaps(gap_0, gaps)
            record = 1 if layers[0] == 0 else 0
            for layer in range(depth):
                width, slope_plus, slope_minus = widths[layer], slopes_plus[layer], slopes_minus[layer]
                coefficients(gaps, rows, factor, differences)
                sums[:] = f4(0)
                for tile in range(0, width, TILE):
                    lanes[:] = f4(0)
                    for start in range(tile, min(width, tile + TILE), units * LANES):
                        fill_normals(normals, start, width, layer, stream)
                        for unit in range(units):
                            drawn = normals[unit * inputs : (unit + 1) * inputs]
                            for a in range(inputs):
                                combine(factor[a], drawn, a + 1, combined)
                                activate(
                                    combined,
                                    slope_plus,
                                    slope_minus,
                                    slopes[a],
                                    phi[a],
                                    lanes[a],
                                    lanes[reduced + a],
                                )
                            pair = 0
                            for a in range(inputs):
                                for b in range(a + 1, inputs):
                                    combine(differences[pair], drawn, b + 1, combined)
                                    add_pair(
                                        combined,
                                        slopes[a],
                                        slopes[b],
                                        phi[a],
                                        phi[b],
                                        lanes[inputs + pair],
                                        lanes[inputs + pairs + pair],
                                        lanes[inputs + 2 * pairs + pair],
                                        lanes[reduced + inputs + pair],
                                    )
                                    pair += 1
                    reduce_tile(lanes, sums)
                centre(sums, inputs, width)
                gaps_after(sums, inputs, gaps)
                for a in range(inputs):
                    if not sums[a] > f4(0):
                        living[a] = f4(0)
                if record < len(layers) and layers[record] == layer + 1:
                    record_layer(
                        living, exponent, gaps, log_variance[row, record], correlation_gap[row, record]
                    )
                    record += 1

    return run
