"""Laws of one limit for many networks at once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from deeplimits.laws import Law
from deeplimits.limits import registry
from deeplimits.networks.network import Network

Request = tuple[Network, Sequence[int], str]
"""A network, layers (ascending) and an observable, as ``Limit.marginals`` takes them."""


def marginals(name: str, requests: Sequence[Request]) -> list[list[Law]]:
    """Laws that the limit ``name`` predicts, of each request in its order.

    A law is what ``Limit.marginals`` gives for its request alone, byte for byte: whatever else is asked for
    beside it, in which order and in which chunks, leaves no trace in it. What requests have in common is
    solved once: networks that differ in their seed alone have one law, unless the limit is sampled.

    Parameters
    ----------
    name
        A limit of ``registry``.
    requests
        Networks, layers and observables; laws of equal requests are one object.

    Raises
    ------
    InputError
        If the limit is not for one of the networks.
    """
    limit = registry()[name]
    solved: dict[tuple[Any, ...], list[Law]] = {}
    found = []
    for network, layers, observable in requests:
        key = (_of_law(network, limit.kind == "sampled"), tuple(layers), observable)
        if key not in solved:
            solved[key] = limit.marginals(network, layers, observable)
        found.append(solved[key])
    return found


def _of_law(network: Network, sampled: bool) -> str:
    """All of a network that a law may depend on."""
    form = network.canonical_form()
    if not sampled:
        del form["seed"]
    return json.dumps(form, sort_keys=True)
