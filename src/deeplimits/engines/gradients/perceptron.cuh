// Gradients of a perceptron; see engines/gradients/perceptron.py. A layer at a time is in the card's memory, unit
// by unit. One thread of a sample does its algebra.
#pragma once

#include "engines/gradients/perceptron_layer.cuh"

namespace deeplimits {

// A layer of the forward pass, as the backward pass finds it again.
template <int INPUTS> struct Layer {
    f8 gaps[INPUTS][INPUTS];
    f4 reach[INPUTS];
    i4 living[INPUTS];
};

template <int INPUTS, int THREADS, int TEAMS, bool SMOOTH> struct backward
    : PerceptronLayer<INPUTS, THREADS, TEAMS, SMOOTH> {
    using Base = PerceptronLayer<INPUTS, THREADS, TEAMS, SMOOTH>;
    using Base::UNITS, Base::PRODUCTS, Base::OWN, Base::FRESH, Base::BASIS, Base::POLAR;
    using Base::setting_of, Base::advance, Base::keep, Base::pull_back;
    using typename Base::Members, typename Base::Shared, typename Base::Setting;
    using Workspace = Kept<INPUTS>;
    static constexpr int SHARED = Members::SAMPLES * sizeof(Shared);
    // see _state in engines/gradients/call.py
    static_assert(HAS_ROOM<INPUTS> && sizeof(Layer<INPUTS>) == 8 * INPUTS * (INPUTS + 1));

    static INLINE void prepare(const Members &group, Shared &shared) {
        if constexpr (!POLAR)
            shared.prepare(group);
    }

    // Find the layers: 1 - rho, the root of V over s, and who lives, at each.
    static INLINE void forward(
        const Members &group, Shared &shared, const Table &table, i4 &turn, Array<const i8> widths,
        Array<const f4> plus, Array<const f4> minus, Array<const f4> inverse_scale,
        Array<const f4> normalizer, SampleWords sample, Key key, Layer<INPUTS> *layers) {
        const i4 depth = i4(widths.shape[0]);
        for (i4 layer = 0;; ++layer) {
            for (int a = group.member; a < INPUTS; a += Shared::MEMBERS) {
                shared.reach[a] = scaled_root(shared.variances[a], inverse_scale(layer));
                layers[layer].reach[a] = shared.reach[a];
                layers[layer].living[a] = shared.variances[a].mantissa > 0.0f;
                for (int b = 0; b < INPUTS; ++b)
                    layers[layer].gaps[a][b] = shared.gaps[a][b];
            }
            if (layer == depth - 1)
                break;
            Members::synchronise();
            prepare(group, shared);
            const Setting setting = setting_of(shared, plus(layer), minus(layer));
            advance(group, shared, table, setting, turn, i4(widths(layer)), layer, sample, key);
            if constexpr (POLAR) {
                shared.scales_after(group, normalizer(layer));
                const bool alive = shared.variances[0].mantissa > 0.0f && shared.variances[1].mantissa > 0.0f;
                const f4 gap = alive ? gap_after(
                                           shared.sums[0], shared.sums[1], shared.sums[2], shared.sums[3],
                                           shared.sums[4])
                                     : f4(0.0f);
                if (group.member == 0)
                    shared.gaps[0][1] = shared.gaps[1][0] = f8(gap);
                Members::synchronise();
            } else {
                Shared::gaps_after(group, shared.sums, shared.gaps);
                shared.scales_after(group, normalizer(layer));
            }
        }
        Members::synchronise();
    }

    static INLINE void run(
        void *memory, u8 key_, i8 first, Array<const i8> widths, Array<const i4> layers, Array<const f4> plus,
        Array<const f4> minus, Array<const f4> inverse_scale, Array<const f4> normalizer,
        Array<const f4> mantissa_0, Array<const i4> exponent_0, Array<const f8> gap_0, i4 bits, f4 top,
        Array<const f4, 2> table_, Array<f4, 3> log_norm, Array<f4, 3> gradient_gap, Array<f4, 2> states) {
        const Members group(log_norm.shape[0]);
        Shared &shared = static_cast<Shared *>(memory)[group.place];
        const Key key(key_);
        const SampleWords sample(first + group.row, PURPOSE_FORWARD);
        const SampleWords sample_back(first + group.row, PURPOSE_BACKWARD);
        const Table table(table_, bits, top);
        const i4 depth = i4(widths.shape[0]);
        Workspace &kept = *reinterpret_cast<Workspace *>(&states(group.slot, 0));
        Layer<INPUTS> *const found = reinterpret_cast<Layer<INPUTS> *>(&kept + 1);
        f4 *const rows = reinterpret_cast<f4 *>(found + depth);
        i4 turn = 0;
        shared.start(group, mantissa_0, exponent_0, gap_0);
        forward(
            group, shared, table, turn, widths, plus, minus, inverse_scale, normalizer, sample, key, found);
        if (group.member == 0) {
            kept.start(depth, SampleWords(first + group.row, PURPOSE_OUTPUT), key);
            shared.start_gradients();
        }
        i8 record = layers.shape[0] - 1;
        const i4 lowest = max(layers(0), 1);
        for (i4 layer = depth; layer >= lowest; --layer) {
            const i4 at = layer - 1, width = i4(widths(at));
            const UnitRows<UNITS> units(rows, width);
            Members::synchronise();
            if (group.member == 0) {
                shared.all_live = true;
                for (int a = 0; a < INPUTS; ++a) {
                    shared.reach[a] = found[at].reach[a];
                    shared.living[a] = found[at].living[a];
                    shared.all_live = shared.all_live && shared.living[a];
                    for (int b = 0; b < INPUTS; ++b)
                        shared.gaps[a][b] = found[at].gaps[a][b];
                }
            }
            Members::synchronise();
            prepare(group, shared);
            const Setting setting = setting_of(shared, plus(at), minus(at));
            keep(
                group, shared, table, setting, turn, width, at, sample, sample_back, key, units,
                kept.totals + PRODUCTS);
            Base::template sum_products<BASIS, FRESH>(group, shared, turn, width, units, kept.totals);
            if (group.member == 0) {
                kept.unpack(kept.gram, kept.squares, kept.cross);
                directions(kept.gram, kept.squares, kept.along);
                if constexpr (POLAR)
                    if (layer < depth)
                        around_bisector(kept.squares, kept.along);
                orthonormalise(kept.gram, kept.along, kept.lower, kept.orthonormal);
                transposed(
                    kept.orthonormal, kept.cross, kept.cross_back, kept.along_back, kept.lower_back,
                    kept.squares_back, kept.pulled, shared.back, shared.back_differences);
            }
            Members::synchronise();
            pull_back(group, shared, turn, width, units, kept.totals + PRODUCTS);
            Base::template sum_products<BASIS, OWN>(group, shared, turn, width, units, kept.totals);
            if (group.member == 0) {
                kept.take_gradients();
                for (int a = 0; a < INPUTS; ++a) {
                    const f4 factor = f4(kept.squares_back[a]) * normalizer(at);
                    shared.norms[a] = rescale(shared.norms[a], factor);
                }
            }
            if (record >= 0 && layers(record) == layer) {
                if (group.leads)
                    shared.write_gradients(kept, group.row, record, log_norm, gradient_gap);
                --record;
            }
        }
    }
};

template <int INPUTS, int THREADS, int TEAMS> struct piecewise_linear
    : backward<INPUTS, THREADS, TEAMS, false> {};
template <int INPUTS, int THREADS, int TEAMS> struct smooth : backward<INPUTS, THREADS, TEAMS, true> {};

}  // namespace deeplimits
