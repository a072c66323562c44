"""M and D of the kernel of one layer (``kernels``), at sixteen places of a contour at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from llvmlite import ir

from deeplimits.engines.contract.lanewise import Vector, lanewise
from deeplimits.engines.contract.shape import LANES

_LONG = ir.VectorType(ir.IntType(64), LANES)
_WIDE = ir.VectorType(ir.DoubleType(), LANES)


@dataclass(frozen=True)
class Complex:
    """Sixteen complex numbers."""

    real: Vector
    imag: Vector

    def __add__(self, other: Complex) -> Complex:
        return Complex(self.real + other.real, self.imag + other.imag)

    def __sub__(self, other: Complex) -> Complex:
        return Complex(self.real - other.real, self.imag - other.imag)

    def __mul__(self, other: Complex) -> Complex:
        real = self.real.fma(other.real, 0.0 - self.imag * other.imag)
        return Complex(real, self.real.fma(other.imag, self.imag * other.real))

    def times(self, factor: Vector | float) -> Complex:
        """By a real number."""
        return Complex(self.real * factor, self.imag * factor)

    def plus(self, addend: Vector | float) -> Complex:
        """And a real number."""
        return Complex(self.real + addend, self.imag)

    def inverse(self) -> Complex:
        """1 / z."""
        size = 1.0 / self.square_size()
        return Complex(self.real * size, (0.0 - self.imag) * size)

    def square_size(self) -> Vector:
        """|z|²."""
        return self.real.fma(self.real, self.imag * self.imag)

    def root(self) -> Complex:
        """√z, the real part not negative."""
        size = self.square_size().root()
        right = self.real >= 0.0
        large = (0.5 * (size + right.then(self.real, 0.0 - self.real))).root()
        small = 0.5 * self.imag / (large + 1e-300)
        up = self.imag >= 0.0
        return Complex(
            right.then(large, up.then(small, 0.0 - small)),
            right.then(small, up.then(large, 0.0 - large)),
        )

    def chosen(self, where: Vector, other: Complex) -> Complex:
        """These ``where``, else the others."""
        return Complex(where.then(self.real, other.real), where.then(self.imag, other.imag))

    def log(self) -> Complex:
        """The principal logarithm."""
        return Complex(0.5 * _logarithm(self.square_size()), _angle(self.imag, self.real))


def _logarithm(x: Vector) -> Vector:
    """Of positive numbers: of 2^k m, √½ ≤ m < √2, by the series of artanh."""
    builder = x.builder
    bits = builder.bitcast(x.value, _LONG)
    # so that the exponent changes at √½
    offset = _constant(0x3FE6A09E667F3BCD)
    moved = builder.sub(bits, offset)
    exponent = builder.ashr(moved, _constant(52))
    rest = builder.sub(bits, builder.shl(exponent, _constant(52)))
    power = Vector(builder, builder.sitofp(exponent, _WIDE))
    part = Vector(builder, builder.bitcast(rest, _WIDE))
    s = (part - 1.0) / (part + 1.0)
    square = s * s
    series = s.like(2 / 21)
    for odd in range(19, 0, -2):
        series = series.fma(square, 2.0 / odd)
    return power.fma(0.6931471803691238, power.fma(1.9082149292705877e-10, s * series))


def _constant(number: int) -> Any:
    return ir.Constant(_LONG, [number] * LANES)


def _angle(y: Vector, x: Vector) -> Vector:
    """atan2(y, x), by Cephes' rational approximation of arctan."""
    up, across = (y >= 0.0).then(y, 0.0 - y), (x >= 0.0).then(x, 0.0 - x)
    steep = up > across
    low, high = steep.then(across, up), steep.then(up, across) + 1e-300
    # of low / high = t: beyond 0.66 that of (t − 1)/(t + 1), and π/4
    late = low > high * 0.66
    t = late.then(low - high, low) / late.then(low + high, high)
    z = t * t
    top, bottom = z.like(-8.750608600031904122785e-1), z + 2.485846490142306297962e1
    for number in (-1.615753718733365076637e1, -7.500855792314704667340e1, -1.228866684490136173410e2):
        top = top.fma(z, number)
    top = top.fma(z, -6.485021904942025371773e1)
    for number in (1.650270098316988542046e2, 4.328810604912902668951e2, 4.853903996359136964868e2):
        bottom = bottom.fma(z, number)
    bottom = bottom.fma(z, 1.945506571482613964425e2)
    value = t + t * z * top / bottom
    value = late.then(value + 0.7853981633974483, value)
    value = steep.then(1.5707963267948966 - value, value)
    value = (x >= 0.0).then(value, 3.141592653589793 - value)
    return (y >= 0.0).then(value, 0.0 - value)


@dataclass(frozen=True)
class Ratio:
    """What g_τ(x) is asked of: x, e^τ, e^{−τ}, cosh τ − 1, 1 − x², ρ, 1 − ρ², x − ρ and σ."""

    x: Vector
    grown: Vector
    shrunk: Vector
    bent: Vector
    steep: Vector
    rho: Vector
    square: Vector
    apart: Vector
    side: Vector


def quadrant(
    place: Complex, a: Vector, b: Vector, same: bool, of: Ratio
) -> tuple[Complex, Complex, Complex, Vector]:
    """J and the parts of D that a² and b² make, of u and v with signs whose slopes are ``a`` and ``b``, at
    l = ``place``; and where a real l is within the strip of M.

    Parameters
    ----------
    same
        Whether u and v have one sign.
    """
    first, second, both = of.x * of.grown * a * a, of.x * of.shrunk * b * b, a * b
    one, two = place.times(first).plus(1.0), place.times(second).plus(1.0)
    cross = place.times(of.side * both).plus(of.rho)
    if same:
        cross = cross.times(-1.0)
    linear = first + second - 2.0 * of.rho * of.side * both
    if same:
        linear = (of.side > 0.0).then(2.0 * a * a * (of.apart + of.x * of.bent), linear)
    determinant = place * (place.times(0.0 - both * both * of.steep).plus(linear))
    determinant = determinant.plus(of.square)
    within = (one.real > 0.0) & (two.real > 0.0) & ((determinant.real > 0.0) | (cross.real > 0.0))
    inverse = cross.inverse()
    small = determinant * inverse * inverse
    near = (small.square_size() < 1e-4) & (cross.real > 0.0)
    tail = small.times(-1 / 15).plus(1 / 13)
    for odd in (11, 9, 7, 5, 3):
        tail = (small * tail).times(-1.0).plus(1 / odd)
    cubed = (inverse * inverse * inverse * tail).times(-1.0)
    product = (one * two).inverse()
    one_inverse, two_inverse = two * product, one * product
    value_near = inverse * (small * tail).times(-1.0).plus(1.0)
    u_near, v_near = inverse * one_inverse + two * cubed, inverse * two_inverse + one * cubed
    scale = product.root()
    cosine, sine = cross * scale, (determinant * product).root()
    logarithm = Complex(cosine.real - sine.imag, cosine.imag + sine.real).log()
    angle = Complex(logarithm.imag, 0.0 - logarithm.real)
    steep = scale * sine.inverse()
    value, inverse = angle * steep, steep * steep
    u, v = (two * value - cross * one_inverse) * inverse, (one * value - cross * two_inverse) * inverse
    value = value_near.chosen(near, value)
    by_a = u_near.chosen(near, u).times(0.5 * of.grown * a * a)
    by_b = v_near.chosen(near, v).times(0.5 * of.shrunk * b * b)
    return value, by_a, by_b, within


@lanewise
def sums(
    imag: Vector,
    total: Vector,
    total_imag: Vector,
    weighted: Vector,
    weighted_imag: Vector,
    inside: Vector,
    real: Vector,
    x: Vector,
    grown: Vector,
    shrunk: Vector,
    bent: Vector,
    steep: Vector,
    rho: Vector,
    square: Vector,
    apart: Vector,
    plus: Vector,
    minus: Vector,
    side: Vector,
) -> dict[str, Vector]:
    """M and D at l = ``real`` + i ``imag``, up to a common factor; ``inside`` is 1 where a real l is within
    the strip of M.
    """
    of = Ratio(x, grown, shrunk, bent, steep, rho, square, apart, side)
    place, nothing = Complex(real, imag), Complex(real.like(0.0), real.like(0.0))
    found = weights = nothing
    within = imag >= -1.0
    for a, b, same in ((plus, plus, True), (plus, minus, False), (minus, plus, False), (minus, minus, True)):
        value, by_a, by_b, valid = quadrant(place, a, b, same, of)
        found, weights = found + value, weights + (by_a + by_b)
        within = within & valid
    return {
        "total": found.real,
        "total_imag": found.imag,
        "weighted": weights.real,
        "weighted_imag": weights.imag,
        "inside": within.then(real.like(1.0), 0.0),
    }


@lanewise
def even_sums(
    imag: Vector,
    total: Vector,
    total_imag: Vector,
    weighted: Vector,
    weighted_imag: Vector,
    inside: Vector,
    real: Vector,
    x: Vector,
    grown: Vector,
    shrunk: Vector,
    bent: Vector,
    steep: Vector,
    rho: Vector,
    square: Vector,
    apart: Vector,
    plus: Vector,
    minus: Vector,
    side: Vector,
) -> dict[str, Vector]:
    """As ``sums``, of slopes of one size, where u and v and their negatives make the same."""
    of = Ratio(x, grown, shrunk, bent, steep, rho, square, apart, side)
    place = Complex(real, imag)
    found, by_a, by_b, within = quadrant(place, plus, plus, True, of)
    other, a_of_other, b_of_other, valid = quadrant(place, plus, minus, False, of)
    found, weights = (found + other).times(2.0), (by_a + by_b + a_of_other + b_of_other).times(2.0)
    within = within & valid & (imag >= -1.0)
    return {
        "total": found.real,
        "total_imag": found.imag,
        "weighted": weights.real,
        "weighted_imag": weights.imag,
        "inside": within.then(real.like(1.0), 0.0),
    }


@lanewise
def multiply(real: Vector, imag: Vector, by_real: Vector, by_imag: Vector) -> dict[str, Vector]:
    """Complex numbers times others."""
    product = Complex(real, imag) * Complex(by_real, by_imag)
    return {"real": product.real, "imag": product.imag}


@lanewise
def square(real: Vector, imag: Vector) -> dict[str, Vector]:
    """Complex numbers squared."""
    product = Complex(real, imag) * Complex(real, imag)
    return {"real": product.real, "imag": product.imag}
