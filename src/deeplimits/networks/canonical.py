"""Canonical forms: one spelling of what is equal, from which networks are named; and 1 − ρ of inputs."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from operator import index
from typing import Any

import mpmath

from deeplimits.digits import EXACT
from deeplimits.errors import InputError


def canonical(value: Any) -> str:
    """The one text of plain values that names are made from.

    Parameters
    ----------
    value
        What JSON can hold, without NaN and infinities.

    Returns
    -------
    JSON with sorted keys and without spaces.

    Raises
    ------
    InputError
        If a number is not finite: no name is that of a network.
    """
    try:
        return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    except ValueError:
        raise InputError("network", *next(_not_finite(value, ())), "a finite number") from None


def _not_finite(value: Any, at: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    """Keys and numbers that are not finite."""
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from _not_finite(part, (*at, str(key)))
    elif isinstance(value, list | tuple):
        for number, part in enumerate(value):
            yield from _not_finite(part, (*at, str(number)))
    elif isinstance(value, float) and not math.isfinite(value):
        yield ".".join(at), value


def one_width(width: int | Sequence[int], depth: int) -> int | tuple[int, ...]:
    """One number where all layers have as many units, so that equal networks are one."""
    if not isinstance(width, Sequence):
        return index(width)
    if len(width) != depth:
        raise ValueError(f"{len(width)} widths for a network of depth {depth}: one for each layer")
    return index(width[0]) if len(set(width)) == 1 else tuple(index(units) for units in width)


def number(value: float) -> float:
    """One spelling for equal numbers: −0.0 and 0 are 0.0, −1 is −1.0."""
    return float(value) + 0.0


@lru_cache(maxsize=4096)
def rounded_gap(first: float, second: float, product: float) -> mpmath.mpf:
    """1 − ρ of two inputs with these square norms and this product, kept for the many networks that see
    them; outside [0, 2] by what rounding did to the product of inputs of one direction.
    """
    norm = EXACT.sqrt(EXACT.mpf(first) * EXACT.mpf(second))
    return (norm - EXACT.mpf(product)) / norm
