// What a sample of a residual network carries from layer to layer, and the powers of two that are taken out of
// its state; see engines/resnet/state.py.
#pragma once

#include "engines/mlp/smooth.cuh"

namespace deeplimits {

constexpr i4 STEP = 30;
constexpr double NEAR = 0.0625;
constexpr float LARGE = 0x1p60f, COMPANION = 0x1p30f;
constexpr i4 APART_BITS = 0x7F800000;

// 2^exponent.
INLINE f4 power(i4 exponent) { return bits_float((exponent + 127) << 23); }

// What a sample carries from layer to layer, beside its state.
template <class Members, int INPUTS> struct Residual : Directions<Members, INPUTS> {
    using Base = Directions<Members, INPUTS>;
    using Base::differences, Base::factor, Base::gaps, Base::MEMBERS, Base::PAIRS, Base::REDUCED, Base::rows,
        Base::sums, Base::variances;

    static constexpr bool ALWAYS = false;

    f8 gaps_of_z[INPUTS][INPUTS];
    f4 sums_of_z[REDUCED];
    f4 reach[INPUTS], inverse[INPUTS];
    i4 power_of[INPUTS], shift[INPUTS];
    bool near[PAIRS == 0 ? 1 : PAIRS];
    bool moving;

    INLINE void start(
        const Members &group, Array<const f4> mantissa_0, Array<const i4> exponent_0, Array<const f8> gap_0,
        f4 reach_factor) {
        Base::start(group, mantissa_0, exponent_0, gap_0);
        for (int a = group.member; a < INPUTS; a += MEMBERS) {
            power_of[a] = 0;
            gaps_of_z[a][a] = 0.0;
            scale(a, reach_factor);
        }
        Base::for_pairs(group, [&](int a, int b) { near[Base::pair_of(a, b)] = true; });
        Members::synchronise();
    }

    INLINE void scale(int a, f4 reach_factor) {
        const Scaled scaled = {variances[a].mantissa, variances[a].exponent + 2 * power_of[a]};
        reach[a] = scaled_root(scaled, reach_factor);
        inverse[a] = 1.0f / scaled_root(scaled, 1.0f);
    }

    // The directions of the activations, and what they are multiplied by.
    INLINE void prepare(const Members &group, i4 layer, f8 branch, i4) {
        const auto size = [&](int a) { return layer > 0 ? branch * square_root(f8(sums[a])) : f8(1.0); };
        prepare_with(group, size, [&](int a, int b) {
            const f8 size_a = size(a), size_b = size(b);
            if (power_of[a] != power_of[b])
                return size_a - size_b;
            if (layer > 0 && size_a + size_b > 0.0)
                return branch * branch * f8(sums[INPUTS + PAIRS + Base::pair_of(a, b)]) / (size_a + size_b);
            return f8(0.0);
        });
    }

    // size(a) is what the direction of input a is multiplied by, excess(a, b) the difference of two.
    template <class Size, class Excess>
    INLINE void prepare_with(const Members &group, Size size, Excess excess) {
        if (group.member == 0)
            Base::difference_factor();
        Members::synchronise();
        const auto along = [&](int a, int column) { return rows[a][column] + (column == 0 ? 1.0 : 0.0); };
        for (int at = group.member; at < INPUTS * INPUTS; at += MEMBERS)
            factor[at / INPUTS][at % INPUTS] = f4(size(at / INPUTS) * along(at / INPUTS, at % INPUTS));
        Base::for_pairs(group, [&](int a, int b) {
            const int pair = Base::pair_of(a, b);
            const f8 size_a = size(a), more = excess(a, b);
            for (int column = 0; column < INPUTS; ++column)
                differences[pair][column] =
                    f4(fma(size_a, rows[a][column] - rows[b][column], more * along(b, column)));
        });
        Members::synchronise();
    }

    // 1 - rho of the activations or of the states; the inner product decides where powers of two differ.
    // One unit has but two directions.
    INLINE void gaps_from(const Members &group, i4 width, f4 *reduced, f8 (&into)[INPUTS][INPUTS]) {
        Base::for_pairs(group, [&](int a, int b) {
            if (power_of[a] != power_of[b])
                reduced[INPUTS + Base::pair_of(a, b)] = bits_float(APART_BITS);
        });
        Base::gaps_after(group, reduced, into);
        Members::synchronise();
        Base::for_pairs(group, [&](int a, int b) {
            if (width == 1)
                into[a][b] = into[b][a] = into[a][b] > 1.0 ? 2.0 : 0.0;
        });
        Members::synchronise();
    }

    // Which pairs have differences that need be carried: others are formed anew.
    INLINE void find_near(const Members &group) {
        Base::for_pairs(group, [&](int a, int b) {
            const f8 product = square_root(f8(sums[a])) * square_root(f8(sums[b]));
            near[Base::pair_of(a, b)] = f8(sums[INPUTS + Base::pair_of(a, b)]) < NEAR * product;
        });
    }

    // Find the powers of two to be taken out of the states: inputs of one power move together.
    INLINE void look(const Members &group, i4 width) {
        if (group.member == 0) {
            moving = false;
            for (int a = 0; a < INPUTS; ++a)
                shift[a] = 0;
            for (int a = 0; a < INPUTS; ++a) {
                const f4 mean = sums_of_z[a] / f4(width);
                const bool large = mean > LARGE, small = mean < 1.0f / f4(LARGE) && mean > 0.0f;
                if (!large && !small)
                    continue;
                moving = true;
                for (int b = 0; b < INPUTS; ++b) {
                    const f4 other = sums_of_z[b] / f4(width);
                    if (power_of[b] != power_of[a])
                        continue;
                    if (large && other > COMPANION)
                        shift[b] = STEP;
                    if (small && other < 1.0f / f4(COMPANION))
                        shift[b] = -STEP;
                }
            }
        }
        Members::synchronise();
    }

    // After the states have moved, if they have: what else depends on their powers of two. Samples that share
    // a warp meet whether they move or not.
    INLINE void follow(const Members &group, f4 reach_factor) {
        Members::synchronise();
        for (int a = group.member; moving && a < INPUTS; a += MEMBERS) {
            const f4 scale_a = power(-shift[a]);
            power_of[a] += shift[a];
            sums[a] = sums[a] * scale_a * scale_a;
            for (int b = a + 1; b < INPUTS; ++b) {
                f4 &excess = sums[INPUTS + PAIRS + Base::pair_of(a, b)];
                excess = excess * scale_a * scale_a;
            }
            scale(a, reach_factor);
        }
        Members::synchronise();
    }
};

}  // namespace deeplimits
