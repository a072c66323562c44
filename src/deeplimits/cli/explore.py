"""The verb that writes the explorer."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from deeplimits.errors import InputError


def explore(
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The page to write.")] = Path(
        "explorer.html"
    ),
) -> None:
    """Write a page to play with: the law of a network beside its limits. A browser opens it, offline."""
    from deeplimits.explorer import write_page

    if out.suffix != ".html":
        raise InputError("--out", "", str(out), "a name that ends in .html")
    write_page(out)
    print(out)
