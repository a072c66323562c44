"""The CPU kernel of the multilayer perceptron with a smooth activation, for any number of inputs.

φ_s(z) = s φ(z / s) = z ψ(z / s): with z = √V g, a unit's activation over √V is g ψ(g r), r = √V / s, and so a
layer is that of a piecewise-linear network whose slope is ψ, read from a table (``tables``). V is carried as
there, a float32 in [1, 2) and a power of two; correlations are carried as 1 − ρ, and the difference of two
activations is (g_a − g_b) (ψ_a + ψ_b) / 2 + (g_a + g_b) / 2 · (ψ_a − ψ_b), where g_a − g_b is not formed as a
difference of large numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from deeplimits.engines.contract.activation_tables import LOWEST
from deeplimits.engines.contract.arithmetic import bits_float, f4, i4, inline, kernel, square_root
from deeplimits.engines.contract.lane_operations import combine, pair_sums, reduce_tile
from deeplimits.engines.contract.lanewise import Table, Vector, lanewise
from deeplimits.engines.contract.layer_normals import fill, stream_of
from deeplimits.engines.contract.philox import PURPOSE_FORWARD
from deeplimits.engines.contract.shape import LANES, TILE, units_per_lane
from deeplimits.engines.contract.totals import rescale
from deeplimits.engines.mlp.correlations import coefficients, first_gaps, gaps_after, record_layer

_LOWEST_EXPONENT = 127 + LOWEST
_LOWEST_BITS = _LOWEST_EXPONENT << 23
"""The end of the first piece of a table, as a biased exponent and as a float32."""
_MAGNITUDE = 0x7FFFFFFF
_FURTHEST = 100
"""r is kept within 2^±100 or so, beyond which ψ has long reached its limits."""


@inline
def scaled_root(mantissa: Any, exponent: Any, factor: Any) -> Any:
    """√(mantissa · 2^exponent) · factor, kept within reach."""
    odd = exponent & i4(1)
    half = i4((exponent - odd) >> i4(1))
    root = square_root(mantissa * (f4(2) if odd == 1 else f4(1))) * factor
    held = i4(min(half, i4(_FURTHEST)))
    held = i4(max(held, i4(-_FURTHEST)))
    return root * bits_float(i4((held + i4(127)) << i4(23)))


def piece_of(
    u: Vector, table: Table, bits: Vector, top: Vector
) -> tuple[list[Vector], Vector, Vector, Vector]:
    """Coefficients of the pieces that hold ψ(u), the variable t of their polynomials, |u|, and whether it is
    short of the tail; for functions of ``lanewise``.
    """
    size = (u.bits() & _MAGNITUDE).bits()
    low = (size.bits() > _LOWEST_BITS).then(size.bits(), _LOWEST_BITS)
    held = low >> (23 - bits)
    edge = (held << (23 - bits)).bits()
    short = size < top
    t = short.then(size - edge, 1.0 / size)
    half = table.rows >> 1
    last = half - 1
    piece = held - (_LOWEST_EXPONENT << bits)
    piece = (piece < last).then(piece, last) + (u < 0.0).then(half, 0)
    return table[piece], t, size, short


def smooth_difference(difference: Vector, z_a: Vector, z_b: Vector, psi_a: Vector, psi_b: Vector) -> Vector:
    """z_a ψ_a − z_b ψ_b, given z_a − z_b in ``difference``; for functions of ``lanewise``."""
    mean = 0.5 * (psi_a + psi_b)
    middle = 0.5 * (z_a + z_b)
    return difference.fma(mean, middle * (psi_a - psi_b))


@lanewise
def evaluate(
    z: Vector, reach: Vector, table: Table, bits: Vector, top: Vector, psi: Vector, phi: Vector, lanes: Vector
) -> dict[str, Vector]:
    """ψ(z r) and z ψ(z r), whose squares are added to ``lanes``; ``bits`` is k, ``top`` where the tail
    begins.
    """
    c, t, _, _ = piece_of(z * reach, table, bits, top)
    value = c[3].fma(t, c[2]).fma(t, c[1]).fma(t, c[0])
    product = z * value
    return {"psi": value, "phi": product, "lanes": product.fma(product, lanes)}


@lanewise
def add_smooth_pair(
    difference: Vector,
    z_a: Vector,
    z_b: Vector,
    psi_a: Vector,
    psi_b: Vector,
    phi_a: Vector,
    phi_b: Vector,
    lanes_d: Vector,
    lanes_e: Vector,
    lanes_c: Vector,
) -> dict[str, Vector]:
    """Add a pair's terms of D, E and C, given z_a − z_b in ``difference``."""
    difference = smooth_difference(difference, z_a, z_b, psi_a, psi_b)
    return pair_sums(difference, phi_a, phi_b, lanes_d, lanes_e, lanes_c)


def smooth_inputs(inputs: int) -> Callable[..., None]:
    """The kernel for ``inputs`` inputs; see ``mlp.call.scratch`` for the last arguments."""
    pairs = inputs * (inputs - 1) // 2
    units = units_per_lane(inputs)
    slots = 4 * ((inputs + 3) // 4)
    filled = slots + 1
    reduced = inputs + 3 * pairs
    fill_normals = fill(inputs)

    @kernel
    def run(
        key: Any,
        first: Any,
        widths: Any,
        depth: Any,
        layers: Any,
        inverse_scales: Any,
        normalizers: Any,
        mantissa_0: Any,
        exponent_0: Any,
        gap_0: Any,
        bits: Any,
        top: Any,
        table: Any,
        log_variance: Any,
        correlation_gap: Any,
        exploded_at: Any,
        vectors: Any,
        factors: Any,
        numbers: Any,
        exponent: Any,
        matrices: Any,
    ) -> None:
        normals, combined = vectors[:slots], vectors[slots]
        z, psi = vectors[filled : filled + inputs], vectors[filled + inputs : filled + 2 * inputs]
        phi, lanes = vectors[filled + 2 * inputs : filled + 3 * inputs], vectors[filled + 3 * inputs :]
        factor, differences = factors[:inputs], factors[inputs:]
        sums, mantissa, reach = (
            numbers[:reduced],
            numbers[reduced : reduced + inputs],
            numbers[reduced + inputs :],
        )
        gaps, rows = matrices[:inputs], matrices[inputs:]
        for row in range(log_variance.shape[0]):
            stream = stream_of(key, np.int64(first) + row, PURPOSE_FORWARD)
            first_gaps(gap_0, gaps)
            for a in range(inputs):
                mantissa[a], exponent[a] = mantissa_0[a], exponent_0[a]
                reach[a] = scaled_root(mantissa[a], exponent[a], inverse_scales[0])
                exploded_at[row, a] = i4(0) if reach[a] >= f4(1) else i4(-1)
            record = 1 if layers[0] == 0 else 0
            for layer in range(depth):
                width, normalizer = widths[layer], normalizers[layer]
                following = inverse_scales[min(layer + 1, len(widths) - 1)]
                coefficients(gaps, rows, factor, differences)
                sums[:] = f4(0)
                for tile in range(0, width, TILE):
                    lanes[:] = f4(0)
                    for start in range(tile, min(width, tile + TILE), units * LANES):
                        fill_normals(normals, start, width, layer, stream)
                        for unit in range(units):
                            drawn = normals[unit * inputs : (unit + 1) * inputs]
                            for a in range(inputs):
                                combine(factor[a], drawn, a + 1, z[a])
                                evaluate(z[a], reach[a], table, bits, top, psi[a], phi[a], lanes[a])
                            pair = 0
                            for a in range(inputs):
                                for b in range(a + 1, inputs):
                                    combine(differences[pair], drawn, b + 1, combined)
                                    add_smooth_pair(
                                        combined,
                                        z[a],
                                        z[b],
                                        psi[a],
                                        psi[b],
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
                    reach[a] = scaled_root(mantissa[a], exponent[a], following)
                    if exploded_at[row, a] < 0 and reach[a] >= f4(1):
                        exploded_at[row, a] = i4(layer + 1)
                if record < len(layers) and layers[record] == layer + 1:
                    record_layer(
                        mantissa, exponent, gaps, log_variance[row, record], correlation_gap[row, record]
                    )
                    record += 1

    return run
