"""What pydantic says of a file, as one sentence: key, what was found, what was expected, nearest name."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from deeplimits.errors import InputError, nearest_name

M = TypeVar("M", bound=BaseModel)


def validated(model: type[M], value: Any, where: str | Path, prefix: str = "") -> M:
    """``value`` as a ``model``, or one InputError that names the file, the key, what was found and what was
    expected.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise _input_error(model, error, where, prefix) from None


_EXPECTED = {
    "int_type": "a whole number",
    "float_type": "a number",
    "string_type": "text",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping of keys to values",
    "finite_number": "a finite number",
    "missing": "this key, which has no default",
    "bool_type": "true or false",
}


def _input_error(
    model: type[BaseModel], error: ValidationError, where: str | Path, prefix: str
) -> InputError:
    problems = error.errors(include_url=False)
    # unions report every branch: the branch that got furthest says most
    # a misspelt key explains a missing one
    problem = max(
        problems,
        key=lambda item: (
            item["type"] == "extra_forbidden",
            len(item["loc"]),
            item["type"] not in ("literal_error", "int_type", "list_type"),
        ),
    )
    kind, found, context = problem["type"], problem["input"], problem.get("ctx", {})
    path = _key(problem)
    nearest = None
    if kind == "extra_forbidden":
        names = _keys_at(model, path[:-1])
        expected, nearest = "one of the keys " + ", ".join(names), nearest_name(path[-1], names)
        found = path[-1]
    elif kind == "literal_error":
        names = _literals(problem)
        expected, nearest = "one of " + ", ".join(names), nearest_name(found, names)
    elif kind == "missing":
        expected, found = _EXPECTED[kind], "<nothing>"
    elif kind == "value_error":
        expected = str(context["error"])
    elif "ge" in context or "gt" in context or "le" in context:
        bounds = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
        expected = "a number " + " and ".join(
            f"{bounds[name]} {value}" for name, value in context.items() if name in bounds
        )
    elif kind in _EXPECTED:
        expected = _any_of([each for each in problems if _key(each) == path], found)
    else:
        expected = problem["msg"][:1].lower() + problem["msg"][1:]
    key = ".".join(str(part) for part in ([prefix] if prefix else []) + path)
    return InputError(where, key, found, expected, nearest)


def _any_of(problems: list[ErrorDetails], found: object) -> str:
    """What the branches of a union would have accepted, in words."""
    texts = [
        ", ".join(_literals(each)) if each["type"] == "literal_error" else _EXPECTED[each["type"]]
        for each in problems
        if each["type"] in _EXPECTED or each["type"] == "literal_error"
    ]
    texts = list(dict.fromkeys(texts))
    # who gave one element where only a list is possible most likely wants the list of it
    if isinstance(found, str | int | float) and not {"a number", "a whole number", "text"} & {*texts}:
        texts = [f"a list, such as [{found}]" if text == "a list" else text for text in texts]
    return ", ".join(texts[:-1]) + " or " * (len(texts) > 1) + texts[-1]


def _literals(problem: ErrorDetails) -> list[str]:
    return [name.strip("'") for name in str(problem["ctx"]["expected"]).replace(" or ", ", ").split(", ")]


def _key(problem: ErrorDetails) -> list[int | str]:
    """Where in the file a problem is."""
    return [
        part
        for part in problem["loc"]
        if isinstance(part, int) or (part.isidentifier() and not _is_tag(part))
    ]


def _is_tag(part: str) -> bool:
    """Names that pydantic adds to a path for the branch of a union."""
    return part in {"int", "float", "str", "list", "literal", "DepthModel", "constrained"}


def _keys_at(model: type[BaseModel], path: list[Any]) -> list[str]:
    current: Any = model
    for part in path:
        if isinstance(part, int) or not (isinstance(current, type) and issubclass(current, BaseModel)):
            continue
        annotation = current.model_fields[part].annotation if part in current.model_fields else None
        current = next((inner for inner in _models_in(annotation)), current)
    return sorted(current.model_fields)


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for inner in getattr(annotation, "__args__", ()) for found in _models_in(inner)]
