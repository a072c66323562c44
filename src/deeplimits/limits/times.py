"""The time of a limit that a layer stands for: 1 / n a layer, or what shaping and the architecture say, where
widths may differ from layer to layer.
"""

from __future__ import annotations

from collections.abc import Sequence

from deeplimits.networks.network import Network


def network_time(network: Network, layer: float) -> float:
    """ℓ / d of a residual network; ℓ / n of any other, or Σ_{k ≤ ℓ} 1 / n_k."""
    if network.residual:
        return layer / network.depth
    return summed_time(network, layer, [float(units) for units in network.layer_kinds])


def shaping_time(network: Network, layer: float, power: float) -> float:
    """Σ_{k ≤ ℓ} size_k^{−power}, the size being what shaping goes by in layer k: its width, or the depth."""
    sizes = [float(shaping_size(network, units)) for units in network.layer_kinds]
    return summed_time(network, layer, [size**power for size in sizes])


def summed_time(network: Network, layer: float, lasting: Sequence[float]) -> float:
    """The time of ``layer`` where so many layers last a unit of time, given for each number of units that
    occurs, in ascending
    order. A part of a layer takes a part of its time.
    """
    if not network.uneven:
        return layer / lasting[0]
    of_units = dict(zip(network.layer_kinds, lasting, strict=True))
    whole = int(layer)
    total = sum(1 / of_units[units] for units in network.widths[:whole])
    return total + ((layer - whole) / of_units[network.widths[whole]] if layer > whole else 0.0)


def shaping_size(network: Network, units: int) -> int:
    """What shaping goes by in a layer of so many units: its width, or the depth."""
    return network.depth if network.shaping and network.shaping.by == "depth" else units


def one_value(network: Network, values: Sequence[float], spread: float = 1e-9) -> float | None:
    """The value that all layers share, given that of each number of units that occurs, in ascending order:
    their average over time, or None where they differ by more than ``spread`` of the largest.
    """
    low, high = min(values), max(values)
    if high - low > spread * max(abs(low), abs(high)):
        return None
    if len(values) == 1:
        return values[0]
    lasting = [
        units / value if value else float("inf")
        for value, units in zip(values, network.layer_kinds, strict=True)
    ]
    return summed_time(network, network.depth, lasting) / network_time(network, network.depth)
