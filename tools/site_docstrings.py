"""Docstrings of this project for the site: what a function returns is prose here, not a list of types."""

from __future__ import annotations

import re
from typing import Any

from griffe import Extension, Object

RETURNS = re.compile(r"^Returns\n-------\n", re.MULTILINE)


class ReturnsInWords(Extension):
    """Let the section on what is returned be read as text."""

    def on_object(self, *, obj: Object, **_: Any) -> None:
        """Give the section a name that no parser takes for a list of types."""
        if obj.docstring is not None:
            obj.docstring.value = RETURNS.sub("What is returned\n----------------\n", obj.docstring.value)
