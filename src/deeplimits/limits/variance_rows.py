"""The one-step kernel of log V of a layer with any activation, on panels of Gauss–Legendre nodes.

V' = (1/n) Σ c φ_s(√V g_i)² is a mean of independent terms: its characteristic function is the n-th power of
that of one (``variance_units``), and its density is the inverse Fourier transform by the trapezoidal rule,
which is as exact as V' has no mass beyond a period.

Panels of log V end at log s², so that the chain can be stopped there without loss.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

import numpy as np

from deeplimits import gaussian
from deeplimits.activations import ShapedSmooth
from deeplimits.array_types import Array
from deeplimits.gaussian.powers import Power
from deeplimits.gaussian.rule import NODES, legendre
from deeplimits.limits import kept_rows
from deeplimits.limits.one_thread import in_threads
from deeplimits.limits.variance_units import REACH, Units, turns

POINTS = NODES
"""Nodes of a panel."""
_PANEL = 6.0
"""Length of a panel, in standard deviations of a step."""
_DEVIATIONS = 10.0
_FAR = 38.0
"""Above log s², where what is not straight of φ_s is 1e-8 of it."""
_SAME = 1e-6


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
        """The width of a panel in log V."""
        square, fourth = gaussian.mean(self.phi, [Power(value=2), Power(value=4)], 1.0)
        return _PANEL * float(np.sqrt((fourth / square**2 - 1) / self.units)) / 2**self.level

    def nodes(self, panel: int) -> Array:
        """The nodes of a panel, log V [node]."""
        return self.barrier + self.width * (panel + (points()[0] + 1) / 2)

    @property
    def weights(self) -> Array:
        """The weights of the nodes of any panel, [node]."""
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
            computed = in_threads(lambda panel: self.steps(self.nodes(panel)), missing)
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
            units = Units.of(self.phi, self.normalizer, u)
        except gaussian.Unreachable as error:
            raise ArithmeticError(f"a unit from V = {np.exp(u.max()):.3g}: {error}") from error
        deviations = np.sqrt(np.maximum(units.relative, 1e-300) / self.units)
        units.terms /= self.units
        largest = float(units.terms[:, np.abs(units.x) <= REACH].max())
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
            near, far = turns(-x, frequencies)
            padded = np.zeros((len(far), len(near)), complex)
            padded.ravel()[: len(frequencies)] = powers[row]
            density = (1 + 2 * np.real(((padded @ near) * far).sum(axis=0))) / period
            values[row, some] = density * x
        return Rows(first, values)


@lru_cache(maxsize=1)
def points() -> tuple[Array, Array, Array]:
    """Nodes and weights on [−1, 1], and the matrix from values at the nodes to Legendre coefficients."""
    return legendre()


@lru_cache(maxsize=32)
def variance_kernel(phi: ShapedSmooth, units: int, level: int) -> VarianceKernel:
    """The kernel of layers like this, shared by all networks."""
    return VarianceKernel(phi, units, level)
