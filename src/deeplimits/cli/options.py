"""What every verb about studies takes: the configuration, and what to put in its place."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

_OPTIONS = {
    "config": (
        Annotated[Path, typer.Option("--config", help="Configuration file.")],
        Path("config/config.yaml"),
    ),
    "results": (
        Annotated[
            Path | None, typer.Option("--results", help="Folder of results, in place of the configuration's.")
        ],
        None,
    ),
    "scale": (
        Annotated[
            str | None, typer.Option("--scale", help="papers or deep, in place of the configuration's.")
        ],
        None,
    ),
}


def configured(verb: Callable[..., None]) -> Callable[..., None]:
    """A verb with ``--config``, ``--results`` and ``--scale`` in the place of its first parameter:
    ``settings``, the configuration that they make, or ``results``, its folder of results at any scale.
    """
    first, *others = inspect.signature(verb).parameters.values()
    hints = get_type_hints(verb, localns={"Config": object}, include_extras=True)
    chosen = [name for name in _OPTIONS if first.name == "settings" or name != "scale"]

    @functools.wraps(verb)
    def with_options(
        config: Path, results: Path | None = None, scale: str | None = None, **given: Any
    ) -> None:
        from deeplimits.sweep.config import load_config

        overrides = {"results": str(results) if results else None, "scale": scale}
        settings = load_config(config, {key: value for key, value in overrides.items() if value is not None})
        verb(settings if first.name == "settings" else settings.results, **given)

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
