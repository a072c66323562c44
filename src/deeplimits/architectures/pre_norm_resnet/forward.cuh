// The pre-normalised residual network of a piecewise-linear activation; see forward.py.
#pragma once

#include "engines/resnet/forward.cuh"

namespace deeplimits {

template <class Members, int INPUTS> struct NormalisedResidual : Residual<Members, INPUTS> {
    using Base = Residual<Members, INPUTS>;
    using Base::inverse, Base::PAIRS, Base::power_of, Base::sums, Base::sums_of_z;

    static constexpr bool ALWAYS = true;

    // The directions of the activations over the norms of the states, and what they are multiplied by.
    INLINE void prepare(const Members &group, i4 layer, f8 branch, i4) {
        const auto root = [&](int a) {
            if (layer == 0)
                return f8(1.0);
            const f8 z = f8(sums_of_z[a]);
            return z > 0.0 ? f8(square_root(f8(sums[a]) / z)) : f8(0.0);
        };
        const auto scale = [&](int a) { return layer > 0 ? branch * f8(inverse[a]) : f8(1.0); };
        const auto size = [&](int a) { return scale(a) * root(a); };
        Base::prepare_with(group, size, [&](int a, int b) {
            if (layer == 0)
                return f8(0.0);
            const f8 root_a = root(a), root_b = root(b), scale_a = scale(a), scale_b = scale(b);
            const f8 z_a = f8(sums_of_z[a]), z_b = f8(sums_of_z[b]);
            if (power_of[a] == power_of[b] && root_a + root_b > 0.0 && z_a > 0.0 && z_b > 0.0) {
                const int more = INPUTS + PAIRS + Base::pair_of(a, b);
                const f8 more_s = f8(sums[more]), more_z = f8(sums_of_z[more]);
                const f8 apart = fma(more_s, z_b, -(f8(sums[b]) * more_z)) / (z_a * z_b) / (root_a + root_b);
                return f8(fma(scale_a - scale_b, root_a, scale_b * apart));
            }
            return f8(scale_a * root_a - scale_b * root_b);
        });
    }
};

template <int INPUTS, int THREADS, int TEAMS>
struct pre_norm : residual_inputs<KINDS * INPUTS + SLOPES, THREADS, TEAMS, NormalisedResidual> {};

}  // namespace deeplimits
