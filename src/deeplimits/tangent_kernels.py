"""The tangent kernel of a network, from what is stored of its layers.

K^{ab} = ⟨∂z_out(a)/∂θ, ∂z_out(b)/∂θ⟩ = Σ_ℓ V_ℓ^{ab} G_{ℓ+1}^{ab}, ℓ = 0 … d, of a perceptron with standard
normal weights: what goes into a matrix of weights times what comes back to it, G^{ab} the inner products of
the gradients of the preactivations, and G_{d+1} = 1 at the readout, which is the same for all inputs. Arrays
are [sample, layer], of all layers from 0 on; gradients at layer 0, the input, are none and are not read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deeplimits.array_types import Array

Numbers = NDArray[np.float32]


def _log_terms(log_variance: Numbers, log_gradient: Numbers) -> Array:
    """log V_ℓ G_{ℓ+1} [sample, layer]; −∞ where nothing goes in, whatever comes back."""
    forward, back = log_variance.astype(float), np.zeros(log_variance.shape)
    back[:, :-1] = log_gradient[:, 1:]
    return np.where(np.isneginf(forward), -np.inf, forward + back)


def log_kernel(columns: Sequence[Numbers]) -> Numbers:
    """log K^{aa} [sample] of ``log_variance`` and ``gradient_log_norm`` of an input; −∞ of a dead network."""
    terms = _log_terms(*columns)
    return np.asarray(np.logaddexp.reduce(terms, axis=1)).astype(np.float32)


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
    def of(cls, columns: Sequence[Numbers]) -> _Pair:
        """The kernel from ``correlation_gap`` and ``gradient_gap`` of a pair, then ``log_variance`` and
        ``gradient_log_norm`` of each input; NaN where an input is dead.
        """
        gap, back_gap, log_a, log_b, back_a, back_b = columns
        terms = [_log_terms(log_a, back_a), _log_terms(log_b, back_b)]
        log_unit = np.maximum(*(each.max(axis=1) for each in terms))
        a, b = (np.exp((each - log_unit[:, None]) / 2) for each in terms)
        # 1 − (1 − g)(1 − h), without the ones
        apart, back = gap.astype(float), np.zeros(gap.shape)
        back[:, :-1] = back_gap[:, 1:]
        lost = apart + back - apart * back
        first, second, norms = (a * a).sum(axis=1), (b * b).sum(axis=1), (a * b).sum(axis=1)
        off = b - (norms / first)[:, None] * a
        missing = (a * b * lost).sum(axis=1)
        determinant = first * (off * off).sum(axis=1) + missing * (2 * norms - missing)
        return cls(first, second, norms - missing, determinant, log_unit)


def cross_kernel(columns: Sequence[Numbers]) -> Numbers:
    """K^{ab} [sample] of the columns of ``_Pair.of``."""
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        pair = _Pair.of(columns)
        return (pair.cross * np.exp(pair.log_unit)).astype(np.float32)


def alignment_gap(columns: Sequence[Numbers]) -> Numbers:
    """1 − K^{ab} / √(K^{aa} K^{bb}) [sample] of the columns of ``_Pair.of``, without cancellation."""
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        pair = _Pair.of(columns)
        norm = pair.first * pair.second
        cosine = np.clip(pair.cross / np.sqrt(norm), -1.0, 1.0)
        near = pair.determinant / norm / (1 + cosine)
        return np.where(cosine > 0, near, 1 - cosine).astype(np.float32)


def log_condition(columns: Sequence[Numbers]) -> Numbers:
    """log of the larger over the smaller eigenvalue of the kernel of two inputs [sample] of the columns of
    ``_Pair.of``; +∞ where the two have one direction.
    """
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        pair = _Pair.of(columns)
        half = (pair.first + pair.second) / 2
        largest = half + np.hypot((pair.first - pair.second) / 2, pair.cross)
        return (2 * np.log(largest) - np.log(pair.determinant)).astype(np.float32)
