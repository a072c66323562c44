"""Reading YAML safely: no objects, no duplicate keys, the scalars of YAML 1.2's core schema, and every
failure one clear message.

A key is the text that was typed, so that ``1:`` and ``on:`` are keys like others. A value is a number only
where it is written as one: what YAML 1.1 takes for octal, sexagesimal or digits in groups (``010``, ``1:30``,
``1_0``), hexadecimal numbers, and ``yes`` and ``on``, are text, which no key that wants a number accepts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from deeplimits.errors import InputError

LARGEST = 1_000_000
"""Bytes of a file."""
MOST_VALUES = 200_000
"""Values of a file, each alias counted as all that it stands for."""
_LONG = 20_000
"""Characters from which a file is parsed by libyaml, where that is there: it is ten times as fast, and says
less of a mistake.
"""
_DEEPEST = 200
"""Levels of lists and mappings that libyaml is given, which would overflow the stack."""

_INT = re.compile(r"^[-+]?(0|[1-9][0-9]{0,299})$")
_FLOAT = re.compile(
    r"^[-+]?((0|[1-9][0-9]*)?\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?$"
    r"|^[-+]?\.(inf|Inf|INF)$|^\.(nan|NaN|NAN)$"
)
_BOOL = re.compile(r"^(true|True|TRUE|false|False|FALSE)$")
_NULL = re.compile(r"^(~|null|Null|NULL|)$")
_TAG = "tag:yaml.org,2002:"


class _Loader(yaml.SafeLoader):
    """The safe loader, strict about keys, with the scalars of YAML 1.2's core schema and nothing else."""


class _FastLoader(yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader):  # type: ignore[misc]
    """The same by libyaml."""


def _refuse(mark: Any, problem: str) -> yaml.constructor.ConstructorError:
    return yaml.constructor.ConstructorError(None, None, problem, mark)


def _bool(_loader: _Loader, node: yaml.Node) -> bool:
    if not isinstance(node, yaml.ScalarNode) or not _BOOL.match(node.value):
        raise _refuse(node.start_mark, f"{node.value!r} is neither true nor false")
    return bool(node.value.lower() == "true")


def _null(_loader: _Loader, node: yaml.Node) -> None:
    if not isinstance(node, yaml.ScalarNode) or not _NULL.match(node.value):
        raise _refuse(node.start_mark, f"{node.value!r} is not nothing")


def _mapping(loader: _Loader, node: yaml.Node) -> dict[str, Any]:
    if not isinstance(node, yaml.MappingNode):
        raise _refuse(node.start_mark, "what has the tag of a mapping is none")
    seen: dict[str, Any] = {}
    for key_node, value_node in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            raise _refuse(key_node.start_mark, "a key must be a plain name")
        key = key_node.value
        if key in seen:
            raise _refuse(key_node.start_mark, f"key {key!r} is given twice")
        seen[key] = loader.construct_object(value_node, deep=True)
    return seen


def _number(_loader: _Loader, node: yaml.Node) -> int | float:
    """A number that is written as one, also where it has a tag."""
    if not isinstance(node, yaml.ScalarNode):
        raise _refuse(node.start_mark, "a list or a mapping is no number")
    if _INT.match(node.value):
        return int(node.value)
    if not _FLOAT.match(node.value):
        raise _refuse(node.start_mark, f"{node.value!r} is no number")
    return float(node.value.lower().replace(".inf", "inf").replace(".nan", "nan"))


_Loader.yaml_implicit_resolvers = {}
for _name, _pattern, _first in (
    ("null", _NULL, ["~", "n", "N", ""]),
    ("bool", _BOOL, list("tTfF")),
    ("int", _INT, list("-+0123456789")),
    ("float", _FLOAT, list("-+.0123456789")),
):
    _Loader.add_implicit_resolver(_TAG + _name, _pattern, _first)
_Loader.yaml_constructors = {
    _TAG + "map": _mapping,
    _TAG + "seq": lambda loader, node: loader.construct_sequence(node, deep=True),
    _TAG + "str": yaml.SafeLoader.construct_yaml_str,
    _TAG + "int": _number,
    _TAG + "float": _number,
    _TAG + "bool": _bool,
    _TAG + "null": _null,
    None: yaml.SafeLoader.construct_undefined,
}
_FastLoader.yaml_implicit_resolvers = _Loader.yaml_implicit_resolvers
_FastLoader.yaml_constructors = _Loader.yaml_constructors


def _loader(text: str) -> Any:
    """What composes the text, in time that is in proportion to its length."""
    if len(text) <= _LONG or not yaml.__with_libyaml__:
        return _Loader(text)
    deep = values = 0
    for event in yaml.parse(text, Loader=_FastLoader):
        start, end = isinstance(event, yaml.CollectionStartEvent), isinstance(event, yaml.CollectionEndEvent)
        deep += start - end
        values += isinstance(event, yaml.NodeEvent)
        if deep > _DEEPEST:
            raise RecursionError
        if values > MOST_VALUES:
            raise _too_many(event.start_mark)
    return _FastLoader(text)


def _too_many(mark: Any) -> yaml.constructor.ConstructorError:
    return _refuse(mark, f"more than {MOST_VALUES:,} values")


def read_mapping(path: Path) -> dict[str, Any]:
    """The mapping that the YAML file holds.

    Raises
    ------
    InputError
        If the file is missing, too large, is not text, is not YAML, repeats a key, or holds anything but a
        mapping with names as keys.
    """
    try:
        if is_pipe(path):
            raise InputError(path, "", "<a pipe>", "a YAML file")
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise InputError(path, "", "<a larger file>", f"at most {LARGEST:,} bytes of YAML")
        text = content.decode()
    except FileNotFoundError:
        here = "" if path.is_absolute() else f" in {Path.cwd()}"
        raise InputError(path, "", f"<no such file{here}>", "a YAML file") from None
    except UnicodeDecodeError as error:
        found = f"<a byte that is no UTF-8, at {error.start:,}>"
        raise InputError(path, "", found, "a YAML file in UTF-8") from None
    except OSError as error:
        raise InputError(path, "", f"<{error.strerror or error}>", "a readable YAML file") from None
    try:
        loader = _loader(text)
        node = loader.get_single_node()
        if node is not None:
            _values(node, {})
        value = None if node is None else loader.construct_document(node)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "what cannot be read"
        problem = problem.removeprefix("found ")
        # the parser's own "expected ',' or '}', but got ':'"
        wanted = re.fullmatch(r"expected (.*), but (?:got|found) (.*)", problem)
        expected, found = wanted.groups() if wanted else ("valid YAML", problem)
        raise InputError(path, where, f"<{found}>", expected) from None
    except RecursionError:
        raise InputError(path, "", "<lists in lists, hundreds deep>", "valid YAML") from None
    except ValueError as error:
        raise InputError(path, "", f"<{error}>", "valid YAML") from None
    if not isinstance(value, dict):
        raise InputError(path, "", "<nothing>" if value is None else value, "a mapping of keys to values")
    return value


def is_pipe(path: Path) -> bool:
    """Whether a file would keep its reader waiting; not those that a shell makes of a command."""
    return path.is_fifo() and path.parts[:2] != ("/", "dev")


def _values(node: yaml.Node, known: dict[int, int | None]) -> int:
    """How many values a node stands for; refuses more than anyone means, and what holds itself."""
    size = known.get(id(node), 0)
    if size is None:
        raise _refuse(node.start_mark, "an alias to what it is part of")
    if not size:
        known[id(node)] = None
        pairs = node.value if isinstance(node.value, list) else []
        parts = (part for pair in pairs for part in (pair if isinstance(pair, tuple) else (pair,)))
        size = 1 + sum(_values(part, known) for part in parts)
        if size > MOST_VALUES:
            raise _too_many(node.start_mark)
        known[id(node)] = size
    return size


def as_typed(path: Path, key: Sequence[str | int], value: Any) -> str | None:
    """How a scalar is written in the file under ``key``, or in the list that stands there; None where the
    file has no such value there.
    """
    try:
        loader = _loader(path.read_text(encoding="utf-8"))
        node: Any = loader.get_single_node()
        for part in key:
            if isinstance(node, yaml.MappingNode):
                node = next(each for name, each in node.value if name.value == str(part))
            else:
                node = node.value[int(part)]
        nodes = node.value if isinstance(node, yaml.SequenceNode) else [node]
        for each in nodes:
            if isinstance(each, yaml.ScalarNode):
                found = loader.construct_object(each)
                if type(found) is type(value) and repr(found) == repr(value):
                    return str(each.value)
    except (OSError, ValueError, LookupError, StopIteration, AttributeError, TypeError, yaml.YAMLError):
        pass
    return None
