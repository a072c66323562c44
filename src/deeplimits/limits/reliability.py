"""How far infinite width can be trusted for a network of finite width: by how much its units make log V and
artanh ρ fluctuate, and whether the layers make that grow.
"""

from __future__ import annotations

import numpy as np

from deeplimits.errors import InputError
from deeplimits.limits.fluctuations import REGIMES, spreads
from deeplimits.limits.regime import refusal
from deeplimits.networks.network import Network
from deeplimits.observables import parse

WIDE = 0.5
"""Standard deviation of log V or of artanh ρ from which a linear law about infinite width is no guide."""
_GROWING = 1.005
"""Factor a layer that is told."""

_UNTOLD = "how much networks of this width fluctuate about infinite width cannot be told"


def warning(network: Network, layer: int, observable: str) -> str | None:
    """A sentence where the fluctuations of a network of this width are no small ones, or None.

    Parameters
    ----------
    observable
        Its name, with the inputs that it is of where they are not the first ones.
    """
    if network.start is not None or layer == 0:
        return None
    inputs = parse(observable).inputs
    if refusal(REGIMES, network) is not None:
        return _UNTOLD
    try:
        last = spreads(network.of_inputs(inputs), layer)[layer]
    except InputError:
        return _UNTOLD
    of_variance, of_correlation = (float(np.sqrt(last.covariance[index, index])) for index in (0, 2))
    if max(of_variance, of_correlation) <= WIDE:
        return None
    what = f"{of_variance:.2g} (log V)"
    if of_correlation > WIDE:
        what += f" and {of_correlation:.2g} (artanh ρ)"
    growth = abs(last.amplification) ** (1 / layer)
    cause = f"{layer} layers are not few beside the width"
    if growth > _GROWING:
        cause = f"each layer makes deviations of log V {growth:.4g} times as large"
    return (
        "networks of this width fluctuate about infinite width, to first order by standard deviations of "
        f"{what} at layer {layer}, for {cause}; beyond {WIDE:g} it is no guide, and simulating is"
    )
