"""The terms c φ_s(√V g)² of a layer's units, on panels of Gauss–Legendre nodes in g, and the characteristic
function of their sum.

The sum of independent terms has the n-th power of the characteristic function of one, which is had by panels
as fine as the activation and the phase ask for.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from deeplimits import gaussian
from deeplimits.activations import ShapedSmooth
from deeplimits.array_types import Array
from deeplimits.gaussian import curves
from deeplimits.gaussian.powers import SQUARE, Line, Power
from deeplimits.gaussian.rule import NODES, build, legendre

_TURN = 14.0
"""Largest phase over a panel of quadrature."""
_SMALL = 25.0
"""−log |E e^{iωV'}| from which on it is nothing."""
REACH = 7.5
"""|g| beyond which no unit of any network is."""
_MOST_FREQUENCIES = 6000
_MOST_PANELS = 2000
_MOST_TERMS = 3e8
_TOO_MUCH = -16.0
"""log of what may be left at the last frequency."""


@dataclass
class Units:
    """c φ_s(√V g)² of one unit over its mean, from several V, on one set of nodes.

    Parameters
    ----------
    breaks
        Ends of panels of g, ascending.
    x, weights
        Nodes and weights, with the Gaussian density in them, [node].
    terms
        [row, node]
    means
        c E φ_s(√V g)² [row].
    relative
        Their variances over the squares of their means [row].
    """

    phi: ShapedSmooth
    normalizer: float
    sigmas: Array
    breaks: Array
    x: Array
    weights: Array
    terms: Array
    means: Array
    relative: Array

    @classmethod
    def of(cls, phi: ShapedSmooth, normalizer: float, u: Array) -> Units:
        """On panels that resolve the activation from the largest and the least V."""
        curve, scale = curves.unshaped(phi)
        sigmas = np.exp(u / 2)
        ends = {float(sigmas.min()), float(sigmas.max())}
        found = [build(curve, (Line(sigma / scale),), (SQUARE, Power(value=4))).breaks for sigma in ends]
        breaks = np.unique(np.concatenate(found))
        breaks = np.concatenate([breaks[:1], breaks[1:][np.diff(breaks) > 1e-13]])
        if len(breaks) > _MOST_PANELS:
            raise gaussian.Unreachable("the activation bends too often on the scale of its argument")
        nothing = np.zeros(0)
        units = cls(phi, normalizer, sigmas, breaks, nothing, nothing, nothing, nothing, nothing)
        units._evaluate()
        units.means = units.terms @ units.weights
        units.terms /= units.means[:, None]
        units.relative = (units.terms - 1) ** 2 @ units.weights
        return units

    def _place(self) -> None:
        """Nodes and weights on the panels."""
        points_, parts, _ = legendre()
        half = np.diff(self.breaks)[:, None] / 2
        self.x = (self.breaks[:-1, None] + half * (points_ + 1)).ravel()
        self.weights = (half * parts).ravel() * np.exp(-(self.x**2) / 2) / np.sqrt(2 * np.pi)

    def _evaluate(self) -> None:
        self._place()
        curve, scale = curves.unshaped(self.phi)
        u = self.sigmas[:, None] * self.x / scale
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            values = curve.evaluate(u)[0].value
        bad = ~np.isfinite(values)
        if bad.any():
            values[bad] = curve.exactly(u[bad], 0)
        with np.errstate(over="ignore"):
            self.terms = self.normalizer * (scale * values) ** 2
        if not np.isfinite(self.terms).all():
            raise gaussian.Unreachable("its square is beyond float64")

    def transform(self, units: int, period: float, first: float) -> tuple[Array, NDArray[np.complex128]]:
        """Frequencies ω > 0, and E e^{iωX} of the sum X of all ``units``, [row, frequency]."""
        omega, left = first, 0.0
        while True:
            count = int(np.ceil(omega * period / (2 * np.pi)))
            self._refine(omega)
            around = omega * np.linspace(0.85, 1.0, 4)
            rows = self.terms[[0, -1]]
            sizes = np.abs(np.exp(1j * around[:, None, None] * rows) @ self.weights)
            left = units * float(np.log(sizes.max()))
            if left < -_SMALL:
                return self._powers(units, period, count)
            if 1.4 * count > _MOST_FREQUENCIES or 2 * count * self.terms.size > _MOST_TERMS:
                break
            omega *= 1.4
        if left > _TOO_MUCH:
            raise ArithmeticError("so few units have no smooth density: many of them may saturate together")
        # a few values have probabilities of their own: they are smeared over a width of 1/ω
        frequencies, powers = self._powers(units, period, count)
        return frequencies, powers * np.exp(-_SMALL * (frequencies / omega) ** 8)

    def _refine(self, omega: float) -> None:
        """Panels over which no phase turns by more than ``_TURN``."""
        shaped = self.terms.reshape(len(self.terms), -1, NODES)
        x = self.x.reshape(-1, NODES)
        steep = np.abs(np.diff(shaped, axis=2) / np.diff(x, axis=1)).max(axis=(0, 2))
        lengths = np.diff(self.breaks)
        counts = np.ceil(omega * steep * lengths / _TURN).astype(int)
        # what has no weight may turn as it likes
        near = np.minimum(np.abs(self.breaks[:-1]), np.abs(self.breaks[1:]))
        counts = np.where((counts <= 1) | (near > REACH), 1, counts)
        if (counts == 1).all():
            return
        breaks, terms = [], []
        for panel, count in enumerate(counts.tolist()):
            ends = self.breaks[panel] + lengths[panel] * np.arange(count) / count
            breaks.append(ends)
            terms.append(shaped[:, panel] if count == 1 else shaped[:, panel] @ _finer(count))
        self.breaks = np.append(np.concatenate(breaks), self.breaks[-1])
        self.terms = np.concatenate(terms, axis=1)
        self._place()

    def _powers(self, units: int, period: float, count: int) -> tuple[Array, NDArray[np.complex128]]:
        frequencies = 2 * np.pi / period * np.arange(1.0, count + 1)
        some = self.weights > 1e-18
        terms, weights = self.terms[:, some], self.weights[some]
        found = np.empty((len(terms), count), complex)
        for row, each in enumerate(terms):
            near, far = turns(each, frequencies)
            found[row] = ((far * weights) @ near.T).ravel()[:count]
        return frequencies, found**units


def turns(terms: Array, frequencies: Array) -> tuple[NDArray[np.complex128], NDArray[np.complex128]]:
    """e^{iω z} of many evenly spaced frequencies in two factors, each [frequency, term]: near by, and far."""
    count = int(np.ceil(np.sqrt(len(frequencies))))
    near = np.cumprod(
        np.broadcast_to(np.exp(1j * float(frequencies[0]) * terms), (count, len(terms))), axis=0
    )
    far = np.empty((-(-len(frequencies) // count), len(terms)), complex)
    far[0], far[1:] = 1.0, near[-1]
    return near, np.asarray(np.cumprod(far, axis=0), complex)


@lru_cache(maxsize=256)
def _finer(count: int) -> Array:
    """From values at the nodes of a panel to those at the nodes of so many equal parts."""
    nodes, _, to_modes = legendre()
    at = (2 * np.arange(count)[:, None] + 1 + nodes).ravel() / count - 1
    return np.asarray((np.polynomial.legendre.legvander(at, NODES - 1) @ to_modes).T)
