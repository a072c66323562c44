"""What pydantic says of a file, as one sentence: key, what was found, what was expected, nearest name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from deeplimits.errors import InputError, Typed, WrongKey, nearest_name, one_of
from deeplimits.sweep.strict import StrictModel
from deeplimits.sweep.tagged import OneOf, tags
from deeplimits.sweep.yamlfile import as_typed

M = TypeVar("M", bound=StrictModel)
_Path = list[int | str]
_Models = tuple[type[StrictModel], ...]
_SHORT = 40
"""Characters of a value that is repeated in a message."""


def validated(model: type[M] | OneOf[M], value: Any, where: str | Path, prefix: str = "") -> M:
    """``value`` as a ``model``, or one InputError that names the file, the key, what was found and what was
    expected.
    """
    try:
        if isinstance(model, OneOf):
            return model.adapter.validate_python(value)
        return model.model_validate(value)
    except ValidationError as error:
        members = model.members if isinstance(model, OneOf) else (model,)
        raise _input_error(members, error, value, where, prefix) from None


_EXPECTED = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing_size": "a smaller whole number",
    "float_type": "a number",
    "string_type": "text",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping of keys to values",
    "model_attributes_type": "a mapping of keys to values",
    "finite_number": "a finite number",
    "missing": "this key, which has no default",
    "bool_type": "true or false",
    "string_too_short": "text that is not empty",
    "invalid_key": "a name as key",
}


def _input_error(
    members: _Models, error: ValidationError, value: Any, where: str | Path, prefix: str
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
    path, models = _place(members, problem, value)
    nearest = None
    if kind == "extra_forbidden":
        expected = one_of(sorted(models[0].model_fields), "one of the keys ")
        # a key of another that may stand there explains more than none
        nearest = nearest_name(path[-1], sorted({key for each in models for key in each.model_fields}))
        found = path[-1]
    elif kind == "literal_error":
        names = _literals(problem)
        expected, nearest = one_of(names), nearest_name(found, names)
    elif kind == "missing":
        expected, found = _EXPECTED[kind], "<nothing>"
    elif kind == "union_tag_not_found":
        kind, expected, found = "missing", _EXPECTED["missing"], "<nothing>"
        path.append(context["discriminator"].strip("'"))
    elif kind == "value_error":
        if isinstance(context["error"], InputError):
            return context["error"]
        expected, nearest = str(context["error"]), getattr(context["error"], "nearest", None)
        if isinstance(context["error"], WrongKey):
            path.append(context["error"].key)
            found = found[path[-1]]
    elif "ge" in context or "gt" in context or "le" in context:
        bounds = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
        expected = "a number " + " and ".join(
            f"{bounds[name]} {value}" for name, value in context.items() if name in bounds
        )
    elif kind in _EXPECTED:
        expected = _any_of([each for each in problems if _place(members, each, value)[0] == path], found)
    elif kind == "too_short":
        least = context["min_length"]
        expected = "at least one value" if least == 1 else f"at least {least} values"
    else:
        expected = problem["msg"].removeprefix("Input should be ")
        expected = expected[:1].lower() + expected[1:]
    place: _Path = [*(prefix.split(".") if prefix else []), *path]
    if kind not in ("missing", "extra_forbidden"):
        found = _as_found(found, where, place)
    elif kind == "extra_forbidden":
        found = Typed(found)
    return InputError(where, ".".join(map(_shown, place)), found, expected, nearest)


def _as_found(found: Any, where: str | Path, place: _Path) -> object:
    """A value as it was typed, where a file says how."""
    if isinstance(found, str):
        return Typed(found)
    if (found is None or isinstance(found, bool | int | float)) and isinstance(where, Path):
        typed = as_typed(where, place, found)
        if typed is not None:
            return f"<{typed}>" if typed else "<nothing>"
    return found


def _shown(part: int | str) -> str:
    """Part of a path in a message; quoted where it could not be seen, or be taken for two."""
    text = str(part)
    return text if text.isprintable() and text and not {" ", "."} & {*text} else repr(text)


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
        such = f", such as [{found}]" if len(f"{found}") <= _SHORT else ""
        texts = [f"a list{such}" if text == "a list" else text for text in texts]
    return ", ".join(texts[:-1]) + " or " * (len(texts) > 1) + texts[-1]


def _literals(problem: ErrorDetails) -> list[str]:
    return [name.strip("'") for name in str(problem["ctx"]["expected"]).replace(" or ", ", ").split(", ")]


def _place(members: _Models, problem: ErrorDetails, value: Any) -> tuple[_Path, _Models]:
    """Where in ``value`` a problem is, and the models that may stand there, the one that does first.

    The path is that of pydantic without the names that it adds for the branches of a union: those that say
    which of several models stands there, and those that lead nowhere.
    """
    path: _Path = []
    models, chosen = members, False
    for index, part in enumerate(problem["loc"]):
        named = [each for each in models if each.tag and part in tags(each, each.tag)]
        if named and len(models) > 1 and not chosen:
            models, chosen = (*named, *(each for each in models if each not in named)), True
            continue
        in_list = isinstance(value, list | tuple) and isinstance(part, int) and part < len(value)
        if in_list or (isinstance(value, Mapping) and part in value):
            value = value[part]
        elif problem["type"] != "missing" or index < len(problem["loc"]) - 1:
            continue
        path.append(part)
        if part in models[0].model_fields:
            inner = tuple(_models_in(models[0].model_fields[str(part)].annotation))
            models, chosen = inner or models, False
    return path, models


def _models_in(annotation: Any) -> list[type[StrictModel]]:
    if isinstance(annotation, type) and issubclass(annotation, StrictModel):
        return [annotation]
    return [found for inner in getattr(annotation, "__args__", ()) for found in _models_in(inner)]
