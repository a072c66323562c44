// Philox4x32-10, the counter-based generator behind every random number (Salmon, Moraes, Dror & Shaw 2011);
// see engines/contract/philox.py.
#pragma once

#include "engines/contract/arithmetic.cuh"

namespace deeplimits {

constexpr u4 PURPOSE_FORWARD = 0;
constexpr u4 PURPOSE_PATH = 1;
constexpr u4 PURPOSE_BACKWARD = 2;
constexpr u4 PURPOSE_OUTPUT = 3;
constexpr u4 PURPOSE_SHIFT = 24;

struct Words {
    u4 w0, w1, w2, w3;
};

struct Key {
    u4 k0, k1;

    INLINE explicit Key(u8 key) : k0(u4(key)), k1(u4(key >> 32)) {}
};

INLINE Words philox(u4 c0, u4 c1, u4 c2, u4 c3, Key key) {
    // NVRTC adds a zero to the high word of every 64-bit product, 17 in the innermost loop of the perceptron;
    // it makes one multiplication of these halves, and then has room to keep the ten keys
#pragma unroll
    for (int round = 0; round < 10; ++round) {
        const u4 high_0 = __umulhi(c0, 0xD2511F53u), low_0 = c0 * 0xD2511F53u;
        const u4 high_1 = __umulhi(c2, 0xCD9E8D57u), low_1 = c2 * 0xCD9E8D57u;
        c0 = high_1 ^ c1 ^ key.k0;
        c1 = low_1;
        c2 = high_0 ^ c3 ^ key.k1;
        c3 = low_0;
        key.k0 += 0x9E3779B9u;
        key.k1 += 0xBB67AE85u;
    }
    return {c0, c1, c2, c3};
}

// Last two counter words of a sample index and a purpose.
struct SampleWords {
    u4 low, high;

    INLINE SampleWords(i8 sample, u4 purpose)
        : low(u4(sample)), high(u4(sample >> 32) | purpose << PURPOSE_SHIFT) {}
};

}  // namespace deeplimits
