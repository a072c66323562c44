"""Where a formula bends: points, and the distance from each on which it does.

A function of a Gaussian variable of large variance may do all that it does in a small part of the line, and
no sampling finds a part that is small enough. The tree of a formula knows: each function in it bends where
its argument vanishes, over a distance of 1 / |slope of the argument| there.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from functools import cache

import numpy as np

from deeplimits.activations import numeric
from deeplimits.array_types import Array
from deeplimits.formulas import Expression, Formula

_MOST = 64
"""Points that one part of a formula may add; one with more oscillates, and shows it everywhere."""
_BISECTIONS = 80


@cache
def bends(text: str) -> tuple[tuple[float, float], ...]:
    """Points x and distances, of the formula's own variable."""
    found: set[tuple[float, float]] = set()
    for part in _parts(Formula(text).tree):
        with np.errstate(all="ignore"):
            found.update(_zeros(part))
    return tuple(sorted(found))


def _parts(tree: ast.expr) -> list[Expression]:
    """Arguments of functions, bases of powers and denominators, each once, where there is an x in them."""
    parts = {}
    for node in ast.walk(tree):
        match node:
            case ast.Call(args=[argument]):
                inner = argument
            case ast.BinOp(left=left, op=ast.Pow()):
                inner = left
            case ast.BinOp(op=ast.Div(), right=right):
                inner = right
            case _:
                continue
        if any(isinstance(each, ast.Name) and each.id == "x" for each in ast.walk(inner)):
            parts[ast.dump(inner)] = inner
    return [Expression(inner) for inner in parts.values()]


def _scan() -> Array:
    side = np.geomspace(1e-4, 1e6, 1500)
    return np.concatenate([-side[::-1], [0.0], side])


def _zeros(part: Expression) -> list[tuple[float, float]]:
    def values(x: Array) -> Array:
        return np.asarray(part(x, numeric()), float) + np.zeros_like(x)

    x = _scan()
    y = values(x)
    line = values(np.array([-1.0, 0.0, 1.0, 3.0]))
    slope = (line[2] - line[0]) / 2
    if np.all(np.abs(line - line[1] - slope * np.array([-1.0, 0.0, 1.0, 3.0])) <= 1e-12 * np.abs(line).max()):
        return [(float(-line[1] / slope), float(1 / abs(slope)))] if slope else []
    sides = np.sign(y)
    crossing = np.flatnonzero(sides[:-1] * sides[1:] < 0)
    touching = np.flatnonzero((np.abs(y[1:-1]) <= np.abs(y[:-2])) & (np.abs(y[1:-1]) < np.abs(y[2:]))) + 1
    touching = touching[np.sign(y[touching - 1]) * np.sign(y[touching + 1]) >= 0]
    if len(crossing) + len(touching) > _MOST:
        return []
    points = [_crossing(values, x[i], x[i + 1]) for i in crossing]
    points += [_lowest(values, x[i - 1], x[i + 1]) for i in touching]
    points += x[sides == 0].tolist()[:_MOST]
    found = [(point, _distance(values, point)) for point in points]
    return [each for each in found if np.isfinite(each).all()]


def _crossing(values: Callable[[Array], Array], low: float, high: float) -> float:
    """Where the sign changes, by bisection."""
    left = np.sign(values(np.array([low]))[0])
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if np.sign(values(np.array([middle]))[0]) == left else (low, middle)
    return float((low + high) / 2)


def _lowest(values: Callable[[Array], Array], low: float, high: float) -> float:
    """Where the absolute value is least, by finer and finer grids."""
    for _ in range(_BISECTIONS // 8):
        grid = np.linspace(low, high, 33)
        place = int(np.nanargmin(np.abs(values(grid))))
        low, high = grid[max(place - 1, 0)], grid[min(place + 1, 32)]
    return float((low + high) / 2)


def _distance(values: Callable[[Array], Array], point: float) -> float:
    """How far from a point a part has changed by 1, or by its own size where that is smaller."""
    steps = np.geomspace(1e-9 * max(1.0, abs(point)), 1e6, 300)
    here = float(values(np.array([point]))[0])
    changed = np.maximum(np.abs(values(point + steps) - here), np.abs(values(point - steps) - here))
    enough = np.flatnonzero(changed >= (abs(here) if 1e-9 < abs(here) < 1 else 1.0))
    return float(steps[enough[0]]) if len(enough) else float("inf")
