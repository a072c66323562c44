"""Study files, as models: they validate, and they generate JSON schemas and the tables of the docs."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from deeplimits.sweep.network_models import RecordModel
from deeplimits.sweep.strict import Correlation, Gram, Positive, Real, Seed, StrictModel


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
        description="n; an element that is itself a list holds the units of each layer of a perceptron"
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
        None, description="every unit of layer 0 of a residual network, in place of correlation"
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
