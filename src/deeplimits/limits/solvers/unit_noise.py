"""A diffusion dy = μ(y) dt + σ(y) dB in the coordinate x = ∫ dy / σ in which its noise is that of a Brownian
motion, for ``fokker_planck``: its drift there is μ/σ − σ'/2.

The coefficients are asked for once, at Chebyshev's nodes of panels of length 1, and everything else is made
of the polynomials through them; beyond the last panel σ is a constant and the drift a straight line.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.polynomial import chebyshev

from deeplimits.array_types import Array
from deeplimits.limits.solvers.resolvents import Diffusion

_PANELS = 40
"""To either side of y = 0: e^{−40} is nothing beside 1."""
_NODES = 20

_AT = -np.cos(np.pi * (np.arange(_NODES) + 0.5) / _NODES)
"""Chebyshev's nodes on [−1, 1], ascending."""
_INTERPOLATE = np.linalg.inv(chebyshev.chebvander(_AT, _NODES - 1))
"""From values at the nodes to Chebyshev coefficients."""


@dataclass(frozen=True)
class UnitNoise:
    """The map between y and x, and the diffusion of x.

    Parameters
    ----------
    coefficients
        y ↦ (μ, σ²) at an array of any shape.
    """

    coefficients: Callable[[Array], tuple[Array, Array]]

    def to_unit(self, y: Array) -> Array:
        """x(y)."""
        return self._continued(y, self._edges, self._unit, self._unit_edges, 1 / self._ends)

    def from_unit(self, x: Array) -> Array:
        """y(x)."""
        return self._continued(x, self._unit_edges, self._back, self._edges, self._ends)

    def spread(self, y: Array) -> Array:
        """σ(y)."""
        return _valued(np.clip(y, -_PANELS, _PANELS), self._edges, self._sigma)

    @property
    def diffusion(self) -> Diffusion:
        """The diffusion of x."""

        def coefficients(x: Array) -> tuple[Array, Array]:
            y = np.clip(self.from_unit(x), -_PANELS, _PANELS)
            drift, slope = (_valued(y, self._edges, each) for each in self._drift)
            beyond = x - np.clip(x, self._unit_edges[0], self._unit_edges[-1])
            return drift + slope * beyond, slope

        return Diffusion(coefficients)

    @cached_property
    def _edges(self) -> Array:
        return np.arange(-_PANELS, _PANELS + 1.0)

    @cached_property
    def _values(self) -> tuple[Array, Array]:
        """μ and σ at the nodes [panel, node]."""
        drift, square = self.coefficients(self._edges[:-1, None] + (_AT + 1) / 2)
        return drift, np.sqrt(square)

    @cached_property
    def _sigma(self) -> Array:
        return self._values[1] @ _INTERPOLATE.T

    @cached_property
    def _ends(self) -> Array:
        """σ at both ends."""
        signs = (-1.0) ** np.arange(_NODES)
        return np.array([self._sigma[0] @ signs, self._sigma[-1].sum()])

    @cached_property
    def _unit(self) -> Array:
        """x by y [panel, coefficient]."""
        whole = chebyshev.chebint((1 / self._values[1]) @ _INTERPOLATE.T, lbnd=-1, scl=0.5, axis=1)
        ends = np.cumsum(whole.sum(axis=1))
        starts = np.concatenate([[0.0], ends[:-1]])
        # y = 0 is x = 0
        whole[:, 0] += starts - starts[_PANELS]
        return np.asarray(whole)

    @cached_property
    def _unit_edges(self) -> Array:
        signs = (-1.0) ** np.arange(_NODES + 1)
        return np.asarray(np.append(self._unit @ signs, self._unit[-1].sum()), float)

    @cached_property
    def _back(self) -> Array:
        """y by x [panel, coefficient]."""
        x = chebyshev.chebval(_AT, self._unit.T)
        low, width = self._unit_edges[:-1, None], np.diff(self._unit_edges)[:, None]
        y = self._edges[:-1, None] + (_AT + 1) / 2
        matrices = chebyshev.chebvander(2 * (x - low) / width - 1, _NODES - 1)
        return np.asarray(np.linalg.solve(matrices, y[:, :, None])[:, :, 0], float)

    @cached_property
    def _drift(self) -> tuple[Array, Array]:
        """The drift of x and its derivative by x, by y [panel, coefficient]."""
        drift, sigma = self._values
        sigma_slope = chebyshev.chebval(_AT, 2 * chebyshev.chebder(self._sigma.T))
        value = drift / sigma - sigma_slope / 2
        coefficients = value @ _INTERPOLATE.T
        slope = sigma * chebyshev.chebval(_AT, 2 * chebyshev.chebder(coefficients.T))
        return coefficients, slope @ _INTERPOLATE.T

    @staticmethod
    def _continued(at: Array, edges: Array, polynomials: Array, ends: Array, slopes: Array) -> Array:
        inside = _valued(np.clip(at, edges[0], edges[-1]), edges, polynomials)
        below = ends[0] + slopes[0] * (at - edges[0])
        above = ends[-1] + slopes[1] * (at - edges[-1])
        return np.where(at < edges[0], below, np.where(at > edges[-1], above, inside))


def _valued(at: Array, edges: Array, polynomials: Array) -> Array:
    """Polynomials of panels between ``edges``, by Clenshaw's rule."""
    panel = np.searchsorted(edges[1:-1], at, side="right")
    low = edges[panel]
    s = 2 * (at - low) / (edges[panel + 1] - low) - 1
    last, value = np.zeros_like(s), np.zeros_like(s)
    for power in range(polynomials.shape[1] - 1, 0, -1):
        last, value = value, polynomials[panel, power] + 2 * s * value - last
    return polynomials[panel, 0] + s * value - last
