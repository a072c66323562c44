"""Observables: one record for each, which is all that is known of it; and their names, read in one place.

``correlation`` is that of the first pair of inputs, ``correlation_0_2`` that of inputs 0 and 2,
``log_variance_1`` belongs to input 1: a name is a kind and the inputs that it is about, which are left out
where they are the first ones. A kind is a record in ``OBSERVABLES``; one that is added there, or by the
entry point of another package, is simulated, reduced, compared, queried and drawn as the others are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from deeplimits.activations import OrnsteinUhlenbeck
from deeplimits.array_types import Array
from deeplimits.discovery import Registry
from deeplimits.errors import InputError, nearest_name
from deeplimits.observable_kind import Kind, Numbers, rounded
from deeplimits.tangent_kernels import KERNEL_KINDS
from deeplimits.variables import STORED

if TYPE_CHECKING:
    from deeplimits.networks.network import Network


def _stored(name: str, **more: Any) -> Kind:
    """The record of an observable that is a stored variable as it is, or a function of it."""
    variable = STORED[name]
    inputs = 1 if variable.dimensions[-1] == "input" else 2
    return Kind(**{"meaning": variable.meaning, "inputs": inputs, "variables": (name,), **more})


def _rescaled(gap: Array, layer: int) -> Array:
    with np.errstate(divide="ignore"):
        return np.log(float(layer) ** 2 * gap)


def _covariance(columns: Sequence[Numbers]) -> Numbers:
    gap, first, second = (column.astype(float) for column in columns)
    with np.errstate(over="ignore", invalid="ignore"):
        found = (1 - gap) * np.exp((first + second) / 2)
    alive = np.isfinite(gap) & np.isfinite(first) & np.isfinite(second)
    return rounded(found, alive, "covariance", "log_variance and correlation")


def _standard(columns: Sequence[Numbers]) -> Numbers:
    output, log_variance = (column.astype(float) for column in columns)
    with np.errstate(over="ignore", invalid="ignore"):
        return (output * np.exp(-log_variance / 2)).astype(np.float32)


_OWN: dict[str, Kind] = {
    "correlation": _stored(
        "correlation_gap",
        meaning="correlation ρ of two inputs at a layer",
        transform=lambda gap, _: 1.0 - gap,
        increasing=False,
        low=-1.0,
        high=1.0,
        symbol="ρ",
        sampled_as="rho",
        reduced=2,
        of_matrix=lambda v, _: 1 - v.gap,
    ),
    "rescaled_correlation": _stored(
        "correlation_gap",
        meaning="log ℓ²(1 − ρ)",
        transform=_rescaled,
        symbol="r",
        of_matrix=lambda v, layer: float(_rescaled(np.asarray(v.gap), layer)),
    ),
    "covariance": Kind(
        meaning="V^{ab} = ρ √(V^{aa} V^{bb})",
        inputs=2,
        variables=("correlation_gap", "log_variance"),
        combine=_covariance,
        of_matrix=lambda v, _: (1 - v.gap) * float(np.sqrt(v.first * v.second)),
    ),
    "variance": _stored(
        "log_variance",
        meaning="V^{aa}",
        transform=lambda value, _: np.exp(value),
        symbol="V",
        of_matrix=lambda v, _: v.first,
    ),
    "log_variance": _stored(
        "log_variance",
        symbol="log V",
        reduced=1,
        of_matrix=lambda v, _: float(np.log(v.first)),
    ),
    "log_activation": _stored("log_activation"),
    "ou_coordinate": _stored(
        "log_activation",
        meaning="|U| = (log φ(z))^{1/2}, of the branch ornstein_uhlenbeck",
        transform=lambda value, _: np.sqrt(np.maximum(value, 0.0) / 2),
        of=lambda network: isinstance(network.activation, OrnsteinUhlenbeck),
    ),
    "log_growth": _stored(
        "log_activation",
        meaning="log ‖φ(z_ℓ)‖ / ‖φ(z_0)‖, of a residual network",
        since_start=True,
        transform=lambda value, _: value / 2,
        reduced=3,
    ),
    "gradient_log_norm": _stored("gradient_log_norm", reduced=4),
    "gradient_gap": _stored("gradient_gap", reduced=5),
    "output": _stored("output", reduced=6),
    "standard_output": Kind(
        meaning="z_out / √V of the last layer",
        inputs=1,
        variables=("output", "log_variance"),
        combine=_standard,
        reduced=7,
    ),
    **KERNEL_KINDS,
}
"""Records by kind. Growth is that of Hayou 2022, Theorem 1; U is the coordinate of his Proposition 4."""

GROUP = "deeplimits.observables"
"""Entry points of other packages: the name of an observable, and its record."""


def _accept(name: str, offered: object) -> Kind:
    if not isinstance(offered, Kind):
        raise TypeError(f"a {Kind.__module__}.Kind, as the record of {name}")
    if name.rpartition("_")[2].isdecimal():
        raise ValueError("a name that does not end in a number, which would be that of an input")
    unknown = sorted(set(offered.variables) - set(STORED))
    if unknown:
        raise ValueError(f"one made of variables that are stored, not {', '.join(unknown)}")
    if offered.reduced is not None:
        raise ValueError("one without reduced: studies are reduced to it where they compare it")
    return offered


OBSERVABLES: Registry[Kind] = Registry(GROUP, lambda: _OWN, _accept)
"""Records by kind: those of this package, then those of others."""


@dataclass(frozen=True)
class Observable:
    """What is observed, and of which inputs (ascending)."""

    kind: str
    inputs: tuple[int, ...]

    @property
    def name(self) -> str:
        """As it is written, without the inputs where they are the first ones."""
        first = tuple(range(len(self.inputs)))
        return self.kind if self.inputs == first else "_".join([self.kind, *map(str, self.inputs)])

    @property
    def record(self) -> Kind:
        """All that is known of it."""
        return OBSERVABLES[self.kind]

    def sources(self, network: Network) -> list[tuple[str, Observable]]:
        """The stored variables of ``network`` that it is made of, and of which inputs, in the order of
        ``combined``.
        """
        first, *others = self.record.made_of(network)
        found = [(first, self)]
        for name in others:
            of_pair = STORED[name].dimensions[-1] == "cross"
            parts = [self.inputs] if of_pair else [(a,) for a in self.inputs]
            found += [(name, Observable(name, part)) for part in parts]
        return found

    def column(self, inputs: int) -> int:
        """Where it is along the dimension ``input`` or ``cross`` of what is stored of ``inputs`` inputs."""
        first, *second = self.inputs
        return pair_index(first, second[0], inputs) if second else first

    def stored(
        self,
        network: Network,
        column: Callable[[str, Observable], Numbers],
        start: Callable[[str, Observable], Numbers],
    ) -> Numbers:
        """What is made of the stored columns; NaN where a network has been dead from the start.

        Parameters
        ----------
        network
            What the samples are of.
        column, start
            The column of a variable that belongs to some inputs, at the layer and at layer 0: [sample], or
            with ``all_layers`` the column of all layers, [sample, layer].
        """
        record, sources = self.record, self.sources(network)
        now = record.combined([column(*source) for source in sources], network, self.inputs)
        if not record.since_start:
            return now
        with np.errstate(invalid="ignore"):
            return now - record.combined([start(*source) for source in sources], network, self.inputs)

    def values(self, stored: Numbers, layer: int) -> Array:
        """The observable, from what ``stored`` gives at a layer; not finite where a network is dead."""
        return self.record.transform(stored.astype(float), layer)

    def of_arrays(
        self, arrays: Mapping[str, NDArray[Any]], record: int, layer: int, network: Network
    ) -> Array:
        """The observable [sample] of what ``simulate`` gives of ``network``: of a record, that of a layer.
        The first record is layer 0 where that counts.

        Raises
        ------
        InputError
            If the networks have none, or it is made of what is not there.
        """
        inputs = network.inputs
        self._check_arrays(arrays, record, layer, network)

        def column(at: int) -> Callable[[str, Observable], Numbers]:
            def taken(name: str, part: Observable) -> Numbers:
                array = arrays[name] if arrays[name].ndim == 3 else arrays[name][:, None]
                if self.record.all_layers:
                    return np.asarray(array[:, :, part.column(inputs)])
                return np.asarray(array[:, min(at, array.shape[1] - 1), part.column(inputs)])

            return taken

        with np.errstate(invalid="ignore", over="ignore"):
            return self.values(self.stored(network, column(record), column(0)), layer)

    def _check_arrays(
        self, arrays: Mapping[str, NDArray[Any]], record: int, layer: int, network: Network
    ) -> None:
        """Refuse what would be made of other inputs or layers than those that are meant."""

        def refused(key: str, found: object, expected: str) -> InputError:
            return InputError("arrays", key, found, f"{expected}, to have {self.name}")

        if self.inputs[-1] >= network.inputs:
            raise InputError("arrays", "observable", self.name, f"one of inputs 0 to {network.inputs - 1}")
        if not self.record.of(network):
            raise refused("network", network.architecture, self.record.of_only or "another network")
        needed = self.record.made_of(network)
        missing = [name for name in needed if name not in arrays]
        if missing:
            asked = {STORED[name].asked_by for name in missing} - {""}
            how = "".join(f", as of a simulation with {name}" for name in sorted(asked))
            raise refused("variables", "<none>", f"{' and '.join(missing)}{how}")
        if not any("record" in STORED[name].dimensions for name in needed):
            return
        count = min(arrays[name].shape[1] for name in needed if arrays[name].ndim == 3)
        layers = np.asarray(arrays["layer"]).tolist() if "layer" in arrays else None
        if self.record.all_layers and (count, layer) != (network.depth + 1, network.depth):
            found = f"<layer {layer} of {count} records>"
            raise refused("record", found, f"layer {network.depth} of records of all layers")
        if not -count <= record < count:
            raise refused("record", record, f"one of {count} records")
        if layers is not None and layers[record] != layer:
            raise refused("layer", layer, f"layer {layers[record]}, that of record {record}")
        if layers is not None and self.record.since_start and layers[0] != 0:
            raise refused("layer", layers[0], "layer 0 as the first record")


def pair_index(a: int, b: int, inputs: int) -> int:
    """Place of the pair a < b among (0, 1), (0, 2), …, (1, 2), … of so many inputs.

    Examples
    --------
    >>> [pair_index(a, b, 3) for a, b in ((0, 1), (0, 2), (1, 2))]
    [0, 1, 2]
    """
    return a * inputs - a * (a + 1) // 2 + b - a - 1


@lru_cache(maxsize=1024)
def parse(name: str, where: str | Path = "observable", key: str = "") -> Observable:
    """The observable of a name.

    Raises
    ------
    InputError
        If there is none; ``where`` and ``key`` say where the name was found.
    """
    words = name.split("_")
    count = next((i for i, word in enumerate(reversed(words)) if not word.isdecimal()), len(words))
    kind, numbers = "_".join(words[: len(words) - count]), tuple(map(int, words[len(words) - count :]))
    if kind not in OBSERVABLES:
        near = nearest_name(kind, OBSERVABLES)
        nearest = "_".join([near, *map(str, numbers)]) if near else None
        raise InputError(where, key, name, "one of " + ", ".join(OBSERVABLES), nearest)
    if len(numbers) == 2 and OBSERVABLES[kind].of_two:
        kind = OBSERVABLES[kind].of_two
    wanted = OBSERVABLES[kind].inputs
    if not numbers:
        return Observable(kind, tuple(range(wanted)))
    if len(numbers) != wanted or list(numbers) != sorted(set(numbers)):
        example = f"{kind} or {kind}_" + "_".join(map(str, range(1, wanted + 1)))
        words_ = "one input" if wanted == 1 else "two different inputs, the smaller first"
        ordered = Observable(kind, tuple(sorted(set(numbers))))
        nearest = ordered.name if len(ordered.inputs) == wanted else None
        raise InputError(where, key, name, f"{kind} of {words_}, such as {example}", nearest)
    return Observable(kind, numbers)
