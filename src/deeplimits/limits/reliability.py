"""How far infinite width can be trusted for a network of finite width: by how much its units make log V and artanh
ρ fluctuate, and whether the layers make that grow.
"""

from __future__ import annotations

import numpy as np

from deeplimits.errors import InputError
from deeplimits.limits.fluctuations import spreads
from deeplimits.networks.network import Network

WIDE = 0.5
"""Standard deviation of log V or of artanh ρ from which a linear law about infinite width is no guide."""
_GROWING = 1.005
"""Factor a layer that is told."""
_OF_ONE = ("variance", "log_variance", "gradient_log_norm")


def warning(network: Network, layer: int, observable: str) -> str | None:
    """A sentence where the fluctuations of a network of this width are no small ones, or None."""
    if network.start is not None or layer == 0:
        return None
    alone = observable in _OF_ONE or network.inputs == 1
    try:
        found = spreads(network.of_inputs((0,)) if alone else network, layer)
    except InputError:
        return "how much a network of this width fluctuates about it cannot be told"
    last = found[layer]
    of_variance, of_correlation = (float(np.sqrt(last.covariance[index, index])) for index in (0, 2))
    if max(of_variance, 0.0 if alone else of_correlation) <= WIDE:
        return None
    what = f"log V by {of_variance:.2g}"
    if not alone and of_correlation > WIDE:
        what += f" and artanh ρ by {of_correlation:.2g}"
    growth = abs(last.amplification) ** (1 / layer)
    cause = (
        f"each layer makes deviations of log V {growth:.4g} times as large, so that infinite width is unstable here"
        if growth > _GROWING
        else f"d/n is not small after {layer} layers"
    )
    return (
        f"networks of this width fluctuate: by linearising, {what} (standard deviations) at layer {layer}, for {cause}; "
        "take it as no prediction for one network, and simulate"
    )
