"""The exact law of a finite network beside its limits, for claims and figures that need no sample."""

from __future__ import annotations

from deeplimits.laws import Law
from deeplimits.limits import registry
from deeplimits.networks.network import Network
from deeplimits.observables import parse

ERROR = 1e-6
"""Of a distance or a probability of exact laws."""
_BY_KIND = {"correlation": "exact", "rescaled_correlation": "exact"}


def law_at(network: Network, layer: int, observable: str, limit: str = "") -> Law | None:
    """The exact law of a network, or that of a limit; None where it is not for this network.

    Raises
    ------
    InputError
        If it cannot be had.
    """
    found = registry()[limit or _BY_KIND.get(parse(observable).kind, "exact_variance")]
    if found.refusal(network, observable) is not None:
        return None
    return found.marginals(network, [layer], observable)[0]
