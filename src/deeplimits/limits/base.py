"""What a limit is: a law that theory predicts for a network, at the time that a layer stands for."""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from deeplimits.laws import Law
from deeplimits.limits.observables import parse
from deeplimits.networks.network import Network


class Limit(ABC):
    """A law predicted for networks of one regime.

    ``observables`` are what it speaks of; ``rate`` is the exponent with which the Kolmogorov distance of a
    network of width n to it falls (of depth d, for residual networks of finite width), where theory or our
    own measurements declare one, and ``rate_reason`` says why there is none; ``deterministic`` is
    False where the law is sampled; ``certain`` is True where it is a number at every time; ``source`` names
    the equation.
    """

    name: ClassVar[str]
    observables: ClassVar[tuple[str, ...]]
    rate: ClassVar[float | None] = None
    rate_reason: ClassVar[str] = ""
    deterministic: ClassVar[bool] = True
    certain: ClassVar[bool] = False
    source: ClassVar[str]

    @abstractmethod
    def applies(self, network: Network) -> bool:
        """Whether the limit is about networks like this one."""

    @abstractmethod
    def laws(self, network: Network, layers: Sequence[int], observable: str) -> list[Law]:
        """Laws of ``observable``, of the first input or pair, at ``layers`` (ascending)."""

    def marginals(self, network: Network, layers: Sequence[int], observable: str) -> list[Law]:
        """Laws of an observable of any inputs, such as ``correlation_0_2``: those of the network that sees
        these inputs alone.
        """
        found = parse(observable)
        return self.laws(network.of_inputs(found.inputs), layers, found.kind)

    def jointly(
        self, network: Network, layer: int, observables: Sequence[str]
    ) -> dict[str, NDArray[np.float64]] | None:
        """Joint samples of ``observables`` at a layer, each [sample]; None where there is no joint law."""
        return None

    def time(self, network: Network, layer: float) -> float:
        """The limit's time of a layer: ℓ / n, Σ 1 / n_k where widths differ from layer to layer, and ℓ / d in
        a residual network, unless a limit says otherwise.
        """
        return network_time(network, layer)

    def layer(self, network: Network, time: float) -> int:
        """The last layer up to ``time``, ⌊t n⌋; beyond the depth where the time is."""
        if network.layer_widths is None:
            return int(time / self.time(network, 1.0) + 1e-9)
        due = time * (1 + 1e-9)
        if due > self.time(network, network.depth) * (1 + 3e-9):
            return network.depth + 1
        layers = range(network.depth + 1)
        return bisect_right(layers, due, key=lambda layer: self.time(network, layer)) - 1

    def explosion_probability(self, network: Network, layer: float) -> float | None:
        """P(explosion by the time of ``layer``) of any input, where the limit can explode at all."""
        return None

    def explosion_probability_ever(self, network: Network) -> float | None:
        """P(explosion) of any input, where the limit can explode at all."""
        return None


def network_time(network: Network, layer: float) -> float:
    """ℓ / d of a residual network; ℓ / n of any other, or Σ_{k ≤ ℓ} 1 / n_k."""
    if network.residual:
        return layer / network.depth
    if network.layer_widths is None:
        return layer / network.width
    whole = int(layer)
    total = sum(1 / width for width in network.layer_widths[:whole])
    return total + ((layer - whole) / network.layer_widths[whole] if layer > whole else 0.0)


def layers_per_time(network: Network) -> float:
    """Layers in a unit of time, on average: n where all widths are n."""
    return network.depth / network_time(network, network.depth)


def shaping_size(network: Network) -> int:
    """What shaping goes by: the width or the depth."""
    return network.depth if network.shaping and network.shaping.by == "depth" else network.width


def is_linear(network: Network) -> bool:
    """Whether both slopes are equal at this width: every layer is then a matrix."""
    return network.piecewise_linear and network.slopes.plus == network.slopes.minus


def asymmetry(network: Network) -> float:
    """A = (s₊ − s₋)² / (s₊² + s₋²), which alone decides how correlations move: c K₁(ρ) − ρ = A (q − ρ arccos
    ρ) / π.
    """
    plus, minus = network.slopes.plus, network.slopes.minus
    return float((plus - minus) ** 2 / (plus**2 + minus**2))


def square_variance(network: Network) -> float:
    """Var(c φ_s(g)²) = 6 (s₊⁴ + s₋⁴) / (s₊² + s₋²)² − 1: 5 for ReLU, 2 for a linear network."""
    plus, minus = network.slopes.plus, network.slopes.minus
    return float(6 * (plus**4 + minus**4) / (plus**2 + minus**2) ** 2 - 1)
