"""Reading YAML safely: no objects, no duplicate keys, numbers such as 1e-3 read as numbers, and every failure
one clear message.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from deeplimits.errors import InputError


class _Loader(yaml.SafeLoader):
    """The safe loader, strict about keys and with YAML 1.2's floats."""


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: dict[Any, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        try:
            repeated = key in seen
        except TypeError:
            raise yaml.constructor.ConstructorError(
                None, None, "a key must be a plain name", key_node.start_mark
            ) from None
        if repeated:
            raise yaml.constructor.ConstructorError(
                None, None, f"key {key!r} is given twice", key_node.start_mark
            )
        seen[key] = loader.construct_object(value_node, deep=True)
    return seen


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)$"), list("-+.0123456789")
)


def read_mapping(path: Path) -> dict[str, Any]:
    """The mapping that the YAML file holds.

    Raises
    ------
    InputError
        If the file is missing, is not text, is not YAML, repeats a key, or holds anything but a mapping with
        names as keys.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError(path, "", "<no such file>", "a YAML file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(path, "", f"<{error}>", "a readable YAML file") from None
    try:
        value = yaml.load(text, Loader=_Loader)  # noqa: S506 - a subclass of SafeLoader
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "unreadable"
        raise InputError(path, "", f"<{problem}{where}>", "valid YAML") from None
    except (ValueError, RecursionError) as error:
        raise InputError(path, "", f"<{error}>", "valid YAML") from None
    if not isinstance(value, dict):
        raise InputError(path, "", "<nothing>" if value is None else value, "a mapping of keys to values")
    for key in value:
        if not isinstance(key, str):
            raise InputError(path, str(key), key, "a name as key")
    return value
