"""docs/command-line.md, made from the command line itself; ``tools/pages.py`` writes it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from deeplimits.cli import app

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = Path(__file__).parent.parent / "docs/command-line.md"
HEAD = """# Command line

Every verb and option of `deeplimits`, as `--help` after a verb prints them. `make docs` writes this page.
`deeplimits --install-completion` teaches the shell to complete verbs, options, and names of studies, figures,
limits, observables and activations.

| verb | |
| --- | --- |
"""
LEFT_OUT = {"help", "install_completion", "show_completion", "version"}


def cell(text: str | None) -> str:
    """Text of a cell of a table."""
    return " ".join((text or "").split()).replace("|", "\\|")


def default(parameter: typer.core.TyperOption) -> str:
    """The default of an option, where it says something."""
    value = parameter.default
    return "" if value is None or isinstance(value, bool) or callable(value) else f"`{value}`"


def names(parameter: typer.core.TyperOption) -> str:
    """An option as it is written."""
    flags = ", ".join(f"`{flag}`" for flag in (*parameter.opts, *parameter.secondary_opts))
    return flags if parameter.is_flag or not parameter.metavar else flags + f" `{cell(parameter.metavar)}`"


def section(name: str, command: typer.core.TyperCommand) -> Iterator[str]:
    """What a verb does, what it takes, and its example."""
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    options = [
        each for each in command.params if each.param_type_name == "option" and each.name not in LEFT_OUT
    ]
    usage = " ".join(
        (each.metavar or str(each.name).upper())
        if each.required
        else f"[{each.metavar or str(each.name).upper()}]"
        for each in arguments
    )
    passed = (
        " [TARGETS] [OPTIONS OF SNAKEMAKE]" if "ignore_unknown_options" in command.context_settings else ""
    )
    yield f"\n## {name}\n\n{' '.join((command.help or '').split())}\n\n"
    example = re.sub(r"^Example:|\x08", "", command.epilog or "").strip()
    yield (
        f"```\ndeeplimits {name} [OPTIONS] {usage}{passed}".rstrip()
        + f"\n```\n\nExample:\n\n```\n{example}\n```\n"
    )
    if arguments:
        yield "\n| argument | meaning |\n| --- | --- |\n"
        for each in arguments:
            yield f"| `{cell(each.metavar or str(each.name).upper())}` | {cell(each.help)} |\n"
    if options:
        yield "\n| option | default | meaning |\n| --- | --- | --- |\n"
    for each in options:
        yield f"| {names(each)} | {default(each)} | {cell(each.help)} |\n"


def page() -> str:
    """The page."""
    program = typer.main.get_command(app)
    verbs = program.commands
    parts = [HEAD]
    for name, command in verbs.items():
        parts.append(f"| [{name}](#{name}) | {cell(command.short_help or command.help)} |\n")
    for name, command in verbs.items():
        parts += section(name, command)
    return "".join(parts)
