// The operations of the number contract for graphics cards: each is one IEEE 754 operation, or moves bits.
//
// The operators of f4 and f8 are the intrinsics that round correctly, one by one, so that no compiler fuses a
// sum with a product behind our back; where a fused multiply-add is wanted it is written. The names are those
// of engines/contract/arithmetic.py, and both give the same bits.
#pragma once

#define INLINE __device__ __forceinline__

namespace deeplimits {

using i4 = int;
using u4 = unsigned int;
using i8 = long long;
using u8 = unsigned long long;

struct f8;

struct f4 {
    float value;

    f4() = default;
    INLINE constexpr f4(float x) : value(x) {}
    INLINE explicit f4(i4 x) : value(__int2float_rn(x)) {}
    INLINE explicit f4(f8 x);
    f4(double) = delete;  // a constant that would be rounded twice
};

struct f8 {
    double value;

    f8() = default;
    INLINE constexpr f8(double x) : value(x) {}
    INLINE explicit f8(i8 x) : value(__ll2double_rn(x)) {}
    INLINE explicit f8(f4 x) : value(x.value) {}
};

INLINE f4::f4(f8 x) : value(__double2float_rn(x.value)) {}

INLINE f4 operator+(f4 x, f4 y) { return __fadd_rn(x.value, y.value); }
INLINE f4 operator-(f4 x, f4 y) { return __fsub_rn(x.value, y.value); }
INLINE f4 operator*(f4 x, f4 y) { return __fmul_rn(x.value, y.value); }
INLINE f4 operator/(f4 x, f4 y) { return __fdiv_rn(x.value, y.value); }
INLINE f4 operator-(f4 x) { return -x.value; }
INLINE f4 fma(f4 x, f4 y, f4 z) { return __fmaf_rn(x.value, y.value, z.value); }
INLINE f4 square_root(f4 x) { return __fsqrt_rn(x.value); }

INLINE f8 operator+(f8 x, f8 y) { return __dadd_rn(x.value, y.value); }
INLINE f8 operator-(f8 x, f8 y) { return __dsub_rn(x.value, y.value); }
INLINE f8 operator*(f8 x, f8 y) { return __dmul_rn(x.value, y.value); }
INLINE f8 operator/(f8 x, f8 y) { return __ddiv_rn(x.value, y.value); }
INLINE f8 operator-(f8 x) { return -x.value; }
INLINE f8 fma(f8 x, f8 y, f8 z) { return __fma_rn(x.value, y.value, z.value); }
INLINE f8 square_root(f8 x) { return __dsqrt_rn(x.value); }

INLINE bool operator<(f4 x, f4 y) { return x.value < y.value; }
INLINE bool operator>(f4 x, f4 y) { return x.value > y.value; }
INLINE bool operator<=(f4 x, f4 y) { return x.value <= y.value; }
INLINE bool operator>=(f4 x, f4 y) { return x.value >= y.value; }
INLINE bool operator==(f4 x, f4 y) { return x.value == y.value; }
INLINE bool operator<(f8 x, f8 y) { return x.value < y.value; }
INLINE bool operator>(f8 x, f8 y) { return x.value > y.value; }
INLINE bool operator<=(f8 x, f8 y) { return x.value <= y.value; }
INLINE bool operator>=(f8 x, f8 y) { return x.value >= y.value; }
INLINE bool operator==(f8 x, f8 y) { return x.value == y.value; }

// As Python has them: the first, unless the second is beyond it.
template <class T> INLINE T max(T x, T y) { return y > x ? y : x; }
template <class T> INLINE T min(T x, T y) { return y < x ? y : x; }

INLINE i4 float_bits(f4 x) { return __float_as_int(x.value); }
INLINE f4 bits_float(i4 x) { return __int_as_float(x); }

INLINE f8 bits_double(i8 x) { return __longlong_as_double(x); }

// A C-contiguous array, as in Numba: an address and its sizes.
template <class T, int DIMENSIONS = 1> struct Array {
    T *data;
    i8 shape[DIMENSIONS];

    template <class... Index> INLINE T &operator()(i8 first, Index... rest) const {
        static_assert(sizeof...(rest) + 1 == DIMENSIONS, "one index for each dimension");
        const i8 indices[] = {first, static_cast<i8>(rest)...};
        i8 at = indices[0];
#pragma unroll
        for (int axis = 1; axis < DIMENSIONS; ++axis)
            at = at * shape[axis] + indices[axis];
        return data[at];
    }
};

}  // namespace deeplimits
