"""deeplimits: what a random deep network does at initialisation, and which differential equation it follows.

The names below are loaded when they are first used, so that a simulation job imports only what it needs.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from deeplimits.api import limit, open_samples, open_study, query, simulate

__all__ = ["__version__", "limit", "open_samples", "open_study", "query", "simulate"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(import_module("deeplimits.api"), name)
    raise AttributeError(f"module 'deeplimits' has no attribute {name!r}")
