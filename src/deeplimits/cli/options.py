"""What every verb about studies takes: the configuration, and what to put in its place."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from deeplimits.cli.completion import BY_NAME
from deeplimits.cli.streams import own_warnings

_OPTIONS = {
    "config": (
        Annotated[Path, typer.Option("--config", metavar="FILE", help="Configuration file.")],
        Path("config/config.yaml"),
    ),
    "results": (
        Annotated[
            Path | None,
            typer.Option(
                "--results", metavar="FOLDER", help="Folder of results, in place of the configuration's."
            ),
        ],
        None,
    ),
    "scale": (
        Annotated[
            str | None,
            typer.Option(
                "--scale",
                metavar="SCALE",
                autocompletion=BY_NAME["scale"],
                help="papers or deep, in place of the configuration's.",
            ),
        ],
        None,
    ),
}


def configured(verb: Callable[..., None]) -> Callable[..., None]:
    """A verb with ``--config``, ``--results`` and ``--scale`` in the place of its first parameter.

    That is ``settings``, the configuration that they make, whose folder of results may be still to come;
    ``place``, a folder of results that is there, with the configuration if there is one; ``planned``, the
    same, but the configuration's folder may be still to come; or ``results``, the folder at any scale. With
    ``--tables``, where a verb has it, nothing has to be there, and it is None.
    """
    first, *others = inspect.signature(verb).parameters.values()
    hints = get_type_hints(verb, localns={"Config": object, "Place": object}, include_extras=True)
    chosen = [name for name in _OPTIONS if first.name != "results" or name != "scale"]

    @functools.wraps(verb)
    def with_options(
        config: Path, results: Path | None = None, scale: str | None = None, **given: Any
    ) -> None:
        from deeplimits.store.place import find_place

        if given.get("tables"):
            verb(None, **given)
            return
        place = find_place(config, results, scale, must_exist=first.name not in ("settings", "planned"))
        if first.name == "settings" and place.config is None:
            from deeplimits.sweep.config import load_config

            load_config(config)  # says that it is not there
        taken = {"settings": place.config, "place": place, "planned": place, "results": place.results}
        with own_warnings():
            verb(taken[first.name], **given)

    options = [(name, *_OPTIONS[name]) for name in chosen]
    own = [(parameter.name, hints[parameter.name], parameter.default) for parameter in others]
    # typer reads what a verb takes from its signature and its annotations
    with_options.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=hint)
            for name, hint, default in options + own
        ]
    )
    with_options.__annotations__ = {name: hint for name, hint, _ in options + own}
    return with_options
