// What the backward passes of perceptrons and residual networks have in common: sums over units of a layer
// that is kept in the card's memory, and their algebra. Sums of products are float64, so many that they are
// formed a few at a time, in passes over what is kept.
#pragma once

#include "engines/gradients/algebra.cuh"
#include "engines/mlp/smooth.cuh"

namespace deeplimits {

// What a sample keeps in the card's memory, before its units.
template <int INPUTS> struct Kept {
    static constexpr int PRODUCTS = INPUTS * (INPUTS + 1) / 2 + INPUTS * INPUTS;

    Matrix<INPUTS> along, lower, orthonormal, scrap, gram, cross;  // of activations
    Matrix<INPUTS> along_back, lower_back, gram_back, cross_back;  // of gradients
    Matrix<INPUTS, 2 * INPUTS> pulled;
    f8 squares[INPUTS], squares_back[INPUTS];
    f8 totals[PRODUCTS + INPUTS];  // products of rows, then of rows and normals, then squares

    // Sort the sums into matrices.
    INLINE void unpack(Matrix<INPUTS> &gram_of, f8 (&squares_of)[INPUTS], Matrix<INPUTS> &cross_of) const {
        int at = 0;
        for (int i = 0; i < INPUTS; ++i)
            for (int j = i; j < INPUTS; ++j)
                gram_of[i][j] = gram_of[j][i] = totals[at++];
        for (int i = 0; i < INPUTS; ++i)
            for (int j = 0; j < INPUTS; ++j)
                cross_of[i][j] = totals[at++];
        squares_of[0] = gram_of[0][0];
        for (int i = 1; i < INPUTS; ++i)
            squares_of[i] = totals[at++];
    }

    // The readout is one unit more, whose gradient is 1 for all inputs; its normals are those of the output.
    INLINE void start(i4 depth, SampleWords output, Key key) {
        cross_back.fill(0.0);
        along_back.fill(0.0);
        lower_back.fill(0.0);
        along_back[0][0] = 1.0;
        lower_back[0][0] = 1.0;
        for (int a = 0; a < INPUTS; ++a)
            squares_back[a] = 1.0;
        for (int call = 0; call < (INPUTS + 3) / 4; ++call) {
            const Words words = philox(u4(call), u4(depth), output.low, output.high, key);
            const Pair one = normal_pair(words.w0, words.w1), two = normal_pair(words.w2, words.w3);
            const f4 normals[4] = {one.first, one.second, two.first, two.second};
            for (int i = 0; i < 4 && 4 * call + i < INPUTS; ++i)
                cross_back[0][4 * call + i] = f8(normals[i]);
        }
    }

    // From the sums of the gradients.
    INLINE void take_gradients() {
        unpack(gram_back, squares_back, cross_back);
        directions(gram_back, squares_back, along_back);
        orthonormalise(gram_back, along_back, lower_back, scrap);
    }
};

// The host makes room for so much; see _algebra in engines/gradients/call.py.
template <int INPUTS> constexpr bool HAS_ROOM =
    sizeof(Kept<INPUTS>) ==
    sizeof(f8) * (13 * INPUTS * INPUTS + 3 * INPUTS + INPUTS * (INPUTS + 1) / 2);

constexpr int CHUNK = 24;  // sums that are formed at a time

// What the threads of a sample share of its gradients.
template <class Members, int INPUTS> struct Back {
    f4 back[INPUTS][2 * INPUTS], back_differences[INPUTS][2 * INPUTS];
    Scaled norms[INPUTS];
    Boards<Members, CHUNK, f8> wide;

    INLINE void start_gradients() {
        for (int a = 0; a < INPUTS; ++a)
            norms[a] = {1.0f, 0};
    }

    INLINE void write_gradients(
        const Kept<INPUTS> &kept, i8 row, i8 record, Array<f4, 3> log_norm, Array<f4, 3> gradient_gap) const {
        int pair = 0;
        for (int a = 0; a < INPUTS; ++a) {
            log_norm(row, record, a) = log_variance_of(norms[a]);
            for (int b = a + 1; b < INPUTS; ++b, ++pair) {
                const bool both = norms[a].mantissa > 0.0f && norms[b].mantissa > 0.0f;
                gradient_gap(row, record, pair) =
                    both ? f4(gap_between(kept.gram_back, kept.squares_back, a, b)) : bits_float(NAN_BITS);
            }
        }
    }
};

template <int INPUTS, int THREADS, int TEAMS, bool SMOOTH> struct BackwardPass {
    static constexpr int UNITS = Drawn<INPUTS>::UNITS;
    static constexpr int PRODUCTS = Kept<INPUTS>::PRODUCTS;
    using Members = ThreadGroup<THREADS, TEAMS>;
    using Common = Back<Members, INPUTS>;
    // of the units' rows: normals of the forward pass, fresh ones, activations, slopes, gradients
    static constexpr int OWN = 0, FRESH = INPUTS, BASIS = 2 * INPUTS, SLOPES_OF = 3 * INPUTS,
                         CARRIED = 4 * INPUTS;

    static INLINE f4 difference_of(f4 apart, f4 z_a, f4 z_b, f4 psi_a, f4 psi_b, f4 phi_a, f4 phi_b) {
        if constexpr (SMOOTH)
            return smooth_difference(apart, z_a, z_b, psi_a, psi_b);
        else
            return slopes_difference(apart, psi_a, psi_b, phi_a, phi_b);
    }

    // Visit all units; visit(unit, add) calls add(a, x) for every input, and the squares of all but the first
    // are summed.
    template <class Visit> static INLINE void sum_squares(
        const Members &group, Common &shared, i4 &turn, i4 width, f8 *squares, Visit visit) {
        if constexpr (INPUTS == 1) {
            group.template own_units<UNITS>(width, [&](i4 unit) { visit(unit, [](int, f4) {}); });
            Members::synchronise();
        } else {
            auto &boards = reinterpret_cast<Boards<Members, INPUTS - 1, f8> &>(shared.wide);
            sum_units_shared<UNITS>(group, boards, turn, width, squares, [&](i4 unit, auto &sums) {
                read_anew();
                visit(unit, [&](int a, f4 x) {
                    if (a > 0)
                        sums[a - 1] = fma(f8(x), f8(x), sums[a - 1]);
                });
            });
        }
    }

    // Sums of products of what is kept, from FROM on: of ROWS, then of those with OTHERS.
    template <int ROWS, int OTHERS, int FROM = 0> static INLINE void sum_products(
        const Members &group, Common &shared, i4 &turn, i4 width, UnitRows<UNITS> units, f8 *totals) {
        constexpr int SIZE = PRODUCTS - FROM < CHUNK ? PRODUCTS - FROM : CHUNK;
        auto &boards = reinterpret_cast<Boards<Members, SIZE, f8> &>(shared.wide);
        sum_units_shared<UNITS>(group, boards, turn, width, totals + FROM, [&](i4 unit, auto &sums) {
            for (int each = 0; each < UNITS; ++each) {
                f4 rows[INPUTS], others[INPUTS];
#pragma unroll
                for (int i = 0; i < INPUTS; ++i) {
                    rows[i] = units.at(ROWS + i, unit, each);
                    others[i] = units.at(OTHERS + i, unit, each);
                }
                int at = -FROM;
#pragma unroll
                for (int i = 0; i < INPUTS; ++i) {
#pragma unroll
                    for (int j = i; j < INPUTS; ++j, ++at)
                        if (at >= 0 && at < SIZE)
                            sums[at] = fma(f8(rows[i]), f8(rows[j]), sums[at]);
                }
#pragma unroll
                for (int i = 0; i < INPUTS; ++i) {
#pragma unroll
                    for (int j = 0; j < INPUTS; ++j, ++at)
                        if (at >= 0 && at < SIZE)
                            sums[at] = fma(f8(rows[i]), f8(others[j]), sums[at]);
                }
            }
        });
        if constexpr (FROM + SIZE < PRODUCTS)
            sum_products<ROWS, OTHERS, FROM + SIZE>(group, shared, turn, width, units, totals);
    }
};

}  // namespace deeplimits
