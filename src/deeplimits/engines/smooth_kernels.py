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

from deeplimits.engines.arithmetic import bits_float, f4, i4, inline, kernel, square_root, u4
from deeplimits.engines.lanewise import Table, Vector, lanewise
from deeplimits.engines.mlp_general import combine, difference_factor, gaps_after
from deeplimits.engines.mlp_kernels import DEAD, LANES, NAN, TILE, rescale, tree
from deeplimits.engines.normals import logarithm, normal_pair
from deeplimits.engines.philox import PURPOSE_FORWARD, philox, sample_words
from deeplimits.engines.tables import LOWEST

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
    return {
        "lanes_d": difference.fma(difference, lanes_d),
        "lanes_e": difference.fma(phi_a + phi_b, lanes_e),
        "lanes_c": phi_a.fma(phi_b, lanes_c),
    }


def fill(inputs: int) -> Callable[..., Any]:
    """A function that fills ``normals`` [unit of a lane · input, lane] for the units from ``start`` on, zero
    beyond the width: four units to a lane for one input, two for two, else one.
    """
    units = units_per_lane(inputs)
    calls = (inputs + 3) // 4

    @kernel
    def run(normals: Any, start: Any, width: Any, layer: Any, low: Any, high: Any, k0: Any, k1: Any) -> None:
        for call in range(calls):
            for lane in range(LANES):
                unit = start + units * lane
                w0, w1, w2, w3 = philox(u4((unit // units) * calls + call), u4(layer), low, high, k0, k1)
                x0, x1 = normal_pair(w0, w1)
                x2, x3 = normal_pair(w2, w3)
                normals[4 * call, lane] = x0 if unit < width else f4(0)
                normals[4 * call + 1, lane] = x1 if unit + (units > 2) < width else f4(0)
                normals[4 * call + 2, lane] = x2 if unit + units // 2 < width else f4(0)
                normals[4 * call + 3, lane] = x3 if unit + units - 1 < width else f4(0)

    return run


def units_per_lane(inputs: int) -> int:
    """Units whose normals come from one call of Philox."""
    return {1: 4, 2: 2}.get(inputs, 1)


def smooth_inputs(inputs: int) -> Callable[..., None]:
    """The kernel for ``inputs`` inputs; see ``cpu.smooth_scratch`` for the last arguments."""
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
        coefficients: Any,
        numbers: Any,
        exponent: Any,
        matrices: Any,
    ) -> None:
        normals, combined = vectors[:slots], vectors[slots]
        z, psi = vectors[filled : filled + inputs], vectors[filled + inputs : filled + 2 * inputs]
        phi, lanes = vectors[filled + 2 * inputs : filled + 3 * inputs], vectors[filled + 3 * inputs :]
        factor, differences = coefficients[:inputs], coefficients[inputs:]
        sums, mantissa, reach = (
            numbers[:reduced],
            numbers[reduced : reduced + inputs],
            numbers[reduced + inputs :],
        )
        gaps, rows = matrices[:inputs], matrices[inputs:]
        k0, k1 = u4(key & np.uint64(0xFFFFFFFF)), u4(key >> np.uint64(32))
        for row in range(log_variance.shape[0]):
            low, high = sample_words(np.int64(first) + row, PURPOSE_FORWARD)
            pair = 0
            for a in range(inputs):
                mantissa[a], exponent[a] = mantissa_0[a], exponent_0[a]
                reach[a] = scaled_root(mantissa[a], exponent[a], inverse_scales[0])
                exploded_at[row, a] = i4(0) if reach[a] >= f4(1) else i4(-1)
                gaps[a, a] = 0.0
                for b in range(a + 1, inputs):
                    gaps[a, b] = np.float64(gap_0[pair])
                    gaps[b, a] = gaps[a, b]
                    pair += 1
            record = 1 if layers[0] == 0 else 0
            for layer in range(depth):
                width, normalizer = widths[layer], normalizers[layer]
                following = inverse_scales[min(layer + 1, len(widths) - 1)]
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
                    for start in range(tile, stop, units * LANES):
                        fill_normals(normals, start, width, layer, low, high, k0, k1)
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
                    for at in range(reduced):
                        sums[at] = sums[at] + tree(lanes[at])
                gaps_after(sums, inputs, gaps)
                for a in range(inputs):
                    mantissa[a], exponent[a] = rescale(mantissa[a], exponent[a], sums[a] * normalizer)
                    reach[a] = scaled_root(mantissa[a], exponent[a], following)
                    if exploded_at[row, a] < 0 and reach[a] >= f4(1):
                        exploded_at[row, a] = i4(layer + 1)
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
