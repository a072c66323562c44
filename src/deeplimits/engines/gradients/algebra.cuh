// The m by m algebra of the backward pass, in float64, for one thread; see engines/gradients/algebra.py.
#pragma once

#include "engines/contract/arithmetic.cuh"

namespace deeplimits {

constexpr double INDEPENDENT = 1e-8, RESOLVED = 1e-10;

template <int ROWS, int COLUMNS = ROWS> struct Matrix {
    f8 data[ROWS][COLUMNS];

    INLINE f8 *operator[](int row) { return data[row]; }
    INLINE const f8 *operator[](int row) const { return data[row]; }

    INLINE void fill(f8 value) {
        for (int row = 0; row < ROWS; ++row)
            for (int column = 0; column < COLUMNS; ++column)
                data[row][column] = value;
    }
};

// x^T G y.
template <int SIZE> INLINE f8 form(const Matrix<SIZE> &gram, const f8 *x, const f8 *y) {
    f8 total = 0.0;
    for (int i = 0; i < SIZE; ++i) {
        f8 part = 0.0;
        for (int j = 0; j < SIZE; ++j)
            part = fma(gram[i][j], y[j], part);
        total = fma(x[i], part, total);
    }
    return total;
}

// The first input whose vector is not zero, or -1.
template <int SIZE> INLINE int first_living(const f8 (&squares)[SIZE]) {
    int found = -1;
    for (int a = SIZE - 1; a >= 0; --a)
        found = squares[a] > 0.0 ? a : found;
    return found;
}

template <int SIZE>
INLINE void directions(const Matrix<SIZE> &gram, const f8 (&squares)[SIZE], Matrix<SIZE> &rows) {
    rows.fill(0.0);
    const int r = first_living(squares);
    for (int a = max(r, 0); a < SIZE; ++a) {
        if (!(squares[a] > 0.0))
            continue;
        const int at = a == r ? 0 : a;
        const f8 inverse = 1.0 / square_root(squares[a]);
        if (a == 0) {
            rows[0][0] = inverse;
            continue;
        }
        rows[at][0] = inverse;
        rows[at][a] = -inverse;
        if (a == r)
            continue;
        if (r == 0) {
            const f8 norm = square_root(squares[a]), norm_0 = square_root(squares[0]);
            const f8 excess = fma(2.0, gram[0][a], -gram[a][a]);
            rows[a][0] = excess / (norm * norm_0 * (norm + norm_0));
        } else {
            for (int i = 0; i < SIZE; ++i)
                rows[a][i] = rows[a][i] - rows[0][i];
        }
    }
}

// The directions of two inputs as the sum and the difference of their unit vectors, where both are alive.
INLINE void around_bisector(const f8 (&squares)[2], Matrix<2> &rows) {
    if (squares[0] > 0.0 && squares[1] > 0.0) {
        const f8 inverse_0 = 1.0 / square_root(squares[0]), inverse_1 = 1.0 / square_root(squares[1]);
        rows[0][0] = inverse_0 + inverse_1;
        rows[0][1] = -inverse_1;
        rows[1][0] = -rows[1][0];
        rows[1][1] = -rows[1][1];
    }
}

// Gram-Schmidt: rows = lower * basis.
template <int SIZE> INLINE void orthonormalise(
    const Matrix<SIZE> &gram, const Matrix<SIZE> &rows, Matrix<SIZE> &lower, Matrix<SIZE> &basis) {
    lower.fill(0.0);
    for (int j = 0; j < SIZE; ++j) {
        for (int i = 0; i < SIZE; ++i)
            basis[j][i] = rows[j][i];
        const f8 square = form(gram, rows[j], rows[j]);
        f8 terms = 0.0;
        for (int i = 0; i < SIZE; ++i)
            terms = fma(rows[j][i] * rows[j][i], gram[i][i], terms);
        for (int k = 0; k < j; ++k) {
            lower[j][k] = form(gram, basis[k], basis[j]);
            for (int i = 0; i < SIZE; ++i)
                basis[j][i] = fma(-lower[j][k], basis[k][i], basis[j][i]);
        }
        const f8 left = form(gram, basis[j], basis[j]);
        const bool independent = left > max(INDEPENDENT * square, RESOLVED * terms);
        if (independent)
            lower[j][j] = square_root(left);
        for (int i = 0; i < SIZE; ++i)
            basis[j][i] = independent ? basis[j][i] / lower[j][j] : f8(0.0);
    }
}

// Coefficients of h_a = W^T g_a and of h_0 - h_a, for gradients g_a over their norms.
template <int SIZE> INLINE void transposed(
    const Matrix<SIZE> &basis, const Matrix<SIZE> &fresh, const Matrix<SIZE> &drawn, const Matrix<SIZE> &rows,
    const Matrix<SIZE> &lower, const f8 (&squares)[SIZE], Matrix<SIZE, 2 * SIZE> &pulled,
    f4 (&product)[SIZE][2 * SIZE], f4 (&differences)[SIZE][2 * SIZE]) {
    pulled.fill(0.0);
    for (int j = 0; j < SIZE; ++j) {
        for (int k = 0; k < SIZE; ++k) {
            f8 known = 0.0;
            for (int i = 0; i < SIZE; ++i)
                known = fma(drawn[i][k], rows[j][i], known);
            for (int column = 0; column < j + 1; ++column) {
                f8 along = 0.0;
                for (int i = 0; i < SIZE; ++i)
                    along = fma(basis[k][i], fresh[i][column], along);
                known = fma(-lower[j][column], along, known);
            }
            for (int i = 0; i < SIZE; ++i)
                pulled[j][i] = fma(known, basis[k][i], pulled[j][i]);
        }
        for (int column = 0; column < j + 1; ++column)
            pulled[j][SIZE + column] = lower[j][column];
    }
    const int r = first_living(squares);
    for (int a = 0; a < SIZE; ++a) {
        for (int i = 0; i < 2 * SIZE; ++i) {
            f8 value = 0.0;
            if (squares[a] > 0.0)
                value = a == r ? pulled[0][i] : pulled[0][i] + pulled[a][i];
            product[a][i] = f4(value);
            const f8 first = squares[0] > 0.0 ? pulled[0][i] : f8(0.0);
            f8 difference = first - value;
            if (a > 0 && squares[0] > 0.0 && squares[a] > 0.0)
                difference = -pulled[a][i];
            differences[a][i] = f4(difference);
        }
    }
}

// 1 - cos of the angle between v_a and v_b, a < b.
template <int SIZE> INLINE f8 gap_between(const Matrix<SIZE> &gram, const f8 (&squares)[SIZE], int a, int b) {
    const f8 shift_b = fma(2.0, gram[0][b], -gram[b][b]);
    f8 square = gram[b][b];
    f8 shift = shift_b;
    f8 inner = gram[0][0] - gram[0][b];
    if (a > 0) {
        square = fma(-2.0, gram[a][b], gram[a][a] + gram[b][b]);
        shift = shift_b - fma(2.0, gram[0][a], -gram[a][a]);
        inner = inner - gram[0][a] + gram[a][b];
    }
    const f8 norm_a = square_root(squares[a]), norm_b = square_root(squares[b]);
    const f8 both = norm_a * norm_b;
    f8 gap = (both - inner) / both;
    if (square < both) {
        shift = shift / (norm_a + norm_b);
        gap = fma(-shift, shift, square) / (2.0 * both);
    }
    return min(max<f8>(gap, 0.0), f8(2.0));
}

}  // namespace deeplimits
