// The covariance SDE of m inputs, one thread a path; see engines/sde/covariance_kernels.py and
// engines/sde/covariance.py for the scheme. What a path carries is in the card's memory, number by number, so
// that neighbouring threads read neighbouring addresses.
#pragma once

#include "engines/sde/path_kernels.cuh"

namespace deeplimits {

constexpr i8 NO_DRIFT = 0, RELU_LIKE = 1;
constexpr double EXPLODED = 1e12, SINGULAR = 1e-13;
constexpr i8 INFINITY_BITS = 0x7FF0000000000000LL, UNDEFINED_BITS = 0x7FF8000000000000LL;

// What a path carries is in memory anyway, and unrolled the addresses alone are more than there are registers.
#define ROLLED _Pragma("unroll 1")

template <int INPUTS> struct covariance {
    using Members = Paths;
    static constexpr int SHARED = 16;
    static constexpr int NORMALS = INPUTS * (INPUTS + 1);

    // Some of the numbers of a path.
    struct Numbers {
        f8 *data;
        i8 paths;

        INLINE f8 &operator()(int at) const { return data[at * paths]; }
        INLINE f8 &operator()(int row, int column) const { return data[(row * INPUTS + column) * paths]; }
        INLINE Numbers from(int at) const { return {data + at * paths, paths}; }
    };

    static constexpr int MATRIX = INPUTS * INPUTS;

    // All of them: [number, path].
    struct Path {
        Numbers lower, aside, gaps, noise, roots, before, after, final, old, exploded;

        INLINE Path(f8 *data, i8 paths, i8 path) {
            const Numbers all = {data + path, paths};
            lower = all, aside = all.from(MATRIX), gaps = all.from(2 * MATRIX), old = all.from(3 * MATRIX);
            noise = all.from(4 * MATRIX);
            roots = noise.from(NORMALS + 4);
            before = roots.from(INPUTS), after = before.from(INPUTS), final = after.from(INPUTS);
            exploded = final.from(INPUTS);  // the step, or -1; whole numbers, exact as f8
        }
    };

    // Add the normals of a step, in groups of four: counter (step, group).
    static INLINE void add_normals(const Path &path, i8 step, SampleWords sample, Key key) {
        ROLLED for (int group = 0; group < (NORMALS + 3) / 4; ++group) {
            const Words words = philox(u4(step), u4(group), sample.low, sample.high, key);
            const Pair one = normal_pair(words.w0, words.w1);
            const Pair two = normal_pair(words.w2, words.w3);
            path.noise(4 * group) = path.noise(4 * group) + f8(one.first);
            path.noise(4 * group + 1) = path.noise(4 * group + 1) + f8(one.second);
            path.noise(4 * group + 2) = path.noise(4 * group + 2) + f8(two.first);
            path.noise(4 * group + 3) = path.noise(4 * group + 3) + f8(two.second);
        }
    }

    // The roots of V^aa and 1 - rho^ab of the rows of L.
    static INLINE void gaps_of(const Path &path, const Numbers &lower) {
        ROLLED for (int a = 0; a < INPUTS; ++a) {
            f8 square = 0.0;
            ROLLED for (int i = 0; i < a + 1; ++i)
                square = fma(lower(a, i), lower(a, i), square);
            path.roots(a) = square_root(square);
        }
        ROLLED for (int a = 0; a < INPUTS; ++a) {
            ROLLED for (int b = a + 1; b < INPUTS; ++b) {
                f8 total = 0.0;
                ROLLED for (int i = 0; i < b + 1; ++i) {
                    const f8 first = i <= a ? lower(a, i) / path.roots(a) : f8(0.0);
                    const f8 difference = first - lower(b, i) / path.roots(b);
                    total = fma(difference, difference, total);
                }
                path.gaps(a, b) = 0.5 * total;
            }
        }
    }

    // L of the roots and 1 - rho^ab.
    static INLINE void triangle_of(const Path &path, const Numbers &lower) {
        const Numbers &gaps = path.gaps;
        lower(0, 0) = 1.0;
        ROLLED for (int a = 1; a < INPUTS; ++a)
            lower(a, 0) = 1.0 - gaps(0, a);
        ROLLED for (int i = 1; i < INPUTS; ++i) {
            const f8 whole = gaps(0, i) * (2.0 - gaps(0, i));
            f8 pivot = whole;
            ROLLED for (int k = 1; k < i; ++k)
                pivot = fma(-lower(i, k), lower(i, k), pivot);
            const bool regular = pivot > SINGULAR * whole;
            const f8 root = regular ? square_root(pivot) : f8(0.0);
            lower(i, i) = root;
            ROLLED for (int a = i + 1; a < INPUTS; ++a) {
                f8 entry = gaps(0, i) + gaps(0, a) - gaps(i, a);
                entry = fma(-gaps(0, i), gaps(0, a), entry);
                ROLLED for (int k = 1; k < i; ++k)
                    entry = fma(-lower(i, k), lower(a, k), entry);
                lower(a, i) = regular ? entry / root : f8(0.0);
            }
        }
        ROLLED for (int a = 0; a < INPUTS; ++a)
            ROLLED for (int i = 0; i < a + 1; ++i)
                lower(a, i) = lower(a, i) * path.roots(a);
    }

    static INLINE void relu_like(const Path &path, f8 strength, Array<const f8, 3> table) {
        ROLLED for (int a = 0; a < INPUTS; ++a) {
            ROLLED for (int b = a + 1; b < INPUTS; ++b) {
                f8 gap = path.gaps(a, b);
                ROLLED for (int twice = 0; twice < 2; ++twice)
                    gap = max<f8>(fma(-strength, tabulated(table, 0, gap), gap), 0.0);
                path.gaps(a, b) = 0.5 * (path.gaps(a, b) + gap);
            }
        }
    }

    // The flow of dV = beta V (V - 1) dt with growth = e^(beta t); infinite from its explosion on.
    static INLINE f8 logistic(f8 variance, f8 growth) {
        const f8 infinite = bits_double(INFINITY_BITS);
        const f8 below = fma(-variance, growth - 1.0, growth);
        const f8 fresh = below > 0.0 ? variance / below : infinite;
        return fresh < EXPLODED ? fresh : infinite;
    }

    // V' = (1 - e) V + (e/3) (v v^T + 2 V o V) on (v, 1 - rho), e = part.
    static INLINE void euler(const Path &path, f8 part) {
        const Numbers &gaps = path.gaps, &variances = path.after;
        const f8 rest = 1.0 - part;
        ROLLED for (int a = 0; a < INPUTS; ++a) {
            ROLLED for (int b = a + 1; b < INPUTS; ++b) {
                const f8 gap = gaps(a, b);
                const f8 between = square_root(variances(a) * variances(b));
                const f8 factor = square_root(fma(part, variances(a), rest) * fma(part, variances(b), rest));
                const f8 apart = square_root(variances(a)) - square_root(variances(b));
                f8 top = rest * part * (apart * apart) / (factor + fma(part, between, rest));
                top = fma(rest, gap, top);
                top = fma(part / 3.0 * between, gap * fma(-2.0, gap, 4.0), top);
                gaps(a, b) = top / factor;
            }
        }
        ROLLED for (int a = 0; a < INPUTS; ++a)
            variances(a) = variances(a) * fma(part, variances(a), rest);
    }

    static INLINE void smooth(const Path &path, f8 part, f8 b_term, i8 step) {
        const Numbers &before = path.before, &after = path.after, &final = path.final;
        const f8 half = exponential(b_term), whole = exponential(fma(2.0, b_term, part));
        const f8 infinite = bits_double(INFINITY_BITS);
        ROLLED for (int a = 0; a < INPUTS; ++a) {
            const f8 square = path.roots(a) * path.roots(a);
            before(a) = logistic(square, half);
            final(a) = logistic(square, whole);
            if (final(a) == infinite || before(a) == infinite) {
                if (path.exploded(a) < 0.0)
                    path.exploded(a) = f8(step);
                before(a) = 1.0;
                final(a) = 1.0;
            }
            after(a) = before(a);
            ROLLED for (int b = a + 1; b < INPUTS; ++b)
                path.old(a, b) = path.gaps(a, b);
        }
        ROLLED for (int twice = 0; twice < 2; ++twice)
            euler(path, part);
        ROLLED for (int a = 0; a < INPUTS; ++a) {
            ROLLED for (int b = a + 1; b < INPUTS; ++b) {
                const f8 one = square_root(before(a) * before(b));
                const f8 other = square_root(after(a) * after(b));
                const f8 root = 0.5 * square_root((before(a) + after(a)) * (before(b) + after(b)));
                const f8 apart = square_root(before(a) * after(b)) - square_root(after(a) * before(b));
                f8 top = 0.25 * (apart * apart) / (root + 0.5 * (one + other));
                top = top + 0.5 * fma(one, path.old(a, b), other * path.gaps(a, b));
                path.gaps(a, b) = top / root;
            }
        }
        ROLLED for (int a = 0; a < INPUTS; ++a)
            path.roots(a) = square_root(final(a));
    }

    // One of the flows of the diagonal noise: a log-normal factor on column i.
    static INLINE void stretch(const Path &path, const Numbers &lower, int i, f8 spread, f8 size, int used) {
        const f8 factor = exponential(fma(spread, path.noise(used), -0.25 * size * f8(i8(i + 1))));
        ROLLED for (int a = i; a < INPUTS; ++a)
            lower(a, i) = lower(a, i) * factor;
    }

    // One of those below it: a multiple of column i added to column j.
    static INLINE void shear(const Path &path, const Numbers &lower, int i, int j, f8 half_root, int used) {
        const f8 amount = half_root * path.noise(used);
        ROLLED for (int a = i; a < INPUTS; ++a)
            lower(a, j) = fma(amount, lower(a, i), lower(a, j));
    }

    // Advance L by a step of `size`; strength is kappa / 2, or 3A; b_term is B.
    static INLINE void advance(
        const Path &path, const Numbers &lower, i8 mode, f8 size, f8 strength, f8 b_term, i8 step,
        Array<const f8, 3> table) {
        const f8 spread = 0.5 * square_root(size);
        const f8 half_root = square_root(0.5 * size);
        int used = 0;
        ROLLED for (int i = 0; i < INPUTS; ++i)
            stretch(path, lower, i, spread, size, used++);
        ROLLED for (int i = 1; i < INPUTS; ++i)
            ROLLED for (int j = 0; j < i; ++j)
                shear(path, lower, i, j, half_root, used++);
        if (mode != NO_DRIFT) {
            gaps_of(path, lower);
            if (mode == RELU_LIKE)
                relu_like(path, strength * size, table);
            else
                smooth(path, strength * size, b_term * size, step);
            triangle_of(path, lower);
        }
        ROLLED for (int i = INPUTS - 1; i > 0; --i)
            ROLLED for (int j = i - 1; j >= 0; --j)
                shear(path, lower, i, j, half_root, used++);
        ROLLED for (int i = 0; i < INPUTS; ++i)
            stretch(path, lower, i, spread, size, used++);
    }

    static INLINE void run(
        void *, u8 key_, i8 first, Array<const f8, 2> start, i8 mode, f8 size, f8 strength, f8 b_term, i8 pairs,
        Array<const f8, 3> table, Array<const i8> steps, Array<const f8> rest, Array<f8, 3> variance,
        Array<f8, 3> gap, Array<i8, 2> exploded, Array<f4, 2> states) {
        const Paths member(variance.shape[0]);
        const Key key(key_);
        const SampleWords sample(first + member.row, PURPOSE_PATH);
        const Path path(reinterpret_cast<f8 *>(states.data), states.shape[0], member.slot);
        const f8 half = square_root(f8(0.5));
        ROLLED for (int a = 0; a < INPUTS; ++a) {
            path.exploded(a) = -1.0;
            ROLLED for (int i = 0; i < INPUTS; ++i)
                path.lower(a, i) = start(a, i);
        }
        bool fresh = true;
        i8 step = 0, record = 0;
        while (record < steps.shape[0]) {
            if (fresh) {
                ROLLED for (int i = 0; i < NORMALS + 4; ++i)
                    path.noise(i) = 0.0;
                ROLLED for (i8 part = 0; part < 1 + pairs; ++part)
                    add_normals(path, (1 + pairs) * step + part, sample, key);
                ROLLED for (int i = 0; pairs && i < NORMALS; ++i)
                    path.noise(i) = half * path.noise(i);
            }
            // a record within a step, or at its start, is a shorter step of a copy
            const bool aside = steps(record) == step;
            const Numbers lower = aside ? path.aside : path.lower;
            const f8 length = aside ? f8(rest(record)) : size;
            ROLLED for (int a = 0; aside && a < INPUTS; ++a)
                ROLLED for (int i = 0; i < INPUTS; ++i)
                    lower(a, i) = path.lower(a, i);
            if (length > 0.0)
                advance(path, lower, mode, length, strength, b_term, step, table);
            fresh = !aside;
            if (!aside) {
                ++step;
                continue;
            }
            gaps_of(path, lower);
            if (member.exists)
                write(path, member.row, record, variance, gap);
            ++record;
        }
        ROLLED for (int a = 0; member.exists && a < INPUTS; ++a)
            exploded(member.row, a) = __double2ll_rz(path.exploded(a).value);
    }

    static INLINE void write(const Path &path, i8 row, i8 record, Array<f8, 3> variance, Array<f8, 3> gap) {
        int pair = 0;
        ROLLED for (int a = 0; a < INPUTS; ++a) {
            const bool gone = path.exploded(a) >= 0.0;
            variance(row, record, a) = gone ? bits_double(INFINITY_BITS) : path.roots(a) * path.roots(a);
            ROLLED for (int b = a + 1; b < INPUTS; ++b, ++pair) {
                const bool gone_too = gone || path.exploded(b) >= 0.0;
                gap(row, record, pair) = gone_too ? bits_double(UNDEFINED_BITS) : path.gaps(a, b);
            }
        }
    }
};

}  // namespace deeplimits
