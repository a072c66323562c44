// The piecewise-linear multilayer perceptron with three inputs or more; see engines/mlp/many_inputs.py. What a
// layer needs to know of the inputs' directions is worked out in float64 in shared memory, what a unit needs
// stays in registers.
#pragma once

#include "engines/mlp/one_or_two_inputs.cuh"

namespace deeplimits {

// The directions of the inputs of a sample, and the sums over units that move them; MORE sums of units besides.
template <class Members, int INPUTS, int MORE = 0> struct Directions {
    static constexpr int PAIRS = INPUTS * (INPUTS - 1) / 2;
    static constexpr int REDUCED = INPUTS + 3 * PAIRS;
    static constexpr int SUMS = REDUCED + MORE;
    static constexpr int MEMBERS = Members::THREADS * Members::TEAMS;

    f8 gaps[INPUTS][INPUTS];
    f8 rows[INPUTS][INPUTS];
    alignas(16) f4 factor[INPUTS][INPUTS];
    alignas(16) f4 differences[PAIRS == 0 ? 1 : PAIRS][INPUTS];
    f4 sums[SUMS];
    Scaled variances[INPUTS];
    Boards<Members, SUMS> boards;

    // Position of the pair (a, b) among (0, 1), (0, 2), ..., (1, 2), ...
    static INLINE int pair_of(int a, int b) { return a * (2 * INPUTS - a - 1) / 2 + (b - a - 1); }

    // Each of the threads takes some of the pairs.
    template <class Body> static INLINE void for_pairs(const Members &group, Body body) {
        for (int at = group.member; at < INPUTS * INPUTS; at += MEMBERS)
            if (at / INPUTS < at % INPUTS)
                body(at / INPUTS, at % INPUTS);
    }

    INLINE void start(
        const Members &group, Array<const f4> mantissa_0, Array<const i4> exponent_0, Array<const f8> gap_0) {
        for (int a = group.member; a < INPUTS; a += MEMBERS) {
            variances[a] = {mantissa_0(a), exponent_0(a)};
            gaps[a][a] = 0.0;
        }
        for_pairs(group, [&](int a, int b) { gaps[a][b] = gaps[b][a] = gap_0(pair_of(a, b)); });
        Members::synchronise();
    }

    // As start, for inputs of unit norm.
    INLINE void start_alike(const Members &group, Array<const f8> gap_0) {
        for (int a = group.member; a < INPUTS; a += MEMBERS) {
            variances[a] = {1.0f, 0};
            gaps[a][a] = 0.0;
        }
        for_pairs(group, [&](int a, int b) { gaps[a][b] = gaps[b][a] = gap_0(pair_of(a, b)); });
        Members::synchronise();
    }

    // One thread's work: row a becomes the coefficients of u_a - u_0, lower triangular beyond column 0.
    INLINE void difference_factor() {
        for (int column = 0; column < INPUTS; ++column)
            rows[0][column] = 0.0;
        for (int a = 1; a < INPUTS; ++a) {
            for (int column = 1; column < INPUTS; ++column)
                rows[a][column] = 0.0;
            rows[a][0] = -gaps[0][a];
            f8 left = fma(-gaps[0][a], gaps[0][a], 2.0 * gaps[0][a]);
            for (int b = 1; b < a; ++b) {
                if (rows[b][b] > 0.0) {
                    f8 value = gaps[0][a] + gaps[0][b] - gaps[a][b];
                    for (int column = 0; column < b; ++column)
                        value = value - rows[a][column] * rows[b][column];
                    const f8 bound = square_root(max<f8>(left, 0.0));
                    rows[a][b] = min(max(value / rows[b][b], -bound), bound);
                    left = fma(-rows[a][b], rows[a][b], left);
                }
            }
            rows[a][a] = square_root(max<f8>(left, 0.0));
        }
    }

    // Coefficients of u_a and of u_a - u_b, rounded once a layer.
    INLINE void prepare(const Members &group) {
        if (group.member == 0)
            difference_factor();
        Members::synchronise();
        for (int at = group.member; at < INPUTS * INPUTS; at += MEMBERS) {
            const int a = at / INPUTS, column = at % INPUTS;
            factor[a][column] = f4(rows[a][column] + (column == 0 ? 1.0 : 0.0));
        }
        for_pairs(group, [&](int a, int b) {
            for (int column = 0; column < INPUTS; ++column)
                differences[pair_of(a, b)][column] = f4(rows[a][column] - rows[b][column]);
        });
        Members::synchronise();
    }

    // 1 - rho from the reduced sums: S_a for every input, then D, E and C for every pair. A dead input is
    // carried along with the first one that lives.
    static INLINE void gaps_after(const Members &group, const f4 *sums, f8 (&gaps)[INPUTS][INPUTS]) {
        for_pairs(group, [&](int a, int b) {
            const int pair = INPUTS + pair_of(a, b);
            f8 gap = 0.0;
            if (sums[a] > 0.0f && sums[b] > 0.0f) {
                const f8 norm_a = square_root(f8(sums[a]));
                const f8 norm_b = square_root(f8(sums[b]));
                const f8 product = norm_a * norm_b;
                const f8 square = f8(sums[pair]);
                if (square < product) {
                    const f8 shift = f8(sums[pair + PAIRS]) / (norm_a + norm_b);
                    gap = fma(-shift, shift, square) / (2.0 * product);
                } else {
                    gap = (product - f8(sums[pair + 2 * PAIRS])) / product;
                }
                gap = min(max<f8>(gap, 0.0), f8(2.0));
            }
            gaps[a][b] = gaps[b][a] = gap;
        });
        Members::synchronise();
        if (group.member == 0) {
            int living = INPUTS;
            for (int a = INPUTS - 1; a >= 0; --a)
                living = sums[a] > 0.0f ? a : living;
            for (int a = 0; living < INPUTS && a < INPUTS; ++a) {
                if (sums[a] > 0.0f)
                    continue;
                for (int b = 0; b < INPUTS; ++b)
                    gaps[a][b] = gaps[b][a] = sums[b] > 0.0f ? gaps[living][b] : f8(0.0);
            }
        }
    }

    INLINE void scales_after(const Members &group, f4 normalizer) {
        for (int a = group.member; a < INPUTS; a += MEMBERS)
            variances[a] = rescale(variances[a], sums[a] * normalizer);
        Members::synchronise();
    }

    INLINE void write(
        const Members &group, i8 record, Array<f4, 3> log_variance, Array<f4, 3> correlation_gap) const {
        if (!group.exists)
            return;
        for (int a = group.member; a < INPUTS; a += MEMBERS)
            log_variance(group.row, record, a) = log_variance_of(variances[a]);
        for_pairs(group, [&](int a, int b) {
            const bool alive = variances[a].mantissa > 0.0f && variances[b].mantissa > 0.0f;
            correlation_gap(group.row, record, pair_of(a, b)) =
                alive ? f4(gaps[a][b]) : f4(bits_float(NAN_BITS));
        });
    }
};

// What a unit reads from shared memory it reads anew: held in registers from unit to unit, the coefficients
// of many inputs would push out the sums.
INLINE void read_anew() { asm volatile("" ::: "memory"); }

// The sum of coefficients[column] * normals[column] over the first columns, in their order.
template <int SIZE> INLINE f4 combine(const f4 (&coefficients)[SIZE], const f4 *normals, int columns) {
    f4 combined = coefficients[0] * normals[0];
#pragma unroll
    for (int column = 1; column < SIZE; ++column)
        if (column < columns)
            combined = fma(coefficients[column], normals[column], combined);
    return combined;
}

// z_a - z_b times the slope, where both units have the same; else the difference of what they became.
INLINE f4 slopes_difference(f4 apart, f4 slope_a, f4 slope_b, f4 phi_a, f4 phi_b) {
    return slope_a == slope_b ? apart * slope_a : phi_a - phi_b;
}

// Add a pair's terms of D, E and C, which stand PAIRS apart.
template <int PAIRS> INLINE void add_pair(f4 *sums, f4 difference, f4 phi_a, f4 phi_b) {
    sums[0] = fma(difference, difference, sums[0]);
    sums[PAIRS] = fma(difference, phi_a + phi_b, sums[PAIRS]);
    sums[2 * PAIRS] = fma(phi_a, phi_b, sums[2 * PAIRS]);
}

template <int INPUTS, int THREADS, int TEAMS> struct many_inputs {
    using Members = ThreadGroup<THREADS, TEAMS>;
    using Shared = Directions<Members, INPUTS>;
    static constexpr int PAIRS = Shared::PAIRS;
    static constexpr int CALLS = (INPUTS + 3) / 4;
    static constexpr int SHARED = Members::SAMPLES * sizeof(Shared);

    static INLINE void run(
        void *memory, u8 key_, i8 first, Array<const i8> widths, i8 depth, Array<const i4> layers,
        Array<const f4> slopes_plus, Array<const f4> slopes_minus, Array<const f4> normalizers,
        Array<const f4> mantissa_0, Array<const i4> exponent_0, Array<const f8> gap_0,
        Array<f4, 3> log_variance, Array<f4, 3> correlation_gap) {
        const Members group(log_variance.shape[0]);
        Shared &shared = static_cast<Shared *>(memory)[group.place];
        const Key key(key_);
        const SampleWords sample(first + group.row, PURPOSE_FORWARD);
        i8 record = layers(0) == 0 ? 1 : 0;
        i4 turn = 0;
        shared.start(group, mantissa_0, exponent_0, gap_0);
        for (i4 layer = 0; layer < depth; ++layer) {
            const i4 width = i4(widths(layer));
            const f4 normalizer = normalizers(layer);
            const f4 slope_plus = slopes_plus(layer), slope_minus = slopes_minus(layer);
            shared.prepare(group);
            sum_units_shared<1>(group, shared.boards, turn, width, shared.sums, [&](i4 unit, auto &sums) {
                read_anew();
                f4 normals[4 * CALLS];
                const f4 inside = unit < width ? 1.0f : 0.0f;
#pragma unroll
                for (int call = 0; call < CALLS; ++call) {
                    const Words words =
                        philox(u4(unit) * CALLS + call, u4(layer), sample.low, sample.high, key);
                    const Pair one = normal_pair(words.w0, words.w1);
                    const Pair two = normal_pair(words.w2, words.w3);
                    normals[4 * call] = one.first * inside;
                    normals[4 * call + 1] = one.second * inside;
                    normals[4 * call + 2] = two.first * inside;
                    normals[4 * call + 3] = two.second * inside;
                }
                f4 slopes[INPUTS], phi[INPUTS];
#pragma unroll
                for (int a = 0; a < INPUTS; ++a) {
                    const f4 z = combine(shared.factor[a], normals, a + 1);
                    slopes[a] = z > 0.0f ? slope_plus : slope_minus;
                    phi[a] = z * slopes[a];
                    sums[a] = fma(phi[a], phi[a], sums[a]);
                }
                int pair = 0;
#pragma unroll
                for (int a = 0; a < INPUTS; ++a) {
#pragma unroll
                    for (int b = a + 1; b < INPUTS; ++b, ++pair) {
                        const f4 apart = combine(shared.differences[pair], normals, b + 1);
                        const f4 difference = slopes_difference(apart, slopes[a], slopes[b], phi[a], phi[b]);
                        add_pair<PAIRS>(sums + INPUTS + pair, difference, phi[a], phi[b]);
                    }
                }
            });
            Shared::gaps_after(group, shared.sums, shared.gaps);
            shared.scales_after(group, normalizer);
            if (record < layers.shape[0] && layers(record) == layer + 1) {
                shared.write(group, record, log_variance, correlation_gap);
                ++record;
            }
        }
    }
};

}  // namespace deeplimits
