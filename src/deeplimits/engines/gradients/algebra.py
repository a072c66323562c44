"""The m × m algebra of the backward pass, in float64.

Vectors come as sets v_0 … v_{m−1} of n numbers, the activations of a layer or the gradients there, of which a
kernel holds b_0 = v_0 and b_a = v_0 − v_a in float32, their products b_i · b_j in float64 and the square
norms of the v_a. What is computed here are coordinates in the b, so that vectors near one another keep what
their differences hold.

With Q an orthonormal basis of the activations of a layer, W Q = ξ are normals that the forward pass has
drawn, and given these Wᵀ γ = Q ξᵀ γ + (I − Q Qᵀ) Ξ r for a gradient γ whose coordinates r in an orthonormal
basis of the gradients multiply fresh normals Ξ [n, m].
"""

from __future__ import annotations

from typing import Any

from deeplimits.engines.contract.arithmetic import f4, fma, inline, kernel, square_root

_INDEPENDENT, _RESOLVED = 1e-8, 1e-10
"""A vector is in the span of those before it if no more than these parts are left of its square norm and of
those of its terms: what it has beyond them is rounding.
"""


@inline
def form(gram: Any, x: Any, y: Any) -> Any:
    """xᵀ G y."""
    total = 0.0
    for i in range(gram.shape[0]):
        part = 0.0
        for j in range(gram.shape[0]):
            part = fma(gram[i, j], y[j], part)
        total = fma(x[i], part, total)
    return total


@inline
def first_living(squares: Any) -> Any:
    """The first input whose vector is not zero, or −1."""
    found = -1
    for a in range(squares.shape[0]):
        if found < 0 and squares[a] > 0.0:
            found = a
    return found


@kernel
def directions(gram: Any, squares: Any, rows: Any) -> None:
    """Fill ``rows`` [m, m] with coordinates of û_r (row 0) and û_a − û_r (row a), û_a = v_a / ‖v_a‖ and r the
    first input whose vector is not zero; zero for the others.
    """
    rows[:] = 0.0
    r = first_living(squares)
    for a in range(max(r, 0), squares.shape[0]):
        if not squares[a] > 0.0:
            continue
        at = 0 if a == r else a
        inverse = 1.0 / square_root(squares[a])
        if a == 0:
            rows[0, 0] = inverse
            continue
        rows[at, 0] = inverse
        rows[at, a] = -inverse
        if a == r:
            continue
        if r == 0:
            norm, norm_0 = square_root(squares[a]), square_root(squares[0])
            excess = fma(2.0, gram[0, a], -gram[a, a])
            rows[a, 0] = excess / ((norm * norm_0) * (norm + norm_0))
        else:
            for i in range(squares.shape[0]):
                rows[a, i] = rows[a, i] - rows[0, i]


@kernel
def around_bisector(squares: Any, rows: Any) -> None:
    """Turn the ``directions`` of two inputs into û_0 + û_1 and û_0 − û_1, where both are alive."""
    if squares[0] > 0.0 and squares[1] > 0.0:
        inverse_0, inverse_1 = 1.0 / square_root(squares[0]), 1.0 / square_root(squares[1])
        rows[0, 0] = inverse_0 + inverse_1
        rows[0, 1] = -inverse_1
        rows[1, 0] = -rows[1, 0]
        rows[1, 1] = -rows[1, 1]


@kernel
def orthonormalise(gram: Any, rows: Any, lower: Any, basis: Any) -> None:
    """Gram–Schmidt: ``rows`` = ``lower`` · ``basis`` with ``basis`` [m, m] orthonormal and ``lower`` [m, m]
    lower triangular; both zero where a row adds nothing to those before it.
    """
    size = gram.shape[0]
    lower[:] = 0.0
    for j in range(size):
        for i in range(size):
            basis[j, i] = rows[j, i]
        square = form(gram, rows[j], rows[j])
        terms = 0.0
        for i in range(size):
            terms = fma(rows[j, i] * rows[j, i], gram[i, i], terms)
        for k in range(j):
            lower[j, k] = form(gram, basis[k], basis[j])
            for i in range(size):
                basis[j, i] = fma(-lower[j, k], basis[k, i], basis[j, i])
        left = form(gram, basis[j], basis[j])
        if left > max(_INDEPENDENT * square, _RESOLVED * terms):
            lower[j, j] = square_root(left)
            for i in range(size):
                basis[j, i] = basis[j, i] / lower[j, j]
        else:
            basis[j, :] = 0.0


@kernel
def transposed(
    basis: Any,
    fresh: Any,
    drawn: Any,
    rows: Any,
    lower: Any,
    squares: Any,
    pulled: Any,
    product: Any,
    differences: Any,
) -> None:
    """Coefficients of h_a = Wᵀ ĝ_a and of h_0 − h_a, ĝ_a the gradient of input a over its norm.

    Parameters
    ----------
    basis
        Of the activations, from ``orthonormalise`` [m, m].
    fresh
        Products of the activations' vectors b_i with the columns of Ξ [m, m].
    drawn
        Products of the gradients' vectors b_i with the columns of ξ [m, m].
    rows, lower
        ``directions`` of the gradients and what ``orthonormalise`` made of them.
    squares
        Square norms of the gradients.
    pulled
        Scratch [m, 2 m].
    product, differences
        Filled [m, 2 m], float32: coefficients of the activations' vectors b_i, then of the columns of Ξ.
    """
    size = basis.shape[0]
    for j in range(size):
        pulled[j, :] = 0.0
        for k in range(size):
            known = 0.0
            for i in range(size):
                known = fma(drawn[i, k], rows[j, i], known)
            for column in range(j + 1):
                along = 0.0
                for i in range(size):
                    along = fma(basis[k, i], fresh[i, column], along)
                known = fma(-lower[j, column], along, known)
            for i in range(size):
                pulled[j, i] = fma(known, basis[k, i], pulled[j, i])
        for column in range(j + 1):
            pulled[j, size + column] = lower[j, column]
    r = first_living(squares)
    for a in range(size):
        for i in range(2 * size):
            value = 0.0
            if squares[a] > 0.0:
                value = pulled[0, i] if a == r else pulled[0, i] + pulled[a, i]
            product[a, i] = f4(value)
            first = pulled[0, i] if squares[0] > 0.0 else 0.0
            difference = first - value
            if a > 0 and squares[0] > 0.0 and squares[a] > 0.0:
                difference = -pulled[a, i]
            differences[a, i] = f4(difference)


@inline
def gap_between(gram: Any, squares: Any, a: Any, b: Any) -> Any:
    """1 − cos of the angle between v_a and v_b, a < b, as ``one_or_two_inputs.gap_after``."""
    shift_b = fma(2.0, gram[0, b], -gram[b, b])
    square = gram[b, b]
    shift = shift_b
    inner = gram[0, 0] - gram[0, b]
    if a > 0:
        square = fma(-2.0, gram[a, b], gram[a, a] + gram[b, b])
        shift = shift_b - fma(2.0, gram[0, a], -gram[a, a])
        inner = (inner - gram[0, a]) + gram[a, b]
    norm_a, norm_b = square_root(squares[a]), square_root(squares[b])
    both = norm_a * norm_b
    if square < both:
        shift = shift / (norm_a + norm_b)
        gap = fma(-shift, shift, square) / (2.0 * both)
    else:
        gap = (both - inner) / both
    return min(max(gap, 0.0), 2.0)
