"""What an observable is made of: monotone functions of something stored at a layer, so that the order
statistics of what is stored are its own too.

``correlation`` is 1 − g of a pair of inputs, ``rescaled_correlation`` log(ℓ² g), ``log_variance`` log
V^{aa} of an input, ``variance`` its exponential, ``standard_output`` z_out / √V of the last layer.
``covariance`` is made of three stored numbers, V^{ab} = (1 − g) √(V^{aa} V^{bb}), rounded to float32 as if
it were stored. Of residual networks, ``log_activation`` is log ‖φ(z_ℓ)‖² / n and ``log_growth`` log
‖φ(z_ℓ)‖ / ‖φ(z_0)‖, the growth of Hayou 2022, Theorem 1; of one unit with the branch of his Proposition 4,
``ou_coordinate`` is |U| = (log φ(z))^{1/2}; of gradients, ``gradient_log_norm`` is log ‖∂z_out/∂z_ℓ‖².
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from deeplimits.limits.observables import OBSERVABLES, Observable, parse

Array = NDArray[np.float64]
Stored = NDArray[np.float32]


def _alone(columns: Sequence[Stored]) -> Stored:
    return columns[0]


@dataclass(frozen=True)
class Measure:
    """``transform(stored, layer)`` of what ``combine`` makes of the stored columns; ``increasing`` or not."""

    transform: Callable[[Array, int], Array]
    increasing: bool
    label: str
    combine: Callable[[Sequence[Stored]], Stored] = _alone


def _rescaled(gap: Array, layer: int) -> Array:
    with np.errstate(divide="ignore"):
        return np.log(float(layer) ** 2 * gap)


def _covariance(columns: Sequence[Stored]) -> Stored:
    gap, first, second = (column.astype(float) for column in columns)
    with np.errstate(over="ignore", invalid="ignore"):
        return ((1 - gap) * np.exp((first + second) / 2)).astype(np.float32)


def _standard(columns: Sequence[Stored]) -> Stored:
    output, log_variance = (column.astype(float) for column in columns)
    with np.errstate(over="ignore", invalid="ignore"):
        return (output * np.exp(-log_variance / 2)).astype(np.float32)


MEASURES = {
    "correlation": Measure(lambda gap, layer: 1.0 - gap, False, "correlation ρ"),
    "rescaled_correlation": Measure(_rescaled, True, "r = log ℓ²(1 − ρ)"),
    "covariance": Measure(lambda value, _: value, True, "covariance", _covariance),
    "log_variance": Measure(lambda value, _: value, True, "log V"),
    "variance": Measure(lambda value, layer: np.exp(value), True, "V"),
    "log_activation": Measure(lambda value, _: value, True, "log ‖φ(z)‖² / n"),
    "ou_coordinate": Measure(
        lambda value, _: np.sqrt(np.maximum(value, 0.0) / 2), True, "|U| = (log φ(z))^{1/2}"
    ),
    "log_growth": Measure(lambda value, _: value / 2, True, "log ‖φ(z_ℓ)‖ / ‖φ(z_0)‖"),
    "gradient_log_norm": Measure(lambda value, _: value, True, "log ‖∂z_out/∂z_ℓ‖²"),
    "gradient_gap": Measure(lambda value, _: value, True, "1 − cos of gradients"),
    "output": Measure(lambda value, _: value, True, "z_out"),
    "standard_output": Measure(lambda value, _: value, True, "z_out / √V", _standard),
}
"""By the kind of the observable."""


@lru_cache(maxsize=256)
def measure(name: str) -> tuple[Observable, Measure]:
    """The observable of a name and what it is made of."""
    observable = parse(name)
    return observable, MEASURES[observable.kind]


def sources(observable: Observable) -> list[tuple[str, Observable]]:
    """The stored variables of an observable, and of which inputs, in the order in which ``combine`` takes
    them.
    """
    first, *others = OBSERVABLES[observable.kind].variables
    return [(first, observable)] + [
        (variable, Observable(variable, (a,))) for variable in others for a in observable.inputs
    ]


def is_since_start(observable: Observable) -> bool:
    """Whether it is made of differences to the first record, layer 0."""
    return OBSERVABLES[observable.kind].since_start


def usable(stored: Stored) -> Stored:
    """The values of living networks: neither NaN (no direction) nor −∞ (no variance)."""
    return stored[np.isfinite(stored)]
