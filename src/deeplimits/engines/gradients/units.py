"""Sixteen units of a layer of a perceptron, for passes that need more of them than their sums.

The same normals, and the same operations in the same order, as in the kernels of the forward pass
(``one_or_two_inputs``, ``many_inputs``, ``smooth``): what is found here belongs to the networks that they
record. Beside ψ = φ(u) / u these have the derivative φ', which is the slope itself where φ is piecewise
linear and else ψ + u ψ', from the same piece of a table.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from deeplimits.engines.contract.arithmetic import part
from deeplimits.engines.contract.lane_operations import add_terms, combine
from deeplimits.engines.contract.lanewise import Table, Vector, lanewise
from deeplimits.engines.mlp.many_inputs import sloped_difference
from deeplimits.engines.mlp.smooth import piece_of, smooth_difference


class Curve(NamedTuple):
    """An activation: the slopes of a piecewise-linear one, the table of a smooth one."""

    plus: Any
    minus: Any
    bits: Any
    top: Any
    table: Any


class Units(NamedTuple):
    """Rows of sixteen lanes: z, ψ and φ [input, lane], φ_a − φ_b [pair, lane], and those of S, D, E and C."""

    z: Any
    psi: Any
    phi: Any
    differences: Any
    lanes: Any


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
    ``one_or_two_inputs.pair_terms``. ``radius`` is R², ``root`` R.
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


def units_of(inputs: int, smooth: bool) -> Callable[..., Any]:
    """A function that fills the rows of ``units``, differences of the pairs with a < ``firsts`` alone, and
    ``derivative`` [input, lane], φ', and adds to the lanes of S, D, E and C.

    Two inputs of a piecewise-linear network are computed from ``polar`` [R², R, cos θ, sin θ; lane], all
    others from ``drawn`` [input, lane], their normals. ``factor`` and ``factor_differences`` are those of
    ``states.coefficients_of``.
    """
    pairs = inputs * (inputs - 1) // 2
    polar_form = inputs == 2 and not smooth
    unit = smooth_unit if smooth else sloped_unit
    pair_of = smooth_pair if smooth else sloped_pair

    @part
    def by_angle(
        drawn: Any,
        polar: Any,
        factor: Any,
        factor_differences: Any,
        firsts: Any,
        reach: Any,
        curve: Any,
        units: Any,
        derivative: Any,
    ) -> None:
        phi, lanes = units.phi, units.lanes
        polar_pair(
            polar[0],
            polar[1],
            polar[2],
            polar[3],
            factor[0, 0],
            factor[0, 1],
            curve.plus,
            curve.minus,
            derivative[0],
            derivative[1],
            phi[0],
            phi[1],
            units.differences[0],
            lanes[0],
            lanes[1],
            lanes[2],
            lanes[3],
            lanes[4],
        )

    @part
    def by_normals(
        drawn: Any,
        polar: Any,
        factor: Any,
        factor_differences: Any,
        firsts: Any,
        reach: Any,
        curve: Any,
        units: Any,
        derivative: Any,
    ) -> None:
        z, psi, phi, lanes = units.z, units.psi, units.phi, units.lanes
        plus, minus, bits, top, table = curve
        for a in range(inputs):
            combine(factor[a], drawn, a + 1, z[a])
            unit(z[a], reach[a], plus, minus, table, bits, top, psi[a], derivative[a], phi[a], lanes[a])
        pair = 0
        for a in range(firsts):
            for b in range(a + 1, inputs):
                apart = units.differences[pair]
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

    return by_angle if polar_form else by_normals
