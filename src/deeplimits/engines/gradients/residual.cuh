// Gradients of a residual network; see engines/gradients/residual.py. The forward pass keeps the states of
// every layer in the card's memory, and the backward pass comes back to them.
#pragma once

#include "engines/gradients/sums.cuh"
#include "engines/resnet/forward.cuh"

namespace deeplimits {

template <class Members, int INPUTS> struct ResidualGradients : Back<Members, INPUTS> {
    f4 skip[INPUTS][INPUTS], skip_differences[INPUTS][INPUTS];
};

template <int INPUTS, int THREADS, int TEAMS, bool SMOOTH_BRANCH> struct residual_backward
    : BackwardPass<INPUTS, THREADS, TEAMS, SMOOTH_BRANCH> {
    using Base = BackwardPass<INPUTS, THREADS, TEAMS, SMOOTH_BRANCH>;
    using Base::UNITS, Base::PRODUCTS, Base::OWN, Base::FRESH, Base::BASIS, Base::SLOPES_OF, Base::CARRIED;
    using Members = typename Base::Members;
    using Forward = residual_inputs<KINDS * INPUTS + (SMOOTH_BRANCH ? SMOOTH : SLOPES), THREADS, TEAMS>;
    using Shared = ResidualGradients<Members, INPUTS>;
    using Workspace = Kept<INPUTS>;
    using Rows = UnitRows<UNITS>;
    // first the forward pass has the shared memory of a sample, then the backward pass
    static constexpr int STRIDE = sizeof(Shared) > sizeof(typename Forward::Shared)
                                      ? sizeof(Shared)
                                      : sizeof(typename Forward::Shared);
    static constexpr int SHARED = Members::SAMPLES * STRIDE;
    static_assert(HAS_ROOM<INPUTS>);
    static constexpr int STATES = 2 * INPUTS - 1;  // rows of a layer: z_a, then z_0 - z_a

    static INLINE void run(
        void *memory, u8 key_, i8 first, i8 width_, i8 depth_, Array<const i4> layers, f8 branch, f4 start,
        f4 slope_plus, f4 slope_minus, Array<const f4> mantissa_0, Array<const i4> exponent_0,
        Array<const f8> gap_0, i4 bits, f4 top, Array<const f4, 2> table_, Array<f4, 3> log_norm,
        Array<f4, 3> gradient_gap, Array<f4, 2> states) {
        const Members group(log_norm.shape[0]);
        unsigned char *const place = static_cast<unsigned char *>(memory) + group.place * STRIDE;
        const Key key(key_);
        const SampleWords sample(first + group.row, PURPOSE_FORWARD);
        const Table table(table_, bits, top);
        const i4 width = i4(width_), depth = i4(depth_);
        // the sample's part of the card's memory
        Workspace &kept = *reinterpret_cast<Workspace *>(&states(group.slot, 0));
        const Rows state(reinterpret_cast<f4 *>(&kept + 1), width);
        const Rows units(state.data + (INPUTS + Forward::PAIRS) * state.padded, width);
        f4 *const reach = units.data + 5 * INPUTS * units.padded;
        f4 *const found = reach + (depth + 1) * INPUTS;
        const auto layer_at = [&](i4 layer) {
            return Rows(found + i8(layer) * STATES * state.padded, width);
        };

        auto &ahead = *reinterpret_cast<typename Forward::Shared *>(place);
        const typename Forward::Records nothing = {{nullptr, {0}}, {}, {}, {}, {}};
        Forward::forward(
            group, ahead, {width, depth, branch, start, slope_plus, slope_minus}, mantissa_0, exponent_0,
            gap_0, table, sample, key, state, nothing, [&](i4 layer) {
                const Rows into = layer_at(layer);
                for (int a = group.member; a < INPUTS; a += THREADS * TEAMS)
                    reach[layer * INPUTS + a] = ahead.reach[a];
                group.template own_units<UNITS>(width, [&](i4 unit) {
                    for (int each = 0; each < UNITS; ++each)
                        for (int row = 0; row < STATES; ++row)
                            into.at(row, unit, each) = state.at(row, unit, each);
                });
            });
        Members::synchronise();

        Shared &shared = *reinterpret_cast<Shared *>(place);
        const SampleWords sample_back(first + group.row, PURPOSE_BACKWARD);
        if (group.member == 0) {
            kept.start(depth, SampleWords(first + group.row, PURPOSE_OUTPUT), key);
            shared.start_gradients();
        }
        i8 record = layers.shape[0] - 1;
        i4 turn = 0;
        for (i4 layer = depth; layer >= layers(0); --layer) {
            const Rows here = layer_at(layer);
            if (group.member == 0)
                skip_of(kept, shared);
            Members::synchronise();
            keep(
                group, shared, table, turn, width, layer, layer == depth, slope_plus, slope_minus,
                reach + layer * INPUTS, here, sample_back, key, units, kept.totals + PRODUCTS);
            Base::template sum_products<BASIS, FRESH>(group, shared, turn, width, units, kept.totals);
            if (group.member == 0) {
                kept.unpack(kept.gram, kept.squares, kept.cross);
                directions(kept.gram, kept.squares, kept.along);
                orthonormalise(kept.gram, kept.along, kept.lower, kept.orthonormal);
                transposed(
                    kept.orthonormal, kept.cross, kept.cross_back, kept.along_back, kept.lower_back,
                    kept.squares_back, kept.pulled, shared.back, shared.back_differences);
            }
            Members::synchronise();
            step_back(
                group, shared, turn, width, layer, layer == depth, f4(branch), sample, key, units,
                kept.totals + PRODUCTS);
            Base::template sum_products<CARRIED, OWN>(group, shared, turn, width, units, kept.totals);
            if (group.member == 0) {
                kept.take_gradients();
                for (int a = 0; a < INPUTS; ++a) {
                    const f4 square = f4(kept.squares_back[a]);
                    shared.norms[a] = rescale(shared.norms[a], layer == depth ? square / f4(width) : square);
                }
            }
            if (record >= 0 && layers(record) == layer) {
                if (group.leads)
                    shared.write_gradients(kept, group.row, record, log_norm, gradient_gap);
                --record;
            }
        }
    }

    // Coefficients of the gradients of the layer above, over their norms, in what is carried of them.
    static INLINE void skip_of(const Workspace &kept, Shared &shared) {
        for (int a = 0; a < INPUTS; ++a) {
            for (int i = 0; i < INPUTS; ++i) {
                shared.skip[a][i] = f4(kept.along_back[0][i] + (a > 0 ? kept.along_back[a][i] : f8(0.0)));
                shared.skip_differences[a][i] = f4(-kept.along_back[a][i]);
            }
        }
    }

    // The activations of a layer and their slopes, of the last one the states themselves, and fresh normals.
    static INLINE void keep(
        const Members &group, Shared &shared, const Table &table, i4 &turn, i4 width, i4 layer, bool last,
        f4 slope_plus, f4 slope_minus, const f4 *reach, Rows here, SampleWords sample_back, Key key,
        Rows units, f8 *squares) {
        Base::sum_squares(group, shared, turn, width, squares, [&](i4 first_unit, auto add) {
            Drawn<INPUTS> fresh;
            fresh.fill(first_unit, width, layer, sample_back, key);
            for (int each = 0; each < UNITS; ++each) {
                f4 z[INPUTS], psi[INPUTS], phi[INPUTS];
#pragma unroll
                for (int a = 0; a < INPUTS; ++a) {
                    z[a] = phi[a] = here.at(a, first_unit, each);
                    f4 slope = slope_plus;
                    if constexpr (SMOOTH_BRANCH) {
                        const Table::Piece piece = table.piece(z[a] * reach[a]);
                        psi[a] = piece.value();
                        slope = piece.derivative();
                    } else {
                        psi[a] = slope = z[a] > 0.0f ? slope_plus : slope_minus;
                    }
                    phi[a] = last ? z[a] : z[a] * psi[a];
                    f4 row = phi[0];
                    if (a > 0) {
                        const f4 apart = here.at(INPUTS + a - 1, first_unit, each);
                        row = last ? apart
                                   : Base::difference_of(apart, z[0], z[a], psi[0], psi[a], phi[0], phi[a]);
                    }
                    units.at(FRESH + a, first_unit, each) = fresh.normals[each * INPUTS + a];
                    units.at(BASIS + a, first_unit, each) = row;
                    units.at(SLOPES_OF + a, first_unit, each) = slope;
                    add(a, phi[a]);
                }
            }
        });
    }

    // The gradients of a layer from those of the layer above, p_0 and p_0 - p_a in place of them.
    static INLINE void step_back(
        const Members &group, Shared &shared, i4 &turn, i4 width, i4 layer, bool last, f4 branch,
        SampleWords sample, Key key, Rows units, f8 *squares) {
        Base::sum_squares(group, shared, turn, width, squares, [&](i4 first_unit, auto add) {
            // of the weights that lead to this layer, for the step after this one
            Drawn<INPUTS> drawn;
            drawn.fill(first_unit, width, layer, sample, key);
            for (int each = 0; each < UNITS; ++each) {
                f4 kept[2 * INPUTS], slopes[INPUTS], before[INPUTS], h[INPUTS], phi[INPUTS];
#pragma unroll
                for (int a = 0; a < INPUTS; ++a) {
                    kept[a] = units.at(BASIS + a, first_unit, each);
                    kept[INPUTS + a] = units.at(FRESH + a, first_unit, each);
                    slopes[a] = units.at(SLOPES_OF + a, first_unit, each);
                    before[a] = last ? f4(0.0f) : units.at(CARRIED + a, first_unit, each);
                }
                f4 gradient_0 = 0.0f;
#pragma unroll
                for (int a = 0; a < INPUTS; ++a) {
                    h[a] = combine(shared.back[a], kept, 2 * INPUTS);
                    phi[a] = h[a] * slopes[a];
                    f4 gradient = h[a];
                    if (!last)
                        gradient = fma(branch, phi[a], combine(shared.skip[a], before, INPUTS));
                    if (a == 0)
                        gradient_0 = gradient;
                    f4 row = gradient_0;
                    if (a > 0) {
                        row = combine(shared.back_differences[a], kept, 2 * INPUTS);
                        if (!last) {
                            row = Base::difference_of(row, h[0], h[a], slopes[0], slopes[a], phi[0], phi[a]);
                            row = fma(branch, row, combine(shared.skip_differences[a], before, INPUTS));
                        }
                    }
                    units.at(CARRIED + a, first_unit, each) = row;
                    units.at(OWN + a, first_unit, each) = drawn.normals[each * INPUTS + a];
                    add(a, gradient);
                }
            }
        });
    }
};

template <int INPUTS, int THREADS, int TEAMS> struct piecewise_linear
    : residual_backward<INPUTS, THREADS, TEAMS, false> {};
template <int INPUTS, int THREADS, int TEAMS> struct smooth
    : residual_backward<INPUTS, THREADS, TEAMS, true> {};

}  // namespace deeplimits
