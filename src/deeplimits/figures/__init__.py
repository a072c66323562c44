"""Figures: one file each, drawn from study stores alone; a file is found by standing in this folder, and
those of other packages by entry point.

A figure is a module: ``CAPTION`` in reStructuredText, a template that may name ``title``, ``samples``,
``seeds`` and ``study``; ``NEEDS``, what it needs of a study; and ``draw``, from the groups of a store to a
Matplotlib figure. Only ``draw`` imports what draws, so that studies are checked without it.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from deeplimits.discovery import Modules, Registry
from deeplimits.errors import InputError, nearest_name, one_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawing

    from deeplimits.store.study_groups import Groups
    from deeplimits.sweep.config import Config
    from deeplimits.sweep.figure_needs import Needs
    from deeplimits.sweep.study import Study

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


def build_figure(study: Study, figure: str, results: Path, config: Config | None = None) -> list[Path]:
    """Draw a figure of a study from its store and write it as PDF, SVG and PNG, and then the digests of these
    files and of the store; ``config`` is for messages.

    Raises
    ------
    StoreError
        If the study has not been aggregated, or if the store is of another title, grid, number of samples, …
        than the study: a figure of that would pass for one of the study. A store that another version made
        is drawn, with a warning.
    """
    from deeplimits.drawing.style import house_style, save
    from deeplimits.store.digests import digests_of, write_digests
    from deeplimits.store.errors import StoreError
    from deeplimits.store.paths import figure_digests, figure_files, study_store
    from deeplimits.store.staleness import staleness, warn
    from deeplimits.store.study_groups import open_study_groups

    groups = open_study_groups(results, study.name)
    stale = staleness(groups["/"].attrs, study, config)
    if stale.differences:
        raise StoreError(f"{stale}; {figure} is not drawn")
    warn(stale)
    with house_style():
        drawn = figures()[figure].draw(groups)
    paths = save(drawn, figure_files(results, study.name, figure))
    beside = figure_digests(results, study.name, figure)
    write_digests(beside, digests_of(beside, [*paths, study_store(results, study.name)]))
    return paths


def find_figure(config: Config, name: str) -> tuple[Study, str]:
    """The study and figure that ``STUDY/FIGURE``, or ``FIGURE`` where only one study has it, stands for.

    Raises
    ------
    InputError
        If there is none, or more than one.
    """
    study_name, _, figure = name.rpartition("/")
    studies = [config.study(study_name)] if study_name else config.studies()
    having = [study for study in studies if figure in study.figures]
    if len(having) == 1:
        return having[0], figure
    known = [f"{study.name}/{each}" for study in studies for each in study.figures]
    if having:
        raise InputError(
            "figure",
            "",
            name,
            "the study with it: " + ", ".join(f"{study.name}/{figure}" for study in having),
        )
    raise InputError(
        "figure",
        "",
        name,
        one_of(known, none="nothing: no figure is asked for"),
        nearest_name(name, known + [each.rpartition("/")[2] for each in known]),
    )
