"""An activation without its shaping: values and slopes at points, each known to be right or had in 50 digits.

φ_s(x) = s φ(x / s), so that an expectation for N(0, V) is one of φ for N(0, V / s²). In float64 f(x₀ + u) −
f(x₀) cancels for small u (a polynomial stands there) and where f saturates, and parts of a formula may
overflow where it does not. A bound of the rounding error is carried along, and points where it is too large
are evaluated by mpmath.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

import mpmath
import numpy as np

from deeplimits.activations import OrnsteinUhlenbeck, Phi, Slopes, Smooth, exact
from deeplimits.array_types import Array
from deeplimits.digits import EXACT
from deeplimits.formulas import Formula, Library
from deeplimits.gaussian.bends import bends
from deeplimits.gaussian.effort import spend
from deeplimits.gaussian.running import Running, running
from deeplimits.gaussian.unreachable import Unreachable

_MOST_EXACT = 4000
"""Points that are evaluated in 50 digits at a time, some 0.3 ms each."""
_EXACTLY = 600
"""Points of float64 that take as long as one in 50 digits."""
_FEW = 24
"""Points that are evaluated one by one where there are no more of them."""
_CELL_NODES = 16
_LONGEST_ARGUMENT = 2.0**50
"""Of exp, beyond which its value has no place in memory or is 0."""
_LONGEST_MAGNITUDE = 50
"""Its exponent."""
_LARGEST_TURNS = 4000
"""Exponent of the largest angle."""


class Curve(ABC):
    """φ and φ' as functions of arrays."""

    @abstractmethod
    def bends(self) -> tuple[tuple[float, float], ...]:
        """Points where φ bends, and over which distance."""

    @abstractmethod
    def evaluate(self, u: Array, orders: Sequence[int] = (0, 1)) -> list[Running]:
        """φ(u) (order 0) and φ'(u) (1) with bounds of their errors."""

    def exactly(self, u: Array, order: int) -> Array:
        """φ(u) or φ'(u) from 50 digits.

        Raises
        ------
        Unreachable
            If they are not finite.
        """
        raise Unreachable(f"order {order} of the activation is not finite in float64 up to {u.max():g}")


@dataclass(frozen=True)
class Piecewise(Curve):
    """Two slopes."""

    plus: float
    minus: float

    def bends(self) -> tuple[tuple[float, float], ...]:
        return ((0.0, np.inf),)

    def evaluate(self, u: Array, orders: Sequence[int] = (0, 1)) -> list[Running]:
        slope = np.where(u > 0, self.plus, self.minus)
        return [Running(slope if order else slope * u, np.zeros_like(u)) for order in orders]


@dataclass(frozen=True)
class OrnsteinUhlenbeckCurve(Curve):
    """The activation of the Ornstein–Uhlenbeck process."""

    phi: OrnsteinUhlenbeck

    def bends(self) -> tuple[tuple[float, float], ...]:
        return ((-self.phi.beta / self.phi.alpha, 1 / abs(self.phi.alpha)),)

    def evaluate(self, u: Array, orders: Sequence[int] = (0, 1)) -> list[Running]:
        found = [self.phi.slope(u) if order else self.phi(u) for order in orders]
        return [Running(each, 1e-14 * np.abs(each)) for each in found]


@dataclass(frozen=True)
class Written(Curve):
    """A formula f centred at x₀: φ(u) = (f(x₀ + u) − f(x₀)) / f'(x₀)."""

    formula: str
    center: float

    @property
    def smooth(self) -> Smooth:
        """The same as an activation of scale 1."""
        return Smooth(self.formula, 1.0, self.center)

    def bends(self) -> tuple[tuple[float, float], ...]:
        return tuple((point - self.center, distance) for point, distance in bends(self.formula))

    def evaluate(self, u: Array, orders: Sequence[int] = (0, 1)) -> list[Running]:
        formula, smooth = Formula(self.formula), self.smooth
        origin, scale = float(smooth.origin), float(smooth.scale_of_slope)
        x = self.center + u
        at = Running(x, np.abs(x) * 2.0**-53 if self.center else 0.0)
        core, found = smooth.core, []
        inside = np.abs(u) <= core.reach
        for order in orders:
            with np.errstate(all="ignore"):
                if order:
                    held = _full(formula.derivative(at, running()), u)
                else:
                    held = _full(formula(at, running()) - Running(origin, abs(origin) * 2.0**-53), u)
                held = Running(held.value / scale, held.error / abs(scale))
            if inside.any():
                held.value = core.replace(u, held.value, order)
                held.error = np.where(inside, 4e-16 * np.abs(held.value), held.error)
            found.append(held)
        return found

    def exactly(self, u: Array, order: int) -> Array:
        found = np.full(len(u), np.nan)
        if len(u) > _FEW:
            for parts in (1, 8):
                _from_cells(self, u, order, parts, found)
        left = np.flatnonzero(np.isnan(found))
        if len(left) > _MOST_EXACT:
            raise Unreachable(f"float64 does not hold {self.formula}: its value cancels or overflows")
        spend(_EXACTLY * len(left))
        found[left] = [_digits(self, float(point), order) for point in u[left]]
        return found


def _digits(curve: Written, u: float, order: int) -> float:
    smooth, formula = curve.smooth, Formula(curve.formula)
    at = EXACT.mpf(curve.center) + EXACT.mpf(u)
    try:
        if order:
            found = float(formula.derivative(at, _bounded_exact()) / smooth.scale_of_slope)
        else:
            found = float((formula(at, _bounded_exact()) - smooth.origin) / smooth.scale_of_slope)
    except (ArithmeticError, ValueError, TypeError, MemoryError):
        raise Unreachable(f"{curve.formula} has no finite value at {float(at):g}") from None
    if not np.isfinite(found):
        raise Unreachable(f"{curve.formula} is beyond float64 at {float(at):g}")
    return found


def _from_cells(curve: Written, u: Array, order: int, parts: int, found: Array) -> None:
    """Fill in ``found``, where it is NaN, from polynomials on cells of ``parts`` to an octave."""
    todo = np.flatnonzero(np.isnan(found) & (np.abs(u) > 1e-300))
    mantissa, exponent = np.frexp(np.abs(u[todo]))
    place = np.minimum(((2 * mantissa - 1) * parts).astype(int), parts - 1)
    keys = (exponent.astype(np.int64) * parts + place) * 2 + (u[todo] > 0)
    by_cell = np.argsort(keys)
    ends = np.flatnonzero(np.diff(keys[by_cell])) + 1
    for members in np.split(by_cell, ends):
        if (len(members) <= _FEW and parts > 1) or not len(members):
            continue
        first = members[0]
        octave, part = int(exponent[first]), int(place[first])
        low = np.ldexp(0.5 * (1 + part / parts), octave)
        high = np.ldexp(0.5 * (1 + (part + 1) / parts), octave)
        sign = 1.0 if u[todo[first]] > 0 else -1.0
        modes = _cell(curve, sign * float(low), sign * float(high), order)
        if modes is not None:
            chosen = todo[members]
            t = (np.abs(u[chosen]) - low) / (high - low) * 2 - 1
            found[chosen] = np.polynomial.chebyshev.chebval(t, modes)


@lru_cache(maxsize=4096)
def _cell(curve: Written, low: float, high: float, order: int) -> Array | None:
    """Chebyshev coefficients of φ or φ' between two numbers, or None where so few have not all digits."""
    nodes = np.cos(np.pi * (np.arange(_CELL_NODES) + 0.5) / _CELL_NODES)
    try:
        values = np.array([_digits(curve, low + (high - low) * (t + 1) / 2, order) for t in nodes.tolist()])
    except Unreachable:
        return None
    modes = np.polynomial.chebyshev.chebfit(nodes, values, _CELL_NODES - 1)
    return modes if np.abs(modes[-3:]).max() <= 1e-14 * np.abs(values).min() else None


def _full(running_value: Running | float, u: Array) -> Running:
    """With the shape of ``u``, where a formula is a constant."""
    if not isinstance(running_value, Running):
        running_value = Running(float(running_value))
    return Running(running_value.value + np.zeros_like(u), running_value.error + np.zeros_like(u))


@cache
def _bounded_exact() -> Library:
    """50 digits, but for exponentials that have no place in memory."""
    plain = exact()
    functions = dict(plain.functions)

    def exp(x: mpmath.mpf) -> mpmath.mpf:
        if x < -_LONGEST_ARGUMENT:
            return EXACT.mpf(0)
        if x > _LONGEST_ARGUMENT:
            raise OverflowError("exp")
        return EXACT.exp(x)

    def bounded(name: str, largest: float) -> None:
        inner = plain.functions[name]

        def checked(x: mpmath.mpf) -> mpmath.mpf:
            if EXACT.mag(x) > largest:
                raise OverflowError(name)
            return inner(x)

        functions[name] = checked

    for name in ("sinh", "cosh"):
        bounded(name, _LONGEST_MAGNITUDE)
    for name in ("sin", "cos", "tan"):
        bounded(name, _LARGEST_TURNS)
    functions["exp"] = exp
    return Library(functions, plain.number, plain.pi)


def unshaped(phi: Phi) -> tuple[Curve, float]:
    """φ and s of φ_s(x) = s φ(x / s)."""
    match phi:
        case Slopes():
            return Piecewise(float(phi.plus), float(phi.minus)), 1.0
        case OrnsteinUhlenbeck():
            return OrnsteinUhlenbeckCurve(phi), 1.0
    return Written(phi.activation.formula, phi.activation.center), float(phi.scale)
