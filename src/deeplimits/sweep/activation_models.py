"""Activations as files describe them: a model for each family, told apart by the name."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from deeplimits.activations import SMOOTH, Activation, Identity, OrnsteinUhlenbeck, ReluLike, Smooth
from deeplimits.architectures import architectures
from deeplimits.architectures.base import ALL_FAMILIES, Family
from deeplimits.errors import InputError, Typed, WrongKey, one_of
from deeplimits.formulas import FormulaError
from deeplimits.sweep.activation_names import expected_instead
from deeplimits.sweep.named_formulas import named_formulas
from deeplimits.sweep.strict import Real, StrictModel
from deeplimits.sweep.tagged import OneOf, tags

_SMALLEST_SLOPE = 2.0**-30
"""Of leaky_relu, other than 0: from there on 1 + c_minus is the slope to the precision of the engines."""
_IN_WORDS = {"linear": "the identity", "relu_like": "relu or leaky_relu", "smooth": "a smooth one"}


class ActivationModel(StrictModel):
    """φ before shaping."""

    tag = "name"
    family: ClassVar[Family]
    name: str

    @abstractmethod
    def made(self) -> Activation:
        """The activation that is described.

        Raises
        ------
        WrongKey, FormulaError
            For a number that is none of the activation's, or a formula that cannot be read.
        """


class ReluModel(ActivationModel):
    """Slopes that may be shaped."""

    family = "relu_like"
    name: Literal["relu"] = Field(description="relu: s₊ max(x, 0) + s₋ min(x, 0) with s± = 1 + c± · size^-p")
    c_plus: Real = Field(0.0, description="c₊ of relu")
    c_minus: Real = Field(-1.0, description="c₋ of relu; the defaults, unshaped, are max(x, 0)")

    def made(self) -> Activation:
        return ReluLike(self.c_plus, self.c_minus)


class LeakyReluModel(ActivationModel):
    """Slopes by the one below 0."""

    family = "relu_like"
    name: Literal["leaky_relu"] = Field(description="leaky_relu, unshaped: max(x, 0) + slope · min(x, 0)")
    slope: Real = Field(0.01, description="slope of leaky_relu below 0; it is relu with c_minus = slope − 1")

    def made(self) -> Activation:
        if 0 < abs(self.slope) < _SMALLEST_SLOPE:
            raise WrongKey("slope", "0, or at least 1e-9 in size")
        return ReluLike(0.0, self.slope - 1)


class IdentityModel(ActivationModel):
    """Linear networks."""

    family = "linear"
    name: Literal["identity"] = Field(description="identity: x")

    def made(self) -> Activation:
        return Identity()


if TYPE_CHECKING:
    SmoothName = str
else:
    SmoothName = Literal[tuple(SMOOTH)]


class SmoothModel(ActivationModel):
    """A smooth function that has a name."""

    family = "smooth"
    name: SmoothName = Field(
        description="all others, f: s φ(x / s) with s = a · size^p and "
        "φ(u) = (f(center + u) − f(center)) / f'(center)"
    )
    a: Annotated[float, Field(gt=0, allow_inf_nan=False)] = Field(1.0, description="a of a smooth activation")
    center: Real = Field(0.0, description="where a smooth activation is centred")
    centered: bool = Field(
        False,
        description="true: (f(center + u) − f(center)) / f'(center) is meant, not f; needed for an "
        "expression where they are different networks; the functions that have a name are always centred",
    )

    @property
    def function(self) -> str:
        """f, by its name or as a formula."""
        return self.name

    @property
    def is_centered(self) -> bool:
        """Whether φ is meant, and not f."""
        return self.centered or "centered" not in self.model_fields_set

    def made(self) -> Smooth:
        return Smooth.of(self.function, self.a, self.center)


class ExpressionModel(SmoothModel):
    """A smooth function by its formula."""

    name: Literal["expression"] = Field(description="expression: f is a formula")
    expression: Annotated[str, Field(min_length=1)] = Field(
        description="f of expression, which needs it: a formula in x such as x / (1 + exp(-x))"
    )

    @property
    def function(self) -> str:
        return self.expression

    @property
    def is_centered(self) -> bool:
        return self.centered


class OrnsteinUhlenbeckModel(ActivationModel):
    """The activation under which a residual network of one unit is an Ornstein–Uhlenbeck process."""

    family = "ornstein_uhlenbeck"
    name: Literal["ornstein_uhlenbeck"] = Field(
        description="ornstein_uhlenbeck, of a residual network: exp(erfi⁻¹(α x + β)²)"
    )
    alpha: Real = Field(1.0, description="α of ornstein_uhlenbeck, not 0")
    beta: Real = Field(0.0, description="β of ornstein_uhlenbeck")

    def made(self) -> Activation:
        if self.alpha == 0:
            raise WrongKey("alpha", "a number other than 0")
        return OrnsteinUhlenbeck(self.alpha, self.beta)


def activation(model: ActivationModel, where: Path, key: str) -> Activation:
    """The activation that a file describes at a key.

    Raises
    ------
    InputError
        If a formula cannot be read, or a number is none of the activation's.
    """
    try:
        return model.made()
    except WrongKey as error:
        raise InputError(where, f"{key}.{error.key}", getattr(model, error.key), str(error)) from None
    except FormulaError as error:
        found = error.found if error.found.startswith("<") else Typed(error.found)
        raise InputError(where, f"{key}.expression", found, error.expected, error.nearest) from None


MODELS: tuple[type[ActivationModel], ...] = (
    ReluModel,
    LeakyReluModel,
    IdentityModel,
    SmoothModel,
    ExpressionModel,
    OrnsteinUhlenbeckModel,
)
_BY_NAME = {name: each for each in MODELS for name in tags(each, "name")}
_KEYS = {key for each in MODELS for key in each.model_fields}


def activations_of(families: Sequence[Family] = ALL_FAMILIES, owner: str = "") -> OneOf[ActivationModel]:
    """The activations of some families, those of an architecture called ``owner``."""

    def checked(given: Any) -> Any:
        if not isinstance(given, Mapping) or "name" not in given:
            return given
        plain = _of_others(given)
        name = plain["name"]
        if not isinstance(name, str):
            raise WrongKey("name", one_of(_BY_NAME))
        if name not in _BY_NAME:
            raise WrongKey("name", *expected_instead(name, tuple(named_formulas())))
        if _BY_NAME[name].family not in families:
            raise WrongKey("name", _other(_BY_NAME[name].family, families, owner))
        _check_keys(plain, _BY_NAME[name])
        return plain

    return OneOf(tuple(each for each in MODELS if each.family in families), "name", checked)


def _of_others(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """What another package names, as the formula that it stands for: its name is kept nowhere."""
    name = given["name"]
    if not isinstance(name, str) or name in _BY_NAME or name not in named_formulas():
        return given
    if "expression" in given:
        raise WrongKey("expression", f"no such key: {name} is a formula of its own")
    return {"centered": True, **given, "name": "expression", "expression": named_formulas()[name]}


def _check_keys(given: Mapping[str, Any], member: type[ActivationModel]) -> None:
    """Refuse keys of other activations, and say whose they are."""
    wrong = sorted((_KEYS & given.keys()) - member.model_fields.keys())
    if wrong:
        own = sorted(member.model_fields.keys() - {"name"})
        taken = (" and " if len(own) == 2 else ", ").join(own) or "no other key"
        owners = [each for each in MODELS if wrong[0] in each.model_fields]
        names = " and ".join(tags(each, "name")[0] for each in owners)
        whose = "smooth activations" if SmoothModel in owners else names
        raise WrongKey(
            wrong[0], f"no such key: {given['name']} takes {taken}; {wrong[0]} is a key of {whose}"
        )


def _other(family: Family, families: Sequence[Family], owner: str) -> str:
    if family == "ornstein_uhlenbeck":
        owners = " or ".join(each.name for each in architectures().own.values() if family in each.families)
        return f"another activation: this one is of the branch of a {owners}, and cannot be normalised"
    offered = " or ".join(_IN_WORDS[each] for each in families if each in _IN_WORDS)
    return f"{offered}: a {owner} has no other activation"
