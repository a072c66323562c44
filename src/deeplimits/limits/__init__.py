"""Limits: the laws that theory predicts, one file for each family, found by standing in this room; those of
other packages by entry point.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from deeplimits.discovery import Registry, classes_of
from deeplimits.errors import InputError

if TYPE_CHECKING:
    from deeplimits.limits.base import Limit
    from deeplimits.networks.network import Network

GROUP = "deeplimits.limits"
"""Entry points of other packages: the name of a limit, and its class."""


@lru_cache
def registry() -> Registry[Limit]:
    """Every limit by name: those of this package in the order in which they are chosen, then the rest of them
    by name, then those of other packages.
    """
    from deeplimits.limits.base import Limit, accept

    def own() -> dict[str, Limit]:
        found = [each() for each in classes_of(__name__, Limit)]  # type: ignore[type-abstract]
        return {limit.name: limit for limit in sorted(found, key=_rank)}

    return Registry(GROUP, own, accept)


def _rank(limit: Limit) -> tuple[float, str]:
    return (float("inf") if limit.precedence is None else limit.precedence, limit.name)


@dataclass(frozen=True, slots=True)
class Choice:
    """The limit that is taken for a network where none is named.

    Parameters
    ----------
    limit
        The limit.
    reason
        Why it was chosen, in words.
    """

    limit: Limit
    reason: str


def choose(network: Network, observable: str, *, matched: bool = False) -> Choice:
    """The limit of the regime that a network is in: residual; or unshaped, or shaped with p below, at or
    above ½; the most particular one that is for it. With ``matched``, the law with the network's own
    constants, at its own widths and depth.

    Raises
    ------
    InputError
        If no limit that may be chosen speaks of the observable of such a network; the message says what
        hinders the one that comes nearest.
    """
    from deeplimits.limits.regime import in_words
    from deeplimits.observables import parse

    found = parse(observable)
    order = "matched_precedence" if matched else "precedence"
    speaking = [limit for limit in registry().values() if found.kind in limit.spoken]
    if not speaking:
        spoken = sorted({kind for limit in registry().values() for kind in limit.spoken})
        raise InputError(
            "limit", "observable", observable, "one that a limit speaks of: " + ", ".join(spoken)
        )
    ranked = sorted(
        (limit for limit in speaking if getattr(limit, order) is not None),
        key=lambda limit: (int(getattr(limit, order)), limit.name),
    )
    for limit in ranked:
        if limit.refusal(network, observable) is None:
            seen = in_words(network.of_inputs(found.inputs))
            return Choice(limit, f"{seen}: {limit.label}")
    nearest = max(ranked or speaking, key=lambda limit: limit.nearness(network))
    constants = " with its own constants" if matched else ""
    raise InputError(
        "limit",
        "observable",
        observable,
        f"another network or observable: no law{constants} is known of {observable} of {in_words(network)}; "
        f"{nearest.name} speaks of it, but {nearest.refusal(network, observable)}",
    )
