"""What is found instead of listed: modules of a room, so that a thing of the domain is one file in it, and
what other packages add by entry points.
"""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Callable, ItemsView, Iterator, Mapping
from contextlib import suppress
from functools import cache, cached_property
from importlib import import_module
from importlib.util import find_spec, resolve_name
from inspect import isabstract
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from deeplimits.errors import InputError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

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


class Modules(Mapping[str, Any]):
    """The modules of a package by their last names, in the order of the alphabet; each is imported when it is
    asked for.

    Parameters
    ----------
    room
        Full name of the package.
    """

    def __init__(self, room: str) -> None:
        self._names = {name.rpartition(".")[2]: name for name in modules_of(room)}

    def __getitem__(self, name: str) -> Any:
        return import_module(self._names[name])

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


class Registry(Mapping[str, Thing], Generic[Thing]):
    """Things by name: those of this package, and those that other packages offer by entry points, which are
    looked for where a name is none of our own, or all names are asked for, and imported one by one.

    Parameters
    ----------
    group
        The group of entry points, such as ``deeplimits.limits``.
    own
        Makes those of this package.
    accept
        From the name of an entry point and what it loads to the thing.

    Raises
    ------
    InputError
        On use, if what another package offers cannot be imported, is no such thing, or has a name that is
        taken; the message names the package and the entry point.
    """

    def __init__(
        self,
        group: str,
        own: Callable[[], Mapping[str, Thing]],
        accept: Callable[[str, object], Thing],
    ) -> None:
        self._group, self._make, self._accept = group, own, accept
        self._loaded: dict[str, Thing] = {}

    @cached_property
    def own(self) -> Mapping[str, Thing]:
        """The things of this package, by name."""
        return self._make()

    @cached_property
    def _offered(self) -> dict[str, EntryPoint]:
        found: dict[str, EntryPoint] = {}
        for point in offered(self._group):
            if point.name in self.own or point.name in found:
                holder = "deeplimits" if point.name in self.own else _package(found[point.name])
                expected = f"a name that is not taken: {holder} has one"
                raise InputError(self._where(point), point.name, point.value, expected)
            found[point.name] = point
        return found

    def __getitem__(self, name: str) -> Thing:
        if name in self.own:
            return self.own[name]
        if name not in self._loaded:
            self._loaded[name] = self._load(self._offered[name])
        return self._loaded[name]

    def __contains__(self, name: object) -> bool:
        return name in self.own or name in self._offered

    def __iter__(self) -> Iterator[str]:
        yield from self.own
        yield from self._offered

    def __len__(self) -> int:
        return len(self.own) + len(self._offered)

    def items(self) -> ItemsView[str, Thing]:
        """Names and things, at the speed of a dictionary where nothing is offered."""
        return super().items() if self._offered else self.own.items()

    def sources(self, name: str) -> str | None:
        """``sources_of`` the thing of a name that another package offers; None for one of this package."""
        return None if name in self.own else sources_of(self._offered[name].module)

    def made_by(self, name: str) -> str | None:
        """What another package computes the thing of a name with, by which that may be kept: its sources, and
        the versions of the packages that it asks for. None for a thing of this package.
        """
        sources = self.sources(name)
        return sources and f"{sources} {sorted(_libraries(self._offered[name]).items())}"

    def _where(self, point: EntryPoint) -> str:
        return f"entry point {self._group} of {_package(point)}"

    def _load(self, point: EntryPoint) -> Thing:
        try:
            offered = point.load()
        except Exception as error:
            expected = f"something that can be imported: {type(error).__name__}: {error}"
            raise InputError(self._where(point), point.name, point.value, expected) from error
        try:
            return self._accept(point.name, offered)
        except (TypeError, ValueError) as error:
            raise InputError(self._where(point), point.name, point.value, str(error)) from error


def offered(group: str) -> list[EntryPoint]:
    """The entry points of a group, by name and package; what is installed is looked through once."""
    return sorted(_installed().select(group=group), key=lambda each: (each.name, _package(each)))


@cache
def _installed() -> Any:
    from importlib.metadata import entry_points

    return entry_points()


def _package(point: EntryPoint) -> str:
    return point.dist.name if point.dist else "a package without a name"


@cache
def sources_of(module: str) -> str | None:
    """SHA-256 of what a module of another author is made of: its source, and those of all modules of the same
    package that it imports, however far; by it what it computes may be kept. None for a module of this
    package, whose sources are known elsewhere.

    Parameters
    ----------
    module
        Full name of the module.
    """
    top = module.partition(".")[0]
    if top == __name__.partition(".")[0]:
        return None
    sources: dict[str, bytes] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name not in sources:
            sources[name], imported = _source(name)
            # a package is run before what lies in it
            waiting += [
                each for each in (*imported, name.rpartition(".")[0]) if each.partition(".")[0] == top
            ]
    digest = hashlib.sha256()
    for name in sorted(sources):
        digest.update(f"{name}\0{len(sources[name])}\0".encode() + sources[name])
    return digest.hexdigest()


def _source(module: str) -> tuple[bytes, set[str]]:
    """The content of the file of a module, and what may be modules among the names that it imports."""
    try:
        spec = find_spec(module)
    except ModuleNotFoundError:  # a name within a module
        spec = None
    if spec is None or not spec.has_location or spec.origin is None:
        return b"", set()
    content, found = Path(spec.origin).read_bytes(), set[str]()
    if not spec.origin.endswith(".py"):
        return content, found
    for node in ast.walk(ast.parse(content)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = resolve_name("." * node.level + (node.module or ""), spec.parent)
            found.update((base, *(f"{base}.{alias.name}" for alias in node.names)))
    return content, found


def _libraries(point: EntryPoint) -> dict[str, str]:
    """Versions of the packages that the package of an entry point asks for, where they are installed."""
    from importlib.metadata import PackageNotFoundError, version

    found = {}
    for line in (point.dist and point.dist.requires) or ():
        name = re.split(r"[^\w.-]", line, maxsplit=1)[0]
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found
