"""JSON schemas of the files that users write, generated from the models."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from deeplimits.claims.files import ClaimsModel
from deeplimits.figures import figures
from deeplimits.limits import registry
from deeplimits.observables import OBSERVABLES
from deeplimits.sweep.config_models import ConfigModel
from deeplimits.sweep.models import ColorsModel, PointModel, StudyModel

SCHEMAS: dict[str, type[BaseModel]] = {
    "config": ConfigModel,
    "point": PointModel,
    "study": StudyModel,
    "claims": ClaimsModel,
}


def schema_text(name: str) -> str:
    """The schema of one kind of file, as text."""
    schema = SCHEMAS[name].model_json_schema()
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
