// A layer of a perceptron, drawn unit by unit for the passes of its gradients: as the forward pass has it, kept in
// the card's memory, and turned into gradients; see engines/gradients/perceptron.py.
#pragma once

#include "engines/gradients/sums.cuh"

namespace deeplimits {

template <class Members, int INPUTS> struct Gradients : Directions<Members, INPUTS>, Back<Members, INPUTS> {
    f4 reach[INPUTS];
    bool living[INPUTS], all_live;
};

template <int INPUTS, int THREADS, int TEAMS, bool SMOOTH> struct PerceptronLayer
    : BackwardPass<INPUTS, THREADS, TEAMS, SMOOTH> {
    using Base = BackwardPass<INPUTS, THREADS, TEAMS, SMOOTH>;
    using Base::UNITS, Base::OWN, Base::FRESH, Base::BASIS, Base::SLOPES_OF;
    using Members = typename Base::Members;
    static constexpr bool POLAR = INPUTS == 2 && !SMOOTH;
    using Shared = Gradients<Members, INPUTS>;
    static constexpr int PAIRS = Shared::PAIRS;

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
        const Members &group, Shared &shared, const Table &table, Setting setting, i4 &turn, i4 width,
        i4 layer, SampleWords sample, Key key) {
        sum_units_shared<UNITS>(
            group, shared.boards, turn, width, shared.sums, [&](i4 first_unit, auto &sums) {
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
        const Members &group, Shared &shared, const Table &table, Setting setting, i4 &turn, i4 width,
        i4 layer, SampleWords sample, SampleWords sample_back, Key key, UnitRows<UNITS> units, f8 *squares) {
        Base::sum_squares(group, shared, turn, width, squares, [&](i4 first_unit, auto add) {
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
        const Members &group, Shared &shared, i4 &turn, i4 width, UnitRows<UNITS> units, f8 *squares) {
        Base::sum_squares(group, shared, turn, width, squares, [&](i4 first_unit, auto add) {
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
};

}  // namespace deeplimits
