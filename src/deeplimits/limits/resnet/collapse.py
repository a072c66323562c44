"""Network collapse (Hayou 2022, Lemmas 2 and 3): every unit of a residual ReLU network is negative at some
layer, and from there on nothing changes.

It never happens in the limit of infinite depth. At finite depth L a network of one unit that is alive at
layer 0 takes a factor 1 + ξ / √L a layer, ξ ~ N(0, 1), and collapses where one of them is negative: by layer
ℓ with probability 1 − Φ(√L)^ℓ, exactly. Wider networks have to be simulated.
"""

from __future__ import annotations

import math

import numpy as np

from deeplimits.networks.network import Network


def collapse_probability(network: Network, layer: int) -> float:
    """Probability that a network of one unit, alive at layer 0, has collapsed by ``layer``; NaN where this is
    not known in closed form.
    """
    if not (network.kind.recursion == "residual" and network.piecewise_linear and network.units == 1):
        return math.nan
    slopes = network.slopes
    if slopes.minus != 0:
        return 0.0 if slopes.plus != 0 else math.nan
    from scipy.special import log_ndtr

    scale = float(abs(slopes.plus)) * network.depth**-network.branch_exponent
    return float(-np.expm1(layer * log_ndtr(1 / scale)))
