"""Figures: one file each, drawn from study stores alone; a file is found by standing in this folder, and
those of other packages by entry point.

A figure is a module: ``CAPTION`` in reStructuredText, a template that may name ``title``, ``samples``,
``seeds`` and ``study``; ``NEEDS``, what it needs of a study; and ``draw``, from the groups of a store to a
Matplotlib figure. Only ``draw`` imports what draws, so that studies are checked without it.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Protocol, cast

from deeplimits.discovery import Modules, Registry

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawing

    from deeplimits.store.study_groups import Groups
    from deeplimits.sweep.figure_needs import Needs

GROUP = "deeplimits.figures"
"""Entry points of other packages: the name of a figure, and its module."""


class Figure(Protocol):
    """What a module of a figure has."""

    CAPTION: str
    NEEDS: Needs

    def draw(self, study: Groups) -> Drawing:
        """The figure, from the groups of a study store."""


@cache
def figures() -> Registry[Figure]:
    """Every figure by name, in the order of the alphabet, those of other packages last; each is imported when
    it is asked for.
    """
    return Registry(GROUP, lambda: Modules(__name__), _accept)


def _accept(name: str, offered: object) -> Figure:
    from deeplimits.sweep.figure_needs import Needs

    if not (
        isinstance(getattr(offered, "CAPTION", None), str)
        and isinstance(getattr(offered, "NEEDS", None), Needs)
        and callable(getattr(offered, "draw", None))
    ):
        expected = "a module with CAPTION, NEEDS (deeplimits.sweep.figure_needs.Needs) and draw"
        raise TypeError(f"{expected}, as the figure {name}")
    return cast("Figure", offered)
