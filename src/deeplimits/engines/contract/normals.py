"""Standard normals by Box–Muller in float32, with elementary functions of our own.

Two 32-bit words give R² = −2 log u and an angle θ; R cos θ and R sin θ are two independent standard normals.
Library functions differ from machine to machine in their last bit, so the logarithm, sine and cosine here are
polynomials in explicit IEEE operations; their coefficients are minimax fits. Largest errors, measured on four
million words spread over all: R² 2.5 units in the last place; cos θ and sin θ 6e-7. The tails end at 6.8
standard deviations.
"""

from __future__ import annotations

import math
from typing import Any

from deeplimits.engines.contract.arithmetic import (
    bits_float,
    f4,
    float_bits,
    fma,
    i4,
    inline,
    square_root,
    u4,
)

_SQRT_HALF_BITS = 0x3F3504F3
_MINUS_TWO_LOG_2 = f4(-2 * math.log(2))
_HALF_TURN = f4(math.pi / 2 * 2.0**-31)

_LN2_HIGH = f4(0.693359375)
"""log 2 cut to 10 bits, so that a product with an exponent is exact."""
_LN2_LOW = f4(math.log(2) - 0.693359375)

# (log(1+m) − m + m²/2) / m³ on [√½ − 1, √2 − 1]; relative error of the logarithm 6e-9
_L0 = f4(0.3333333133)
_L1 = f4(-0.2500082254)
_L2 = f4(0.2000122666)
_L3 = f4(-0.1662335694)
_L4 = f4(0.1420176178)
_L5 = f4(-0.1316019446)
_L6 = f4(0.1276154965)
_L7 = f4(-0.07634429634)

# (sin a / a − 1) / a² and (cos a − 1) / a² in a², |a| ≤ π/2; errors 5e-9 and 3e-10
_S0 = f4(-0.1666666120)
_S1 = f4(0.008333087899)
_S2 = f4(-1.9811112713e-04)
_S3 = f4(2.608932391e-06)
_C0 = f4(-0.5)
_C1 = f4(0.04166664183)
_C2 = f4(-0.001388840377)
_C3 = f4(2.476188638e-05)
_C4 = f4(-2.607710314e-07)


@inline
def uniform(word: Any) -> Any:
    """u in (0, 1]: 31 bits of the word, plus a quarter step, rounded to float32."""
    return fma(f4(i4(word >> u4(1))), f4(2.0**-31), f4(2.0**-33))


@inline
def _log_parts(value: Any) -> Any:
    """Exponent e, m in [√½ − 1, √2 − 1] and the tail of log(1 + m) beyond m − m²/2, with value = 2^e (1 +
    m).
    """
    bits = float_bits(value)
    exponent = i4(bits - i4(_SQRT_HALF_BITS)) >> i4(23)
    m = bits_float(i4(bits - i4(exponent << i4(23)))) - f4(1)
    square = m * m
    tail = fma(_L7, m, _L6)
    tail = fma(tail, m, _L5)
    tail = fma(tail, m, _L4)
    tail = fma(tail, m, _L3)
    tail = fma(tail, m, _L2)
    tail = fma(tail, m, _L1)
    tail = fma(tail, m, _L0)
    return exponent, m, square, tail * m * square


@inline
def minus_two_log(word: Any) -> Any:
    """R² = −2 log u for the uniform of a word; float32."""
    exponent, m, square, tail = _log_parts(uniform(word))
    return fma(f4(exponent), _MINUS_TWO_LOG_2, fma(f4(-2), m, fma(f4(-2), tail, square)))


@inline
def logarithm(value: Any, exponent: Any) -> Any:
    """log(value · 2^exponent) for a positive normal float32 and an int32."""
    extra, m, square, tail = _log_parts(value)
    e = f4(i4(exponent + extra))
    fraction = m + fma(f4(-0.5), square, tail)
    return fma(e, _LN2_HIGH, fma(e, _LN2_LOW, fraction))


@inline
def cosine_sine(word: Any) -> Any:
    """cos θ and sin θ for θ = 2π · int32(word) / 2³²; float32."""
    a = f4(i4(word)) * _HALF_TURN
    square = a * a
    s = fma(_S3, square, _S2)
    s = fma(s, square, _S1)
    s = fma(s, square, _S0)
    s = fma(s * square, a, a)
    c = fma(_C4, square, _C3)
    c = fma(c, square, _C2)
    c = fma(c, square, _C1)
    c = fma(c, square, _C0)
    c = fma(c, square, f4(1))
    return fma(f4(-2) * s, s, f4(1)), f4(2) * s * c


@inline
def normal_pair(radius_word: Any, angle_word: Any) -> Any:
    """Two independent standard normals, float32."""
    radius = square_root(minus_two_log(radius_word))
    cosine, sine = cosine_sine(angle_word)
    return radius * cosine, radius * sine
