"""Sixteen units of a layer of a perceptron, for passes that need more of them than their sums.

The same normals, and the same operations in the same order, as in the kernels of the forward pass
(``mlp_kernels``, ``mlp_general``, ``smooth_kernels``): what is found here belongs to the networks that they
record. Beside ψ = φ(u) / u these have the derivative φ', which is the slope itself where φ is piecewise
linear and else ψ + u ψ', from the same piece of a table.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from deeplimits.engines.arithmetic import f4, kernel, square_root, u4
from deeplimits.engines.lanewise import LANES, Table, Vector, lanewise
from deeplimits.engines.mlp_general import add_lanes, combine, scale_lanes, sloped_difference
from deeplimits.engines.normals import cosine_sine, minus_two_log
from deeplimits.engines.philox import philox
from deeplimits.engines.smooth_kernels import piece_of, smooth_difference


@lanewise
def sloped_unit(
    z: Vector,
    reach: Vector,
    plus: Vector,
    minus: Vector,
    table: Table,
    bits: Vector,
    top: Vector,
    psi: Vector,
    derivative: Vector,
    phi: Vector,
    lanes: Vector,
) -> dict[str, Vector]:
    """ψ, φ' and φ of a piecewise-linear activation; the squares of φ are added to ``lanes``."""
    slope = (z > 0.0).then(plus, minus)
    product = z * slope
    return {"psi": slope, "derivative": slope, "phi": product, "lanes": product.fma(product, lanes)}


@lanewise
def smooth_unit(
    z: Vector,
    reach: Vector,
    plus: Vector,
    minus: Vector,
    table: Table,
    bits: Vector,
    top: Vector,
    psi: Vector,
    derivative: Vector,
    phi: Vector,
    lanes: Vector,
) -> dict[str, Vector]:
    """ψ(z r), φ'(z r) and z ψ(z r), whose squares are added to ``lanes``. In the tail of the table, t = 1 /
    |u| and u ψ' = −t dψ/dt.
    """
    c, t, size, short = piece_of(z * reach, table, bits, top)
    value = c[3].fma(t, c[2]).fma(t, c[1]).fma(t, c[0])
    slope = (3.0 * c[3]).fma(t, 2.0 * c[2]).fma(t, c[1])
    product = z * value
    return {
        "psi": value,
        "derivative": slope.fma(short.then(size, 0.0 - t), value),
        "phi": product,
        "lanes": product.fma(product, lanes),
    }


@lanewise
def sloped_pair(
    difference: Vector, z_a: Vector, z_b: Vector, psi_a: Vector, psi_b: Vector, phi_a: Vector, phi_b: Vector
) -> dict[str, Vector]:
    """z_a ψ_a − z_b ψ_b in place of z_a − z_b, ψ piecewise constant."""
    return {"difference": sloped_difference(difference, psi_a, psi_b, phi_a, phi_b)}


@lanewise
def smooth_pair(
    difference: Vector, z_a: Vector, z_b: Vector, psi_a: Vector, psi_b: Vector, phi_a: Vector, phi_b: Vector
) -> dict[str, Vector]:
    """z_a ψ_a − z_b ψ_b in place of z_a − z_b, ψ smooth."""
    return {"difference": smooth_difference(difference, z_a, z_b, psi_a, psi_b)}


@lanewise
def polar_pair(
    radius: Vector,
    root: Vector,
    cosine: Vector,
    sine: Vector,
    along: Vector,
    across: Vector,
    plus: Vector,
    minus: Vector,
    slope_a: Vector,
    slope_b: Vector,
    phi_a: Vector,
    phi_b: Vector,
    difference: Vector,
    lanes_a: Vector,
    lanes_b: Vector,
    lanes_d: Vector,
    lanes_e: Vector,
    lanes_c: Vector,
) -> dict[str, Vector]:
    """Slopes, φ and φ_a − φ_b of two inputs from the polar angle around their bisector, and their sums; see
    ``mlp_kernels.pair_terms``. ``radius`` is R², ``root`` R.
    """
    middle, half = along * cosine, across * sine
    z_a, z_b = middle + half, middle - half
    slope_a, slope_b = (z_a > 0.0).then(plus, minus), (z_b > 0.0).then(plus, minus)
    a, b = z_a * slope_a, z_b * slope_b
    apart = slope_a.equals(slope_b).then((2.0 * half) * slope_a, a - b)
    scaled_a, scaled_b, scaled = radius * a, radius * b, radius * apart
    return {
        "slope_a": slope_a,
        "slope_b": slope_b,
        "phi_a": root * a,
        "phi_b": root * b,
        "difference": root * apart,
        "lanes_a": scaled_a.fma(a, lanes_a),
        "lanes_b": scaled_b.fma(b, lanes_b),
        "lanes_d": scaled.fma(apart, lanes_d),
        "lanes_e": scaled.fma(a + b, lanes_e),
        "lanes_c": scaled_a.fma(b, lanes_c),
    }


@lanewise
def add_terms(
    difference: Vector, phi_a: Vector, phi_b: Vector, lanes_d: Vector, lanes_e: Vector, lanes_c: Vector
) -> dict[str, Vector]:
    """Add a pair's terms of D, E and C, given φ_a − φ_b in ``difference``."""
    return {
        "lanes_d": difference.fma(difference, lanes_d),
        "lanes_e": difference.fma(phi_a + phi_b, lanes_e),
        "lanes_c": phi_a.fma(phi_b, lanes_c),
    }


@lanewise
def add_product(x: Vector, y: Vector, lanes: Vector) -> dict[str, Vector]:
    """Add x · y to lanes of float64, where products of float32 are exact."""
    return {"lanes": x.wide().fma(y.wide(), lanes)}


@lanewise
def copy(x: Vector, copied: Vector) -> dict[str, Vector]:
    """copied = x."""
    return {"copied": x}


@lanewise
def multiply(x: Vector, y: Vector, product: Vector) -> dict[str, Vector]:
    """product = x · y."""
    return {"product": x * y}


@lanewise
def step(size: Vector, x: Vector, moved: Vector) -> dict[str, Vector]:
    """moved + size · x."""
    return {"moved": size.fma(x, moved)}


@lanewise
def subtract(x: Vector, y: Vector, difference: Vector) -> dict[str, Vector]:
    """difference = x − y."""
    return {"difference": x - y}


@kernel
def mix(coefficients: Any, size: Any, activations: Any, fresh: Any, mixed: Any) -> None:
    """mixed[lane] = Σ c[i] · activations[i, lane] + Σ c[size + i] · fresh[i, lane], each over the first
    ``size``, in their order.
    """
    scale_lanes(coefficients[0], activations[0], mixed)
    for i in range(1, size):
        add_lanes(coefficients[i], activations[i], mixed)
    for i in range(size):
        add_lanes(coefficients[size + i], fresh[i], mixed)


@kernel
def fill_polar(
    polar: Any, normals: Any, start: Any, width: Any, layer: Any, low: Any, high: Any, k0: Any, k1: Any
) -> None:
    """Fill ``polar`` [2 · 4, lane] with R², R, cos θ and sin θ of two units a lane, and ``normals`` [2 · 2,
    lane] with the normals that they make; zero beyond the width.
    """
    for lane in range(LANES):
        unit = start + 2 * lane
        w0, w1, w2, w3 = philox(u4(unit // 2), u4(layer), low, high, k0, k1)
        radius = minus_two_log(w0)
        radius = radius if unit < width else f4(0)
        cosine, sine = cosine_sine(w1)
        root = square_root(radius)
        polar[0, lane], polar[1, lane], polar[2, lane], polar[3, lane] = radius, root, cosine, sine
        normals[0, lane], normals[1, lane] = root * cosine, root * sine
        radius = minus_two_log(w2)
        radius = radius if unit + 1 < width else f4(0)
        cosine, sine = cosine_sine(w3)
        root = square_root(radius)
        polar[4, lane], polar[5, lane], polar[6, lane], polar[7, lane] = radius, root, cosine, sine
        normals[2, lane], normals[3, lane] = root * cosine, root * sine


def units_of(inputs: int, smooth: bool) -> Callable[..., Any]:
    """A function that fills, for sixteen units, one a lane, the rows [input, lane] z, ψ, φ' and φ and the
    rows ``differences`` [pair, lane] of φ_a − φ_b, of the pairs with a < ``firsts``, and adds to the lanes of
    S, D, E and C.

    Two inputs of a piecewise-linear network are computed from ``polar`` [R², R, cos θ, sin θ; lane], all
    others from ``drawn`` [input, lane], their normals.
    """
    pairs = inputs * (inputs - 1) // 2
    polar_form = inputs == 2 and not smooth
    unit = smooth_unit if smooth else sloped_unit
    pair_of = smooth_pair if smooth else sloped_pair

    @kernel
    def run(
        drawn: Any,
        polar: Any,
        factor: Any,
        factor_differences: Any,
        firsts: Any,
        reach: Any,
        plus: Any,
        minus: Any,
        table: Any,
        bits: Any,
        top: Any,
        z: Any,
        psi: Any,
        derivative: Any,
        phi: Any,
        differences: Any,
        lanes: Any,
    ) -> None:
        if polar_form:
            polar_pair(
                polar[0],
                polar[1],
                polar[2],
                polar[3],
                factor[0, 0],
                factor[0, 1],
                plus,
                minus,
                derivative[0],
                derivative[inputs - 1],
                phi[0],
                phi[inputs - 1],
                differences[0],
                lanes[0],
                lanes[1],
                lanes[2],
                lanes[3],
                lanes[4],
            )
        else:
            for a in range(inputs):
                combine(factor[a], drawn, a + 1, z[a])
                unit(z[a], reach[a], plus, minus, table, bits, top, psi[a], derivative[a], phi[a], lanes[a])
            pair = 0
            for a in range(firsts):
                for b in range(a + 1, inputs):
                    apart = differences[pair]
                    combine(factor_differences[pair], drawn, b + 1, apart)
                    pair_of(apart, z[a], z[b], psi[a], psi[b], phi[a], phi[b])
                    add_terms(
                        apart,
                        phi[a],
                        phi[b],
                        lanes[inputs + pair],
                        lanes[inputs + pairs + pair],
                        lanes[inputs + 2 * pairs + pair],
                    )
                    pair += 1

    return run
