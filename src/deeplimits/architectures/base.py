"""What an architecture is: all that tells its networks from others, as one object in one folder.

A folder of ``deeplimits.architectures`` holds an architecture: its object in ``__init__``, its oracle, and
what engines call for it. Everything else asks the object; nothing asks for a name.
"""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from deeplimits.discovery import sources_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from deeplimits.architectures.tangent_kernel import TangentKernel
    from deeplimits.networks.network import Layer, Network

    Moments = Callable[[Any, Any], Any]

Family = Literal["linear", "relu_like", "smooth", "ornstein_uhlenbeck"]
Recursion = Literal["plain", "residual"]
ALL_FAMILIES: tuple[Family, ...] = ("linear", "relu_like", "smooth", "ornstein_uhlenbeck")
MOST_WEIGHTS = 1 << 22
"""Weights of a sample up to which an architecture without kernels is simulated."""
EXPLICIT = "explicit-weights-1"
"""The sampler of such architectures, part of the names of their networks."""
_ALWAYS = ("log_variance", "correlation_gap", "output")


@dataclass(frozen=True)
class Key:
    """A key of a file that some architectures have; so is a field of their networks called.

    Parameters
    ----------
    default
        What it is where it is left out.
    meaning
        A line for the docs and the schema.
    noun
        What an architecture lacks that has not this key, such as ``a branch``.
    least
        Of a number, the smallest.
    choices
        Of a word, all that it may be.
    refused
        Those of them that are not supported, and what to write instead.
    """

    default: float | str
    meaning: str
    noun: str
    least: float = 0.0
    choices: tuple[str, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)


class Architecture(ABC):
    """How a layer follows from the one before.

    ``name`` is what files call it, ``title`` what sentences do, with its article; ``short`` stands before
    the activation in a legend, ``adjective``, with a space, in a message; ``equation`` is a layer in a
    line. ``families`` are the activations that it is defined for, by the names of ``limits.regime``.
    ``residual``: a branch is added to the state, so that layer 0 has units and a layer lasts 1 / d; else
    layer 0 is the input. ``normalised``: what leaves a layer has a fixed norm, so that V is a number and
    no law. ``normalising``: the constant c = 1 / E φ_s(g)² stands in front. ``shaped``: its activation
    may be shaped; where not, ``instead`` says what scales it. ``uneven``: its layers may differ in width;
    they have ``least_width`` units at least. ``from_number``: layer 0 may hold one number in every unit.
    ``recursion``: which of the papers' recursions a layer is, where it is one, so that their limits, numbers
    and figures are about it; not inherited, for what is made from another architecture is another.
    ``keys`` are those keys of a file that it has and others have not, by name. ``gradients``: whether
    engines have them. ``kernels`` is the module whose ``call`` and ``scratch`` the engines use.

    Notes
    -----
    In every method ``network`` is a network of the architecture, ``layers`` are recorded layers, ascending,
    and ``observable`` is a kind of observable, such as ``correlation``.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    short: ClassVar[str] = ""
    adjective: ClassVar[str] = ""
    equation: ClassVar[str]
    families: ClassVar[tuple[Family, ...]] = ALL_FAMILIES
    residual: ClassVar[bool] = False
    normalised: ClassVar[bool] = False
    normalising: ClassVar[bool] = True
    shaped: ClassVar[bool] = True
    instead: ClassVar[str] = ""
    uneven: ClassVar[bool] = True
    least_width: ClassVar[int] = 1
    from_number: ClassVar[bool] = False
    recursion: ClassVar[Recursion | None] = None
    keys: ClassVar[Mapping[str, Key]] = {}
    gradients: ClassVar[bool] = True
    infinite_width: ClassVar[bool] = False
    kernels: ClassVar[str] = "deeplimits.engines.explicit"

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.recursion = vars(cls).get("recursion")

    @abstractmethod
    def oracle(
        self,
        network: Network,
        layers: Sequence[int],
        samples: int,
        generator: np.random.Generator,
        *,
        readout: bool = False,
    ) -> dict[str, NDArray[Any]]:
        """Draw ``samples`` networks from ``generator``, every weight matrix, and record them at ``layers``,
        under the names and in the shapes of ``engines.simulate_block``; with ``readout`` also the output and
        gradients.
        """

    def variables(self, network: Network) -> frozenset[str]:
        """Names of the variables that are stored of a network, with those that are stored if asked for."""
        gradients = ("gradient_log_norm", "gradient_gap") if self.gradients else ()
        return frozenset((*_ALWAYS, *gradients))

    def canonical_form(self, network: Network) -> Mapping[str, Any]:
        """What its canonical form holds besides that of every network."""
        return {}

    @property
    def tangent_kernel(self) -> TangentKernel | None:
        """What its tangent kernel is made of, where what is stored of a sample suffices for it."""
        return None

    @property
    def has_kernels(self) -> bool:
        """Whether engines draw it without weight matrices; else its oracle is what is simulated and stored,
        up to a size.
        """
        return self.kernels != Architecture.kernels

    @property
    def sampler(self) -> str | None:
        """What draws it, where that is not the number contract alone: part of the names of its networks, with
        the sources of one that another package offers, for which nothing else tells that they draw otherwise.
        """
        sources = sources_of(self.kernels if self.has_kernels else type(self).__module__)
        named = [] if self.has_kernels else [EXPLICIT]
        return " of ".join([*named, *([sources[:16]] if sources else [])]) or None

    def normals(self, network: Network) -> int:
        """Standard normals that a sample takes."""
        width, depth = network.width, network.depth
        if not self.has_kernels:
            widths = (network.inputs, *network.widths)
            return sum(one * other for one, other in itertools.pairwise(widths))
        drawn = width * depth if isinstance(width, int) else sum(width)
        if self.residual and network.start is None:
            drawn += network.units
        return drawn * network.inputs

    def infinite_width_step(self, network: Network, layer: Layer, pair: Any, moments: Moments) -> Any:
        """V of the first pair after a layer of infinitely many units, given that before it; see
        ``limits.recursion``.

        Parameters
        ----------
        layer
            The layer that is taken.
        pair
            Before it, a dataclass: square norms ``first`` and ``second`` over the width, and ``gap``, 1 − ρ.
        moments
            E φ(u) φ(u)ᵀ for u ~ N(0, V), of a φ and a pair.
        """
        raise NotImplementedError(f"the architecture {self.name} says nothing of infinite width")

    def problem(self, network: Network) -> tuple[str, str] | None:
        """What of a network is out of the reach of its engines, and what would be within; None where nothing
        is.
        """
        narrowest = min(network.layer_kinds)
        if narrowest < self.least_width:
            return f"<{narrowest} units>", f"layers of {self.least_width} units or more of {self.title}"
        if not self.has_kernels and self.normals(network) > MOST_WEIGHTS:
            found = f"<{self.normals(network):,} weights>"
            return found, f"at most {MOST_WEIGHTS:,} of {self.title}, whose weight matrices are drawn"
        return None

    def same_law(self, network: Network, observable: str) -> Network:
        """A network of another architecture in which a kind of observable has the same law, if there is one;
        else the network itself.
        """
        return network

    def label(self, plain: str, network: Network, number: Callable[[float], str]) -> str:
        """A network in a legend, where a perceptron of its activation is called ``plain``, and ``number``
        writes numbers.
        """
        return f"{self.short}, {plain}" if self.short else plain


class WithOracle(Architecture):
    """An architecture whose oracle is ``simulate`` of the module ``oracle_module``, by default of the file
    ``oracle.py`` in its folder.
    """

    oracle_module: ClassVar[str] = ""

    def oracle(
        self,
        network: Network,
        layers: Sequence[int],
        samples: int,
        generator: np.random.Generator,
        *,
        readout: bool = False,
    ) -> dict[str, NDArray[Any]]:
        from importlib import import_module

        module = import_module(self.oracle_module or f"{type(self).__module__}.oracle")
        drawn: dict[str, NDArray[Any]] = module.simulate(network, layers, samples, generator, readout=readout)
        return drawn


def accept(name: str, offered: object) -> Architecture:
    """What an entry point offers, as an architecture.

    Parameters
    ----------
    name
        The name of the entry point.
    offered
        What it loads: a class made from ``Architecture``, or an object of one.

    Returns
    -------
    The architecture.

    Raises
    ------
    TypeError
        If it is none, or has another name.
    """
    made = offered() if isinstance(offered, type) else offered
    if not isinstance(made, Architecture) or made.name != name:
        raise TypeError(f"an Architecture (deeplimits.architectures.base) whose name is {name}")
    return made
