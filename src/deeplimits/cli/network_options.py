"""A network on the command line: a point file, options in its place, or a file and options that override it.

Options are the keys of a point file. What they hold is checked by the same models, and a message about a key
that was given as an option names the option.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from deeplimits.architectures import architectures
from deeplimits.cli import completion
from deeplimits.cli.streams import own_warnings
from deeplimits.errors import InputError, nearest_name

if TYPE_CHECKING:
    from deeplimits.sweep.points import Point


def _plain(kind: type[float], text: str) -> Any:
    """A number; digits in groups, 1_000, are none, as in files."""
    if "_" in text:
        raise ValueError
    return kind(text)


def _number(text: str) -> float | int:
    value: float = _plain(float, text)
    return int(text) if text.strip().lstrip("+-").isdecimal() else value


def _truth(text: str) -> bool:
    return {"true": True, "false": False}[text]


def _whole(text: str) -> int:
    return int(_plain(int, text))


def _wholes(text: str) -> list[int]:
    return [_whole(part) for part in text.split(",")]


def _widths(text: str) -> int | list[int]:
    values = _wholes(text)
    return values if len(values) > 1 else values[0]


def _rows(text: str) -> list[list[float]]:
    return [[_plain(float, cell) for cell in row.split(",")] for row in text.split(";")]


def _layers(text: str) -> int | list[int] | str:
    if text == "all":
        return text
    values = _wholes(text.removesuffix(","))
    return values if len(values) > 1 or text.endswith(",") else values[0]


_EXPECTED: dict[Callable[[str], Any], str] = {
    _number: "a number",
    _truth: "true or false",
    _whole: "a whole number",
    _widths: "a whole number, or those of the layers, separated by commas",
    _rows: "rows of numbers such as '1,0.3;0.3,1'",
    _layers: "a number of evenly spaced layers, layers separated by commas, or all",
}
"""What an option holds, by what reads it."""


def _read(reader: Callable[[str], Any], flag: str, text: str) -> Any:
    try:
        return reader(text)
    except InputError:
        raise  # says it already
    except (ValueError, KeyError):
        raise InputError(flag, "", text, _EXPECTED[reader]) from None


def _shaping(text: str) -> dict[str, Any] | None:
    if text == "none":
        return None
    by, colon, exponent = text.partition(":")
    if not colon and by not in ("width", "depth"):
        expected = "width:P, depth:P or none, such as width:0.5"
        raise InputError("--shaping", "", text, expected, nearest_name(by, ("width", "depth")))
    return {"by": by} | ({"exponent": float(_read(_number, "--shaping", exponent))} if colon else {})


_KEYS: dict[str, tuple[str, Callable[[str], Any], str, str]] = {
    "architecture": ("architecture", str, "NAME", ", ".join(architectures().own) + "; the first by default."),
    "activation": ("activation.name", str, "NAME", "relu, identity, tanh, …; or that of its branches."),
    "c_plus": ("activation.c_plus", _number, "NUMBER", "c₊ of relu (0)."),
    "c_minus": ("activation.c_minus", _number, "NUMBER", "c₋ of relu (−1)."),
    "slope": (
        "activation.c_minus",
        _number,
        "NUMBER",
        "Slope of an unshaped relu or leaky_relu below 0 (0, 0.01).",
    ),
    "a": ("activation.a", _number, "NUMBER", "a of a smooth activation (1)."),
    "center": ("activation.center", _number, "NUMBER", "Where a smooth activation is centred (0)."),
    "centered": (
        "activation.centered",
        _truth,
        "true|false",
        "Whether (f(center + u) − f(center)) / f'(center) is meant, not f.",
    ),
    "expression": ("activation.expression", str, "FORMULA", "A formula in x as activation."),
    "alpha": ("activation.alpha", _number, "NUMBER", "α of ornstein_uhlenbeck (1)."),
    "beta": ("activation.beta", _number, "NUMBER", "β of ornstein_uhlenbeck (0)."),
    "shaping": ("shaping", _shaping, "BY:P", "width:P, depth:P or none; unshaped by default."),
    "branch_exponent": ("branch_exponent", _number, "NUMBER", "b of a branch, scaled by d^-b (0.5)."),
    "width": ("width", _widths, "N[,N…]", "Units of every layer, or of each."),
    "depth": ("depth", _whole, "D", "Hidden layers."),
    "correlation": ("inputs.correlation", _number, "NUMBER", "ρ₀ of two inputs of unit norm."),
    "gram": ("inputs.gram", _rows, "ROWS", "V₀ of the inputs, such as '1,0.3;0.3,1'."),
    "start": ("inputs.start", _number, "NUMBER", "Every unit of layer 0 of a residual network."),
    "seed": ("seed", _whole, "SEED", "Different seeds give independent networks (0)."),
}
_RECORD: dict[str, tuple[str, Callable[[str], Any], str, str]] = {
    "layers": ("record.layers", _layers, "LAYERS", "Layers to store: a number of them, a list, or all (17).")
}


def flag_of(name: str) -> str:
    """The option of a parameter."""
    return "--" + name.replace("_", "-")


def networked(verb: Callable[..., None]) -> Callable[..., None]:
    """A verb with SOURCE and the options of a network in the place of its first two parameters, ``source``
    and ``given``: the path of a file, or None, and the options that were given, by name.
    """
    _, given, *others = inspect.signature(verb).parameters.values()
    hints = get_type_hints(verb, include_extras=True)
    keys = _KEYS | (_RECORD if given.name == "recorded" else {})
    what = "TODO.json written by a plan, or POINT.yaml." if given.name == "recorded" else "POINT.yaml."

    @functools.wraps(verb)
    def with_options(source: Path | None = None, **values: Any) -> None:
        found = {name: values.pop(name) for name in keys}
        with own_warnings():
            verb(source, {name: text for name, text in found.items() if text is not None}, **values)

    source = typer.Argument(
        metavar="SOURCE", help=f"{what} Options below replace what it says, or stand for it."
    )
    own = [(parameter.name, hints[parameter.name], parameter.default) for parameter in others]
    options = [("source", Annotated[Path | None, source], None), *own]
    for name, (_, _, metavar, text) in keys.items():
        option = typer.Option(
            flag_of(name), help=text, metavar=metavar, autocompletion=completion.BY_NAME.get(name)
        )
        options.append((name, Annotated[str | None, option], None))
    # typer reads what a verb takes from its signature and its annotations
    with_options.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=hint)
            for name, hint, default in options
        ]
    )
    with_options.__annotations__ = {name: hint for name, hint, _ in options}
    return with_options


def point_from(source: Path | None, given: dict[str, str], *, simulated: bool = True) -> Point:
    """The point of a file and of options, which win.

    Parameters
    ----------
    simulated
        Whether the point is to be drawn; see ``sweep.point_files.load_point``.

    Raises
    ------
    InputError
        For whatever is wrong with either.
    """
    from deeplimits.sweep.point_files import load_point, point_of
    from deeplimits.sweep.yamlfile import read_mapping

    if source is None and not given:
        expected = "POINT.yaml, or options such as --activation tanh --width 300 --depth 40 --correlation 0.3"
        raise InputError("SOURCE", "", "<nothing>", expected)
    if source is not None and not given:
        return load_point(source, simulated=simulated)
    mapping = {} if source is None else dict(read_mapping(source))
    flags = _overridden(mapping, given)
    try:
        return point_of(mapping, source or Path("the options"), simulated=simulated)
    except InputError as error:
        raise _naming_options(error, flags, source is None) from None


def _overridden(mapping: dict[str, Any], given: dict[str, str]) -> dict[str, str]:
    """Put what was given into ``mapping``; returns the option of each key that came from one."""
    flags: dict[str, str] = {}
    exclusive = [name for name in ("correlation", "gram", "start") if name in given]
    if len(exclusive) > 1:
        first, second = (flag_of(name) for name in exclusive[:2])
        raise InputError(first, "", given[exclusive[0]], f"either {first} or {second}")
    if "slope" in given and "c_minus" in given:
        raise InputError("--slope", "", given["slope"], "either --slope or --c-minus")
    if exclusive:
        mapping["inputs"] = {}
    if "activation" in given:
        # another activation: what a file says of its own goes
        mapping["activation"] = {}
    elif "expression" in given:
        mapping["activation"] = {"name": "expression"}
        flags["activation.name"] = "--expression"
    if "width" in given and "," in given["width"]:
        mapping.pop("depth", None)
    for name, text in given.items():
        key, read, _, _ = (_KEYS | _RECORD)[name]
        value = _read(read, flag_of(name), text)
        if name == "slope":
            _check_slope(mapping, given)
            leaky = mapping.get("activation", {}).get("name") == "leaky_relu"
            key, value = ("activation.slope", value) if leaky else (key, value - 1)
        *path, last = key.split(".")
        inner = mapping
        for part in path:
            inside = inner.get(part)
            inner[part] = dict(inside) if isinstance(inside, dict) else {}
            inner = inner[part]
        inner[last] = value
        flags[key] = flag_of(name)
    return flags


def _check_slope(mapping: dict[str, Any], given: dict[str, str]) -> None:
    shaping = given.get("shaping", "none" if not mapping.get("shaping") else "one")
    if shaping != "none":
        expected = "--c-minus of a shaped network, whose slopes are 1 + c± size^-p"
        raise InputError("--slope", "", given["slope"], expected)


def _as_options(expected: str) -> str:
    """What was expected in a file, in the words of the command line."""
    said = {
        "this key": "this option",
        "no such key": "no such option",
        "{name: expression, expression: FORMULA}": "--expression FORMULA",
        "`centered: true`": "`--centered true`",
    }
    for key, option in said.items():
        expected = expected.replace(key, option)
    return expected


def _naming_options(error: InputError, flags: dict[str, str], alone: bool) -> InputError:
    """The same, about the option that the key stands for."""
    known = {key: flag_of(name) for name, (key, *_) in reversed((_KEYS | _RECORD).items())}
    known |= {"inputs": "--correlation, --gram or --start", "activation": "--activation"}
    known |= {f"shaping.{part}": "--shaping" for part in ("by", "exponent")}
    if "shaping" in flags:
        flags = flags | {f"shaping.{part}": "--shaping" for part in ("by", "exponent")}
    parts = error.key.split(".")
    for length in range(len(parts), 0, -1):
        key, rest = ".".join(parts[:length]), ".".join(parts[length:])
        flag = flags.get(key) or (known.get(key) if alone else None)
        if flag:
            expected = _as_options(error.expected)
            return InputError(flag, rest, error.found, expected, error.nearest)
    return error
