"""Packages that only a part of this one needs: where one is missing, the extra that brings it is named."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])


def missing_package(error: ModuleNotFoundError) -> str:
    """How to get the package that an import asked for, where an extra of this one brings it; else empty."""
    from importlib import metadata

    wanted = (error.name or "").partition(".")[0]
    try:
        declared = metadata.requires("deeplimits") or []
    except metadata.PackageNotFoundError:
        return ""
    brought: dict[str, list[str]] = {}
    for requirement in declared:
        if match := re.match(r"([\w-]+)[^;]*;.*extra == ['\"](\w+)['\"]", requirement):
            brought.setdefault(match[2], []).append(match[1])
    # an extra that brings others has their packages too
    extras = [extra for extra, packages in brought.items() if wanted in packages]
    if not extras:
        return ""
    smallest = min(extras, key=lambda extra: len(brought[extra]))
    return f"{wanted} is not installed: pip install 'deeplimits[{smallest}]'"


def tells_extra(function: Function) -> Function:
    """A function that, where a package of an extra is not installed, fails with the name of the extra."""

    @functools.wraps(function)
    def told(*arguments: Any, **options: Any) -> Any:
        try:
            return function(*arguments, **options)
        except ModuleNotFoundError as error:
            if not (said := missing_package(error)):
                raise
            raise ModuleNotFoundError(said, name=error.name) from error

    return told  # type: ignore[return-value]  # of the signature that it wraps
