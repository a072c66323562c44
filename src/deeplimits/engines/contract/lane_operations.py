"""What kernels do with rows of sixteen lanes: mixtures, sums of products, a pair's terms of D, E and C."""

from __future__ import annotations

from typing import Any

from deeplimits.engines.contract.arithmetic import inline, part
from deeplimits.engines.contract.lanewise import Vector, lanewise
from deeplimits.engines.contract.totals import tree


@lanewise
def copy(x: Vector, copied: Vector) -> dict[str, Vector]:
    """copied = x."""
    return {"copied": x}


@lanewise
def multiply(x: Vector, y: Vector, product: Vector) -> dict[str, Vector]:
    """product = x · y."""
    return {"product": x * y}


@lanewise
def subtract(x: Vector, y: Vector, difference: Vector) -> dict[str, Vector]:
    """difference = x − y."""
    return {"difference": x - y}


@lanewise
def add_multiple(factor: Vector, x: Vector, moved: Vector) -> dict[str, Vector]:
    """moved + factor · x."""
    return {"moved": factor.fma(x, moved)}


@inline
def combine(coefficients: Any, rows: Any, count: Any, combined: Any) -> None:
    """combined[lane] = Σ coefficients[i] · rows[i, lane] over the first ``count``, in their order."""
    multiply(coefficients[0], rows[0], combined)
    for i in range(1, count):
        add_multiple(coefficients[i], rows[i], combined)


@inline
def add_combined(coefficients: Any, rows: Any, count: Any, moved: Any) -> None:
    """As ``combine``, added to what is there."""
    for i in range(count):
        add_multiple(coefficients[i], rows[i], moved)


@part
def mix(coefficients: Any, size: Any, activations: Any, fresh: Any, mixed: Any) -> None:
    """mixed[lane] = Σ c[i] · activations[i, lane] + Σ c[size + i] · fresh[i, lane], each over the first
    ``size``, in their order.
    """
    combine(coefficients, activations, size, mixed)
    for i in range(size):
        add_multiple(coefficients[size + i], fresh[i], mixed)


@lanewise
def add_square(x: Vector, lanes: Vector) -> dict[str, Vector]:
    """Add x²."""
    return {"lanes": x.fma(x, lanes)}


@lanewise
def add_product(x: Vector, y: Vector, lanes: Vector) -> dict[str, Vector]:
    """Add x · y to lanes of float64, where products of float32 are exact."""
    return {"lanes": x.wide().fma(y.wide(), lanes)}


def pair_sums(
    difference: Vector, x_a: Vector, x_b: Vector, lanes_d: Vector, lanes_e: Vector, lanes_c: Vector
) -> dict[str, Vector]:
    """D, E and C of a pair with its terms, given x_a − x_b in ``difference``; for functions of
    ``lanewise``.
    """
    return {
        "lanes_d": difference.fma(difference, lanes_d),
        "lanes_e": difference.fma(x_a + x_b, lanes_e),
        "lanes_c": x_a.fma(x_b, lanes_c),
    }


@lanewise
def add_terms(
    difference: Vector, x_a: Vector, x_b: Vector, lanes_d: Vector, lanes_e: Vector, lanes_c: Vector
) -> dict[str, Vector]:
    """Add a pair's terms of D, E and C, given x_a − x_b in ``difference``."""
    return pair_sums(difference, x_a, x_b, lanes_d, lanes_e, lanes_c)


@part
def reduce_tile(lanes: Any, sums: Any) -> None:
    """Add the lanes [sum, lane] of a tile of units to the sums."""
    for at in range(sums.shape[0]):
        sums[at] = sums[at] + tree(lanes[at])
