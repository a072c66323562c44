// Residual networks, for any number of inputs and no weight matrix; see engines/resnet/forward.py. The state
// of a sample, z and the differences z_a - z_b unit by unit, is in the card's memory.
#pragma once

#include "engines/resnet/state.cuh"

namespace deeplimits {

constexpr int SLOPES = 0, SMOOTH = 1, ORNSTEIN_UHLENBECK = 2;
constexpr int EVERY = 8;
constexpr i4 FRACTION = 0x007FFFFF, ONE_BITS = 0x3F800000;

// log(value * 4^power_of * total / width), minus infinity for a total of 0.
INLINE f4 log_mean(Scaled value, i4 power_of, f4 total, i4 width) {
    return log_variance_of(rescale({value.mantissa, value.exponent + 2 * power_of}, total / f4(width)));
}

// exp(h^-1(v)^2) over sigma with v = z * reach + offset, 0 where `inside` is.
INLINE f4 ornstein_uhlenbeck(const Table &table, f4 z, f4 reach, f4 offset, f4 inverse, f4 inside) {
    const f4 size = bits_float(float_bits(fma(z, reach, offset)) & MAGNITUDE);
    const i4 word = float_bits(size);
    const i4 cell = max(word - LOWEST_BITS, 0) >> (23 - table.bits);
    const i4 within = ((((word & FRACTION) << table.bits) & FRACTION) >> table.bits) + ONE_BITS;
    const bool near = size < 0.03125f;
    const f4 t = near ? size : bits_float(within) - 1.0f;
    const float4 c = table.rows[near ? 0 : min(cell + 1, table.size - 1)];
    const f4 value = fma(fma(fma(c.w, t, c.z), t, c.y), t, c.x);
    return value * (near ? f4(1.0f) : size) * inverse * inside;
}

// CARRIED is what a sample carries, and prepares a layer from it; where it is ALWAYS told the sums of the states,
// these are those of every layer.
template <int CONSTANT, int THREADS, int TEAMS, template <class, int> class CARRIED = Residual>
struct residual_inputs {
    static constexpr int INPUTS = CONSTANT / KINDS;
    static constexpr int KIND = CONSTANT % KINDS;
    static constexpr int UNITS = Drawn<INPUTS>::UNITS;
    using Members = ThreadGroup<THREADS, TEAMS>;
    using Shared = CARRIED<Members, INPUTS>;
    static constexpr int PAIRS = Shared::PAIRS;
    static constexpr int SHARED = Members::SAMPLES * sizeof(Shared);
    static_assert(THREADS * TEAMS >= INPUTS, "every input has a thread");

    using State = UnitRows<UNITS>;  // rows of the inputs, then of the pairs

    static INLINE void run(
        void *memory, u8 key_, i8 first, i8 width_, i8 depth, Array<const i4> layers, f8 branch, f4 start,
        f4 slope_plus, f4 slope_minus, Array<const f4> mantissa_0, Array<const i4> exponent_0,
        Array<const f8> gap_0, i4 bits, f4 top, Array<const f4, 2> table_, Array<f4, 3> log_variance,
        Array<f4, 3> correlation_gap, Array<f4, 3> log_activation, Array<f4, 3> activation_gap,
        Array<i4, 2> collapsed_at, Array<f4, 2> states) {
        const Members group(log_variance.shape[0]);
        Shared &shared = static_cast<Shared *>(memory)[group.place];
        const SampleWords sample(first + group.row, PURPOSE_FORWARD);
        const i4 width = i4(width_);
        const State state(&states(group.slot, 0), width);
        const Records records = {layers, log_variance, correlation_gap, log_activation, activation_gap};
        const Constants constants = {width, i4(depth), branch, start, slope_plus, slope_minus};
        const i4 collapsed = forward(
            group, shared, constants, mantissa_0, exponent_0, gap_0, Table(table_, bits, top), sample,
            Key(key_), state, records, [](i4) {});
        if (group.exists && group.member < INPUTS)
            collapsed_at(group.row, group.member) = collapsed;
    }

    struct Constants {
        i4 width, depth;
        f8 branch;
        f4 start, slope_plus, slope_minus;
    };

    struct Records {
        Array<const i4> layers;
        Array<f4, 3> log_variance, correlation_gap, log_activation, activation_gap;
    };

    // The whole pass; keep(layer) sees the states of every layer. Returns where this thread's input
    // collapsed.
    template <class Keep> static INLINE i4 forward(
        const Members &group, Shared &shared, Constants constants, Array<const f4> mantissa_0,
        Array<const i4> exponent_0, Array<const f8> gap_0, Table table, SampleWords sample, Key key,
        State state, Records records, Keep keep) {
        const i4 width = constants.width, depth = constants.depth;
        const f8 branch = constants.branch;
        const f4 start = constants.start;
        const f4 slope_plus = constants.slope_plus, slope_minus = constants.slope_minus;
        const Array<const i4> layers = records.layers;
        i8 record = 0;
        i4 turn = 0, collapsed = -1;
        shared.start(group, mantissa_0, exponent_0, gap_0, slope_plus);
        for (i4 layer = 0; layer <= depth; ++layer) {
            shared.prepare(group, layer, branch, width);
            sum_units_shared<UNITS>(group, shared.boards, turn, width, shared.sums, [&](i4 unit, auto &sums) {
                read_anew();
                Drawn<INPUTS> drawn = {};
                if (layer > 0 || start == 0.0f)
                    drawn.fill(unit, width, layer, sample, key);
#pragma unroll
                for (int each = 0; each < UNITS; ++each) {
                    const f4 *const normals = drawn.normals + each * INPUTS;
                    const f4 inside = unit + each < width ? 1.0f : 0.0f;
                    f4 z[INPUTS], steepness[INPUTS], phi[INPUTS];
#pragma unroll
                    for (int a = 0; a < INPUTS; ++a) {
                        f4 &kept = state.at(a, unit, each);
                        z[a] = layer > 0 ? kept : a == 0 ? start * inside : f4(0.0f);
                        z[a] = moved_by(shared.factor[a], normals, a + 1, z[a]);
                        kept = z[a];
                        if constexpr (KIND == SLOPES)
                            steepness[a] = z[a] > 0.0f ? slope_plus : slope_minus;
                        if constexpr (KIND == SMOOTH)
                            steepness[a] = table.psi(z[a] * shared.reach[a]);
                        if constexpr (KIND == ORNSTEIN_UHLENBECK)
                            phi[a] =
                                ornstein_uhlenbeck(table, z[a], shared.reach[a], slope_minus, shared.inverse[a], inside);
                        else
                            phi[a] = z[a] * steepness[a];
                        sums[a] = fma(phi[a], phi[a], sums[a]);
                    }
                    int pair = 0;
#pragma unroll
                    for (int a = 0; a < INPUTS; ++a) {
#pragma unroll
                        for (int b = a + 1; b < INPUTS; ++b, ++pair) {
                            f4 &kept = state.at(INPUTS + pair, unit, each);
                            f4 apart = layer > 0 ? kept : f4(0.0f);
                            apart = shared.near[pair]
                                        ? moved_by(shared.differences[pair], normals, b + 1, apart)
                                        : z[a] - z[b];
                            kept = apart;
                            f4 difference;
                            if constexpr (KIND == SLOPES)
                                difference =
                                    slopes_difference(apart, steepness[a], steepness[b], phi[a], phi[b]);
                            else if constexpr (KIND == SMOOTH)
                                difference = smooth_difference(apart, z[a], z[b], steepness[a], steepness[b]);
                            else
                                difference = phi[a] - phi[b];
                            add_pair<PAIRS>(sums + INPUTS + pair, difference, phi[a], phi[b]);
                        }
                    }
                }
            });
            shared.gaps_from(group, width, shared.sums, shared.gaps);
            shared.find_near(group);
            if (group.member < INPUTS && collapsed < 0 && !(shared.sums[group.member] > 0.0f))
                collapsed = layer;
            const bool recorded = record < layers.shape[0] && layers(record) == layer;
            const bool looked = layer % EVERY == 0;
            if (Shared::ALWAYS || recorded || looked)
                sum_states(group, shared, turn, width, state);
            if (recorded) {
                shared.gaps_from(group, width, shared.sums_of_z, shared.gaps_of_z);
                if (group.exists)
                    write(group, shared, record, width, records);
                ++record;
            }
            keep(layer);
            if (looked) {
                shared.look(group, width);
                if (shared.moving)
                    move_states(group, shared, width, state);
                shared.follow(group, slope_plus);
                if (Shared::ALWAYS)
                    sum_states(group, shared, turn, width, state);
            }
        }
        return collapsed;
    }

    // z plus the sum of coefficients[column] * normals[column] over the first columns, in their order.
    static INLINE f4 moved_by(const f4 (&coefficients)[INPUTS], const f4 *normals, int columns, f4 z) {
#pragma unroll
        for (int column = 0; column < INPUTS; ++column)
            if (column < columns)
                z = fma(coefficients[column], normals[column], z);
        return z;
    }

    // S_a of the states, then D, E and C of their pairs.
    static INLINE void sum_states(const Members &group, Shared &shared, i4 &turn, i4 width, State state) {
        sum_units_shared<UNITS>(group, shared.boards, turn, width, shared.sums_of_z, [&](i4 unit, auto &sums) {
#pragma unroll
            for (int each = 0; each < UNITS; ++each) {
                f4 z[INPUTS];
#pragma unroll
                for (int a = 0; a < INPUTS; ++a) {
                    z[a] = state.at(a, unit, each);
                    sums[a] = fma(z[a], z[a], sums[a]);
                }
                int pair = 0;
#pragma unroll
                for (int a = 0; a < INPUTS; ++a) {
#pragma unroll
                    for (int b = a + 1; b < INPUTS; ++b, ++pair)
                        add_pair<PAIRS>(
                            sums + INPUTS + pair, state.at(INPUTS + pair, unit, each), z[a], z[b]);
                }
            }
        });
    }

    static INLINE void move_states(const Members &group, const Shared &shared, i4 width, State state) {
        group.template own_units<UNITS>(width, [&](i4 unit) {
            for (int each = 0; each < UNITS; ++each) {
                for (int a = 0; a < INPUTS; ++a)
                    state.at(a, unit, each) = state.at(a, unit, each) * power(-shared.shift[a]);
                int pair = 0;
                for (int a = 0; a < INPUTS; ++a) {
                    for (int b = a + 1; b < INPUTS; ++b, ++pair) {
                        f4 &apart = state.at(INPUTS + pair, unit, each);
                        const bool together =
                            shared.power_of[a] == shared.power_of[b] && shared.shift[a] == shared.shift[b];
                        if (together)
                            apart = apart * power(-shared.shift[a]);
                    }
                }
            }
        });
    }

    static INLINE void write(
        const Members &group, const Shared &shared, i8 record, i4 width, Records records) {
        for (int a = group.member; a < INPUTS; a += Shared::MEMBERS) {
            const i4 power_of = shared.power_of[a];
            records.log_variance(group.row, record, a) =
                log_mean(shared.variances[a], power_of, shared.sums_of_z[a], width);
            records.log_activation(group.row, record, a) =
                log_mean(shared.variances[a], power_of, shared.sums[a], width);
        }
        Shared::for_pairs(group, [&](int a, int b) {
            const int pair = Shared::pair_of(a, b);
            records.correlation_gap(group.row, record, pair) = f4(shared.gaps_of_z[a][b]);
            const bool both = shared.sums[a] > 0.0f && shared.sums[b] > 0.0f;
            records.activation_gap(group.row, record, pair) = both ? f4(shared.gaps[a][b]) : bits_float(NAN_BITS);
        });
    }
};

}  // namespace deeplimits
