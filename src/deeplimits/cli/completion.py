"""What the shell completes: names that an option or an argument takes. A file with a mistake completes
nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import typer

from deeplimits.errors import InputError


def _completed(names: Callable[[], Iterable[str]]) -> Callable[[str], list[str]]:
    def complete(incomplete: str) -> list[str]:
        return [name for name in names() if name.startswith(incomplete)]

    return complete


def _activations() -> Iterable[str]:
    from deeplimits.sweep.named_formulas import named_formulas

    return named_formulas()


def _limits() -> Iterable[str]:
    from deeplimits.limits import registry

    return registry()


def _observables() -> Iterable[str]:
    from deeplimits.observables import OBSERVABLES

    return OBSERVABLES


def _architectures() -> Iterable[str]:
    from deeplimits.architectures import architectures

    return architectures()


def _engines() -> Iterable[str]:
    from deeplimits.engines import ENGINES

    return ENGINES


BY_NAME = {
    "architecture": _completed(_architectures),
    "activation": _completed(_activations),
    "centered": _completed(lambda: ("true", "false")),
    "engine": _completed(_engines),
    "limit": _completed(_limits),
    "observable": _completed(_observables),
    "scale": _completed(lambda: ("papers", "deep")),
    "shaping": _completed(lambda: ("width:0.5", "depth:0.5", "none")),
}
"""What completes an option, by its name."""


def studies(ctx: typer.Context, incomplete: str) -> list[str]:
    """Studies beside the configuration."""
    folder = Path(ctx.params.get("config") or "config/config.yaml").parent / "studies"
    return sorted(path.stem for path in folder.glob("*.yaml") if path.stem.startswith(incomplete))


def figures(ctx: typer.Context, incomplete: str) -> list[str]:
    """STUDY/FIGURE of the studies beside the configuration whose names begin so."""
    from deeplimits.sweep.config import load_config

    study, slash, _ = incomplete.partition("/")
    names = []
    with suppress(InputError):
        config = load_config(Path(ctx.params.get("config") or "config/config.yaml"))
        for name in [study] if slash else studies(ctx, study):
            with suppress(InputError):
                names += [f"{name}/{each}" for each in config.study(name).figures]
    return [name for name in names if name.startswith(incomplete)]
