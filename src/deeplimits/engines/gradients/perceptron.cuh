// Gradients of a perceptron; see engines/gradients/perceptron.py. A layer at a time is in the card's memory, unit
// by unit. One thread of a sample does its algebra.
#pragma once

#include "engines/gradients/sums.cuh"

namespace deeplimits {

// A layer of the forward pass, as the backward pass finds it again.
template <int INPUTS> struct Layer {
    f8 gaps[INPUTS][INPUTS];
    f4 reach[INPUTS];
    i4 living[INPUTS];
};

template <class Members, int INPUTS> struct Gradients : Directions<Members, INPUTS>, Back<Members, INPUTS> {
    f4 reach[INPUTS];
    bool living[INPUTS], all_live;
};

template <int INPUTS, int THREADS, int TEAMS, bool SMOOTH> struct backward
    : BackwardPass<INPUTS, THREADS, TEAMS, SMOOTH> {
    using Base = BackwardPass<INPUTS, THREADS, TEAMS, SMOOTH>;
    using Base::UNITS, Base::PRODUCTS, Base::OWN, Base::FRESH, Base::BASIS, Base::SLOPES_OF;
    using Members = typename Base::Members;
    static constexpr bool POLAR = INPUTS == 2 && !SMOOTH;
    using Shared = Gradients<Members, INPUTS>;
    using Ledger = Kept<INPUTS>;
    static constexpr int PAIRS = Shared::PAIRS;
    static constexpr int SHARED = Members::SAMPLES * sizeof(Shared);

    // A unit of a layer, for every input.
    struct Unit {
        f4 z[INPUTS], psi[INPUTS], derivative[INPUTS], phi[INPUTS];
    };

    // Constants of a layer that its units need.
    struct Setting {
        f4 plus, minus, along, across;
    };

    struct Polar {
        f4 radius, cosine, sine;
    };

    // The normals of the units drawn together, and the angles that two inputs have them from.
    struct Normals : Drawn<INPUTS> {
        Polar polar[2];

        INLINE void draw(i4 unit, i4 width, i4 layer, SampleWords sample, Key key) {
            if constexpr (POLAR) {
                const Words words = philox(u4(unit / 2), u4(layer), sample.low, sample.high, key);
                const u4 radii[2] = {words.w0, words.w2}, angles[2] = {words.w1, words.w3};
#pragma unroll
                for (int each = 0; each < 2; ++each) {
                    const f4 radius = minus_two_log(radii[each]);
                    const Angle angle = cosine_sine(angles[each]);
                    polar[each] = {unit + each < width ? radius : f4(0.0f), angle.cosine, angle.sine};
                    const f4 root = square_root(polar[each].radius);
                    this->normals[2 * each] = root * angle.cosine;
                    this->normals[2 * each + 1] = root * angle.sine;
                }
            } else {
                this->fill(unit, width, layer, sample, key);
            }
        }
    };

    static INLINE Unit unit_of(const Shared &shared, const Table &table, Setting setting, const f4 *normals) {
        Unit unit;
#pragma unroll
        for (int a = 0; a < INPUTS; ++a) {
            unit.z[a] = combine(shared.factor[a], normals, a + 1);
            if constexpr (SMOOTH) {
                const Table::Piece piece = table.piece(unit.z[a] * shared.reach[a]);
                unit.psi[a] = piece.value();
                unit.derivative[a] = piece.derivative();
            } else {
                unit.psi[a] = unit.derivative[a] = unit.z[a] > 0.0f ? setting.plus : setting.minus;
            }
            unit.phi[a] = unit.z[a] * unit.psi[a];
        }
        return unit;
    }

    static INLINE f4
    pair_of(const Shared &shared, const Unit &unit, const f4 *normals, int a, int b, int pair) {
        const f4 apart = combine(shared.differences[pair], normals, b + 1);
        return Base::difference_of(
            apart, unit.z[a], unit.z[b], unit.psi[a], unit.psi[b], unit.phi[a], unit.phi[b]);
    }

    // Of two inputs by their angle, both over R.
    static INLINE PairTerms polar_of(Setting setting, Polar polar, f4 &slope_a, f4 &slope_b) {
        const f4 middle = setting.along * polar.cosine, half = setting.across * polar.sine;
        slope_a = middle + half > 0.0f ? setting.plus : setting.minus;
        slope_b = middle - half > 0.0f ? setting.plus : setting.minus;
        return pair_terms(middle, half, setting.plus, setting.minus);
    }

    // Draw a layer and reduce it, as the forward pass does.
    static INLINE void advance(
        const Members &crew, Shared &shared, const Table &table, Setting setting, i4 &turn, i4 width,
        i4 layer, SampleWords sample, Key key) {
        sum_units_shared<UNITS>(
            crew, shared.boards, turn, width, shared.sums, [&](i4 first_unit, auto &sums) {
                read_anew();
                Normals drawn;
                drawn.draw(first_unit, width, layer, sample, key);
#pragma unroll
                for (int each = 0; each < UNITS; ++each) {
                    if constexpr (POLAR) {
                        f4 slope_a, slope_b;
                        const PairTerms terms = polar_of(setting, drawn.polar[each], slope_a, slope_b);
                        const f4 radius = drawn.polar[each].radius;
                        const f4 scaled_a = radius * terms.phi_a, scaled_b = radius * terms.phi_b;
                        const f4 scaled = radius * terms.difference;
                        sums[0] = fma(scaled_a, terms.phi_a, sums[0]);
                        sums[1] = fma(scaled_b, terms.phi_b, sums[1]);
                        sums[2] = fma(scaled, terms.difference, sums[2]);
                        sums[3] = fma(scaled, terms.phi_a + terms.phi_b, sums[3]);
                        sums[4] = fma(scaled_a, terms.phi_b, sums[4]);
                    } else {
                        const f4 *const normals = drawn.normals + each * INPUTS;
                        const Unit unit = unit_of(shared, table, setting, normals);
                        int pair = 0;
#pragma unroll
                        for (int a = 0; a < INPUTS; ++a) {
                            sums[a] = fma(unit.phi[a], unit.phi[a], sums[a]);
#pragma unroll
                            for (int b = a + 1; b < INPUTS; ++b, ++pair) {
                                const f4 difference = pair_of(shared, unit, normals, a, b, pair);
                                add_pair<PAIRS>(sums + INPUTS + pair, difference, unit.phi[a], unit.phi[b]);
                            }
                        }
                    }
                }
            });
    }

    // Draw a layer again and keep it: the activations as phi_0 and phi_0 - phi_a, and the slopes. The squares
    // of phi_a are added up.
    static INLINE void keep(
        const Members &crew, Shared &shared, const Table &table, Setting setting, i4 &turn, i4 width,
        i4 layer, SampleWords sample, SampleWords sample_back, Key key, UnitRows<UNITS> units, f8 *squares) {
        Base::sum_squares(crew, shared, turn, width, squares, [&](i4 first_unit, auto add) {
            Normals drawn;
            Drawn<INPUTS> fresh;
            drawn.draw(first_unit, width, layer, sample, key);
            fresh.fill(first_unit, width, layer + 1, sample_back, key);
#pragma unroll
            for (int each = 0; each < UNITS; ++each) {
                const f4 *const normals = drawn.normals + each * INPUTS;
                f4 phi[INPUTS], slopes[INPUTS], differences[INPUTS];
                if constexpr (POLAR) {
                    const PairTerms terms = polar_of(setting, drawn.polar[each], slopes[0], slopes[1]);
                    const f4 root = square_root(drawn.polar[each].radius);
                    phi[0] = root * terms.phi_a;
                    phi[1] = root * terms.phi_b;
                    differences[1] = root * terms.difference;
                } else {
                    const Unit unit = unit_of(shared, table, setting, normals);
#pragma unroll
                    for (int a = 0; a < INPUTS; ++a) {
                        phi[a] = unit.phi[a];
                        slopes[a] = unit.derivative[a];
                        if (a > 0)
                            differences[a] = pair_of(shared, unit, normals, 0, a, a - 1);
                    }
                }
#pragma unroll
                for (int a = 0; a < INPUTS; ++a) {
                    // where z = 0, the slope of a piecewise-linear activation is that of the minus side
                    phi[a] = shared.living[a] ? phi[a] : f4(0.0f);
                    slopes[a] = shared.living[a] ? slopes[a] : setting.minus;
                    f4 basis = phi[0];
                    if (a > 0)
                        basis = shared.all_live ? differences[a] : phi[0] - phi[a];
                    units.at(OWN + a, first_unit, each) = normals[a];
                    units.at(FRESH + a, first_unit, each) = fresh.normals[each * INPUTS + a];
                    units.at(BASIS + a, first_unit, each) = basis;
                    units.at(SLOPES_OF + a, first_unit, each) = slopes[a];
                    add(a, phi[a]);
                }
            }
        });
    }

    // Turn the activations that are kept into gradients, phi_0 and phi_0 - phi_a, and add up their squares.
    static INLINE void pull_back(
        const Members &crew, Shared &shared, i4 &turn, i4 width, UnitRows<UNITS> units, f8 *squares) {
        Base::sum_squares(crew, shared, turn, width, squares, [&](i4 first_unit, auto add) {
            for (int each = 0; each < UNITS; ++each) {
                f4 kept[2 * INPUTS], slopes[INPUTS], z[INPUTS], gradients[INPUTS];
#pragma unroll
                for (int a = 0; a < INPUTS; ++a) {
                    kept[a] = units.at(BASIS + a, first_unit, each);
                    kept[INPUTS + a] = units.at(FRESH + a, first_unit, each);
                    slopes[a] = units.at(SLOPES_OF + a, first_unit, each);
                }
#pragma unroll
                for (int a = 0; a < INPUTS; ++a) {
                    z[a] = combine(shared.back[a], kept, 2 * INPUTS);
                    gradients[a] = z[a] * slopes[a];
                    f4 row = gradients[0];
                    if (a > 0)
                        row = Base::difference_of(
                            combine(shared.back_differences[a], kept, 2 * INPUTS), z[0], z[a], slopes[0],
                            slopes[a], gradients[0], gradients[a]);
                    units.at(BASIS + a, first_unit, each) = row;
                    add(a, gradients[a]);
                }
            }
        });
    }

    static INLINE Setting setting_of(const Shared &shared, f4 plus, f4 minus) {
        Setting setting = {plus, minus, 0.0f, 0.0f};
        if constexpr (POLAR) {
            const f4 gap = f4(shared.gaps[0][1]);
            setting.along = square_root(fma(-0.5f, gap, 1.0f));
            setting.across = square_root(0.5f * gap);
        }
        return setting;
    }

    static INLINE void prepare(const Members &crew, Shared &shared) {
        if constexpr (!POLAR)
            shared.prepare(crew);
    }

    // Find the layers: 1 - rho, the root of V over s, and who lives, at each.
    static INLINE void forward(
        const Members &crew, Shared &shared, const Table &table, i4 &turn, Array<const i8> widths,
        Array<const f4> plus, Array<const f4> minus, Array<const f4> inverse_scale,
        Array<const f4> normalizer, SampleWords sample, Key key, Layer<INPUTS> *layers) {
        const i4 depth = i4(widths.shape[0]);
        for (i4 layer = 0;; ++layer) {
            for (int a = crew.member; a < INPUTS; a += Shared::MEMBERS) {
                shared.reach[a] = scaled_root(shared.variances[a], inverse_scale(layer));
                layers[layer].reach[a] = shared.reach[a];
                layers[layer].living[a] = shared.variances[a].mantissa > 0.0f;
                for (int b = 0; b < INPUTS; ++b)
                    layers[layer].gaps[a][b] = shared.gaps[a][b];
            }
            if (layer == depth - 1)
                break;
            Members::meet();
            prepare(crew, shared);
            const Setting setting = setting_of(shared, plus(layer), minus(layer));
            advance(crew, shared, table, setting, turn, i4(widths(layer)), layer, sample, key);
            if constexpr (POLAR) {
                shared.scales_after(crew, normalizer(layer));
                const bool alive = shared.variances[0].mantissa > 0.0f && shared.variances[1].mantissa > 0.0f;
                const f4 gap = alive ? gap_after(
                                           shared.sums[0], shared.sums[1], shared.sums[2], shared.sums[3],
                                           shared.sums[4])
                                     : f4(0.0f);
                if (crew.member == 0)
                    shared.gaps[0][1] = shared.gaps[1][0] = f8(gap);
                Members::meet();
            } else {
                Shared::gaps_after(crew, shared.sums, shared.gaps);
                shared.scales_after(crew, normalizer(layer));
            }
        }
        Members::meet();
    }

    static INLINE void run(
        void *memory, u8 key_, i8 first, Array<const i8> widths, Array<const i4> layers, Array<const f4> plus,
        Array<const f4> minus, Array<const f4> inverse_scale, Array<const f4> normalizer,
        Array<const f4> mantissa_0, Array<const i4> exponent_0, Array<const f8> gap_0, i4 bits, f4 top,
        Array<const f4, 2> table_, Array<f4, 3> log_norm, Array<f4, 3> gradient_gap, Array<f4, 2> states) {
        const Members crew(log_norm.shape[0]);
        Shared &shared = static_cast<Shared *>(memory)[crew.place];
        const Key key(key_);
        const SampleWords sample(first + crew.row, PURPOSE_FORWARD);
        const SampleWords sample_back(first + crew.row, PURPOSE_BACKWARD);
        const Table table(table_, bits, top);
        const i4 depth = i4(widths.shape[0]);
        Ledger &kept = *reinterpret_cast<Ledger *>(&states(crew.slot, 0));
        Layer<INPUTS> *const found = reinterpret_cast<Layer<INPUTS> *>(&kept + 1);
        f4 *const rows = reinterpret_cast<f4 *>(found + depth);
        i4 turn = 0;
        shared.start(crew, mantissa_0, exponent_0, gap_0);
        forward(
            crew, shared, table, turn, widths, plus, minus, inverse_scale, normalizer, sample, key, found);
        if (crew.member == 0) {
            kept.start(depth, SampleWords(first + crew.row, PURPOSE_OUTPUT), key);
            shared.start_gradients();
        }
        i8 record = layers.shape[0] - 1;
        const i4 lowest = max(layers(0), 1);
        for (i4 layer = depth; layer >= lowest; --layer) {
            const i4 at = layer - 1, width = i4(widths(at));
            const UnitRows<UNITS> units(rows, width);
            Members::meet();
            if (crew.member == 0) {
                shared.all_live = true;
                for (int a = 0; a < INPUTS; ++a) {
                    shared.reach[a] = found[at].reach[a];
                    shared.living[a] = found[at].living[a];
                    shared.all_live = shared.all_live && shared.living[a];
                    for (int b = 0; b < INPUTS; ++b)
                        shared.gaps[a][b] = found[at].gaps[a][b];
                }
            }
            Members::meet();
            prepare(crew, shared);
            const Setting setting = setting_of(shared, plus(at), minus(at));
            keep(
                crew, shared, table, setting, turn, width, at, sample, sample_back, key, units,
                kept.totals + PRODUCTS);
            Base::template sum_products<BASIS, FRESH>(crew, shared, turn, width, units, kept.totals);
            if (crew.member == 0) {
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
            Members::meet();
            pull_back(crew, shared, turn, width, units, kept.totals + PRODUCTS);
            Base::template sum_products<BASIS, OWN>(crew, shared, turn, width, units, kept.totals);
            if (crew.member == 0) {
                kept.take_gradients();
                for (int a = 0; a < INPUTS; ++a) {
                    const f4 factor = f4(kept.squares_back[a]) * normalizer(at);
                    shared.norms[a] = rescale(shared.norms[a], factor);
                }
            }
            if (record >= 0 && layers(record) == layer) {
                if (crew.leads)
                    shared.write_gradients(kept, crew.row, record, log_norm, gradient_gap);
                --record;
            }
        }
    }
};

template <int INPUTS, int THREADS, int TEAMS> struct piecewise_linear
    : backward<INPUTS, THREADS, TEAMS, false> {};
template <int INPUTS, int THREADS, int TEAMS> struct smooth : backward<INPUTS, THREADS, TEAMS, true> {};

}  // namespace deeplimits
