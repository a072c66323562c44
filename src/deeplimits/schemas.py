"""JSON schemas of the files that users write, generated from the models."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from deeplimits.claims.files import ClaimsModel
from deeplimits.figures import figures
from deeplimits.limits import registry
from deeplimits.observables import OBSERVABLES
from deeplimits.sweep.config_models import ConfigModel
from deeplimits.sweep.models import ColorsModel, StudyModel
from deeplimits.sweep.network_models import NetworkModel, PointModel, networks_as
from deeplimits.sweep.strict import StrictModel
from deeplimits.sweep.tagged import OneOf

SCHEMAS: dict[str, type[StrictModel] | OneOf[Any]] = {
    "config": ConfigModel,
    "point": networks_as(PointModel),
    "study": StudyModel,
    "claims": ClaimsModel,
}
_IN_A_STUDY = "_in_a_study"
"""What the names of schemas end with whose values may be lists."""


def schema_text(name: str) -> str:
    """The schema of one kind of file, as text."""
    model = SCHEMAS[name]
    schema = model.adapter.json_schema() if isinstance(model, OneOf) else model.model_json_schema()
    if model is StudyModel:
        _describe_networks(schema)
    for named, described in {"": schema, **schema.get("$defs", {})}.items():
        # a colour of the limit is no limit
        if named != ColorsModel.__name__:
            _offer_names(described.get("properties", {}))
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _offer_names(properties: dict[str, Any]) -> None:
    """Give an editor the names of this package to choose from; others may be of other packages, or of other
    inputs than the first.
    """
    known = {"limit": registry().own, "observable": OBSERVABLES.own, "figures": figures().own}
    known["figure"] = known["figures"]
    for key, names in known.items():
        for place in list(_texts(properties.get(key, {}))):
            place.pop("type")
            place["anyOf"] = [{"enum": sorted(names)}, {"type": "string"}]


def _texts(described: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The places in the schema of a key where a name stands."""
    if described.get("type") == "string":
        yield described
    inner = [described["items"]] if "items" in described else []
    for each in (*inner, *described.get("anyOf", ())):
        yield from _texts(each)


def _describe_networks(schema: dict[str, Any]) -> None:
    """Say in the schema of studies what a network is: as in a point, but that every value may be a list, and
    that it may have a grid of its own.
    """
    networks = networks_as(NetworkModel)
    described = networks.adapter.json_schema(ref_template="#/$defs/{model}")
    made = {f"{name}{_IN_A_STUDY}": _listed(each) for name, each in described.pop("$defs").items()}
    for architecture in networks.tags:
        made[f"{architecture}{_IN_A_STUDY}"]["properties"]["grid"] = {
            "description": "axes of its own, in place of those of the study",
            "type": "object",
        }
    schema["$defs"] |= made
    schema["properties"]["networks"]["items"] = _one_or_several(described, "architecture")


def _listed(model: dict[str, Any]) -> dict[str, Any]:
    """The schema of a model whose values may be lists of what they are."""
    return model | {"properties": {key: _or_list(value) for key, value in model["properties"].items()}}


def _or_list(described: dict[str, Any]) -> dict[str, Any]:
    """The schema of a key whose value may be a list; in a mapping, the values of its own keys."""
    if "oneOf" in described:
        return _one_or_several(described, described["discriminator"]["propertyName"])
    said = {key: described[key] for key in ("default", "description", "title") if key in described}
    value = {key: inner for key, inner in described.items() if key not in said}
    if "anyOf" in value and any("$ref" in each for each in value["anyOf"]):
        return said | {"anyOf": [_refer(each) if "$ref" in each else each for each in value["anyOf"]]}
    return said | {"anyOf": [value, {"type": "array", "items": value, "minItems": 1}]}


def _one_or_several(described: dict[str, Any], tag: str) -> dict[str, Any]:
    """The schema of one of several models; where a list says which, they are several, and anything may
    stand beside it.
    """
    said = {key: described[key] for key in ("description", "title") if key in described}
    several = {"type": "object", "properties": {tag: {"type": "array"}}, "required": [tag]}
    return said | {"anyOf": [*map(_refer, described["oneOf"]), several]}


def _refer(reference: dict[str, Any]) -> dict[str, Any]:
    return {"$ref": f"{reference['$ref']}{_IN_A_STUDY}"}
