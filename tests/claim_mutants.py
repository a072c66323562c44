"""Claims that are nearly right: every key of a claim left out, of a wrong type, out of range, or another name."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from deeplimits.claims.statistics import STATISTICS
from deeplimits.limits import registry
from deeplimits.limits.predictions import PREDICTIONS
from deeplimits.observables import OBSERVABLES

ANYTHING: tuple[Any, ...] = (
    None,
    "",
    "nonsense",
    -1,
    0,
    0.5,
    1e308,
    10**18,
    True,
    [],
    {},
    {"a": 1},
    [[1, 2]],
    [None],
)
"""In place of any value."""
NAMES: dict[str, tuple[Any, ...]] = {
    "observable": (*OBSERVABLES, "correlation_0_7", "log_variance_7", ["correlation", "log_growth"]),
    "limit": tuple(registry()),
    "name": tuple(STATISTICS),
    "expected": (*PREDICTIONS, "limit", "corrected", "printed"),
    "moment": ("mean", "variance", "skewness", "excess_kurtosis", "covariance", "product", "determinant"),
    "event": ("exploded", "collapsed"),
    "entries": ([[1, 1]], [[1, 2]], [[1, 8], [1, 1]], [[8, 8]], [[2, 1], [1, 2]]),
    "study": ("claims-unshaped", "claims-collapse", "claims-mean-growth", "claims-gradients"),
    "sense": ("equal", "at_most", "at_least"),
    "margin": (1e-300, 1e300),
    "error_rate": (1e-300, 0.05),
}
"""In place of the value of one key."""
ADDED: tuple[tuple[str, tuple[Any, ...]], ...] = (
    ("extrapolate", ([1.0], [1.0, 1.0], [1.0, 2.0, 3.0, 4.0, 5.0], [1e-9], [1e308], [500.0])),
    ("points", ("all", "pooled", "largest")),
    ("size", ("depth", "width")),
    ("times_width", (1e308, -1e308, 400.0, -400.0, 1.0)),
    ("relative", (True,)),
    ("unit", tuple(PREDICTIONS)),
    ("expected", (0.0, *PREDICTIONS, "limit")),
    ("control", (True,)),
    ("at", (0.0, 0.5, 1.0, 1e308)),
    ("network", ("nobody",)),
    (
        "where",
        ({"width": 12345}, {"network": ["nobody"]}, {"correlation": 0.123}, {"start": 2.0}, {"exponent": []}),
    ),
    ("time", (0.5,)),
    ("width", ([2], [2, 2], [12345])),
    ("distance", ("wasserstein", "rms")),
)
"""Keys of a statistic that are added or take another value."""


def mutants(claim: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """(what was done, claim) of every mutant."""
    for path, value in _leaves(claim):
        name = ".".join(map(str, path))
        yield f"without {name}", _changed(claim, path, None, drop=True)
        known = NAMES.get(str(path[-1]), ())
        sizes = (value * 1000, -value) if isinstance(value, int | float) else ()
        for other in (*ANYTHING, *known, *sizes, [value], [value, value]):
            yield f"{name} = {other!r}", _changed(claim, path, other)
    for key, values in ADDED:
        for value in values:
            yield f"statistic.{key} = {value!r}", _changed(claim, ("statistic", key), value)


def _leaves(tree: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    if path:
        yield path, tree
    if isinstance(tree, dict | list):
        for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree):
            yield from _leaves(value, (*path, key))


def _changed(
    claim: dict[str, Any], path: tuple[Any, ...], value: Any, *, drop: bool = False
) -> dict[str, Any]:
    mutant: Any = copy.deepcopy(claim)
    target = mutant
    for part in path[:-1]:
        target = target[part]
    if drop:
        del target[path[-1]]
    else:
        target[path[-1]] = copy.deepcopy(value)
    return mutant
