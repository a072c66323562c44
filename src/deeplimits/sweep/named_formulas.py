"""Activations of other packages: a name for a formula. A file that says the name means the formula, and
nothing that is kept says the name, so that results are read where the package is not there.
"""

from __future__ import annotations

from functools import cache

from deeplimits.discovery import Registry
from deeplimits.formulas import Formula
from deeplimits.sweep.activation_names import ACTIVATION_NAMES, SAME

GROUP = "deeplimits.activations"
"""Entry points of other packages: the name of an activation, and a formula in x as text."""


@cache
def named_formulas() -> Registry[str]:
    """Formulas by name, after the names that are built in, which have no formula here."""
    return Registry(GROUP, lambda: dict.fromkeys(ACTIVATION_NAMES, ""), _accept)


def _accept(name: str, offered: object) -> str:
    if name in SAME:
        raise ValueError(f"another name: {name} is one of {SAME[name]}")
    if not isinstance(offered, str):
        raise TypeError("a formula in x, as text")
    Formula(offered)
    return offered
