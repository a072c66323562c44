"""Regimes: which networks a limit is for, as data. What no regime of a limit admits is refused, and the
reason names the condition that failed, so that a new architecture or activation is refused until a limit says
that it is for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from operator import itemgetter
from typing import Literal

from deeplimits.activations import Identity, OrnsteinUhlenbeck, ReluLike, Smooth
from deeplimits.architectures import architecture, of_papers, recursion_of
from deeplimits.architectures.base import Architecture, Recursion
from deeplimits.networks.network import Network

Family = Literal["linear", "relu_like", "smooth", "ornstein_uhlenbeck", "unknown"]
"""Kinds of activations that theory tells apart: φ_s(x) = s x; two different slopes; smooth; that of the
Ornstein–Uhlenbeck network; any other.
"""

_FAMILIES = {
    "linear": "linear",
    "relu_like": "ReLU-like",
    "smooth": "smooth",
    "ornstein_uhlenbeck": "that of the Ornstein–Uhlenbeck network",
    "unknown": "of no family that limits know",
}

_OF_TYPE: dict[type, Family] = {
    Identity: "linear",
    ReluLike: "relu_like",
    Smooth: "smooth",
    OrnsteinUhlenbeck: "ornstein_uhlenbeck",
}


def family(network: Network) -> Family:
    """The family of a network's activation; ``unknown``, which no limit is for, where it belongs to none.

    Parameters
    ----------
    network
        The network that is asked about.

    Returns
    -------
    ``linear``, ``relu_like``, ``smooth``, ``ornstein_uhlenbeck`` or ``unknown``.
    """
    phi = network.activation
    if isinstance(phi, ReluLike) and phi.c_plus == phi.c_minus:
        return "linear"
    return _OF_TYPE.get(type(phi), "unknown")


@dataclass(frozen=True, slots=True)
class Exponents:
    """Shaping exponents p from ``low`` to ``high``, with or without the ends."""

    low: float = 0.0
    high: float = float("inf")
    with_low: bool = True
    with_high: bool = True

    def __contains__(self, exponent: float) -> bool:
        above = exponent > self.low or (self.with_low and exponent == self.low)
        return above and (exponent < self.high or (self.with_high and exponent == self.high))

    def __str__(self) -> str:
        if self.low == self.high:
            return f"p = {self.low:g}" if self.low else "no shaping (p = 0)"
        low = "" if self.low == 0 and self.with_low else f"{self.low:g} {'≤' if self.with_low else '<'} "
        high = "" if self.high == float("inf") else f" {'≤' if self.with_high else '<'} {self.high:g}"
        if not high and low:
            return f"p {'≥' if self.with_low else '>'} {self.low:g}"
        return f"{low}p{high}"


ANY_EXPONENT = Exponents()
UNSHAPED = Exponents(0.0, 0.0)
SHAPED = Exponents(with_low=False)
HALF = Exponents(0.5, 0.5)
ABOVE_HALF = Exponents(0.5, with_low=False)
UP_TO_HALF = Exponents(0.0, 0.5, with_low=False)


@dataclass(frozen=True, slots=True)
class Condition:
    """What else a limit asks of a network.

    Parameters
    ----------
    wanted
        In words, after "it is for networks with".
    holds
        Whether a network fulfils it.
    found
        What a network has in its place, in words, or a function that tells it.
    """

    wanted: str
    holds: Callable[[Network], bool]
    found: str | Callable[[Network], str]

    def described(self, network: Network) -> str:
        """What ``network`` has in place of what is wanted."""
        return self.found if isinstance(self.found, str) else self.found(network)


@dataclass(frozen=True, slots=True)
class Regime:
    """One set of networks that a limit is for.

    Parameters
    ----------
    families
        Families of activations.
    exponents
        Shaping exponents, of a perceptron.
    branch_exponents
        Those of a residual network; None for any.
    uneven
        Whether the number of units may differ from layer to layer.
    inputs
        The fewest inputs.
    from_number
        Whether every unit of layer 0 of a residual network may be one number in place of an input.
    conditions
        What else.
    recursion
        Which recursion of the papers; networks of any other are refused.
    architecture
        In its place, the name of the one architecture.

    Notes
    -----
    In every method ``network`` is the network that is asked about.
    """

    families: tuple[Family, ...]
    exponents: Exponents = ANY_EXPONENT
    branch_exponents: tuple[float, ...] | None = None
    uneven: bool = False
    inputs: int = 1
    from_number: bool = False
    conditions: tuple[Condition, ...] = ()
    recursion: Recursion = field(default="plain", kw_only=True)
    architecture: str | None = field(default=None, kw_only=True)

    @property
    def kind(self) -> Architecture:
        """What the architecture of its networks knows."""
        return of_papers(self.recursion) if self.architecture is None else architecture(self.architecture)

    def is_of(self, name: str) -> bool:
        """Whether networks of an architecture may be in it.

        Parameters
        ----------
        name
            The name of the architecture.
        """
        if self.architecture is not None:
            return name == self.architecture
        return recursion_of(name) == self.recursion

    def __str__(self) -> str:
        kind = self.kind
        words = [kind.title.partition(" ")[2], " or ".join(_FAMILIES[name] for name in self.families)]
        if kind.shaped and self.exponents != ANY_EXPONENT:
            words.append(str(self.exponents))
        if self.branch_exponents is not None:
            words.append(f"b = {' or '.join(f'{each:g}' for each in self.branch_exponents)}")
        if not self.uneven and kind.shaped:
            words.append("one width")
        return ", ".join([*words, *(condition.wanted for condition in self.conditions)])

    def refusal(self, network: Network) -> str | None:
        """Which condition a network does not fulfil, in a sentence, or None if it fulfils all."""
        return refusal([self], network)

    def progress(self, network: Network) -> int:
        """How many conditions a network fulfils before the first that it does not."""
        failure = self.failure(network)
        return 1 << 10 if failure is None else failure[0]

    def failure(self, network: Network) -> tuple[int, Callable[[], str]] | None:
        """How many conditions a network fulfils before the first that it does not, and what says so; None if
        it fulfils all.
        """
        for place, (holds, wanted, found) in enumerate(self._checks(network)):
            if not holds:
                return place, partial(_missing, wanted, found)
        return None

    def _checks(self, network: Network) -> Iterator[tuple[bool, Callable[[], str], Callable[[], str]]]:
        """Each condition: whether it holds, what is wanted, what was found; the words only where they are
        asked for, since a sweep asks of every one of its points.
        """
        architecture = network.architecture
        if not self.is_of(architecture):
            yield (
                False,
                lambda: f"the architecture {self.kind.name}",
                lambda: f"the architecture {architecture}",
            )
            return
        yield True, str, str
        found = family(network)
        yield (
            found in self.families,
            lambda: f"an activation that is {' or '.join(_FAMILIES[name] for name in self.families)}",
            lambda: f"one that is {_FAMILIES[found]}",
        )
        if network.kind.shaped:
            yield (
                network.exponent in self.exponents,
                lambda: str(self.exponents),
                lambda: f"p = {network.exponent:g}",
            )
        elif self.branch_exponents is not None:
            allowed = self.branch_exponents
            yield (
                network.branch_exponent in allowed,
                lambda: f"the branch exponent b = {' or '.join(f'{each:g}' for each in allowed)}",
                lambda: f"b = {network.branch_exponent:g}",
            )
        yield (
            self.uneven or not network.uneven,
            lambda: "one width in all layers",
            lambda: "a width for each layer",
        )
        yield (
            self.from_number or network.start is None,
            lambda: "an input in front of layer 0",
            lambda: "one number in every unit of layer 0",
        )
        yield (
            network.inputs >= self.inputs,
            lambda: "two inputs or more" if self.inputs == 2 else f"{self.inputs} inputs or more",
            lambda: f"{network.inputs}",
        )
        for condition in self.conditions:
            yield (
                condition.holds(network),
                partial(getattr, condition, "wanted"),
                partial(condition.described, network),
            )


residual = partial(Regime, recursion="residual")
"""A regime of residual networks."""


def _missing(wanted: Callable[[], str], found: Callable[[], str]) -> str:
    return f"it is for networks with {wanted()}, and this one has {found()}"


def refusal(regimes: Sequence[Regime], network: Network) -> str | None:
    """Why none of ``regimes`` admits a network: the reason of the one that it comes nearest to; None if one
    does.

    Parameters
    ----------
    regimes
        At least one regime.
    network
        The network that is asked about.

    Returns
    -------
    A sentence, or None.
    """
    failures = []
    for regime in regimes:
        failure = regime.failure(network)
        if failure is None:
            return None
        failures.append(failure)
    return max(failures, key=itemgetter(0))[1]()


def in_words(network: Network) -> str:
    """A network by what limits tell apart: architecture, activation, shaping or branch exponent.

    Parameters
    ----------
    network
        The network that is asked about.

    Returns
    -------
    Words that may stand in a sentence, with an article.
    """
    words = [network.kind.title, f"with an activation that is {_FAMILIES[family(network)]}"]
    if "branch_exponent" in network.kind.keys:
        words.append(f"and branch exponent {network.branch_exponent:g}")
    elif network.exponent == 0 or isinstance(network.activation, Identity):
        words.append("and unshaped")
    else:
        assert network.shaping is not None
        words.append(f"and shaped by {network.shaping.by} with p = {network.exponent:g}")
    if network.uneven:
        words.append("with a width for each layer")
    return " ".join(words)
