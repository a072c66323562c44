"""JSON schemas of the files that users write, generated from the models."""

from __future__ import annotations

import json

from pydantic import BaseModel

from deeplimits.claims.files import ClaimsModel
from deeplimits.sweep.config_models import ConfigModel
from deeplimits.sweep.models import PointModel, StudyModel

SCHEMAS: dict[str, type[BaseModel]] = {
    "config": ConfigModel,
    "point": PointModel,
    "study": StudyModel,
    "claims": ClaimsModel,
}


def schema_text(name: str) -> str:
    """The schema of one kind of file, as text."""
    return json.dumps(SCHEMAS[name].model_json_schema(), indent=2, ensure_ascii=False) + "\n"
