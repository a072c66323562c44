"""The files a user writes, as models: they validate, and they generate the JSON schemas and the tables of the
documentation.

Strict on purpose: a number in quotes is no number, an unknown key is an error, and so are NaN and infinities.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from deeplimits.architectures import PLAIN, architectures
from deeplimits.errors import MisplacedKey, UnknownName
from deeplimits.sweep.activation_names import ActivationName, expected_instead
from deeplimits.sweep.named_formulas import named_formulas

Real = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[int, Field(ge=1, le=2**31 - 1)]
Seed = Annotated[int, Field(ge=0, le=2**63 - 1)]
Correlation = Annotated[float, Field(ge=-1, le=1, allow_inf_nan=False)]
Gram = Annotated[list[list[Real]], Field(min_length=1)]


class StrictModel(BaseModel):
    """As all files are read: no unknown key, no number in quotes."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


if TYPE_CHECKING:
    ArchitectureName = str
else:
    ArchitectureName = Literal[tuple(architectures())]


class ActivationModel(StrictModel):
    """φ before shaping."""

    name: ActivationName = Field(
        description="relu: s₊ max(x, 0) + s₋ min(x, 0) with s± = 1 + c± · size^-p; leaky_relu, unshaped: "
        "max(x, 0) + slope · min(x, 0); identity: x; ornstein_uhlenbeck, of a resnet: exp(erfi⁻¹(α x + β)²); "
        "all others, f: s φ(x / s) with s = a · size^p and φ(u) = (f(center + u) − f(center)) / f'(center)"
    )
    c_plus: Real = Field(0.0, description="c₊ of relu")
    c_minus: Real = Field(-1.0, description="c₋ of relu; the defaults, unshaped, are max(x, 0)")
    slope: Real = Field(0.01, description="slope of leaky_relu below 0; it is relu with c_minus = slope − 1")
    a: Annotated[float, Field(gt=0, allow_inf_nan=False)] = Field(1.0, description="a of a smooth activation")
    center: Real = Field(0.0, description="where a smooth activation is centred")
    centered: bool = Field(
        False,
        description="true: (f(center + u) − f(center)) / f'(center) is meant, not f; needed for an "
        "expression where they are different networks; the functions that have a name are always centred",
    )
    expression: Annotated[str, Field(min_length=1)] | None = Field(
        None, description="f of expression, a formula in x such as x / (1 + exp(-x))"
    )
    alpha: Real = Field(1.0, description="α of ornstein_uhlenbeck, not 0")
    beta: Real = Field(0.0, description="β of ornstein_uhlenbeck")

    @model_validator(mode="before")
    @classmethod
    def _of_others(cls, given: Any) -> Any:
        """What another package names, as the formula that it stands for: its name is kept nowhere."""
        name = given.get("name") if isinstance(given, dict) else None
        if not isinstance(name, str) or name in get_args(ActivationName) or name not in named_formulas():
            return given
        if "expression" in given:
            raise MisplacedKey("expression", f"no such key: {name} is a formula of its own")
        return {"centered": True} | given | {"name": "expression", "expression": named_formulas()[name]}

    @field_validator("name", mode="before")
    @classmethod
    def _known(cls, name: Any) -> Any:
        if isinstance(name, str) and name not in get_args(ActivationName):
            raise UnknownName(*expected_instead(name, tuple(named_formulas())))
        return name

    @model_validator(mode="after")
    def _check(self) -> ActivationModel:
        taken = {
            "relu": {"c_plus", "c_minus"},
            "leaky_relu": {"slope"},
            "identity": set(),
            "expression": {"a", "center", "centered", "expression"},
            "ornstein_uhlenbeck": {"alpha", "beta"},
        }
        known = taken.get(self.name, {"a", "center", "centered"})
        foreign = sorted(self.model_fields_set - known - {"name"})
        if foreign:
            keys = (" and " if len(known) == 2 else ", ").join(sorted(known)) or "no other key"
            others = [name for name, its in taken.items() if foreign[0] in its] or ["smooth activations"]
            of = f"{foreign[0]} is a key of {' and '.join(others)}"
            raise MisplacedKey(foreign[0], f"no such key: {self.name} takes {keys}; {of}")
        if self.name == "expression" and self.expression is None:
            raise ValueError("expression, which takes a formula under the key expression")
        return self


class ShapingModel(StrictModel):
    """How φ_s approaches the identity."""

    by: Literal["width", "depth"] = Field("width", description="size in size^-p: the width n or the depth d")
    exponent: Annotated[float, Field(ge=0, allow_inf_nan=False)] = Field(
        0.5, description="p; 0 leaves the network unshaped"
    )


class InputsModel(StrictModel):
    """The inputs, by what the network sees of them; exactly one key."""

    correlation: Correlation | None = Field(None, description="ρ₀ of two inputs of unit norm")
    gram: Gram | None = Field(
        None, description="V₀, m × m, m ≤ 8, symmetric, positive semi-definite, positive diagonal"
    )
    gram_file: str | None = Field(None, description="CSV file with V₀, beside this file")
    start: Real | None = Field(
        None, description="of a resnet, in place of an input: every unit of layer 0, not 0"
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

    architecture: ArchitectureName = Field(
        PLAIN,
        description="; ".join(f"{name}: {each.equation}" for name, each in architectures().items()),
    )
    activation: ActivationModel = Field(description="the activation; of a resnet, its branch's")
    shaping: ShapingModel | None = Field(
        None, description="left out: unshaped (exponent 0); a resnet has none"
    )
    branch_exponent: Annotated[float, Field(ge=0, allow_inf_nan=False)] = Field(
        0.5, description="b of a resnet: the branch is scaled by d^-b; 0 leaves it as it is"
    )
    normalise: Literal["after", "before"] = Field(
        "after",
        description="where activations are normalised, of rms_norm_mlp and layer_norm_mlp: after φ; before, "
        "on z, is another network, which is not supported",
    )


class PointModel(NetworkModel):
    """point.yaml: one network at one width, depth, input set and seed."""

    width: Positive | Annotated[list[Positive], Field(min_length=1)] = Field(
        description="n, units of every hidden layer; of an mlp also a list, those of each layer"
    )
    depth: Positive | None = Field(
        None, description="d, hidden layers; where width is a list, its length, and then it may be left out"
    )
    inputs: InputsModel = Field(description="the inputs")
    seed: Seed = Field(0, description="different seeds give independent networks")
    record: RecordModel = Field(RecordModel(), description="layers to store")


class DepthModel(StrictModel):
    """Depth as a function of the width; exactly one key."""

    times_width: Annotated[float, Field(gt=0, le=2**31, allow_inf_nan=False)] | None = Field(
        None, description="d = this times n, rounded"
    )
    power_of_width: Annotated[float, Field(gt=0, le=31, allow_inf_nan=False)] | None = Field(
        None, description="d = n to this power, rounded"
    )

    @model_validator(mode="after")
    def _check(self) -> DepthModel:
        if (self.times_width is None) == (self.power_of_width is None):
            raise ValueError("exactly one of times_width, power_of_width")
        return self


class GridModel(StrictModel):
    """The axes that every network of the study runs over: a value, or a list of values."""

    width: Positive | list[Positive | Annotated[list[Positive], Field(min_length=1)]] = Field(
        description="n; an element that is itself a list holds the units of each layer of an mlp"
    )
    depth: Positive | list[Positive] | DepthModel | None = Field(
        None,
        description="d: a number, a list, {times_width: x}, {power_of_width: x}; of a width that is a list, "
        "its length, and then it is left out",
    )
    correlation: Correlation | list[Correlation] | None = Field(
        None, description="ρ₀ of two inputs of unit norm"
    )
    gram: Gram | None = Field(None, description="V₀ of other inputs, in place of correlation")
    start: Real | list[Real] | None = Field(
        None, description="every unit of layer 0 of a resnet, in place of correlation"
    )
    seed: Seed | list[Seed] = Field(0, description="seeds")
    zip: list[Literal["width", "depth", "correlation", "start", "seed"]] = Field(
        [], description="axes of equal length taken in step, not multiplied"
    )

    @model_validator(mode="after")
    def _check(self) -> GridModel:
        if sum(value is not None for value in (self.correlation, self.gram, self.start)) != 1:
            raise ValueError("exactly one of correlation, gram, start")
        return self


class CompareModel(StrictModel):
    """One observable held against one limit, at those points of the study that the limit is about."""

    observable: str = Field(
        description="what is compared, such as correlation, rescaled_correlation or log_variance; of other "
        "inputs than the first, correlation_0_2 or log_variance_1"
    )
    limit: str = Field(description="name of the limit")
    at: Annotated[float, Field(ge=0, le=2**31, allow_inf_nan=False)] | Literal["all"] | None = Field(
        None,
        description="time of the limit at which they are compared; left out: that of the last layer; "
        "all: the same, with the limit at every recorded layer in figures",
    )
    distances: list[Literal["ks", "wasserstein", "rms"]] = Field(
        ["ks", "wasserstein", "rms"],
        description="ks and wasserstein to a limit that is random, rms to one that is a number",
    )
    rate_in: Literal["width", "depth"] | None = Field(
        None,
        description="fit a power law of the distances in this, along each series of points that differ in it "
        "alone",
    )


class GrowthModel(StrictModel):
    """The mean growth at infinite depth, estimated at every width of the study for its ReLU-like and linear
    residual networks that have an input.
    """

    times: Annotated[list[Annotated[float, Field(gt=0, le=1)]], Field(min_length=1)] = Field(
        [1.0], description="times t = ℓ/d"
    )
    depths: Annotated[list[Positive], Field(min_length=1)] = Field(
        [25, 50, 100],
        description="depths from which it is extrapolated; the largest is a multiple of each, and each time "
        "a whole number of layers of each",
    )
    samples: Annotated[int, Field(ge=2, le=2**40)] = Field(65536, description="networks drawn at each width")


class ColorsModel(StrictModel):
    """Colours in place of those of the house, by role."""

    network: str | None = Field(None, description="of networks")
    limit: str | None = Field(None, description="of the limit they are held against")
    second: str | None = Field(None, description="of a second limit, where there is one")
    third: str | None = Field(None, description="of a third")
    fourth: str | None = Field(None, description="of a fourth")


class FigureModel(StrictModel):
    """A figure with a title and colours of one's own."""

    figure: str = Field(description="name of the figure")
    title: Annotated[str, Field(min_length=1)] | None = Field(
        None, description="above the figure as a whole; left out: none"
    )
    colors: ColorsModel | None = Field(
        None, description="colours of Matplotlib, such as black, '0.4' or '#0173b2'"
    )


class StudyModel(StrictModel):
    """config/studies/NAME.yaml: a sweep, the limits it is held against, and the figures it feeds."""

    title: Annotated[str, Field(min_length=1)] = Field(description="one line for tables and figures")
    networks: Annotated[list[dict[str, Any]], Field(min_length=1)] = Field(
        description="networks; any value may be a list"
    )
    grid: GridModel = Field(description="the axes")
    samples: Annotated[int, Field(ge=1, le=2**40)] = Field(8192, description="networks drawn at each point")
    record: RecordModel = Field(RecordModel(), description="layers to store")
    compare: list[CompareModel] = Field([], description="observables against limits")
    growth: GrowthModel | None = Field(
        None, description="mean of log_growth at infinite depth, with its noise taken off; left out: none"
    )
    figures: list[str | FigureModel] = Field(
        [], description="figures to draw from this study: names, or {figure: NAME, title: …, colors: {…}}"
    )
