// Sampled paths of one-dimensional processes, one thread a path; see engines/sde/path_kernels.py and
// engines/sde/paths.py.
#pragma once

#include "engines/contract/exponential.cuh"
#include "engines/contract/lanes.cuh"
#include "engines/contract/normals.cuh"
#include "engines/contract/philox.cuh"

namespace deeplimits {

using Paths = ThreadGroup<1, 1>;

// A function at rho = 1 - gap, from a table [half, function, power].
INLINE f8 tabulated(Array<const f8, 3> table, int index, f8 gap) {
    const bool near = gap <= 1.0;
    const f8 s = square_root(near ? gap : 2.0 - gap);
    const f8 *const coefficients = &table(near ? 0 : 1, index, 0);
    f8 value = coefficients[DEGREE];
#pragma unroll
    for (int power = DEGREE - 1; power >= 0; --power)
        value = fma(value, s, coefficients[power]);
    return near ? value * gap : value;
}

// The normals of a path, four steps a call of Philox.
struct Noise {
    Key key;
    SampleWords sample;
    Pair even, odd;  // of steps 4j, 4j + 1, and of the two after them

    INLINE Noise(u8 key, i8 sample) : key(key), sample(sample, PURPOSE_PATH) {}

    // Steps are asked for in turn, from 0 on.
    INLINE f8 at(i8 step) {
        if (step % 4 == 0) {
            const Words words = philox(u4(step / 4), 0, sample.low, sample.high, key);
            even = normal_pair(words.w0, words.w1);
            odd = normal_pair(words.w2, words.w3);
        }
        const Pair pair = step & 2 ? odd : even;
        return f8(step & 1 ? pair.second : pair.first);
    }
};

// Call advance(state, step) for every step up to the last of `steps`, and write the state at each of them.
template <class Advance>
INLINE void follow(const Paths &path, Array<const i8> steps, Array<f8, 2> out, f8 state, Advance advance) {
    i8 record = 0;
    for (i8 step = 0;; ++step) {
        if (steps(record) == step) {
            if (path.exists)
                out(path.row, record) = state;
            if (++record == steps.shape[0])
                break;
        }
        state = advance(state, step);
    }
}

// 1 - rho brought back into [0, 2], and whether that was needed.
INLINE f8 projected(f8 gap, i8 &left) {
    if (gap < 0.0 || gap > 2.0) {
        ++left;
        gap = min(max<f8>(gap, 0.0), f8(2.0));
    }
    return gap;
}

struct chain {
    using Members = Paths;
    static constexpr int SHARED = 16;

    static INLINE void run(
        void *, u8 key, i8 first, f8 gap_0, f8 inverse_width, f8 root, Array<const f8, 3> table,
        Array<const i8> steps, Array<f8, 2> out, Array<i8> left) {
        const Paths path(out.shape[0]);
        Noise noise(key, first + path.row);
        i8 outside = 0;
        follow(path, steps, out, gap_0, [&](f8 gap, i8 step) {
            const f8 xi = noise.at(step);
            const f8 drift = fma(tabulated(table, 1, gap), inverse_width, tabulated(table, 0, gap));
            const f8 spread = tabulated(table, 2, gap) * root * xi;
            return projected(gap - (drift + spread), outside);
        });
        if (path.exists)
            left(path.row) += outside;
    }
};

struct correlation {
    using Members = Paths;
    static constexpr int SHARED = 16;

    static INLINE void run(
        void *, u8 key, i8 first, f8 gap_0, f8 half_kappa, f8 size, f8 root, Array<const f8, 3> table,
        Array<const i8> steps, Array<f8, 2> out, Array<i8> left) {
        const Paths path(out.shape[0]);
        Noise noise(key, first + path.row);
        i8 outside = 0;
        follow(path, steps, out, gap_0, [&](f8 gap, i8 step) {
            const f8 xi = noise.at(step);
            const f8 shape = gap * (2.0 - gap);
            const f8 drift = fma(half_kappa, tabulated(table, 0, gap), -0.5 * (1.0 - gap) * shape);
            return projected(gap - fma(drift, size, shape * root * xi), outside);
        });
        if (path.exists)
            left(path.row) += outside;
    }
};

// e^x for |x| <= 60, to 1e-15, with the divisions of engines/sde/path_kernels.py.
INLINE f8 path_exponential(f8 x) {
    const Turned parts = turned(x);
    f8 value = 1.0;
#pragma unroll
    for (int order = 14; order > 0; --order)
        value = fma(value, parts.rest / f8(i8(order)), 1.0);
    return by_powers_of_two(value, parts.turns);
}

struct rescaled {
    using Members = Paths;
    static constexpr int SHARED = 16;

    static INLINE void run(
        void *, u8 key, i8 first, f8 start, f8 kappa, f8 size, f8 root, Array<const i8> steps,
        Array<f8, 2> out) {
        const Paths path(out.shape[0]);
        Noise noise(key, first + path.row);
        follow(path, steps, out, start, [&](f8 r, i8 step) {
            const f8 xi = noise.at(step);
            const f8 next_time = f8(step + 1) * size;
            const f8 factor = 1.0 - kappa * path_exponential(min(max<f8>(0.5 * r, -60.0), f8(60.0)));
            const f8 drift = factor / next_time - 1.0;
            return fma(2.0 * drift, size, fma(root, xi, r));
        });
    }
};

}  // namespace deeplimits
