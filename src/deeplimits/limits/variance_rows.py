"""The one-step kernel of log V of a layer with any activation, on panels of Gauss–Legendre nodes.

V' = (1/n) Σ c φ_s(√V g_i)² is a mean of independent terms: its characteristic function is the n-th power of
that of one, which is had by panels as fine as the activation and the phase ask for, and its density is the
inverse Fourier transform by the trapezoidal rule, which is as exact as V' has no mass beyond a period.

Panels of log V end at log s², so that the chain can be stopped there without loss.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from deeplimits import gaussian
from deeplimits.activations import ShapedSmooth
from deeplimits.gaussian import curves
from deeplimits.gaussian.powers import SQUARE, Line, Power
from deeplimits.gaussian.rule import NODES, build, legendre
from deeplimits.limits import kept_rows

Array = NDArray[np.float64]

POINTS = NODES
"""Nodes of a panel."""
_PANEL = 6.0
"""Length of a panel, in standard deviations of a step."""
_TURN = 14.0
"""Largest phase over a panel of quadrature."""
_SMALL = 25.0
"""−log |E e^{iωV'}| from which on it is nothing."""
_REACH = 7.5
"""|g| beyond which no unit of any network is."""
_DEVIATIONS = 10.0
_FAR = 38.0
"""Above log s², where what is not straight of φ_s is 1e-8 of it."""
_SAME = 1e-6
_MOST_FREQUENCIES = 6000
_MOST_PANELS = 2000
_MOST_TERMS = 3e8
_TOO_MUCH = -16.0
"""log of what may be left at the last frequency."""


@dataclass(frozen=True)
class Rows:
    """Densities in log V' of steps from the nodes of a panel [row, target], at the nodes of the panels from
    ``first`` on.
    """

    first: int
    values: Array


@dataclass
class VarianceKernel:
    """The kernel of layers with this activation and so many units.

    Parameters
    ----------
    phi, units
        Of the layer.
    level
        How often panels have been halved.
    """

    phi: ShapedSmooth
    units: int
    level: int = 0
    _rows: dict[int, Rows] = field(default_factory=dict)

    @cached_property
    def barrier(self) -> float:
        """log s², where panels end."""
        return float(2 * np.log(float(self.phi.scale)))

    @cached_property
    def normalizer(self) -> float:
        """c."""
        return float(self.phi.normalizer)

    @cached_property
    def width(self) -> float:
        """Of a panel."""
        square, fourth = gaussian.mean(self.phi, [Power(value=2), Power(value=4)], 1.0)
        return _PANEL * float(np.sqrt((fourth / square**2 - 1) / self.units)) / 2**self.level

    def nodes(self, panel: int) -> Array:
        """Of a panel, log V."""
        return self.barrier + self.width * (panel + (points()[0] + 1) / 2)

    @property
    def weights(self) -> Array:
        """Of the nodes of any panel."""
        return points()[1] * self.width / 2

    def panel(self, u: float) -> int:
        """The panel that log V is on."""
        return int(np.floor((u - self.barrier) / self.width))

    def rows(self, panels: Iterable[int]) -> dict[int, Rows]:
        """The rows of these panels, computed where they are not known.

        Raises
        ------
        ArithmeticError
            If a step is not resolved.
        """
        panels = set(panels)
        wanted = {min(panel, self.top) for panel in panels}
        if not wanted <= self._rows.keys():
            self._rows |= kept_rows.read(self._key, Rows)
        missing = sorted(wanted - self._rows.keys())
        if missing:
            with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as threads:
                computed = list(threads.map(lambda panel: self.steps(self.nodes(panel)), missing))
            self._rows |= dict(zip(missing, computed, strict=True))
            kept_rows.write(self._key, self._rows)
        similar = self._rows.get(self.top)
        found: dict[int, Rows] = {}
        for panel in panels:
            above = panel - self.top
            found[panel] = (
                Rows(similar.first + above, similar.values) if above > 0 and similar else self._rows[panel]
            )
        return found

    @cached_property
    def top(self) -> int:
        """The last panel whose rows are computed: far above s², where φ_s is two straight lines or its growth
        another.
        """
        return self.panel(self.barrier + _FAR)

    @cached_property
    def straight(self) -> bool:
        """Whether steps from above ``top`` are those from there: where φ_s(x) → s± x for large |x|."""
        try:
            near, far = (self.steps(self.nodes(self.top - below)[:1]) for below in (1, 0))
        except ArithmeticError:
            return False
        first = min(near.first + 1, far.first)
        last = max(near.first + 1 + near.values.shape[1] // POINTS, far.first + far.values.shape[1] // POINTS)
        padded = []
        for rows, start in ((near, near.first + 1), (far, far.first)):
            before, after = POINTS * (start - first), POINTS * (last - start) - rows.values.shape[1]
            padded.append(np.pad(rows.values[0], (before, after)))
        return float(np.abs(padded[0] - padded[1]).max()) < _SAME * float(far.values.max())

    @property
    def _key(self) -> tuple[str, ...]:
        phi = self.phi
        parts = (phi.activation, phi.scale, self.units, self.barrier, self.width)
        return ("variance", *(str(part) for part in parts))

    def steps(self, u: Array) -> Rows:
        """Densities of steps from any log V, near to each other [row, target]."""
        try:
            units = _Units.of(self.phi, self.normalizer, u)
        except gaussian.Unreachable as error:
            raise ArithmeticError(f"a unit from V = {np.exp(u.max()):.3g}: {error}") from error
        deviations = np.sqrt(np.maximum(units.relative, 1e-300) / self.units)
        units.terms /= self.units
        largest = float(units.terms[:, np.abs(units.x) <= _REACH].max())
        period = 1 + _DEVIATIONS * float(deviations.max()) + largest
        frequencies, powers = units.transform(self.units, period, 7.7 / float(deviations.min()))
        low = np.log(units.means) - (_DEVIATIONS * deviations + 80 / self.units)
        high = np.log(units.means) + np.log(period)
        first, last = self.panel(float(low.min())), self.panel(float(high.max()))
        targets = np.concatenate([self.nodes(panel) for panel in range(first, last + 1)])
        values = np.zeros((len(u), len(targets)))
        for row in range(len(u)):
            some = (targets > low[row]) & (targets < high[row])
            x = np.exp(targets[some] - np.log(units.means[row]))
            near, far = _turns(-x, frequencies)
            padded = np.zeros((len(far), len(near)), complex)
            padded.ravel()[: len(frequencies)] = powers[row]
            density = (1 + 2 * np.real(((padded @ near) * far).sum(axis=0))) / period
            values[row, some] = density * x
        return Rows(first, values)


@dataclass
class _Units:
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
    def of(cls, phi: ShapedSmooth, normalizer: float, u: Array) -> _Units:
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
        counts = np.where((counts <= 1) | (near > _REACH), 1, counts)
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
            near, far = _turns(each, frequencies)
            found[row] = ((far * weights) @ near.T).ravel()[:count]
        return frequencies, found**units


def _turns(terms: Array, frequencies: Array) -> tuple[NDArray[np.complex128], NDArray[np.complex128]]:
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


@lru_cache(maxsize=1)
def points() -> tuple[Array, Array, Array]:
    """Nodes and weights on [−1, 1], and the matrix from values at the nodes to Legendre coefficients."""
    return legendre()


@lru_cache(maxsize=32)
def variance_kernel(phi: ShapedSmooth, units: int, level: int) -> VarianceKernel:
    """The kernel of layers like this, shared by all networks."""
    return VarianceKernel(phi, units, level)
