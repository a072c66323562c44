"""What is known of an observable: one record, of which the rest follows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from deeplimits.array_types import Array
from deeplimits.errors import InputError
from deeplimits.laws import Transform
from deeplimits.variables import STORED

if TYPE_CHECKING:
    from deeplimits.networks.network import Network


Numbers = NDArray[np.float32]
"""What is stored of an observable [sample], or is rounded as if it were."""


def rounded(found: Array, alive: NDArray[np.bool_], name: str, others: str) -> Numbers:
    """What a product is, rounded to float32, of which networks are ``alive``.

    Raises
    ------
    InputError
        If one of these is beyond float32, or most of them fall below it: they would pass for dead ones, or
        for nothing. ``name`` and ``others`` are the observable, and those that have no bounds.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        kept = found.astype(np.float32)
    if (alive & np.isinf(kept)).any() or 2 * (alive & (found != 0) & (kept == 0)).sum() > alive.sum():
        expected = f"numbers that float32 holds, 1e-45 to 3e38; {others} have no bounds"
        raise InputError("observable", "", name, expected)
    return kept


class Matrix(Protocol):
    """V of two inputs at a layer where it is a number: V^{aa}, V^{bb} and 1 − ρ."""

    @property
    def first(self) -> float: ...
    @property
    def second(self) -> float: ...
    @property
    def gap(self) -> float: ...


@dataclass(frozen=True, kw_only=True)
class Kind:
    """An observable of any inputs: a monotone function of something stored at a layer, so that the order
    statistics of what is stored are its own too.

    Parameters
    ----------
    meaning
        What it is, its short name first. It has no unit: observables are logarithms and ratios.
    inputs
        How many inputs it is about, one or two.
    variables
        The stored variables that it is made of. The first has a column for each input, or for each pair where
        it is about two; of others it takes that of the pair, or the columns of its inputs.
    combine
        What is made of these columns; rounded to float32 where it is not one of them.
    all_layers
        Whether it is made of the columns of all layers from 0 on, [sample, layer], which have to be recorded:
        a number for each network, not for each layer.
    since_start
        Whether it is made of the difference of that to layer 0.
    transform
        The observable, given what was made of the columns, and the layer.
    increasing
        Whether that is an increasing function.
    of
        Whether networks have it that have the stored variables.
    of_only
        Which networks have it and why others have not, in the words of a message; empty where all have it
        that have the stored variables.
    of_two
        The kind that its name with two inputs is, of one that is about one input.
    low, high
        Between which numbers it lies, where densities mind it.
    symbol
        Its symbol in a crowded legend, to which inputs are added; none where its name does.
    sampled_as
        Its name among the variables of ``open_samples``, where an axis of a sweep has its own.
    reduced
        Its place among the observables that every study is reduced to which has them; None where it is only
        reduced if a comparison asks for it.
    of_matrix
        Its value at a layer where V is a number.
    law
        Another kind of as many inputs and the map from it: the law of this one, from that of any limit that
        speaks of the other. None where limits speak of it themselves.

    Notes
    -----
    In every method ``layer`` is a layer of a network, 0 the input.
    """

    meaning: str
    inputs: int
    variables: tuple[str, ...]
    combine: Callable[[Sequence[Numbers]], Numbers] = lambda columns: columns[0]
    all_layers: bool = False
    since_start: bool = False
    transform: Callable[[Array, int], Array] = lambda values, _: values
    increasing: bool = True
    of: Callable[[Network], bool] = lambda _: True
    of_only: str = ""
    of_two: str = ""
    low: float = -np.inf
    high: float = np.inf
    symbol: str = ""
    sampled_as: str = ""
    reduced: int | None = None
    of_matrix: Callable[[Matrix, int], float] | None = None
    law: tuple[str, Transform] | None = None

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The dimensions of an array of it, of all inputs or pairs."""
        held = STORED[self.variables[0]].dimensions
        return tuple(name for name in held if name != "record") if self.all_layers else held

    def made_of(self, network: Network) -> tuple[str, ...]:  # noqa: ARG002
        """The stored variables that it is made of in an architecture, those of pairs first."""
        return self.variables

    def combined(
        self,
        columns: Sequence[Numbers],
        network: Network,  # noqa: ARG002
        inputs: tuple[int, ...],  # noqa: ARG002
    ) -> Numbers:
        """What is made of the columns of ``made_of``, of these inputs of a network."""
        return self.combine(columns)

    def exists(self, network: Network, layer: int) -> bool:
        """Whether networks have it at a layer, be it recorded or not."""
        return (
            self.inputs <= network.inputs
            and (layer == network.depth or not self.all_layers)
            and self.of(network)
            and all(STORED[name].at(network, layer) for name in self.made_of(network))
        )

    def within(self, layers: Sequence[int], depth: int) -> bool:
        """Whether it can be made of networks of this depth that are recorded at these layers: of the first
        where the difference to it counts, of all where it is made of all.
        """
        if self.all_layers:
            return len(layers) == depth + 1
        return layers[0] == 0 or not self.since_start

    def needed(self, layer: int) -> list[int]:
        """The layers that have to be recorded to have it at one, ascending."""
        if self.all_layers:
            return list(range(layer + 1))
        return sorted({0, layer}) if self.since_start else [layer]
