"""Which law answers for a network where none is named: that of the finite network itself where it takes
seconds, one that is right to second order where its error is small, and else the limit of its regime.
"""

from __future__ import annotations

from collections.abc import Iterator

from deeplimits.errors import InputError
from deeplimits.limits import Choice, choose, registry
from deeplimits.limits.regime import in_words
from deeplimits.networks.network import Network
from deeplimits.observables import parse

LARGEST_ERROR = 0.01
"""Stated error from which on a law of the finite network is no better than its limit."""


def choices(network: Network, observable: str, layer: int) -> Iterator[Choice]:
    """What may answer, the best first; the limit of the regime is last, where there is one.

    Raises
    ------
    InputError
        If nothing may.
    """
    found = parse(observable)
    seen = network.of_inputs(found.inputs)
    words, hindered = in_words(seen), []
    finite = [
        each
        for each in registry().values()
        if each.finite_precedence is not None and found.kind in each.spoken
    ]
    try:
        limit = choose(network, observable)
    except InputError:
        limit = None
    some = False
    for each in sorted(finite, key=lambda law: int(law.finite_precedence or 0)):
        reason = each.refusal(network, observable) or each.dear(seen, layer)
        if reason is None:
            some = True
            beside = f"; the limit of its regime is {limit.limit.name}" if limit else ""
            yield Choice(each, f"{words}: {each.label}{beside}")
        elif each.admits_family(seen):
            hindered.append(f"{each.name} was not taken: {reason}")
    if limit is not None:
        why = f"; {hindered[0]}" if hindered else ""
        yield Choice(limit.limit, f"{limit.reason}{why}")
    elif not some:
        choose(network, observable)
