"""Observables that are functions of the tangent kernel of a network, from what is stored of its layers.

What goes into a matrix of weights and what comes back to it is the architecture's
(``architectures.tangent_kernel``); here are the sums over the matrices, and what is made of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from deeplimits.array_types import Array
from deeplimits.errors import InputError
from deeplimits.laws import Transform
from deeplimits.observable_kind import Kind, Numbers, rounded

if TYPE_CHECKING:
    from deeplimits.networks.network import Network


@dataclass(frozen=True)
class Terms:
    """The terms of the kernel of one input or two.

    Parameters
    ----------
    logs
        Of each input, logarithms of the terms of K^{aa} [sample, matrix]; −∞ of nothing.
    lost
        Of two, 1 − cosine of what goes in times that of what comes back [sample, matrix].
    """

    logs: tuple[Array, ...]
    lost: Array | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class KernelKind(Kind):
    """An observable that is a function of the tangent kernel.

    Parameters
    ----------
    of_terms
        What it is made of, [sample] of the terms.
    """

    of_terms: Callable[[Terms], Array]

    def made_of(self, network: Network) -> tuple[str, ...]:
        """What is stored that the kernel of this architecture is made of."""
        kernel = network.kind.tangent_kernel
        if kernel is None:
            return self.variables
        return kernel.of_input if self.inputs == 1 else kernel.of_pair + kernel.of_input

    def combined(self, columns: Sequence[Numbers], network: Network, inputs: tuple[int, ...]) -> Numbers:
        """What is made of the columns of ``made_of``, of these inputs of a network."""
        kernel, seen = network.kind.tangent_kernel, network.of_inputs(inputs)
        assert kernel is not None
        size = len(kernel.of_pair) if self.inputs == 2 else 0
        logs = []
        for a in range(self.inputs):
            own = dict(zip(kernel.of_input, columns[size + a :: self.inputs], strict=True))
            into, back = kernel.log_squares(seen, own, a)
            # nothing that goes in is nothing, whatever comes back
            logs.append(np.where(np.isneginf(into), -np.inf, into + back))
        lost = None
        if self.inputs == 2:
            pair = dict(zip(kernel.of_pair, columns[:size], strict=True))
            pair |= dict(zip(kernel.of_input, columns[size::2], strict=True))
            apart, back = kernel.gaps(seen, pair)
            # 1 − (1 − g)(1 − h), without the ones
            lost = apart + back - apart * back
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            return self.of_terms(Terms(tuple(logs), lost)).astype(np.float32)


def log_kernel(terms: Terms) -> Array:
    """log K^{aa} [sample]; −∞ of a dead network."""
    return np.asarray(np.logaddexp.reduce(terms.logs[0], axis=1))


_FURTHEST = 250 * float(np.log(10))
"""How far logarithms of K of two inputs may be apart."""


@dataclass(frozen=True)
class _Pair:
    """The kernel of two inputs, in units of e^{2 scale} K: K^{aa}, K^{bb}, K^{ab} and K^{aa} K^{bb} −
    (K^{ab})², which is a sum of what is not negative.
    """

    first: Array
    second: Array
    cross: Array
    determinant: Array
    log_unit: Array

    @classmethod
    def of(cls, terms: Terms) -> _Pair:
        """The kernel of these terms; NaN where an input has no direction.

        Raises
        ------
        InputError
            If one input has so much less than the other that float64 does not hold both in one unit.
        """
        lost = terms.lost
        assert lost is not None
        largest = [each.max(axis=1) for each in terms.logs]
        log_unit = np.maximum(*largest)
        alive = np.isfinite(largest[0]) & np.isfinite(largest[1])
        if (abs(largest[0][alive] - largest[1][alive]) > _FURTHEST).any():
            expected = "inputs whose K are within 1e250 of one another; log_ntk has no bounds"
            raise InputError(
                "observable", "", "<a tangent kernel of inputs of very different size>", expected
            )
        a, b = (np.exp((each - log_unit[:, None]) / 2) for each in terms.logs)
        first, second, norms = (a * a).sum(axis=1), (b * b).sum(axis=1), (a * b).sum(axis=1)
        off = b - (norms / first)[:, None] * a
        missing = (a * b * lost).sum(axis=1)
        determinant = first * (off * off).sum(axis=1) + missing * (2 * norms - missing)
        return cls(first, second, norms - missing, determinant, log_unit)


def cross_kernel(terms: Terms) -> Array:
    """K^{ab} [sample], if float32 holds it."""
    pair = _Pair.of(terms)
    alive = np.isfinite(pair.cross) & np.isfinite(pair.log_unit)
    found = pair.cross * np.exp(pair.log_unit)
    return rounded(found, alive, "ntk_cross", "log_ntk and ntk_alignment").astype(float)


def alignment_gap(terms: Terms) -> Array:
    """1 − K^{ab} / √(K^{aa} K^{bb}) [sample], without cancellation."""
    pair = _Pair.of(terms)
    norm = pair.first * pair.second
    cosine = np.clip(pair.cross / np.sqrt(norm), -1.0, 1.0)
    near = pair.determinant / norm / (1 + cosine)
    return np.where(cosine > 0, near, 1 - cosine)


def log_condition(terms: Terms) -> Array:
    """log of the larger over the smaller eigenvalue of the kernel of two inputs [sample]; +∞ where the two
    have one direction.
    """
    pair = _Pair.of(terms)
    half = (pair.first + pair.second) / 2
    largest = half + np.hypot((pair.first - pair.second) / 2, pair.cross)
    return 2 * np.log(largest) - np.log(pair.determinant)


def _of_one(**more: Any) -> KernelKind:
    """The record of a function of the kernel of one input."""
    return KernelKind(**{"inputs": 1, "variables": ("log_variance", "gradient_log_norm"), **_OF_ALL, **more})


def _of_two(**more: Any) -> KernelKind:
    """The record of a function of the kernel of two inputs."""
    names = ("correlation_gap", "gradient_gap", "log_variance", "gradient_log_norm")
    return KernelKind(**{"inputs": 2, "variables": names, **_OF_ALL, **more})


_OF_ALL: dict[str, Any] = {
    "all_layers": True,
    "of": lambda network: network.kind.tangent_kernel is not None,
    "of_only": "networks whose architecture says what it is made of: perceptrons and residual networks do",
}
KERNEL_KINDS: dict[str, Kind] = {
    "log_ntk": _of_one(
        of_terms=log_kernel,
        meaning="log K^{aa}: K^{aa} = ‖∂z_out/∂θ‖², summed over the matrices of weights",
        symbol="log K",
    ),
    "ntk": _of_one(
        of_terms=log_kernel,
        meaning="K^{aa}, the tangent kernel of an input",
        transform=lambda value, _: np.exp(value),
        low=0.0,
        symbol="K",
        law=("log_ntk", Transform.exponential()),
        of_two="ntk_cross",
    ),
    "ntk_cross": _of_two(
        meaning="K^{ab}, the tangent kernel of two inputs, which may be written ntk_0_1",
        of_terms=cross_kernel,
        symbol="K",
    ),
    "ntk_alignment": _of_two(
        meaning="K^{ab} / √(K^{aa} K^{bb}), cosine of the gradients ∂z_out/∂θ of two inputs",
        of_terms=alignment_gap,
        transform=lambda gap, _: 1.0 - gap,
        increasing=False,
        low=-1.0,
        high=1.0,
        symbol="cos K",
    ),
    "ntk_condition": _of_two(
        meaning="condition number of the tangent kernel of two inputs, its larger eigenvalue over the other",
        of_terms=log_condition,
        transform=lambda value, _: np.exp(value),
        low=1.0,
        symbol="cond K",
    ),
}
"""Records by kind."""
