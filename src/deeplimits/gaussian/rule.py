"""Quadrature against a Gaussian, adapted to what is integrated: Gauss–Legendre panels of x = (u − m) / √V.

Panels begin at one unit of x and at the places where the activation bends, and are halved until the Legendre
coefficients of every function on every panel fall off, measured in the norm of the Gaussian weight against
the function's own. A rule of 16 nodes then integrates products of them to about the square of that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from deeplimits.array_types import Array
from deeplimits.gaussian.curves import Curve
from deeplimits.gaussian.effort import A_RULE, spend
from deeplimits.gaussian.powers import SLOPE, VALUE, Line, Power
from deeplimits.gaussian.running import Running
from deeplimits.gaussian.unreachable import Unreachable

NODES = 16
"""Of a panel."""
_RESOLVED = 1e-9
"""Part of a function's norm that the last coefficients on a panel may have."""
_TRUSTED = 2e-11
"""Part of a function's norm that a rounding error may have."""
_REACHES = (9.0, 14.0, 24.0, 38.0)
"""Largest |x|, as far as a function asks for it; the weight is no float64 beyond."""
_NEGLIGIBLE = 1e-10
"""Part of a square norm on the outermost panel that needs no panel beyond it."""
_NARROWEST = 1e-13
"""Width of a panel at which a step of the function is all that there can be on it, relative to |x| or 1."""
_SMALLEST = 1e-146
"""Norms from there on have a square with all of its digits."""
_MOST_PANELS = 1 << 18


@cache
def legendre() -> tuple[Array, Array, Array]:
    """Nodes and weights on [−1, 1], and the matrix from values at the nodes to Legendre coefficients."""
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    to_modes = (
        (np.arange(NODES)[:, None] + 0.5) * np.polynomial.legendre.legvander(nodes, NODES - 1).T * weights
    )
    return nodes, weights, to_modes


@dataclass(eq=False)
class Rule:
    """Nodes and weights for expectations of functions of φ along one line or several.

    Parameters
    ----------
    x, weights
        Nodes, and weights with the Gaussian density in them, [node].
    breaks
        Ends of panels, ascending.
    panels
        The panel of each node, [node].
    values, slopes
        φ(u) and φ'(u) along each line, each [node].
    """

    lines: tuple[Line, ...]
    x: Array
    weights: Array
    breaks: Array
    panels: NDArray[np.intp]
    values: list[Array]
    slopes: list[Array]
    _modes: dict[Power, Array] = field(default_factory=dict)

    def of(self, function: Power, line: int = 0) -> Array:
        """A function along a line, [node]."""
        return function(self.lines[line](self.x), self.values[line], self.slopes[line])

    def expectation(self, function: Power, line: int = 0) -> float:
        """E f."""
        return float(self.weights @ self.of(function, line))

    def modes(self, functions: Sequence[Power], count: int) -> Array:
        """E f h_k for k < ``count``, h_k the normalised Hermite polynomials, [function, k]."""
        missing = [each for each in functions if len(self._modes.get(each, ())) < count]
        if missing:
            found = np.empty((len(missing), count))
            weighted = np.array([self.weights * self.of(each) for each in missing])
            before, here = np.zeros_like(self.x), np.ones_like(self.x)
            for k in range(count):
                # not @, whose threads cost more than they bring
                found[:, k] = np.einsum("fn,n->f", weighted, here)
                before, here = here, (self.x * here - np.sqrt(k) * before) / np.sqrt(k + 1)
            self._modes.update(zip(missing, found, strict=True))
        return np.array([self._modes[each][:count] for each in functions])


@dataclass
class _Part:
    """Panels with what was evaluated on them, [panel, node], and [line][panel, node]."""

    low: Array
    high: Array
    x: Array
    density: Array
    values: list[Running]
    slopes: list[Running]

    def keep(self, chosen: NDArray[np.bool_]) -> _Part:
        return _Part(
            self.low[chosen],
            self.high[chosen],
            self.x[chosen],
            self.density[chosen],
            [Running(each.value[chosen], each.error[chosen]) for each in self.values],
            [Running(each.value[chosen], each.error[chosen]) for each in self.slopes],
        )

    @property
    def weights(self) -> Array:
        """Weights of the nodes without the density."""
        return (self.high - self.low)[:, None] / 2 * legendre()[1]


def _along(kind: str, line: int, part: _Part) -> Array:
    return np.asarray(getattr(part, kind)[line].value)


class _Builder:
    """One adaptive construction."""

    def __init__(
        self, curve: Curve, lines: tuple[Line, ...], functions: tuple[Power, ...], width: float, blur: float
    ):
        self.curve, self.lines, self.width, self.blur = curve, lines, width, blur
        self.functions = tuple(dict.fromkeys((VALUE, SLOPE, *functions)))

    def built(self) -> Rule:
        spend(A_RULE)
        parts = [self.evaluated(*self.first_panels(-_REACHES[0], _REACHES[0]))]
        parts = self.refined(parts)
        for near, far in pairwise(_REACHES):
            if not self.heavy_tail(parts):
                break
            for low, high in ((-far, -near), (near, far)):
                parts.append(self.evaluated(*self.first_panels(low, high)))
            parts = self.refined(parts)
        else:
            if self.heavy_tail(parts):
                raise Unreachable("a function grows too fast for its expectation to be had in float64")
        order = np.argsort(np.concatenate([part.low for part in parts]))

        def joined(pick: Callable[[_Part], Array]) -> Array:
            return np.concatenate([pick(part) for part in parts])[order]

        lows, highs = joined(lambda part: part.low), joined(lambda part: part.high)
        weights = joined(lambda part: part.weights * part.density).ravel()
        return Rule(
            self.lines,
            joined(lambda part: part.x).ravel(),
            weights,
            np.append(lows, highs[-1]),
            np.repeat(np.arange(len(lows)), NODES),
            [joined(partial(_along, "values", line)).ravel() for line in range(len(self.lines))],
            [joined(partial(_along, "slopes", line)).ravel() for line in range(len(self.lines))],
        )

    def first_panels(self, low: float, high: float) -> tuple[Array, Array]:
        """Panels of the largest width, and finer ones towards each point where the activation bends."""
        count = int(np.ceil((high - low) / self.width))
        breaks = [np.linspace(low, high, count + 1)]
        for line in self.lines:
            for point, distance in self.curve.bends():
                middle, step = (point - line.mean) / line.sigma, min(distance / abs(line.sigma), self.blur)
                steps = [0.0]
                while step < 2 * self.width and len(steps) < 100:
                    steps.append(step)
                    step *= 2
                breaks.append(middle + np.concatenate([-np.array(steps), steps]))
        ends = np.unique(np.concatenate(breaks))
        ends = ends[(ends >= low) & (ends <= high)]
        apart = np.diff(ends) > _NARROWEST * np.maximum(1e-3, np.abs(ends[1:]))
        ends = np.concatenate([ends[:1], ends[1:][apart]])
        ends[-1] = high
        return ends[:-1], ends[1:]

    def evaluated(self, low: Array, high: Array) -> _Part:
        nodes = legendre()[0]
        x = (low + high)[:, None] / 2 + (high - low)[:, None] / 2 * nodes
        density = np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)
        spend(x.size * len(self.lines))
        both = [self.curve.evaluate(line(x)) for line in self.lines]
        return _Part(low, high, x, density, [each[0] for each in both], [each[1] for each in both])

    def norms(self, parts: list[_Part], line: int) -> list[float]:
        """√E f² of every function, as far as it is finite."""
        squares = np.zeros(len(self.functions))
        for part in parts:
            root = np.sqrt(part.weights * part.density)
            for index, each in enumerate(self.weighted(part, line, root)):
                squares[index] += float(np.sum(np.where(np.isfinite(each), each, 0.0) ** 2))
        return [float(value) for value in np.sqrt(squares)]

    def weighted(self, part: _Part, line: int, root: Array) -> list[Array]:
        """Every function times ``root``."""
        u = self.lines[line](part.x)
        return [each(u, part.values[line].value, part.slopes[line].value) * root for each in self.functions]

    def trusted(self, part: _Part, norms: list[list[float]]) -> None:
        """Evaluate in 50 digits where float64 may err by more than a little of the norm."""
        reach = np.exp(-(part.x**2) / 4)
        for index, line in enumerate(self.lines):
            for order, held in enumerate((part.values[index], part.slopes[index])):
                allowed = _TRUSTED * norms[index][order]
                with np.errstate(invalid="ignore", over="ignore"):
                    good = (held.error * reach <= allowed) | (held.error <= 1e-13 * np.abs(held.value))
                bad = ~(good & np.isfinite(held.value))
                if bad.any():
                    held.value[bad] = self.curve.exactly(line(part.x[bad]), order)
                    held.error[bad] = 1e-16 * np.abs(held.value[bad])

    def refined(self, parts: list[_Part]) -> list[_Part]:
        """Halve panels until all are resolved."""
        done: list[_Part] = []
        pending = parts
        count = 0
        while pending:
            with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
                norms = [self.norms(done + pending, line) for line in range(len(self.lines))]
                for part in pending:
                    self.trusted(part, norms)
                norms = [self.norms(done + pending, line) for line in range(len(self.lines))]
                if not np.isfinite(norms).all():
                    raise Unreachable("a function overflows float64")
                halved = []
                for part in pending:
                    resolved = self.resolved(part, norms)
                    if resolved.any():
                        done.append(part.keep(resolved))
                    low, high = part.low[~resolved], part.high[~resolved]
                    if len(low):
                        middle = (low + high) / 2
                        halved.append((np.concatenate([low, middle]), np.concatenate([middle, high])))
            count = sum(len(part.low) for part in done) + sum(len(low) for low, _ in halved)
            if count > _MOST_PANELS:
                raise Unreachable(self.why(done + pending, norms))
            pending = [self.evaluated(low, high) for low, high in halved]
        return done

    def why(self, parts: list[_Part], norms: list[list[float]]) -> str:
        """Why panels are halved without end."""
        for line, of_line in enumerate(norms):
            for part in parts:
                found = zip(self.weighted(part, line, np.ones(1)), of_line, strict=True)
                # a norm whose square is no number of full precision resolves nothing
                if any(norm < _SMALLEST and each.any() for each, norm in found):
                    return "powers of the activation underflow float64"
        return "the activation bends too often on the scale of its argument"

    def resolved(self, part: _Part, norms: list[list[float]]) -> NDArray[np.bool_]:
        to_modes = legendre()[2][-3:]
        width = part.high - part.low
        # the largest density on the panel
        nearest = np.where(part.low * part.high < 0, 0.0, np.minimum(np.abs(part.low), np.abs(part.high)))
        root = np.sqrt(np.exp(-(nearest**2) / 2) / np.sqrt(2 * np.pi) * width)
        good = np.ones(len(width), bool)
        for line, of_line in enumerate(norms):
            for each, norm in zip(self.weighted(part, line, root[:, None]), of_line, strict=True):
                good &= np.abs(each @ to_modes.T).max(axis=1) <= _RESOLVED * norm
        return good | (width <= _NARROWEST * np.maximum(nearest, 1e-3))

    def heavy_tail(self, parts: list[_Part]) -> bool:
        """Whether the outermost unit of x holds more than a negligible part of a square norm."""
        last = max(part.high.max() for part in parts)
        for line in range(len(self.lines)):
            norms = self.norms(parts, line)
            outer = [part.keep(np.maximum(np.abs(part.low), np.abs(part.high)) > last - 1) for part in parts]
            outer_norms = self.norms([part for part in outer if len(part.low)], line)
            if any(o**2 > _NEGLIGIBLE * n**2 for o, n in zip(outer_norms, norms, strict=True)):
                return True
        return False


def build(
    curve: Curve,
    lines: tuple[Line, ...],
    functions: tuple[Power, ...],
    width: float = 1.0,
    blur: float = np.inf,
) -> Rule:
    """The rule for a curve along lines, fine enough for φ, φ', ``functions`` and their products, with panels
    of at most ``width``; and for φ smoothed over a distance ``blur`` of x.

    Raises
    ------
    Unreachable
        If a function grows too fast, overflows, or bends too often.
    """
    return _Builder(curve, lines, functions, width, blur).built()
