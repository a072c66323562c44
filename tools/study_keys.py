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
from deeplimits.sweep import config_models, models

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


def table(model: type[BaseModel]) -> str:
    """One row for each key of a model."""
    rows = ["| key | type | default | meaning |", "| --- | --- | --- | --- |"]
    for name, field in model.model_fields.items():
        annotation = field.annotation
        cells = [f"`{name}`", kind(annotation), default(field.default), field.description or ""]
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(rows)


def model(name: str) -> type[BaseModel]:
    """The model of a name."""
    places = [vars(module) for module in (models, config_models, claims, statistic, evidence, against_limit)]
    places.append({each.__name__: each for each in STATISTICS.values()})
    found: type[BaseModel] = next(place[name] for place in places if name in place)
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
