"""A smooth activation as it is shaped: φ_s(x) = s φ(x / s) with s = a n^p (Li, Nica & Roy 2022, Definition
3.8), and its normaliser.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache

import mpmath
import numpy as np
from numpy.typing import NDArray

from deeplimits.activations.arithmetic import numeric
from deeplimits.activations.smooth import Smooth, constants
from deeplimits.digits import EXACT
from deeplimits.formulas import Formula

_REACH = 15
"""Standard deviations up to which φ² is integrated."""
_CONVERGED = 1e-25
_ROUGH = 1e-13
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
KEPT = 4096
"""Shaped activations that a process keeps: a sweep meets few of them, each at many points."""


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

    @lru_cache(maxsize=KEPT)  # noqa: B019 - equal activations share it, and there are few
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
        origin, _, slope, _, _ = (float(value) for value in constants(self._formula, self._center))
        with np.errstate(over="ignore"):
            value = (Formula(self._formula)(self._center + u, numeric()) - origin) / slope
        return np.asarray(scale * self.activation.core.replace(u, value, 0))

    def slope(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """φ_s'(x) = f'(x₀ + x/s) / f'(x₀), elementwise, in float64, from the formula's exact derivative.

        Parameters
        ----------
        x
            Any shape.

        Returns
        -------
        Float64, of the shape of the argument.
        """
        u = np.asarray(x, float) / float(self.scale)
        slope = float(constants(self._formula, self._center)[2])
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
