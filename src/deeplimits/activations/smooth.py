"""Smooth activations: φ(u) = (f(x₀ + u) − f(x₀)) / f'(x₀) of a function f centred at x₀, so that φ(0) = 0 and
φ'(0) = 1, with its constants in 50 digits.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import mpmath
import numpy as np
from numpy.typing import NDArray

from deeplimits.activations.arithmetic import Unknowable, exact, exactly
from deeplimits.digits import EXACT
from deeplimits.formulas import PLAIN, Formula

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


_NODES = 18
"""Of the polynomial that stands for φ(u) / u about 0."""
_SMALL_MODE = 1e-17
"""Of its last Chebyshev coefficients, beside the largest."""
_NARROWEST = 2.0**-40
"""Half-width of the interval about 0 where a polynomial is still looked for."""
_LOOKED_AT = (*range(-5, 7), 20)
"""Octaves of the distances from the centre at which f is looked at."""
_STEEPEST = 1e-3
"""Largest log |f(x)| / x² in the last of them."""
_GROWING = (
    "a function that grows more slowly than e^(x²), so that its square has a mean against every Gaussian"
)


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

    Examples
    --------
    >>> tanh = Smooth.of("tanh")
    >>> float(tanh(1)), float(tanh.third)
    (0.7615941559557649, -2.0)
    """

    formula: str
    a: float = 1.0
    center: float = 0.0

    @classmethod
    def of(cls, function: str, a: float = 1.0, center: float = 0.0) -> Smooth:
        """From a name in ``SMOOTH`` or the text of a formula.

        Parameters
        ----------
        function
            A name, such as ``tanh``, or a formula in x, such as ``x / (1 + exp(-x))``.
        a
            Scale of the shaping, positive.
        center
            x₀.

        Returns
        -------
        The activation.

        Raises
        ------
        FormulaError
            If it is neither.
        """
        return cls(Formula(SMOOTH.get(function, function)).text, a, center)

    def canonical_form(self) -> dict[str, Any]:
        """Its canonical form: equal numbers are written equally.

        Returns
        -------
        Plain values, as ``Network.canonical_form`` holds them.
        """
        return {"name": "smooth", "formula": self.formula, "a": self.a, "center": float(self.center) + 0.0}

    def __call__(self, u: mpmath.mpf) -> mpmath.mpf:
        """φ(u) in 50 digits; complex or infinite where f is."""
        origin, _, slope, _, _ = constants(self.formula, self.center)
        return (exactly(self.formula)(EXACT.mpf(self.center) + u) - origin) / slope

    def slope(self, u: mpmath.mpf) -> mpmath.mpf:
        """φ'(u) in 50 digits.

        Parameters
        ----------
        u
            A number of any kind.

        Returns
        -------
        A number of 50 digits.
        """
        return Formula(self.formula).derivative(EXACT.mpf(self.center) + u, exact()) / self.scale_of_slope

    @property
    def origin(self) -> mpmath.mpf:
        """f(x₀), which φ has taken off."""
        return constants(self.formula, self.center)[0]

    @property
    def scale_of_slope(self) -> mpmath.mpf:
        """f'(x₀), which φ is divided by."""
        return constants(self.formula, self.center)[2]

    @property
    def core(self) -> Core:
        """φ about 0, free of cancellation."""
        return _core(self.formula, self.center)

    @property
    def second(self) -> mpmath.mpf:
        """φ''(0)."""
        return constants(self.formula, self.center)[3] / constants(self.formula, self.center)[2]

    @property
    def third(self) -> mpmath.mpf:
        """φ'''(0)."""
        return constants(self.formula, self.center)[4] / constants(self.formula, self.center)[2]

    def problem(self) -> str | None:
        """Why this is no activation at all, in words, or None: f is not smooth at x₀, or f'(x₀) = 0.

        Returns
        -------
        What was expected, or None where nothing is wrong.
        """
        try:
            origin, kink, slope, second, third = constants(self.formula, self.center)
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

        Returns
        -------
        What was expected, or None where nothing is wrong.
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
        """``values`` with φ(u) (``order`` 0) or φ'(u) (1) in the place of those with |u| ≤ ``reach``.

        Parameters
        ----------
        u
            Arguments, any shape.
        values
            What was had for them otherwise, of the shape of ``u``.
        order
            0 or 1.

        Returns
        -------
        Of the shape of ``u``.
        """
        inside = np.abs(u) <= self.reach
        if not inside.any():
            return values
        t = np.where(inside, u, 0.0) / (self.reach or 1.0)
        coefficients = self.ratio * np.arange(1, len(self.ratio) + 1) if order else self.ratio
        found = np.polynomial.polynomial.polyval(t, coefficients)
        return np.where(inside, found if order else found * u, values)


@cache
def _far(text: str, center: float) -> tuple[str | None, bool]:
    """What is wrong with f far from its centre, if anything, and whether it turns ever faster."""
    function, at, turns = exactly(text), EXACT.mpf(center), False
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
def constants(text: str, center: float) -> tuple[Any, Any, Any, Any, Any]:
    """f(x₀), the largest difference between its derivatives to the left and to the right up to the third,
    f'(x₀), f''(x₀) and f'''(x₀).
    """
    function, at = exactly(text), EXACT.mpf(center)
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
