"""What a limit is: a law that theory predicts for the networks of a regime, at the time that a layer stands
for.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Sequence
from functools import cached_property
from typing import ClassVar, Literal

import numpy as np

from deeplimits.array_types import Array
from deeplimits.errors import InputError, Unsolved, unsolvable
from deeplimits.laws import Law, PointMass
from deeplimits.laws.mapped import mapped
from deeplimits.limits.coefficients import is_odd
from deeplimits.limits.regime import Regime, family, refusal
from deeplimits.limits.times import network_time
from deeplimits.networks.network import Network
from deeplimits.observables import OBSERVABLES, Observable, parse

Kind = Literal["number", "law", "sampled"]

_LARGEST_ERROR = 0.5
"""From which on what a limit states as its error is 1: that nothing is known."""


class Limit(ABC):
    """A law predicted for networks of one regime.

    ``observables`` are what it speaks of; ``regimes`` the networks that it is for, as data: any other is
    refused. ``kind`` tells whether it is a number at every time, a law solved without noise, or a sampled
    one; ``random`` are the observables that are no numbers where others are. ``label`` says in a few words
    what it is, ``equation`` the law itself. ``precedence`` orders the limits that may be chosen for a network
    without being named, the smallest first; ``matched_precedence`` those with the network's own constants;
    ``finite_precedence`` the laws of finite networks, which come before all limits where they are not
    ``dear``; None is never chosen. ``rate`` is the exponent with which the Kolmogorov distance of a network
    of width n to it falls (of depth d, for residual networks of finite width), where theory or our own
    measurements declare one, and ``rate_reason`` says why there is none; ``source`` names the equation.

    Notes
    -----
    In every method ``network`` is the network that is asked about; ``layer`` one of its layers, 0 the input;
    ``layers`` several, ascending; ``observable`` the name of what is predicted, one of ``observables`` where
    a class of limits answers itself (``laws``, ``_error``), and any that it speaks of, with the inputs that
    it is of, such as ``correlation_0_2``, elsewhere. Reasons and warnings are sentences. ``laws`` raises
    ``ArithmeticError`` where a law cannot be solved to the accuracy that is kept.
    """

    name: ClassVar[str]
    label: ClassVar[str]
    equation: ClassVar[str]
    observables: ClassVar[tuple[str, ...]]
    regimes: ClassVar[tuple[Regime, ...]]
    kind: ClassVar[Kind] = "law"
    random: ClassVar[tuple[str, ...]] = ()
    precedence: ClassVar[int | None] = None
    matched_precedence: ClassVar[int | None] = None
    finite_precedence: ClassVar[int | None] = None
    rate: ClassVar[float | None] = None
    rate_reason: ClassVar[str] = ""
    source: ClassVar[str]

    def refusal(self, network: Network, observable: str | None = None) -> str | None:
        """Why the limit is not for a network, in a sentence that names the condition; None where it is.

        Parameters
        ----------
        observable
            Where given, the network is asked about as these inputs alone see it, and the limit has to speak
            of it.
        """
        if observable is None:
            return refusal(self.regimes_for(network), network)
        found = parse(observable)
        if found.kind not in self.spoken:
            return f"it speaks of {', '.join(self.spoken)}, and {found.kind} was asked for"
        if found.inputs[-1] >= network.inputs:
            needed = found.inputs[-1] + 1
            return f"{observable} is about {needed} inputs or more, and this network has {network.inputs}"
        return self._asked(network, found)[1]

    def regimes_for(self, network: Network) -> tuple[Regime, ...]:
        """The regimes that a network may be in."""
        return self.regimes

    def applies(self, network: Network, observable: str | None = None) -> bool:
        """Whether the limit is for networks like this one; see ``refusal``."""
        return self.refusal(network, observable) is None

    def dear(self, network: Network, layer: int) -> str | None:
        """Why the law takes so long for a network that it has to be asked for by name, or None."""
        return None

    def admits_family(self, network: Network) -> bool:
        """Whether the limit is for networks of this architecture and family of activations at all."""
        return any(
            regime.is_of(network.architecture) and family(network) in regime.families
            for regime in self.regimes
        )

    def nearness(self, network: Network) -> int:
        """How many conditions in turn a network fulfils of the regime that it comes nearest to."""
        return max(regime.progress(network) for regime in self.regimes)

    @abstractmethod
    def laws(self, network: Network, layers: Sequence[int], observable: str) -> list[Law]:
        """Laws of ``observable``, of the first input or pair, at ``layers`` (ascending)."""

    def marginals(self, network: Network, layers: Sequence[int], observable: str) -> list[Law]:
        """Laws of an observable of any inputs, such as ``correlation_0_2``: those of the network that sees
        these inputs alone.

        Raises
        ------
        InputError
            If the limit is not for this network; ``Unsolved`` if its law cannot be had to the accuracy that
            is kept, which solving it tells.
        """
        reason = self.refusal(network, observable)
        if reason is not None:
            raise InputError("limit", "", self.name, f"a limit for this network: {reason}")
        found = parse(observable)
        seen, kind = self._seen(network, found), self._solved(found)
        try:
            laws = self.laws(seen, layers, kind)
        except (ArithmeticError, np.linalg.LinAlgError) as error:
            raise Unsolved("limit", "", self.name, unsolvable(observable, error)) from error
        if kind == found.kind or found.record.law is None:
            return laws
        return [mapped(law, found.record.law[1]) for law in laws]

    @cached_property
    def spoken(self) -> tuple[str, ...]:
        """The kinds of observables that it speaks of: ``observables``, and those whose records say how their
        laws follow from one of these.
        """
        known = {kind: record.law for kind, record in OBSERVABLES.items() if kind not in self.observables}
        mapped_ = (kind for kind, law in known.items() if law is not None and law[0] in self.observables)
        return (*self.observables, *mapped_)

    def is_number(self, observable: str) -> bool:
        """Whether an observable is a number at every time."""
        return self.kind == "number" and self._solved(parse(observable)) not in self.random

    def _solved(self, observable: Observable) -> str:
        """The kind of observable whose law is solved where another is asked for."""
        law = observable.record.law
        return observable.kind if observable.kind in self.observables or law is None else law[0]

    def _seen(self, network: Network, observable: Observable) -> Network:
        """The network as the inputs of an observable alone see it; one of another architecture in which the
        observable has the same law, where the limit is for that one and not for the network itself.
        """
        return self._asked(network, observable)[0]

    def _asked(self, network: Network, observable: Observable) -> tuple[Network, str | None]:
        """What ``_seen`` is, and why the limit is not for it."""
        seen = network.of_inputs(observable.inputs)
        reason = refusal(self.regimes_for(seen), seen)
        if reason is not None:
            other = seen.kind.same_law(seen, observable.kind)
            if other is not seen and refusal(self.regimes_for(other), other) is None:
                return other, None
        return seen, reason

    def joint_samples(
        self, network: Network, layer: int, observables: Sequence[str]
    ) -> dict[str, Array] | None:
        """Joint samples of ``observables`` at a layer, each [sample]; None where there is no joint law."""
        return None

    def time(self, network: Network, layer: float) -> float:
        """The limit's time of a layer: ℓ / n, Σ 1 / n_k where widths differ from layer to layer, and ℓ / d in
        a residual network, unless a limit says otherwise.
        """
        return network_time(network, layer)

    def layer(self, network: Network, time: float) -> int:
        """The last layer up to ``time``, ⌊t n⌋; beyond the depth where the time is."""
        if not network.uneven:
            return int(min(time / self.time(network, 1.0) + 1e-9, network.depth + 1.0))
        due = time * (1 + 1e-9)
        if due > self.time(network, network.depth) * (1 + 3e-9):
            return network.depth + 1
        layers = range(network.depth + 1)
        return bisect_right(layers, due, key=lambda layer: self.time(network, layer)) - 1

    def warning(self, network: Network, layer: int, observable: str) -> str | None:
        """A sentence that says why the law is not to be trusted for this network, or None."""
        return None

    def error(self, network: Network, layer: int, observable: str, law: Law | None = None) -> float:
        """The Kolmogorov distance that a network of this width and depth has from the law, stated to be kept
        and to be no more than a few times too large; at most 1. A number is no law of a network that
        fluctuates: it is 1 there.

        Parameters
        ----------
        law
            That of ``marginals`` at ``layer``, where it is known already.

        Raises
        ------
        InputError
            If the limit is not for this network.
        """
        found = parse(observable)
        seen = self._seen(network, found)
        kind = self._solved(found)
        if law is None or kind != found.kind:
            # no monotone map changes a Kolmogorov distance
            law = self.marginals(network, [layer], Observable(kind, found.inputs).name)[0]
        if layer == 0 and not network.residual:
            return 0.0
        if isinstance(law, PointMass) and _parted(seen):
            return 1.0
        if isinstance(law, PointMass) and self.kind != "number":
            # equal inputs stay equal, and a start is where it is
            return 0.0
        stated = self._error(seen, layer, kind, law)
        # so large, terms to leading order say nothing
        return stated if stated < _LARGEST_ERROR else 1.0

    def _error(self, network: Network, layer: int, observable: str, law: Law) -> float:
        """As ``error``, of the first input or pair; asked of no law that is a number, but where all are."""
        return 1.0

    def explosion_probability(self, network: Network, layer: float) -> float | None:
        """P(explosion by the time of ``layer``) of any input, where the limit can explode at all."""
        return None

    def explosion_probability_ever(self, network: Network) -> float | None:
        """P(explosion) of any input, where the limit can explode at all."""
        return None


def _parted(network: Network) -> bool:
    """Whether its first layer takes two inputs of one direction apart: ρ = 1 and ρ = −1 are left by an
    activation that bends, where the inputs are of different length, and ρ = −1 by one that is not odd.
    """
    if network.inputs < 2 or network.gap() not in (0, 2):
        return False
    bent = not network.piecewise_linear and network.gram[0][0] != network.gram[1][1]
    return bent or (network.gap() == 2 and not is_odd(network))


def accept(name: str, offered: object) -> Limit:
    """The limit that another package offers under a name.

    Parameters
    ----------
    name
        The name of the entry point.
    offered
        What it loads: a class made from ``Limit``, or one of these limits.

    Returns
    -------
    The limit.

    Raises
    ------
    TypeError
        If it is no limit, or lacks what a limit has to say of itself.
    """
    limit = offered() if isinstance(offered, type) and issubclass(offered, Limit) else offered
    if not isinstance(limit, Limit):
        raise TypeError(f"a class made from {Limit.__module__}.Limit")
    lacking = [each for each in _DECLARED if not getattr(limit, each, None)]
    if lacking:
        raise TypeError(f"a limit that declares {', '.join(lacking)}")
    if limit.name != name:
        raise TypeError(f"a limit of this name, not {limit.name}")
    unknown = sorted(set(limit.observables) - set(OBSERVABLES))
    if unknown:
        raise TypeError(f"a limit of observables that there are, not {', '.join(unknown)}")
    return limit


_DECLARED = ("name", "label", "equation", "observables", "regimes", "source")
"""What a limit has to say of itself."""
