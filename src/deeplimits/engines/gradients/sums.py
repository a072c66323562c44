"""What the backward passes of perceptrons and residual networks have in common: sums over the units of a
layer, their algebra, and what is recorded.

Gradients are carried over their norms, as one of them and its differences to the others, and their norms
beside them as a float32 in [1, 2) and a power of two.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from deeplimits.engines.contract.arithmetic import f4, i4, inline, part
from deeplimits.engines.contract.lane_operations import add_product
from deeplimits.engines.contract.normals import logarithm
from deeplimits.engines.contract.totals import DEAD, NAN
from deeplimits.engines.gradients.algebra import (
    around_bisector,
    directions,
    gap_between,
    orthonormalise,
    transposed,
)
from deeplimits.engines.readout.output_kernels import output_normals


class Workspace(NamedTuple):
    """What a sample's backward pass keeps.

    Parameters
    ----------
    normals, fresh
        Of the forward pass, and fresh ones [slot, lane].
    basis, slopes
        φ_0 and φ_0 − φ_a, and slopes, of all units [row, lane].
    wide, totals
        Sums of products of a tile [sum, lane] and of a layer, float64.
    back, back_differences
        Coefficients of Wᵀ ĝ_a and of its differences [m, 2 m].
    gram, along, lower, orthonormal, cross, squares
        Of activations; see ``backward_algebra``.
    gram_back, along_back, lower_back, cross_back, squares_back
        Of gradients.
    scrap, pulled
        Scratch.
    mantissa, exponent
        Square norms of the gradients.
    """

    normals: Any
    fresh: Any
    basis: Any
    slopes: Any
    wide: Any
    totals: Any
    back: Any
    back_differences: Any
    gram: Any
    along: Any
    lower: Any
    orthonormal: Any
    cross: Any
    squares: Any
    gram_back: Any
    along_back: Any
    lower_back: Any
    cross_back: Any
    squares_back: Any
    scrap: Any
    pulled: Any
    mantissa: Any
    exponent: Any


def workspace_of(inputs: int) -> Callable[..., Any]:
    """A function that finds a ``Workspace`` in ``call.workspace``."""
    products = inputs * (inputs + 1) // 2 + inputs - 1 + inputs**2

    @inline
    def run(scratch: Any) -> Any:
        normals, fresh, basis, slopes, wide, product, matrices, pulled, reals, mantissa, exponent = scratch
        return Workspace(
            normals,
            fresh,
            basis,
            slopes,
            wide,
            reals[:products],
            product[:inputs],
            product[inputs:],
            matrices[0],
            matrices[1],
            matrices[2],
            matrices[3],
            matrices[4],
            reals[products : products + inputs],
            matrices[5],
            matrices[6],
            matrices[7],
            matrices[8],
            reals[products + inputs :],
            matrices[9],
            pulled,
            mantissa,
            exponent,
        )

    return run


@part
def add_products(size: Any, rows: Any, vectors: Any, others: Any, wide: Any) -> None:
    """Add to the lanes of all products of ``rows``, of the squares of ``vectors`` from the second on, and of
    the products of ``rows`` and ``others``.
    """
    at = 0
    for i in range(size):
        for j in range(i, size):
            add_product(rows[i], rows[j], wide[at])
            at += 1
    for i in range(1, size):
        add_product(vectors[i], vectors[i], wide[at])
        at += 1
    for i in range(size):
        for j in range(size):
            add_product(rows[i], others[j], wide[at])
            at += 1


@part
def _unpack(totals: Any, gram: Any, squares: Any, cross: Any) -> None:
    """Sort the sums of ``add_products`` into matrices."""
    size = gram.shape[0]
    at = 0
    for i in range(size):
        for j in range(i, size):
            gram[i, j], gram[j, i] = totals[at], totals[at]
            at += 1
    squares[0] = gram[0, 0]
    for i in range(1, size):
        squares[i] = totals[at]
        at += 1
    for i in range(size):
        for j in range(size):
            cross[i, j] = totals[at]
            at += 1


@part
def start_gradients(kept: Any, depth: Any, stream: Any) -> None:
    """The readout is one unit more, whose gradient is 1 for all inputs; its normals are those of the output
    (``stream``).
    """
    kept.cross_back[:] = 0.0
    kept.along_back[:] = 0.0
    kept.lower_back[:] = 0.0
    kept.along_back[0, 0] = 1.0
    kept.lower_back[0, 0] = 1.0
    kept.squares_back[:] = 1.0
    low, high, k0, k1 = stream
    output_normals(kept.cross_back[0], depth, low, high, k0, k1)
    kept.mantissa[:] = f4(1)
    kept.exponent[:] = i4(0)


def pull_back(*, by_angle: bool) -> Callable[..., Any]:
    """A function that finds the coefficients of Wᵀ ĝ_a from the sums of the activations; ``by_angle`` where
    the forward pass may take two inputs by their angle, which it does where ``bisected``.
    """

    @part
    def run(kept: Any, bisected: Any) -> None:
        _unpack(kept.totals, kept.gram, kept.squares, kept.cross)
        directions(kept.gram, kept.squares, kept.along)
        if by_angle and bisected:
            around_bisector(kept.squares, kept.along)
        orthonormalise(kept.gram, kept.along, kept.lower, kept.orthonormal)
        transposed(
            kept.orthonormal,
            kept.cross,
            kept.cross_back,
            kept.along_back,
            kept.lower_back,
            kept.squares_back,
            kept.pulled,
            kept.back,
            kept.back_differences,
        )

    return run


@part
def take_gradients(kept: Any) -> None:
    """Find the directions of the gradients from their sums."""
    _unpack(kept.totals, kept.gram_back, kept.squares_back, kept.cross_back)
    directions(kept.gram_back, kept.squares_back, kept.along_back)
    orthonormalise(kept.gram_back, kept.along_back, kept.lower_back, kept.scrap)


@part
def record_gradients(kept: Any, log_norm: Any, gradient_gap: Any) -> None:
    """Fill ``log_norm`` [input] and ``gradient_gap`` [pair] of a layer."""
    pair = 0
    for a in range(log_norm.shape[0]):
        alive = kept.mantissa[a] > f4(0)
        log_norm[a] = logarithm(kept.mantissa[a], kept.exponent[a]) if alive else DEAD
        for b in range(a + 1, log_norm.shape[0]):
            both = alive and kept.mantissa[b] > f4(0)
            gap = f4(gap_between(kept.gram_back, kept.squares_back, a, b)) if both else NAN
            gradient_gap[pair] = gap
            pair += 1
