"""Activations and their shaping: one definition for the oracle, the engines and the limits.

A ReLU-like activation is φ_s(x) = s₊ max(x, 0) + s₋ min(x, 0) with s± = 1 + c± n^{-p} (Li, Nica & Roy 2022,
eq. (2.1); Li & Nica 2024, eq. (2.5)); p = 0 with (c₊, c₋) = (0, −1) is the ordinary ReLU. Its normaliser is c
= 1 / E φ_s(g)² = 2 / (s₊² + s₋²), g ~ N(0, 1).

A smooth activation is φ_s(x) = s φ(x / s) with s = a n^p (Li, Nica & Roy 2022, Definition 3.8), where φ(u) =
(f(x₀ + u) − f(x₀)) / f'(x₀) is a function f centred at x₀, so that φ(0) = 0 and φ'(0) = 1.

The exotic activation of Hayou 2022 (Proposition 4) is φ(y) = exp(h⁻¹(α y + β)²), h = erfi, under which a
residual network of one unit is an Ornstein–Uhlenbeck process as its depth grows.

Constants are exact rationals of the given floats or 50-digit numbers, so that every engine rounds the same
value once.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import mpmath
import numpy as np
from numpy.typing import NDArray

from deeplimits.digits import EXACT
from deeplimits.formula_derivatives import SIGN
from deeplimits.formulas import FUNCTIONS, PLAIN, Formula, Library

SMOOTH = {
    "tanh": "tanh(x)",
    "sigmoid": "1 / (1 + exp(-x))",
    "softplus": "log(1 + exp(x))",
    "erf": "erf(x)",
    "arctan": "atan(x)",
    "sin": "sin(x)",
    "gelu": "x * (1 + erf(x / sqrt(2))) / 2",
    "silu": "x / (1 + exp(-x))",
}
"""Smooth activations by name, as formulas."""


@lru_cache(maxsize=256)
def smooth_name(formula: str) -> str:
    """The name of a smooth activation, given f as the canonical text of a ``Formula``; the formula itself
    where it has none.
    """
    return next((name for name, text in SMOOTH.items() if Formula(text).text == formula), formula)


_REACH = 15
"""Standard deviations up to which φ² is integrated."""
_CONVERGED = 1e-25
_ROUGH = 1e-13
_NEWTON = 12
"""Iterations to the inverse of erfi; six are enough anywhere."""
_NODES = 18
"""Of the polynomial that stands for φ(u) / u about 0."""
_SMALL_MODE = 1e-17
"""Of its last Chebyshev coefficients, beside the largest."""
_NARROWEST = 2.0**-40
"""Half-width of the interval about 0 where a polynomial is still looked for."""
_FINEST = 10
"""Halvings of the step of the trapezoidal rule in float64."""
_PATIENCE = 5
"""Of that in 50 digits, before panels are tried."""
_HOPELESS = 1e-6
"""Relative difference of the finest two rules in float64 from which no digits are worth their time."""
_PANEL = 32
"""Nodes of a panel."""
_MOST_PANELS = 400
_DIVERGES = "the integral of φ_s² against a Gaussian does not converge"
_KEPT = 4096
"""Shaped activations that a process keeps: a sweep meets few of them, each at many points."""
_LOOKED_AT = (*range(-5, 7), 20)
"""Octaves of the distances from the centre at which f is looked at."""
_STEEPEST = 1e-3
"""Largest log |f(x)| / x² in the last of them."""
_GROWING = (
    "a function that grows more slowly than e^(x²), so that its square has a mean against every Gaussian"
)


@dataclass(frozen=True, slots=True)
class ReluLike:
    """φ_s(x) = s₊ max(x, 0) + s₋ min(x, 0), with slopes s± = 1 + c± · size^{-p}."""

    c_plus: float = 0.0
    c_minus: float = -1.0


@dataclass(frozen=True, slots=True)
class Identity:
    """φ(x) = x, the linear network."""


@dataclass(frozen=True)
class Smooth:
    """φ(u) = (f(x₀ + u) − f(x₀)) / f'(x₀) and s = a · size^p.

    Parameters
    ----------
    formula
        f, as the canonical text of a ``Formula``.
    a
        Scale of the shaping, positive.
    center
        x₀.
    """

    formula: str
    a: float = 1.0
    center: float = 0.0

    @classmethod
    def of(cls, function: str, a: float = 1.0, center: float = 0.0) -> Smooth:
        """From a name in ``SMOOTH`` or the text of a formula.

        Raises
        ------
        FormulaError
            If it is neither.
        """
        return cls(Formula(SMOOTH.get(function, function)).text, a, center)

    def __call__(self, u: mpmath.mpf) -> mpmath.mpf:
        """φ(u) in 50 digits; complex or infinite where f is."""
        origin, _, slope, _, _ = _taylor(self.formula, self.center)
        return (_exact(self.formula)(EXACT.mpf(self.center) + u) - origin) / slope

    def slope(self, u: mpmath.mpf) -> mpmath.mpf:
        """φ'(u) in 50 digits."""
        return Formula(self.formula).derivative(EXACT.mpf(self.center) + u, exact()) / self.scale_of_slope

    @property
    def origin(self) -> mpmath.mpf:
        """f(x₀), which φ has taken off."""
        return _taylor(self.formula, self.center)[0]

    @property
    def scale_of_slope(self) -> mpmath.mpf:
        """f'(x₀), which φ is divided by."""
        return _taylor(self.formula, self.center)[2]

    @property
    def core(self) -> Core:
        """φ about 0, free of cancellation."""
        return _core(self.formula, self.center)

    @property
    def second(self) -> mpmath.mpf:
        """φ''(0)."""
        return _taylor(self.formula, self.center)[3] / _taylor(self.formula, self.center)[2]

    @property
    def third(self) -> mpmath.mpf:
        """φ'''(0)."""
        return _taylor(self.formula, self.center)[4] / _taylor(self.formula, self.center)[2]

    def problem(self) -> str | None:
        """Why this is no activation at all, in words, or None: f is not smooth at x₀, or f'(x₀) = 0."""
        try:
            origin, kink, slope, second, third = _taylor(self.formula, self.center)
        except (ArithmeticError, ValueError, TypeError):
            return f"a function that is finite and real at x = {self.center!r}"
        if not all(isinstance(value, EXACT.mpf) and EXACT.isfinite(value) for value in (origin, slope)):
            return f"a function that is finite and real at x = {self.center!r}"
        if kink > 1e-12:
            return f"a function that is smooth at x = {self.center!r}"
        # a zero of f' is no float: its neighbours are as near as can be asked for
        if abs(slope) <= 1e-12 * max(abs(second), abs(third)):
            return f"a function with f'(x) ≠ 0 at x = {self.center!r}"
        try:
            Formula(self.formula)(float(self.center), PLAIN)
        except (ArithmeticError, ValueError):
            return f"a function that does not overflow at x = {self.center!r}"
        return None

    @property
    def turns(self) -> bool:
        """Whether f turns ever faster, as sin(e^x) does, so that it cannot be known far from its centre."""
        return _far(self.formula, self.center)[1]

    def far_problem(self) -> str | None:
        """Why this is no activation far from its centre, in words, or None: f is not finite and real there,
        or grows so fast that φ² has no mean against every Gaussian.
        """
        return _far(self.formula, self.center)[0]


@dataclass(frozen=True, eq=False)
class Core:
    """φ and φ' on |u| ≤ ``reach`` as polynomials of u / ``reach``, where f(x₀ + u) − f(x₀) cancels.

    Parameters
    ----------
    reach
        A power of two, or 0 where no polynomial was found.
    ratio
        Coefficients of φ(u) / u, lowest first.
    """

    reach: float
    ratio: NDArray[np.float64]

    def replace(self, u: NDArray[np.float64], values: NDArray[np.float64], order: int) -> NDArray[np.float64]:
        """``values`` with φ(u) (``order`` 0) or φ'(u) (1) in the place of those with |u| ≤ ``reach``."""
        inside = np.abs(u) <= self.reach
        if not inside.any():
            return values
        t = np.where(inside, u, 0.0) / (self.reach or 1.0)
        coefficients = self.ratio * np.arange(1, len(self.ratio) + 1) if order else self.ratio
        found = np.polynomial.polynomial.polyval(t, coefficients)
        return np.where(inside, found if order else found * u, values)


@dataclass(frozen=True, slots=True)
class OrnsteinUhlenbeck:
    """φ(y) = exp(h⁻¹(α y + β)²), h(x) = erfi(x) = (2/√π) ∫₀ˣ exp(t²) dt, of the branch of a residual network.

    With one unit and an infinite depth, U = h⁻¹(α z + β) solves dU = −(π α² / 4) U dt + (α √π / 2) dB (Hayou
    2022, Proposition 4).
    """

    alpha: float = 1.0
    beta: float = 0.0

    def __call__(self, y: NDArray[np.float64]) -> NDArray[np.float64]:
        """φ(y), elementwise, in float64."""
        return np.exp(self.inverse(self.alpha * y + self.beta) ** 2)

    def slope(self, y: NDArray[np.float64]) -> NDArray[np.float64]:
        """φ'(y) = √π α h⁻¹(α y + β), elementwise, in float64."""
        return np.sqrt(np.pi) * self.alpha * self.inverse(self.alpha * y + self.beta)

    @staticmethod
    def inverse(v: NDArray[np.float64]) -> NDArray[np.float64]:
        """h⁻¹(v), elementwise, in float64: Newton's iteration on log h(x) = x² + log(2 D(x) / √π), D Dawson's
        function, whose derivative is 1 / D.
        """
        from scipy.special import dawsn

        size = np.maximum(np.abs(v), 1e-290)
        target = np.log(size) + np.log(np.pi) / 2 - np.log(2)
        x = np.minimum(size * np.sqrt(np.pi) / 2, np.sqrt(np.log1p(size)))
        for _ in range(_NEWTON):
            height = dawsn(x)
            x = x * np.exp(np.maximum(-(x**2 + np.log(height) - target) * height / x, -1.0))
        return np.asarray(np.copysign(np.where(v == 0, 0.0, x), v))


Activation = ReluLike | Identity | Smooth | OrnsteinUhlenbeck


@dataclass(frozen=True, slots=True)
class Slopes:
    """The two slopes of a piecewise-linear activation, as 50-digit numbers."""

    plus: mpmath.mpf
    minus: mpmath.mpf

    @property
    def normalizer(self) -> mpmath.mpf:
        """c = 1 / E φ_s(g)² = 2 / (s₊² + s₋²)."""
        return 2 / (self.plus**2 + self.minus**2)

    def __call__(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """φ_s(x), elementwise, in float64."""
        return np.where(x > 0, float(self.plus), float(self.minus)) * x

    def slope(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """φ_s'(x), elementwise, in float64; s₋ at 0."""
        return np.where(x > 0, float(self.plus), float(self.minus))


@dataclass(frozen=True)
class ShapedSmooth:
    """φ_s(x) = s φ(x / s)."""

    activation: Smooth
    scale: mpmath.mpf
    """s."""

    @property
    def normalizer(self) -> mpmath.mpf:
        """c = 1 / E φ_s(g)², to 25 digits, by the trapezoidal rule.

        Against a Gaussian weight the rule converges as fast as Gauss–Hermite's, and refining it reuses the
        values. Where φ_s bends too sharply for it, Gauss–Legendre panels are halved where it does.

        Raises
        ------
        ArithmeticError
            If the integral is not found.
        """
        return self._integrated()[0]

    @property
    def has_all_digits(self) -> bool:
        """Whether the normaliser is known to 25 digits, not to 13 alone: of what bends in so many places that
        no engine has a table of it.
        """
        return self._integrated()[1]

    @lru_cache(maxsize=_KEPT)  # noqa: B019 - equal activations share it, and there are few
    def _integrated(self) -> tuple[mpmath.mpf, bool]:
        if self.activation.turns:
            return self._roughly(), False

        def term(x: mpmath.mpf) -> mpmath.mpf:
            return EXACT.exp(-(x * x) / 2) * (self.scale * self.activation(x / self.scale)) ** 2

        step = EXACT.mpf(1) / 4
        total = EXACT.fsum(term(step * k) for k in range(-4 * _REACH, 4 * _REACH + 1))
        found = total * step
        for _ in range(_PATIENCE):
            step /= 2
            last = round(_REACH / step)
            total += EXACT.fsum(term(step * k) for k in range(-last + 1, last, 2))
            before, found = found, total * step
            if abs(found - before) < _CONVERGED * abs(found):
                break
        else:
            coarse, fine = self._in_float64()
            # an overflow on the way tells nothing
            if abs(fine - coarse) > _HOPELESS * fine:
                raise ArithmeticError(_DIVERGES)
            by_panels = _by_panels(term, found)
            about = fine * EXACT.sqrt(2 * EXACT.pi)
            if by_panels is None or abs(by_panels - about) > 2 * _HOPELESS * about:
                return self._roughly(), False
            found = by_panels
        if term(EXACT.mpf(_REACH)) + term(EXACT.mpf(-_REACH)) > _CONVERGED * abs(found):
            raise ArithmeticError("φ_s² grows too fast for a Gaussian")
        return EXACT.sqrt(2 * EXACT.pi) / found, True

    def _roughly(self) -> mpmath.mpf:
        """The normaliser from float64."""
        before, found = self._in_float64()
        if not abs(found - before) < _ROUGH * found:
            raise ArithmeticError(_DIVERGES)
        return 1 / EXACT.mpf(found)

    def _in_float64(self) -> tuple[float, float]:
        """The mean by the finest rule but one, and by the finest, in float64."""
        found = []
        for halving in (_FINEST - 1, _FINEST):
            count = _REACH << (halving + 2)
            x = np.linspace(-_REACH, _REACH, 2 * count + 1)
            with np.errstate(all="ignore"):
                total = np.sum(np.exp(-(x**2) / 2) * self(x) ** 2)
            found.append(float(total) * _REACH / count / float(np.sqrt(2 * np.pi)))
        return found[0], found[1]

    def __call__(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """φ_s(x), elementwise, in float64; about 0 without the cancellation of f(x₀ + u) − f(x₀)."""
        scale = float(self.scale)
        u = np.asarray(x, float) / scale
        origin, _, slope, _, _ = (float(value) for value in _taylor(self._formula, self._center))
        with np.errstate(over="ignore"):
            value = (Formula(self._formula)(self._center + u, numeric()) - origin) / slope
        return np.asarray(scale * self.activation.core.replace(u, value, 0))

    def slope(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """φ_s'(x) = f'(x₀ + x/s) / f'(x₀), elementwise, in float64, from the formula's exact derivative."""
        u = np.asarray(x, float) / float(self.scale)
        slope = float(_taylor(self._formula, self._center)[2])
        with np.errstate(over="ignore"):
            value = Formula(self._formula).derivative(self._center + u, numeric()) / slope
        return np.asarray(self.activation.core.replace(u, value, 1)) + np.zeros_like(u)

    @property
    def _formula(self) -> str:
        return self.activation.formula

    @property
    def _center(self) -> float:
        return self.activation.center


@cache
def _legendre() -> list[tuple[mpmath.mpf, mpmath.mpf]]:
    """Nodes on [−1, 1] and their weights."""
    return list(zip(*EXACT.gauss_quadrature(_PANEL, "legendre"), strict=True))


def _by_panels(term: Callable[[mpmath.mpf], mpmath.mpf], about: mpmath.mpf) -> mpmath.mpf | None:
    """The integral of ``term``, which is ``about`` something, over [−``_REACH``, ``_REACH``] to 25 digits:
    panels are halved until the halves agree with the whole. None where there are too many.
    """

    def panel(low: mpmath.mpf, high: mpmath.mpf) -> mpmath.mpf:
        middle, half = (low + high) / 2, (high - low) / 2
        return half * EXACT.fsum(weight * term(middle + half * node) for node, weight in _legendre())

    ends = [EXACT.mpf(k) for k in range(-_REACH, _REACH + 1)]
    panels = [(low, high, panel(low, high)) for low, high in itertools.pairwise(ends)]
    done, count = [], len(panels)
    while panels:
        low, high, whole = panels.pop()
        middle = (low + high) / 2
        halves = (low, middle, panel(low, middle)), (middle, high, panel(middle, high))
        both = halves[0][2] + halves[1][2]
        count += 2
        if abs(both - whole) < _CONVERGED * about / 100:
            done.append(both)
        elif count > _MOST_PANELS:
            return None
        else:
            panels += halves
    return EXACT.fsum(done)


Phi = Slopes | ShapedSmooth | OrnsteinUhlenbeck
"""φ_s at one width and depth."""


@lru_cache(maxsize=_KEPT)
def shaped(activation: Activation, size: int, exponent: float) -> Phi:
    """``activation`` shaped by ``size`` (the width or the depth) to the power ``exponent``; that of the
    Ornstein–Uhlenbeck process has no shape.
    """
    if isinstance(activation, OrnsteinUhlenbeck):
        return activation
    if isinstance(activation, Identity):
        return Slopes(EXACT.mpf(1), EXACT.mpf(1))
    scale = EXACT.mpf(size) ** EXACT.mpf(exponent)
    if isinstance(activation, Smooth):
        return ShapedSmooth(activation, EXACT.mpf(activation.a) * scale)
    return Slopes(1 + EXACT.mpf(activation.c_plus) / scale, 1 + EXACT.mpf(activation.c_minus) / scale)


class Unknowable(ArithmeticError):
    """A value that hangs on more digits of its argument than can be computed, such as sin(e^(10^9))."""


@cache
def exact() -> Library:
    """Formulas in 50 digits. Beyond 2^±4096 the functions that grow or turn no longer ask mpmath, which would
    compute without end there: they have their limits, overflow, or are unknowable.
    """
    names = {"abs": "fabs"}
    functions = {name: getattr(EXACT, names.get(name, name)) for name in (*FUNCTIONS, SIGN)}
    for name, (low, high) in _FAR.items():
        functions[name] = _bounded(functions[name], low, high)
    return Library(functions, EXACT.mpf, EXACT.mpf(EXACT.pi))


_FAR: dict[str, tuple[int | type[Exception], int | type[Exception]]] = {
    "exp": (0, OverflowError),
    "sinh": (OverflowError, OverflowError),
    "cosh": (OverflowError, OverflowError),
    "tanh": (-1, 1),
    "erf": (-1, 1),
    "erfc": (2, 0),
    "sin": (Unknowable, Unknowable),
    "cos": (Unknowable, Unknowable),
    "tan": (Unknowable, Unknowable),
}
"""What functions are far to the left and to the right."""
_BITS = 4096


def _bounded(
    function: Callable[[Any], Any], low: int | type[Exception], high: int | type[Exception]
) -> Callable[[Any], Any]:
    def within(x: Any) -> Any:
        if not isinstance(x, EXACT.mpf):
            return function(x)
        sign, mantissa, exponent, bits = x._mpf_
        if not mantissa or exponent + bits <= _BITS:
            return function(x)
        far = low if sign else high
        if isinstance(far, int):
            return EXACT.mpf(far)
        raise far("a number that is too large")

    return within


@cache
def numeric() -> Library:
    """Formulas in float64, on arrays."""
    from scipy import special

    names = {"asin": "arcsin", "acos": "arccos", "atan": "arctan", "asinh": "arcsinh", "atanh": "arctanh"}
    functions = {
        name: getattr(special if name in ("erf", "erfc") else np, names.get(name, name))
        for name in (*FUNCTIONS, SIGN)
    }
    return Library(functions, float, float(np.pi))


@cache
def _exact(text: str) -> Callable[[mpmath.mpf], Any]:
    formula, library = Formula(text), exact()
    return lambda x: formula(x, library)


@cache
def _far(text: str, center: float) -> tuple[str | None, bool]:
    """What is wrong with f far from its centre, if anything, and whether it turns ever faster."""
    function, at, turns = _exact(text), EXACT.mpf(center), False
    for octave in _LOOKED_AT:
        for side in (1, -1):
            x = at + side * EXACT.mpf(2) ** octave
            try:
                value = function(x)
            except Unknowable:
                turns = True
                continue
            except OverflowError:
                return _GROWING, turns
            except (ArithmeticError, ValueError, TypeError):
                value = EXACT.inf
            if not isinstance(value, EXACT.mpf) or not EXACT.isfinite(value):
                problem = f"a function that is finite and real everywhere, as it is not at x = {float(x):.6g}"
                return problem, turns
            if octave == _LOOKED_AT[-1] and value and EXACT.log(abs(value)) > _STEEPEST * x**2:
                return _GROWING, turns
    return None, turns


@cache
def _taylor(text: str, center: float) -> tuple[Any, Any, Any, Any, Any]:
    """f(x₀), the largest difference between its derivatives to the left and to the right up to the third,
    f'(x₀), f''(x₀) and f'''(x₀).
    """
    function, at = _exact(text), EXACT.mpf(center)
    value = function(at)
    both = [EXACT.diff(function, at, order) for order in (1, 2, 3)]
    right = [EXACT.diff(function, at, order, direction=1) for order in (1, 2, 3)]
    left = [EXACT.diff(function, at, order, direction=-1) for order in (1, 2, 3)]
    kink = max(abs(a - b) / (1 + abs(a)) for a, b in zip(right, left, strict=True))
    return value, kink, *both


@cache
def _core(text: str, center: float) -> Core:
    """The polynomial through φ(u) / u at Chebyshev nodes of the widest interval where it has all digits."""
    phi = Smooth(text, 1.0, center)
    angles = [EXACT.pi * (2 * k + 1) / (2 * _NODES) for k in range(_NODES)]
    reach = 0.5
    while reach >= _NARROWEST:
        try:
            values = [phi(reach * EXACT.cos(angle)) / (reach * EXACT.cos(angle)) for angle in angles]
            modes = [
                (2 - (j == 0))
                * EXACT.fsum(
                    value * EXACT.cos(j * angle) for value, angle in zip(values, angles, strict=True)
                )
                / _NODES
                for j in range(_NODES)
            ]
            if max(map(abs, modes[-4:])) < _SMALL_MODE * max(map(abs, modes)):
                return Core(reach, _powers(modes))
        except (ArithmeticError, ValueError, TypeError):
            pass
        reach /= 2
    return Core(0.0, np.ones(1))


def _powers(modes: list[mpmath.mpf]) -> NDArray[np.float64]:
    """Powers of Σ c_j T_j, whose coefficients are whole numbers."""
    powers = [EXACT.mpf(0)] * len(modes)
    for j, mode in enumerate(modes):
        for k, whole in enumerate(np.polynomial.chebyshev.cheb2poly([0.0] * j + [1.0])):
            powers[k] += mode * EXACT.mpf(float(whole))
    return np.array([float(power) for power in powers])
