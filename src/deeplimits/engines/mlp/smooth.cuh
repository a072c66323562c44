// The multilayer perceptron with a smooth activation, for any number of inputs; see
// engines/mlp/smooth.py. psi(u) = phi(u) / u is read from the table of engines/contract/activation_tables.py, one row of four
// coefficients at a time.
#pragma once

#include "engines/mlp/many_inputs.cuh"

namespace deeplimits {

constexpr i4 LOWEST_EXPONENT = 127 - 5;
constexpr i4 LOWEST_BITS = LOWEST_EXPONENT << 23;
constexpr i4 MAGNITUDE = 0x7FFFFFFF;
constexpr i4 FURTHEST = 100;

// sqrt(mantissa * 2^exponent) * factor, kept within reach.
INLINE f4 scaled_root(Scaled value, f4 factor) {
    const i4 odd = value.exponent & 1;
    const i4 half = (value.exponent - odd) >> 1;
    const f4 root = square_root(value.mantissa * (odd == 1 ? f4(2.0f) : f4(1.0f))) * factor;
    const i4 held = max(min(half, FURTHEST), -FURTHEST);
    return root * bits_float((held + 127) << 23);
}

struct Table {
    const float4 *rows;
    i4 size;
    i4 half;
    i4 bits;
    f4 top;

    INLINE Table(Array<const f4, 2> table, i4 bits, f4 top)
        : rows(reinterpret_cast<const float4 *>(table.data)), size(i4(table.shape[0])), half(size / 2),
          bits(bits), top(top) {}

    // The coefficients of the piece that holds psi(u), their variable, |u|, and whether it is short of the
    // tail.
    struct Piece {
        float4 c;
        f4 t, size;
        bool is_short;

        INLINE f4 value() const { return fma(fma(fma(c.w, t, c.z), t, c.y), t, c.x); }

        // psi + u psi', the derivative of phi; in the tail t = 1 / |u| and u psi' = -t dpsi/dt.
        INLINE f4 derivative() const {
            const f4 slope = fma(fma(3.0f * f4(c.w), t, 2.0f * f4(c.z)), t, c.y);
            return fma(slope, is_short ? size : 0.0f - t, value());
        }
    };

    INLINE f4 psi(f4 u) const { return piece(u).value(); }

    INLINE Piece piece(f4 u) const {
        const f4 magnitude = bits_float(float_bits(u) & MAGNITUDE);
        const i4 low = max(float_bits(magnitude), LOWEST_BITS);
        const i4 held = low >> (23 - bits);
        const f4 edge = bits_float(held << (23 - bits));
        const bool is_short = magnitude < top;
        const f4 t = is_short ? magnitude - edge : 1.0f / magnitude;
        const i4 row = min(held - (LOWEST_EXPONENT << bits), half - 1) + (u < 0.0f ? half : 0);
        return {rows[row], t, magnitude, is_short};
    }
};

// phi(z_a) - phi(z_b) over the root of V, from z_a - z_b.
INLINE f4 smooth_difference(f4 apart, f4 z_a, f4 z_b, f4 psi_a, f4 psi_b) {
    const f4 mean = 0.5f * (psi_a + psi_b);
    const f4 middle = 0.5f * (z_a + z_b);
    return fma(apart, mean, middle * (psi_a - psi_b));
}

// The normals of the units that one call of Philox serves, unit by unit; zero beyond the width.
template <int INPUTS> struct Drawn {
    static constexpr int CALLS = (INPUTS + 3) / 4;
    static constexpr int UNITS = INPUTS == 1 ? 4 : INPUTS == 2 ? 2 : 1;

    f4 normals[4 * CALLS];

    INLINE void fill(i4 unit, i4 width, i4 layer, SampleWords sample, Key key) {
#pragma unroll
        for (int call = 0; call < CALLS; ++call) {
            const Words words =
                philox(u4(unit / UNITS) * CALLS + call, u4(layer), sample.low, sample.high, key);
            const Pair one = normal_pair(words.w0, words.w1);
            const Pair two = normal_pair(words.w2, words.w3);
            normals[4 * call] = unit < width ? one.first : 0.0f;
            normals[4 * call + 1] = unit + (UNITS > 2) < width ? one.second : 0.0f;
            normals[4 * call + 2] = unit + UNITS / 2 < width ? two.first : 0.0f;
            normals[4 * call + 3] = unit + UNITS - 1 < width ? two.second : 0.0f;
        }
    }
};

template <int INPUTS, int THREADS, int TEAMS> struct smooth_inputs {
    using Members = ThreadGroup<THREADS, TEAMS>;
    using Shared = Directions<Members, INPUTS>;
    static constexpr int PAIRS = Shared::PAIRS;
    static constexpr int UNITS = Drawn<INPUTS>::UNITS;
    static constexpr int SHARED = Members::SAMPLES * sizeof(Shared);

    static INLINE void run(
        void *memory, u8 key_, i8 first, Array<const i8> widths, i8 depth, Array<const i4> layers,
        Array<const f4> inverse_scales, Array<const f4> normalizers, Array<const f4> mantissa_0,
        Array<const i4> exponent_0, Array<const f8> gap_0, i4 bits, f4 top, Array<const f4, 2> table_,
        Array<f4, 3> log_variance, Array<f4, 3> correlation_gap, Array<i4, 2> exploded_at) {
        const Members group(log_variance.shape[0]);
        Shared &shared = static_cast<Shared *>(memory)[group.place];
        const Key key(key_);
        const SampleWords sample(first + group.row, PURPOSE_FORWARD);
        const Table table(table_, bits, top);
        i8 record = layers(0) == 0 ? 1 : 0;
        i4 turn = 0;
        shared.start(group, mantissa_0, exponent_0, gap_0);
        f4 reach[INPUTS];
        i4 exploded[INPUTS];
#pragma unroll
        for (int a = 0; a < INPUTS; ++a) {
            reach[a] = scaled_root(shared.variances[a], inverse_scales(0));
            exploded[a] = reach[a] >= 1.0f ? 0 : -1;
        }
        for (i4 layer = 0; layer < depth; ++layer) {
            const i4 width = i4(widths(layer));
            const f4 normalizer = normalizers(layer);
            const f4 following = inverse_scales(min(i8(layer) + 1, widths.shape[0] - 1));
            shared.prepare(group);
            sum_units_shared<UNITS>(group, shared.boards, turn, width, shared.sums, [&](i4 unit, auto &sums) {
                read_anew();
                Drawn<INPUTS> drawn;
                drawn.fill(unit, width, layer, sample, key);
#pragma unroll
                for (int each = 0; each < UNITS; ++each) {
                    const f4 *const normals = drawn.normals + each * INPUTS;
                    f4 z[INPUTS], psi[INPUTS], phi[INPUTS];
#pragma unroll
                    for (int a = 0; a < INPUTS; ++a) {
                        z[a] = combine(shared.factor[a], normals, a + 1);
                        psi[a] = table.psi(z[a] * reach[a]);
                        phi[a] = z[a] * psi[a];
                        sums[a] = fma(phi[a], phi[a], sums[a]);
                    }
                    int pair = 0;
#pragma unroll
                    for (int a = 0; a < INPUTS; ++a) {
#pragma unroll
                        for (int b = a + 1; b < INPUTS; ++b, ++pair) {
                            const f4 apart = combine(shared.differences[pair], normals, b + 1);
                            const f4 difference = smooth_difference(apart, z[a], z[b], psi[a], psi[b]);
                            add_pair<PAIRS>(sums + INPUTS + pair, difference, phi[a], phi[b]);
                        }
                    }
                }
            });
            Shared::gaps_after(group, shared.sums, shared.gaps);
            shared.scales_after(group, normalizer);
#pragma unroll
            for (int a = 0; a < INPUTS; ++a) {
                reach[a] = scaled_root(shared.variances[a], following);
                exploded[a] = exploded[a] < 0 && reach[a] >= 1.0f ? layer + 1 : exploded[a];
            }
            if (record < layers.shape[0] && layers(record) == layer + 1) {
                shared.write(group, record, log_variance, correlation_gap);
                ++record;
            }
        }
        if (group.leads) {
#pragma unroll
            for (int a = 0; a < INPUTS; ++a)
                exploded_at(group.row, a) = exploded[a];
        }
    }
};

}  // namespace deeplimits
