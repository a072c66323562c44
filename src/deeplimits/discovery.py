"""What is found instead of listed: the modules of a room, so that a thing of the domain is one file in it."""

from __future__ import annotations

from importlib import import_module
from inspect import isabstract
from pkgutil import iter_modules
from typing import TypeVar

Thing = TypeVar("Thing")


def modules_of(room: str) -> list[str]:
    """Full names of the modules of a package and of the packages in it, in the order of the alphabet.

    Parameters
    ----------
    room
        Full name of the package.
    """
    found = []
    for each in iter_modules(import_module(room).__path__):
        name = f"{room}.{each.name}"
        found += modules_of(name) if each.ispkg else [name]
    return sorted(found)


def classes_of(room: str, base: type[Thing]) -> list[type[Thing]]:
    """The classes of a kind that the modules of a package define, but for abstract ones: modules in the order
    of the alphabet, the classes of a module as they stand in it. Every module is imported.

    Parameters
    ----------
    room
        Full name of the package.
    base
        What the classes are made from.
    """
    found: list[type[Thing]] = []
    for name in modules_of(room):
        found += [
            each
            for each in vars(import_module(name)).values()
            if isinstance(each, type)
            and issubclass(each, base)
            and each.__module__ == name
            and not isabstract(each)
        ]
    return found
