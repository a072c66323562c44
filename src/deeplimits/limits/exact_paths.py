"""Laws of paths of ρ by the exact kernel: two layers jointly, and the largest ρ on the way.

To ask that ρ has been at most x after a layer is to cut the density there. What is left is brought back to
the grid of the kernel by the transpose of sinc interpolation, as where grids change (``exact_chain``): what
that adds far from the cut alternates and is tapered, which a smooth kernel does not see. Layers are of one
width, for a density that is cut cannot change grids.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from deeplimits.errors import InputError
from deeplimits.limits.exact import Exact, layers_of
from deeplimits.limits.exact_chain import Layers, State, after, first
from deeplimits.limits.mlp.correlation import start_coordinate
from deeplimits.networks.network import Network

Array = NDArray[np.float64]

_POINTS, _WEIGHTS = np.polynomial.legendre.leggauss(8)
_FULL, _TAPERED = 26.0, 3.5
"""How many nodes from a cut what alternates is tapered, and over how many."""
_REACH = 50


def below(state: State, rho: float) -> State:
    """What of a law has ρ ≤ ``rho``."""
    if rho >= 1:
        return state
    grid, last = state.grid, state.first + len(state.masses) - 1
    none = replace(state, masses=np.zeros(1), equal=0.0, apart=state.apart if rho >= 0 else 0.0)
    if rho <= -1 or (grid.smoothing and rho <= 0):
        return none
    cut = float(grid.back(np.array([np.arctanh(rho)]))[0]) / grid.step - 0.5
    low = state.first - _REACH
    if cut <= low:
        return none
    if cut >= last + _REACH:
        return replace(state, equal=0.0)
    edges = np.linspace(low, cut, int(np.ceil(cut - low)) + 1)
    half = (edges[1] - edges[0]) / 2
    at = ((edges[:-1] + half)[:, None] + half * _POINTS).ravel()
    numbers = np.arange(low, int(np.ceil(cut)) + _REACH + 1.0)
    uncut = np.zeros(len(numbers))
    kept = state.masses[: len(numbers) - _REACH]
    uncut[_REACH : _REACH + len(kept)] = kept
    uncut[numbers > cut] = 0.0
    density = np.sinc(at[:, None] - np.arange(state.first, last + 1.0)) @ state.masses
    masses = (density * np.tile(half * _WEIGHTS, len(edges) - 1)) @ np.sinc(at[:, None] - numbers)
    taper = 1 / (1 + np.exp(np.clip((np.abs(numbers - cut) - _FULL) / (_TAPERED / 2), -60, 60)))
    return replace(none, first=int(low), masses=uncut + taper * (masses - uncut))


@dataclass(frozen=True)
class TwoTimes:
    """The joint law of ρ after an ``early`` and a ``late`` layer, given that both inputs live in the late.

    Parameters
    ----------
    layers, start
        Slopes and units of each layer; artanh ρ₀.
    early, late
        Layers.
    """

    layers: Layers
    start: float
    early: int
    late: int

    def cdf(self, x: float, y: float) -> float:
        """P(ρ_early ≤ x, ρ_late ≤ y)."""
        before = self._walked(first(self.layers[0], self.start), 1, self.early)
        whole = self._walked(before, self.early, self.late)
        return below(self._walked(below(before, x), self.early, self.late), y).total / whole.total

    def correlation(self) -> float:
        """The correlation of ρ_early and ρ_late."""
        before = self._walked(first(self.layers[0], self.start), 1, self.early)
        moments = []
        for power in range(3):
            rho = np.tanh(before.grid.y(before.z)) ** power
            weighted = replace(before, masses=before.masses * rho, apart=before.apart if power == 0 else 0.0)
            state = self._walked(weighted, self.early, self.late)
            later = np.tanh(state.grid.y(state.z))
            moments.append(
                [
                    float(state.masses @ later**other) + state.equal + (state.apart if other == 0 else 0.0)
                    for other in range(3)
                ]
            )
        m = np.array(moments) / moments[0][0]
        together = m[1, 1] - m[1, 0] * m[0, 1]
        return float(together / np.sqrt((m[2, 0] - m[1, 0] ** 2) * (m[0, 2] - m[0, 1] ** 2)))

    def _walked(self, state: State, done: int, layer: int) -> State:
        for each in self.layers[done:layer]:
            state = after(each, state)
        return state


def two_times(network: Network, early: int, late: int) -> TwoTimes:
    """The joint law of the correlation of two inputs after two layers of a ReLU-like or linear perceptron.

    Parameters
    ----------
    early, late
        Layers, 1 ≤ early < late ≤ depth.

    Raises
    ------
    InputError
        Where ``exact`` is not for the network, or widths differ.
    """
    if not 1 <= early < late <= network.depth:
        raise InputError("two_times", "layers", (early, late), f"1 ≤ early < late ≤ {network.depth}")
    return TwoTimes(*_asked(network), early, late)


def largest(network: Network, layer: int, rho: Sequence[float]) -> list[float]:
    """P(ρ ≤ ``rho`` after every layer from 1 to ``layer``): the distribution function of the largest ρ on the
    way, given that both inputs live.

    Raises
    ------
    InputError
        Where ``exact`` is not for the network, or widths differ.
    """
    layers, start = _asked(network)
    found = []
    for bound in (1.0, *rho):
        state = below(first(layers[0], start), bound)
        for each in layers[1:layer]:
            state = below(after(each, state), bound)
        found.append(state.total)
    return [each / found[0] for each in found[1:]]


def _asked(network: Network) -> tuple[Layers, float]:
    reason = Exact().refusal(network, "correlation")
    if reason is not None:
        raise InputError("exact", "network", str(network), reason)
    layers = layers_of(network)
    if len(set(layers)) > 1:
        raise InputError("exact", "width", list(network.widths), "one width, for laws of paths")
    return layers, start_coordinate(network, "exact")
