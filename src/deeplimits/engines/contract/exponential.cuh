// The exponential of float64 numbers; see engines/contract/exponential.py.
#pragma once

#include "engines/contract/arithmetic.cuh"

namespace deeplimits {

// 2^turns by exact factors.
INLINE f8 by_powers_of_two(f8 value, i8 turns) {
    const f8 factor = turns > 0 ? 2.0 : 0.5;
    for (i8 turn = turns < 0 ? -turns : turns; turn > 0; --turn)
        value = value * factor;
    return value;
}

struct Turned {
    i8 turns;
    f8 rest;  // x - turns log 2
};

INLINE Turned turned(f8 x) {
    const i8 turns = __double2ll_rz((x * 1.4426950408889634 + (x >= 0.0 ? 0.5 : -0.5)).value);
    const f8 back = f8(-turns);
    return {turns, fma(back, 1.9082149292705877e-10, fma(back, 0.6931471803691238, x))};
}

// e^x to 1e-15 for |x| <= 60, and cut there.
INLINE f8 exponential(f8 x) {
    const Turned parts = turned(min(max<f8>(x, -60.0), f8(60.0)));
    const f8 r = parts.rest;
    f8 value = fma(1.6059043836821613e-10, r, 2.08767569878681e-09);
    value = fma(value, r, 2.505210838544172e-08);
    value = fma(value, r, 2.755731922398589e-07);
    value = fma(value, r, 2.7557319223985893e-06);
    value = fma(value, r, 2.48015873015873e-05);
    value = fma(value, r, 0.0001984126984126984);
    value = fma(value, r, 0.001388888888888889);
    value = fma(value, r, 0.008333333333333333);
    value = fma(value, r, 0.041666666666666664);
    value = fma(value, r, 0.16666666666666666);
    value = fma(value, r, 0.5);
    value = fma(value, r, 1.0);
    value = fma(value, r, 1.0);
    return by_powers_of_two(value, parts.turns);
}

}  // namespace deeplimits
