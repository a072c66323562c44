"""Observables by name, read in one place: ``correlation`` is that of the first pair of inputs,
``correlation_0_2`` that of inputs 0 and 2, ``log_variance_1`` belongs to input 1.

A name is a kind and the inputs that it is about, which are left out where they are the first ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from deeplimits.errors import InputError, nearest_name


@dataclass(frozen=True, slots=True)
class Kind:
    """How many inputs an observable is about, and the stored variables that it is made of; with
    ``since_start`` it is their difference to layer 0.
    """

    inputs: int
    variables: tuple[str, ...]
    since_start: bool = False


OBSERVABLES = {
    "correlation": Kind(2, ("correlation_gap",)),
    "rescaled_correlation": Kind(2, ("correlation_gap",)),
    "covariance": Kind(2, ("correlation_gap", "log_variance")),
    "variance": Kind(1, ("log_variance",)),
    "log_variance": Kind(1, ("log_variance",)),
    "log_activation": Kind(1, ("log_activation",)),
    "ou_coordinate": Kind(1, ("log_activation",)),
    "log_growth": Kind(1, ("log_activation",), since_start=True),
    "gradient_log_norm": Kind(1, ("gradient_log_norm",)),
    "gradient_gap": Kind(2, ("gradient_gap",)),
    "output": Kind(1, ("output",)),
    "standard_output": Kind(1, ("output", "log_variance")),
}
"""Kinds of observables by name."""


@dataclass(frozen=True, slots=True)
class Observable:
    """What is observed, and of which inputs (ascending)."""

    kind: str
    inputs: tuple[int, ...]

    @property
    def name(self) -> str:
        """As it is written, without the inputs where they are the first ones."""
        first = tuple(range(len(self.inputs)))
        return self.kind if self.inputs == first else "_".join([self.kind, *map(str, self.inputs)])

    def column(self, inputs: int) -> int:
        """Where it is along the dimension ``input`` or ``cross`` of what is stored of ``inputs`` inputs."""
        first, *second = self.inputs
        return pair_index(first, second[0], inputs) if second else first


def pair_index(a: int, b: int, inputs: int) -> int:
    """Place of the pair a < b among (0, 1), (0, 2), …, (1, 2), … of so many inputs."""
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
