// The piecewise-linear perceptron with LayerNorm, for any number of inputs; see forward.py.
#pragma once

#include "engines/mlp/smooth.cuh"

namespace deeplimits {

template <int INPUTS, int THREADS, int TEAMS> struct layer_norm {
    using Members = ThreadGroup<THREADS, TEAMS>;
    static constexpr int PAIRS = INPUTS * (INPUTS - 1) / 2;
    static constexpr int REDUCED = INPUTS + 3 * PAIRS;
    using Shared = Directions<Members, INPUTS, INPUTS + PAIRS>;
    static constexpr int UNITS = Drawn<INPUTS>::UNITS;
    static constexpr int SHARED = Members::SAMPLES * sizeof(Shared);

    static INLINE void run(
        void *memory, u8 key_, i8 first, Array<const i8> widths, i8 depth, Array<const i4> layers,
        Array<const f4> slopes_plus, Array<const f4> slopes_minus, Array<const f8> gap_0,
        Array<f4, 3> log_variance, Array<f4, 3> correlation_gap) {
        const Members group(log_variance.shape[0]);
        Shared &shared = static_cast<Shared *>(memory)[group.place];
        const Key key(key_);
        const SampleWords sample(first + group.row, PURPOSE_FORWARD);
        i8 record = layers(0) == 0 ? 1 : 0;
        i4 turn = 0;
        shared.start_alike(group, gap_0);
        for (i4 layer = 0; layer < depth; ++layer) {
            const i4 width = i4(widths(layer));
            const f4 slope_plus = slopes_plus(layer), slope_minus = slopes_minus(layer);
            shared.prepare(group);
            sum_units_shared<UNITS>(group, shared.boards, turn, width, shared.sums, [&](i4 unit, auto &sums) {
                read_anew();
                Drawn<INPUTS> drawn;
                drawn.fill(unit, width, layer, sample, key);
#pragma unroll
                for (int each = 0; each < UNITS; ++each) {
                    const f4 *const normals = drawn.normals + each * INPUTS;
                    f4 slopes[INPUTS], phi[INPUTS];
#pragma unroll
                    for (int a = 0; a < INPUTS; ++a) {
                        const f4 z = combine(shared.factor[a], normals, a + 1);
                        slopes[a] = z > 0.0f ? slope_plus : slope_minus;
                        phi[a] = z * slopes[a];
                        sums[a] = fma(phi[a], phi[a], sums[a]);
                        sums[REDUCED + a] = sums[REDUCED + a] + phi[a];
                    }
                    int pair = 0;
#pragma unroll
                    for (int a = 0; a < INPUTS; ++a) {
#pragma unroll
                        for (int b = a + 1; b < INPUTS; ++b, ++pair) {
                            const f4 apart = combine(shared.differences[pair], normals, b + 1);
                            const f4 difference =
                                slopes_difference(apart, slopes[a], slopes[b], phi[a], phi[b]);
                            add_pair<PAIRS>(sums + INPUTS + pair, difference, phi[a], phi[b]);
                            f4 &apart_sum = sums[REDUCED + INPUTS + pair];
                            apart_sum = apart_sum + difference;
                        }
                    }
                }
            });
            centre(group, shared, width);
            Shared::gaps_after(group, shared.sums, shared.gaps);
            for (int a = group.member; a < INPUTS; a += Shared::MEMBERS)
                if (!(shared.sums[a] > 0.0f))
                    shared.variances[a].mantissa = 0.0f;
            Members::synchronise();
            if (record < layers.shape[0] && layers(record) == layer + 1) {
                shared.write(group, record, log_variance, correlation_gap);
                ++record;
            }
        }
    }

    // S, D, E and C of the activations become those of the centred ones.
    static INLINE void centre(const Members &group, Shared &shared, i4 width) {
        const f8 count = f8(i8(width));
        f4 *const sums = shared.sums;
        Shared::for_pairs(group, [&](int a, int b) {
            const int pair = Shared::pair_of(a, b);
            const f8 total_a = f8(sums[REDUCED + a]), total_b = f8(sums[REDUCED + b]);
            const f8 apart = f8(sums[REDUCED + INPUTS + pair]);
            f4 &square = sums[INPUTS + pair];
            f4 &shift = sums[INPUTS + PAIRS + pair];
            f4 &product = sums[INPUTS + 2 * PAIRS + pair];
            const f8 both = (total_a + total_b) / count;
            square = f4(max<f8>(fma(-apart, apart / count, f8(square)), 0.0));
            shift = f4(fma(-apart, both, f8(shift)));
            product = f4(fma(-total_a, total_b / count, f8(product)));
        });
        for (int a = group.member; a < INPUTS; a += Shared::MEMBERS) {
            const f8 total = f8(sums[REDUCED + a]);
            sums[a] = f4(max<f8>(fma(-total, total / count, f8(sums[a])), 0.0));
        }
        Members::synchronise();
    }
};

}  // namespace deeplimits
