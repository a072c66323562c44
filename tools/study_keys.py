"""The tables of keys and statistics in the docs, from the models; ``tools/pages.py`` writes them."""

from __future__ import annotations

import re
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from deeplimits.claims import against_limit, evidence, statistic
from deeplimits.claims import files as claims
from deeplimits.claims.statistics import STATISTICS
from deeplimits.sweep import config_models, models, network_models
from deeplimits.sweep.activation_models import activations_of
from deeplimits.sweep.network_models import networks_as
from deeplimits.sweep.tagged import OneOf

DOCS = Path(__file__).parent.parent / "docs"
PAGES = (DOCS / "study-files.md", DOCS / "claims.md")
NAMES = {
    bool: "true or false",
    int: "whole number",
    float: "number",
    str: "text",
    dict: "mapping",
    list: "list",
}


def kind(annotation: Any) -> str:
    """The type of a key in words."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return kind(get_args(annotation)[0])
    if origin in (Union, UnionType):
        return " or ".join(dict.fromkeys(kind(part) for part in get_args(annotation) if part is not NoneType))
    if origin is Literal:
        return ", ".join(f"`{value}`" for value in get_args(annotation))
    if origin is list:
        return f"list of {plural(get_args(annotation)[0])}"
    if origin is dict:
        return NAMES[dict]
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return NAMES[dict]
    return NAMES[annotation]


def plural(annotation: Any) -> str:
    """The elements of a list in words, by their type."""
    if get_origin(annotation) in (Union, UnionType):
        return " or ".join(dict.fromkeys(map(plural, get_args(annotation))))
    one = kind(annotation)
    return {"text": "names"}.get(one, f"{one}s" if one in NAMES.values() else one)


def default(value: Any) -> str:
    """The default of a key as one would write it."""
    if value is PydanticUndefined:
        return "required"
    if value is None:
        return ""
    if isinstance(value, BaseModel):
        return "`{" + ", ".join(f"{key}: {inner}" for key, inner in value.model_dump().items()) + "}`"
    return "`[" + ", ".join(map(str, value)) + "]`" if isinstance(value, list) else f"`{value}`"


def table(model: type[BaseModel] | OneOf[Any]) -> str:
    """One row for each key of a model, or of several of which one stands there."""
    members = model.members if isinstance(model, OneOf) else (model,)
    rows = ["| key | type | default | meaning |", "| --- | --- | --- | --- |"]
    for name in dict.fromkeys(name for member in members for name in member.model_fields):
        fields = [member.model_fields[name] for member in members if name in member.model_fields]
        kinds = ", ".join(dict.fromkeys(kind(field.annotation) for field in fields))
        said = "; ".join(dict.fromkeys(field.description or "" for field in fields))
        given = next((each for field in fields if (each := default(field.default)) != "required"), "required")
        given = "" if given == "required" and len(fields) < len(members) else given
        cells = [f"`{name}`", kinds, given, said]
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(rows)


def model(name: str) -> type[BaseModel] | OneOf[Any]:
    """The model of a name, or all that it stands for."""
    several = {"ActivationModel": activations_of(), "NetworkModel": networks_as(network_models.NetworkModel)}
    several["PointModel"] = networks_as(network_models.PointModel)
    modules = (models, network_models, config_models, claims, statistic, evidence, against_limit)
    places = [several, *map(vars, modules)]
    places.append({each.__name__: each for each in STATISTICS.values()})
    found: type[BaseModel] | OneOf[Any] = next(place[name] for place in places if name in place)
    return found


def statistics() -> str:
    """One row for each statistic of claims: its effect, and the keys that it alone has."""
    rows = ["| statistic | effect | its own keys |", "| --- | --- | --- |"]
    for name, each in STATISTICS.items():
        effect = " ".join((each.__doc__ or "").split()).replace("``", "`")
        base = statistic.PointsModel if issubclass(each, statistic.PointsModel) else statistic.StatisticModel
        shared = base.model_fields
        keys = ", ".join(f"`{key}`" for key in each.model_fields if key not in shared)
        rows.append(f"| `{name}` | {effect} | {keys} |")
    return "\n".join(rows)


def filled(page: str) -> str:
    """The page with every table between its markers written anew."""
    page = re.sub(
        r"(<!-- statistics -->\n).*?(<!-- end -->)",
        lambda match: f"{match[1]}{statistics()}\n{match[2]}",
        page,
        flags=re.DOTALL,
    )
    return re.sub(
        r"(<!-- keys of (\w+) -->\n).*?(<!-- end -->)",
        lambda match: f"{match[1]}{table(model(match[2]))}\n{match[3]}",
        page,
        flags=re.DOTALL,
    )
