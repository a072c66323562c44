"""Networks as files describe them: a model for each architecture, told apart by its name."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field, create_model, model_validator

from deeplimits.architectures import architecture, architectures, of_papers
from deeplimits.architectures.base import Architecture, Key
from deeplimits.errors import WrongKey, nearest_name, one_of
from deeplimits.networks.network import Shaping
from deeplimits.sweep.activation_models import ActivationModel, activations_of
from deeplimits.sweep.strict import Correlation, Gram, Positive, Real, Seed, StrictModel
from deeplimits.sweep.tagged import OneOf


class ShapingModel(StrictModel):
    """How φ_s approaches the identity."""

    by: Literal["width", "depth"] = Field("width", description="size in size^-p: the width n or the depth d")
    exponent: Annotated[float, Field(ge=0, allow_inf_nan=False)] = Field(
        0.5, description="p; 0 leaves the network unshaped"
    )

    @property
    def shaping(self) -> Shaping:
        """What a network has of it."""
        return Shaping(self.by, self.exponent)


class InputsModel(StrictModel):
    """The inputs, by what the network sees of them; exactly one key."""

    correlation: Correlation | None = Field(None, description="ρ₀ of two inputs of unit norm")
    gram: Gram | None = Field(
        None, description="V₀, m × m, m ≤ 8, symmetric, positive semi-definite, positive diagonal"
    )
    gram_file: str | None = Field(None, description="CSV file with V₀, beside this file")
    start: Real | None = Field(
        None, description="of a residual network, in place of an input: every unit of layer 0, not 0"
    )

    @model_validator(mode="after")
    def _check(self) -> InputsModel:
        given = (self.correlation, self.gram, self.gram_file, self.start)
        if sum(value is not None for value in given) != 1:
            raise ValueError("exactly one of correlation, gram, gram_file, start")
        return self


class RecordModel(StrictModel):
    """Which layers are stored."""

    layers: Positive | list[Annotated[int, Field(ge=0)]] | Literal["all"] = Field(
        17,
        description="a number: evenly spaced from the input (layer 0) to the last layer, both included; "
        "a list of layers; or all",
    )
    gradients: bool = Field(
        False, description="also gradients, from a Gaussian readout back to each recorded layer"
    )
    output: bool = Field(False, description="also the output of a Gaussian readout of the last layer")


class NetworkModel(StrictModel):
    """An architecture, its activation and its shaping. In a study any value may be a list and becomes an
    axis.
    """

    tag = "architecture"
    architecture: str
    activation: ActivationModel

    @property
    def kind(self) -> Architecture:
        """What its architecture knows."""
        return architecture(self.architecture)

    @property
    def shape(self) -> Shaping | None:
        """The shaping of a network of it."""
        given: ShapingModel | None = getattr(self, "shaping", None)
        return given.shaping if given else None

    @property
    def keywords(self) -> dict[str, Any]:
        """Arguments of a ``Network`` that it gives, besides the activation."""
        own = {"branch_exponent": self.branch_exponent} if hasattr(self, "branch_exponent") else {}
        return {"architecture": self.architecture, "shaping": self.shape, **own}


class PointModel(NetworkModel):
    """point.yaml: one network at one width, depth, input set and seed."""

    width: Positive | Annotated[list[Positive], Field(min_length=1)] = Field(
        description="n, units of every hidden layer; of a perceptron also a list, those of each layer"
    )
    depth: Positive | None = Field(
        None, description="d, hidden layers; where width is a list, its length, and then it may be left out"
    )
    inputs: InputsModel = Field(description="the inputs")
    seed: Seed = Field(0, description="different seeds give independent networks")
    record: RecordModel = Field(RecordModel(), description="layers to store")


M = TypeVar("M", bound=NetworkModel)


def networks_as(model: type[M], given: Any = None) -> OneOf[M]:
    """What a model asks of networks, of every architecture.

    Parameters
    ----------
    model
        ``NetworkModel`` or ``PointModel``.
    given
        What is to be validated: an architecture that another package offers is looked for where it names one.

    Returns
    -------
    One model for each architecture.

    Raises
    ------
    InputError
        If what another package offers is no architecture.
    """
    name = given.get("architecture") if isinstance(given, Mapping) else None
    known = architectures()
    of_others = isinstance(name, str) and name not in known.own and name in known
    return _networks_as(model, *((name,) if of_others else ()))


@cache
def _networks_as(model: type[M], *of_others: str) -> OneOf[M]:
    known = dict(architectures().own) | {name: architecture(name) for name in of_others}

    keys = {key for each in known.values() for key in each.keys}
    owners = {key: [each for each in known.values() if key in each.keys] for key in sorted(keys)}

    def checked(given: Any) -> Any:
        return _checked(given, known, owners) if isinstance(given, Mapping) else given

    return OneOf(tuple(_member(each, model) for each in known.values()), "architecture", checked)


def _member(kind: Architecture, model: type[M]) -> type[M]:
    """The model of the networks of an architecture."""
    fields: dict[str, Any] = {
        "architecture": (
            Literal[kind.name],
            Field(kind.name if kind is of_papers() else ..., description=f"{kind.name}: {kind.equation}"),
        ),
        "activation": (
            activations_of(kind.families, kind.name).annotation,
            Field(description="the activation; of a residual network, its branch's"),
        ),
    }
    if kind.shaped:
        described = "left out: unshaped (exponent 0); a residual network has none"
        fields["shaping"] = (ShapingModel | None, Field(None, description=described))
    fields |= {name: _field(key) for name, key in kind.keys.items()}
    made: type[M] = create_model(
        kind.name, __base__=model, __doc__=f"{kind.title}: {kind.equation}", **fields
    )
    return made


def _field(key: Key) -> tuple[Any, Any]:
    if key.choices:
        return Literal[key.choices], Field(key.default, description=key.meaning)
    number = Annotated[float, Field(ge=key.least, allow_inf_nan=False)]
    return number, Field(key.default, description=key.meaning)


def _checked(
    given: Mapping[str, Any], known: Mapping[str, Architecture], owners: Mapping[str, list[Architecture]]
) -> dict[str, Any]:
    """A network whose architecture is named; keys of other architectures are refused."""
    name = given.get("architecture", of_papers().name)
    if not isinstance(name, str) or name not in known:
        names = list(architectures())
        raise WrongKey("architecture", one_of(names), nearest_name(name, names))
    kind = known[name]
    if given.get("shaping") is not None and not kind.shaped:
        raise WrongKey("shaping", f"nothing: a {kind.name} has no shaping; {kind.instead}")
    for key in filter(owners.__contains__, given):
        if key not in kind.keys:
            of = " or ".join(each.name for each in owners[key])
            raise WrongKey(key, f"nothing: only a {of} has {owners[key][0].keys[key].noun}")
        if isinstance(given[key], str) and given[key] in kind.keys[key].refused:
            raise WrongKey(key, kind.keys[key].refused[given[key]])
    kept = given if kind.shaped else {key: value for key, value in given.items() if key != "shaping"}
    return {"architecture": name, **kept}
