"""What an array or a column holds, said once: its dimensions, type, units and meaning. Here are the variables
that are stored of every sample of a network; ``store.arrays`` has those of study stores.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from deeplimits.networks.network import Network


@dataclass(frozen=True, eq=False)
class Variable:
    """An array or a column.

    Parameters
    ----------
    meaning
        What it holds; where it has a short name, that comes first, before a comma, colon or semicolon.
    dimensions
        Of an array.
    units
        ``1`` of a pure number, ``networks`` or ``layers`` of a count of them, empty of names and texts.
    dtype
        Type of its values.
    fill
        What stands where a whole number has no meaning, if it is to be told from a number.
    """

    meaning: str
    dimensions: tuple[str, ...] = ()
    units: str = "1"
    dtype: str = "float64"
    fill: int | None = None

    @property
    def long_name(self) -> str:
        """The meaning up to its first comma, colon or semicolon."""
        cut = min((self.meaning.find(mark) for mark in ",:;" if mark in self.meaning), default=None)
        return self.meaning[:cut]

    @property
    def missing(self) -> float | str:
        """What stands where nothing is known: NaN, an empty text, and ``fill`` or a count of 0."""
        return "" if self.dtype == "str" else float("nan") if self.dtype.startswith("f") else self.fill or 0

    @property
    def attributes(self) -> dict[str, str]:
        """What xarray shows beside an array: ``long_name``, ``description`` and ``units``."""
        found = {"long_name": self.long_name, "description": self.meaning}
        return found | ({"units": self.units} if self.units else {})


def text(meaning: str, *dimensions: str) -> Variable:
    """Names, along dimensions."""
    return Variable(meaning, dimensions, "", "str")


def whole(meaning: str, *dimensions: str, units: str = "1", fill: int | None = None) -> Variable:
    """Whole numbers, along dimensions."""
    return Variable(meaning, dimensions, units, "int64", fill)


def _has(name: str) -> Callable[[Network], bool]:
    """Whether the architecture of a network has a variable."""
    return lambda network: name in network.kind.variables(network)


@dataclass(frozen=True, eq=False)
class Stored(Variable):
    """A variable that is stored of every sample.

    Parameters
    ----------
    of
        Whether a network has it.
    asked_by
        The key of ``record`` by which it is asked for; empty where it is always stored.
    of_inputs
        Whether layer 0 of a perceptron has it.
    paths
        Whether study stores keep it whole of a few samples, for the first input or pair.
    """

    dtype: str = "float32"
    of: Callable[[Network], bool] = field(default=lambda _: True, kw_only=True)
    asked_by: str = field(default="", kw_only=True)
    of_inputs: bool = field(default=True, kw_only=True)
    paths: bool = field(default=False, kw_only=True)

    def at(self, network: Network, layer: int) -> bool:
        """Whether a network has it at a layer; what is stored once is that of the last layer."""
        return (
            self.of(network)
            and (self.of_inputs or layer > 0 or network.residual)
            and ("record" in self.dimensions or layer == network.depth)
        )


_RECORD = ("sample", "record", "input")
_PAIRS = ("sample", "record", "cross")
_ONCE = ("sample", "input")
STORED: dict[str, Stored] = {
    "log_variance": Stored(
        "log V^{aa}: V_ℓ = (c/n) ⟨φ_s(z_ℓ), φ_s(z_ℓ)⟩ of a perceptron, ⟨z_ℓ, z_ℓ⟩ / n of a residual network; "
        "−inf once every unit is dead",
        _RECORD,
        paths=True,
    ),
    "correlation_gap": Stored(
        "1 − ρ of the pairs of inputs (0, 1), (0, 2), …, (1, 2), …; NaN where an input is dead",
        _PAIRS,
        paths=True,
    ),
    "log_activation": Stored(
        "log ‖φ(z_ℓ)‖² / n, of a residual network; −inf once collapsed",
        _RECORD,
        of=_has("log_activation"),
        paths=True,
    ),
    "activation_gap": Stored(
        "1 − cosine of φ(z_ℓ) of two inputs, of a residual network; NaN where one has collapsed",
        _PAIRS,
        asked_by="gradients",
        of=_has("activation_gap"),
    ),
    "gradient_log_norm": Stored(
        "log ‖∂z_out/∂z_ℓ‖², of a Gaussian readout z_out; NaN at layer 0 of a perceptron, which has no units",
        _RECORD,
        asked_by="gradients",
        of_inputs=False,
        paths=True,
        of=_has("gradient_log_norm"),
    ),
    "gradient_gap": Stored(
        "1 − cosine of the gradients of two inputs, pairs as above",
        _PAIRS,
        asked_by="gradients",
        of_inputs=False,
        of=_has("gradient_gap"),
    ),
    "exploded_at": Stored(
        "first layer with V^{aa} ≥ s², of a perceptron with a smooth activation; −1 where there is none up "
        "to the last record",
        _ONCE,
        "layers",
        "int32",
        of=_has("exploded_at"),
    ),
    "collapsed_at": Stored(
        "first layer with φ(z_ℓ) = 0, of a residual network; −1 where there is none up to the last record",
        _ONCE,
        "layers",
        "int32",
        of=_has("collapsed_at"),
    ),
    "output": Stored(
        "Gaussian readout of the last layer, z_out | V_d ~ N(0, V_d)",
        _ONCE,
        asked_by="output",
        of=_has("output"),
    ),
}
"""By name; floating point but for what counts layers."""


def recorded(network: Network, *, gradients: bool, output: bool) -> list[str]:
    """Names of what is stored of the samples of a network, given what is asked for besides."""
    asked = {"": True, "gradients": gradients, "output": output}
    return [name for name, stored in STORED.items() if asked[stored.asked_by] and stored.of(network)]


CONTAINER: dict[str, Variable] = {
    **STORED,
    "layer": whole("layer of a record, 0 is the input", "record", units="layers"),
    "sample": whole("global index of a sample, which names its random numbers", "sample", units=""),
}
"""Variables of a container, and of ``simulate`` and ``open_samples``."""
