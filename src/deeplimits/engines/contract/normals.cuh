// Standard normals by Box-Muller in float32, with elementary functions of our own; see engines/contract/normals.py.
#pragma once

#include "engines/contract/arithmetic.cuh"

namespace deeplimits {

constexpr i4 SQRT_HALF_BITS = 0x3F3504F3;
constexpr float MINUS_TWO_LOG_2 = -1.3862943611198906f;
constexpr float HALF_TURN = 1.5707963267948966f / 2147483648.0f;
constexpr float LN2_HIGH = 0.693359375f;
constexpr float LN2_LOW = -2.12194440054691e-4f;

// value = 2^exponent (1 + m); tail = log(1 + m) - m + m^2 / 2.
struct LogParts {
    i4 exponent;
    f4 m, square, tail;
};

// u in (0, 1]: 31 bits of the word, plus a quarter step, rounded to float32.
INLINE f4 uniform(u4 word) { return fma(f4(i4(word >> 1)), 0x1p-31f, 0x1p-33f); }

INLINE LogParts log_parts(f4 value) {
    const i4 bits = float_bits(value);
    const i4 exponent = (bits - SQRT_HALF_BITS) >> 23;
    const f4 m = bits_float(bits - (exponent << 23)) - 1.0f;
    const f4 square = m * m;
    f4 tail = fma(-0.07634429634f, m, 0.1276154965f);
    tail = fma(tail, m, -0.1316019446f);
    tail = fma(tail, m, 0.1420176178f);
    tail = fma(tail, m, -0.1662335694f);
    tail = fma(tail, m, 0.2000122666f);
    tail = fma(tail, m, -0.2500082254f);
    tail = fma(tail, m, 0.3333333133f);
    return {exponent, m, square, tail * m * square};
}

// R^2 = -2 log u for the uniform of a word.
INLINE f4 minus_two_log(u4 word) {
    const LogParts parts = log_parts(uniform(word));
    return fma(
        f4(parts.exponent), MINUS_TWO_LOG_2, fma(-2.0f, parts.m, fma(-2.0f, parts.tail, parts.square)));
}

// log(value * 2^exponent) for a positive normal number.
INLINE f4 logarithm(f4 value, i4 exponent) {
    const LogParts parts = log_parts(value);
    const f4 e = f4(exponent + parts.exponent);
    const f4 fraction = parts.m + fma(-0.5f, parts.square, parts.tail);
    return fma(e, LN2_HIGH, fma(e, LN2_LOW, fraction));
}

struct Angle {
    f4 cosine, sine;
};

// cos and sin of 2 pi * int32(word) / 2^32.
INLINE Angle cosine_sine(u4 word) {
    const f4 a = f4(i4(word)) * HALF_TURN;
    const f4 square = a * a;
    f4 s = fma(2.608932391e-06f, square, -1.9811112713e-04f);
    s = fma(s, square, 0.008333087899f);
    s = fma(s, square, -0.1666666120f);
    s = fma(s * square, a, a);
    f4 c = fma(-2.607710314e-07f, square, 2.476188638e-05f);
    c = fma(c, square, -0.001388840377f);
    c = fma(c, square, 0.04166664183f);
    c = fma(c, square, -0.5f);
    c = fma(c, square, 1.0f);
    return {fma(-2.0f * s, s, 1.0f), 2.0f * s * c};
}

struct Pair {
    f4 first, second;
};

// Two independent standard normals.
INLINE Pair normal_pair(u4 radius_word, u4 angle_word) {
    const f4 radius = square_root(minus_two_log(radius_word));
    const Angle angle = cosine_sine(angle_word);
    return {radius * angle.cosine, radius * angle.sine};
}

}  // namespace deeplimits
