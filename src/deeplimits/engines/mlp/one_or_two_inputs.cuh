// The piecewise-linear multilayer perceptron with one input or two: whole networks in one launch, no weight
// matrix, nothing in memory but recorded layers. The mathematics is told in engines/mlp/one_or_two_inputs.py.
#pragma once

#include "engines/contract/lanes.cuh"
#include "engines/contract/normals.cuh"
#include "engines/contract/philox.cuh"

namespace deeplimits {

constexpr i4 NAN_BITS = 0x7FC00000;
constexpr i4 DEAD_BITS = i4(0xFF800000u);

struct Scaled {
    f4 mantissa;
    i4 exponent;
};

// (mantissa * factor) * 2^exponent with its mantissa brought back into [1, 2); zero stays zero.
INLINE Scaled rescale(Scaled value, f4 factor) {
    const f4 product = value.mantissa * factor;
    const i4 bits = float_bits(product);
    const i4 shift = (bits >> 23) - 127;
    if (product == 0.0f)
        return {0.0f, 0};
    return {bits_float(bits - (shift << 23)), value.exponent + shift};
}

// log V, or minus infinity once every unit is dead.
INLINE f4 log_variance_of(Scaled value) {
    return value.mantissa > 0.0f ? logarithm(value.mantissa, value.exponent) : bits_float(DEAD_BITS);
}

template <int THREADS, int TEAMS> struct single_input {
    using Members = ThreadGroup<THREADS, TEAMS>;
    using Board = Boards<Members, 1>;
    static constexpr int SHARED = TEAMS == 1 ? 16 : sizeof(Board);

    static INLINE void run(
        void *memory, u8 key_, i8 first, Array<const i8> widths, i8 depth, Array<const i4> layers,
        Array<const f4> slopes_plus, Array<const f4> slopes_minus, Array<const f4> normalizers,
        Array<const f4> mantissa_0, Array<const i4> exponent_0, Array<f4, 3> log_variance) {
        const Members group(log_variance.shape[0]);
        Board &boards = *static_cast<Board *>(memory);
        const Key key(key_);
        const SampleWords sample(first + group.row, PURPOSE_FORWARD);
        Scaled variance = {mantissa_0(0), exponent_0(0)};
        i8 record = layers(0) == 0 ? 1 : 0;
        i4 turn = 0;
        for (i4 layer = 0; layer < depth; ++layer) {
            const i4 width = i4(widths(layer));
            const f4 normalizer = normalizers(layer);
            const f4 slope_plus = slopes_plus(layer), slope_minus = slopes_minus(layer);
            f4 total[1];
            sum_units<4>(group, boards, turn, width, total, [&](i4 unit, f4(&sums)[1]) {
                const Words words = philox(u4(unit / 4), u4(layer), sample.low, sample.high, key);
                const auto two = [&](u4 radius_word, u4 angle_word, i4 first_unit) {
                    const f4 radius = minus_two_log(radius_word);
                    const Angle angle = cosine_sine(angle_word);
                    f4 a = angle.cosine * (angle.cosine > 0.0f ? slope_plus : slope_minus);
                    f4 b = angle.sine * (angle.sine > 0.0f ? slope_plus : slope_minus);
                    a = first_unit < width ? a : 0.0f;
                    b = first_unit + 1 < width ? b : 0.0f;
                    sums[0] = fma(radius * b, b, fma(radius * a, a, sums[0]));
                };
                two(words.w0, words.w1, unit);
                two(words.w2, words.w3, unit + 2);
            });
            variance = rescale(variance, total[0] * normalizer);
            if (record < layers.shape[0] && layers(record) == layer + 1) {
                if (group.leads)
                    log_variance(group.row, record, 0) = log_variance_of(variance);
                ++record;
            }
        }
    }
};

// phi(z_a), phi(z_b) and phi(z_a) - phi(z_b) of one unit, each over R.
struct PairTerms {
    f4 phi_a, phi_b, difference;
};

// From the polar angle around the bisector of the inputs: z_a = cosine + sine, z_b = cosine - sine.
INLINE PairTerms pair_terms(f4 cosine, f4 sine, f4 slope_plus, f4 slope_minus) {
    const f4 z_a = cosine + sine;
    const f4 z_b = cosine - sine;
    const f4 slope_a = z_a > 0.0f ? slope_plus : slope_minus;
    const f4 slope_b = z_b > 0.0f ? slope_plus : slope_minus;
    const f4 phi_a = z_a * slope_a;
    const f4 phi_b = z_b * slope_b;
    return {phi_a, phi_b, slope_a == slope_b ? 2.0f * sine * slope_a : phi_a - phi_b};
}

// 1 - rho of two vectors from A = |a|^2, B = |b|^2, D = |a - b|^2, E = A - B and C = <a, b>.
INLINE f4 gap_after(f4 sum_a, f4 sum_b, f4 sum_d, f4 sum_e, f4 sum_c) {
    const f4 product = square_root(sum_a * sum_b);
    const f4 shift = sum_e / (square_root(sum_a) + square_root(sum_b));
    const f4 near = fma(-shift, shift, sum_d) / (2.0f * product);
    const f4 far = (product - sum_c) / product;
    return min(max<f4>(sum_d < product ? near : far, 0.0f), f4(2.0f));
}

template <int THREADS, int TEAMS> struct two_inputs {
    using Members = ThreadGroup<THREADS, TEAMS>;
    using Board = Boards<Members, 5>;
    static constexpr int SHARED = TEAMS == 1 ? 16 : sizeof(Board);

    static INLINE void run(
        void *memory, u8 key_, i8 first, Array<const i8> widths, i8 depth, Array<const i4> layers,
        Array<const f4> slopes_plus, Array<const f4> slopes_minus, Array<const f4> normalizers,
        Array<const f4> mantissa_0, Array<const i4> exponent_0, Array<const f4> gap_0,
        Array<f4, 3> log_variance, Array<f4, 3> correlation_gap) {
        const Members group(log_variance.shape[0]);
        Board &boards = *static_cast<Board *>(memory);
        const Key key(key_);
        const SampleWords sample(first + group.row, PURPOSE_FORWARD);
        Scaled variance_a = {mantissa_0(0), exponent_0(0)};
        Scaled variance_b = {mantissa_0(1), exponent_0(1)};
        f4 gap = gap_0(0);
        i8 record = layers(0) == 0 ? 1 : 0;
        i4 turn = 0;
        for (i4 layer = 0; layer < depth; ++layer) {
            const i4 width = i4(widths(layer));
            const f4 normalizer = normalizers(layer);
            const f4 slope_plus = slopes_plus(layer), slope_minus = slopes_minus(layer);
            const f4 along = square_root(fma(-0.5f, gap, 1.0f));
            const f4 across = square_root(0.5f * gap);
            f4 totals[5];
            sum_units<2>(group, boards, turn, width, totals, [&](i4 unit, f4(&sums)[5]) {
                const Words words = philox(u4(unit / 2), u4(layer), sample.low, sample.high, key);
                const auto one = [&](u4 radius_word, u4 angle_word, bool inside) {
                    f4 radius = minus_two_log(radius_word);
                    radius = inside ? radius : 0.0f;
                    const Angle angle = cosine_sine(angle_word);
                    const PairTerms terms =
                        pair_terms(along * angle.cosine, across * angle.sine, slope_plus, slope_minus);
                    const f4 scaled_a = radius * terms.phi_a;
                    const f4 scaled_b = radius * terms.phi_b;
                    const f4 scaled = radius * terms.difference;
                    sums[0] = fma(scaled_a, terms.phi_a, sums[0]);
                    sums[1] = fma(scaled_b, terms.phi_b, sums[1]);
                    sums[2] = fma(scaled, terms.difference, sums[2]);
                    sums[3] = fma(scaled, terms.phi_a + terms.phi_b, sums[3]);
                    sums[4] = fma(scaled_a, terms.phi_b, sums[4]);
                };
                one(words.w0, words.w1, unit < width);
                one(words.w2, words.w3, unit + 1 < width);
            });
            variance_a = rescale(variance_a, totals[0] * normalizer);
            variance_b = rescale(variance_b, totals[1] * normalizer);
            const bool alive = variance_a.mantissa > 0.0f && variance_b.mantissa > 0.0f;
            // a dead input has no direction: the one that lives on goes on alone, which gap = 0 does
            gap = alive ? gap_after(totals[0], totals[1], totals[2], totals[3], totals[4]) : 0.0f;
            if (record < layers.shape[0] && layers(record) == layer + 1) {
                if (group.leads) {
                    log_variance(group.row, record, 0) = log_variance_of(variance_a);
                    log_variance(group.row, record, 1) = log_variance_of(variance_b);
                    correlation_gap(group.row, record, 0) = alive ? gap : bits_float(NAN_BITS);
                }
                ++record;
            }
        }
    }
};

}  // namespace deeplimits
