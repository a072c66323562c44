"""Architectures: a folder for each, found by standing in this room; those of others by entry point."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from deeplimits.discovery import Registry

if TYPE_CHECKING:
    from deeplimits.architectures.base import Architecture, Recursion

GROUP = "deeplimits.architectures"
"""Entry points of other packages: the name of an architecture, and the object that is one."""


@cache
def architectures() -> Registry[Architecture]:
    """Every architecture by name: those of this folder, plain ones first, then those of other packages."""
    from deeplimits.architectures.base import accept

    def own() -> dict[str, Architecture]:
        folders = (module.name for module in pkgutil.iter_modules(__path__) if module.ispkg)
        found = [import_module(f"{__name__}.{folder}").ARCHITECTURE for folder in folders]
        found.sort(key=lambda each: (each.normalised, each.residual, each.name))
        return {each.name: each for each in found}

    return Registry(GROUP, own, accept)


def architecture(name: str) -> Architecture:
    """The architecture of a name.

    Parameters
    ----------
    name
        Such as ``mlp``; one of ``architectures()``.

    Returns
    -------
    The object that knows the architecture.

    Raises
    ------
    ValueError
        If there is none.
    """
    known = architectures()
    if name not in known:
        raise ValueError(f"no architecture is called {name!r}: there are {', '.join(known)}")
    return known[name]


@cache
def of_papers(recursion: Recursion = "plain") -> Architecture:
    """The architecture of this package with a recursion of the papers; files that name none mean the plain
    one.
    """
    return next(each for each in architectures().own.values() if each.recursion == recursion)


def recursion_of(name: str) -> Recursion | None:
    """Which recursion of the papers the architecture of a name has; None of another, and of none."""
    known = architectures()
    return known[name].recursion if name in known else None
