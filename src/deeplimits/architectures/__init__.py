"""Architectures: a folder for each, found by listing this one; those of other packages by entry point."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from deeplimits.architectures.base import Architecture

GROUP = "deeplimits.architectures"
"""Entry points of other packages: the name of an architecture, and the object that is one."""


@cache
def architectures() -> dict[str, Architecture]:
    """Every architecture by name: those of this folder, plain ones first, then those of other packages.

    Raises
    ------
    InputError
        If what another package offers is no architecture, or has a name that is taken.
    """
    own = sorted(map(_own, _folders()), key=lambda each: (each.normalised, each.residual, each.name))
    found = {each.name: each for each in own}
    return found | _of_others(frozenset(found))


@cache
def architecture(name: str) -> Architecture:
    """The architecture of a name.

    Raises
    ------
    ValueError
        If there is none.
    """
    if name in _folders():
        return _own(name)
    known = architectures()
    if name not in known:
        raise ValueError(f"no architecture is called {name!r}: there are {', '.join(known)}")
    return known[name]


@cache
def _folders() -> frozenset[str]:
    return frozenset(module.name for module in pkgutil.iter_modules(__path__) if module.ispkg)


def _own(name: str) -> Architecture:
    found: Architecture = import_module(f"{__name__}.{name}").ARCHITECTURE
    return found


def _of_others(taken: frozenset[str]) -> dict[str, Architecture]:
    from importlib.metadata import entry_points

    from deeplimits.architectures.base import Architecture
    from deeplimits.errors import InputError

    found: dict[str, Architecture] = {}
    for point in sorted(entry_points(group=GROUP), key=lambda each: each.name):
        package = point.dist.name if point.dist else "a package"
        where = f"{GROUP} of {package}"
        if point.name in taken | set(found):
            raise InputError(where, point.name, point.value, "a name that no other architecture has")
        try:
            offered = point.load()
        except Exception as error:
            raise InputError(
                where, point.name, point.value, f"something that can be imported: {error}"
            ) from error
        offered = offered() if isinstance(offered, type) else offered
        if not isinstance(offered, Architecture) or offered.name != point.name:
            expected = f"an Architecture (deeplimits.architectures.base) whose name is {point.name}"
            raise InputError(where, point.name, point.value, expected)
        found[point.name] = offered
    return found
