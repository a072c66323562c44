"""Numbers of an activation by which limits differ."""

from __future__ import annotations

from deeplimits.activations import Slopes, Smooth
from deeplimits.digits import EXACT
from deeplimits.networks.network import Network


def is_odd(network: Network) -> bool:
    """Whether φ(−u) = −φ(u), so that antipodal inputs stay antipodal."""
    phi = network.activation
    if isinstance(phi, Smooth):
        return all(abs(phi(u) + phi(-u)) <= _ODD * abs(phi(u)) for u in map(EXACT.mpf, _ASKED))
    return network.piecewise_linear and all(
        layer.slopes.plus == layer.slopes.minus for layer in network.layer_kinds.values()
    )


_ASKED, _ODD = (0.37, 1.3, 4.1), 1e-30
"""Where a formula is asked whether it is odd, and how nearly."""


def asymmetry(slopes: Slopes) -> float:
    """A = (s₊ − s₋)² / (s₊² + s₋²), which alone decides how correlations move: c K₁(ρ) − ρ = A (q − ρ arccos
    ρ) / π.
    """
    plus, minus = slopes.plus, slopes.minus
    return float((plus - minus) ** 2 / (plus**2 + minus**2))


def square_variance(slopes: Slopes) -> float:
    """Var(c φ_s(g)²) = 6 (s₊⁴ + s₋⁴) / (s₊² + s₋²)² − 1: 5 for ReLU, 2 for a linear network."""
    plus, minus = slopes.plus, slopes.minus
    return float(6 * (plus**4 + minus**4) / (plus**2 + minus**2) ** 2 - 1)
