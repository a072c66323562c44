"""A figure that is returned instead of written, for whoever goes on drawing on it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from deeplimits.errors import InputError
from deeplimits.figures import figures

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from deeplimits.sweep.study import Study


def returned_figure(
    results: Path,
    study: str,
    figure: str,
    title: str | None = None,
    colors: Mapping[str, object] | None = None,
) -> Figure:
    """Draw a figure from the store of a study, which need not have asked for it.

    Parameters
    ----------
    results, study
        The folder of results, and the name of a study.
    figure
        The name of a figure that there is.
    title, colors
        As ``deeplimits.figure`` takes them.

    Raises
    ------
    InputError
        If a role of a colour or a colour is none, or the study that the store is made from lacks what the
        figure needs.
    StoreError
        If the study has not been aggregated.
    """
    from deeplimits.drawing.colors import checked_colors, dress
    from deeplimits.drawing.style import house_style
    from deeplimits.store.study_groups import open_study_groups
    from deeplimits.sweep.figures import check_figure

    chosen = checked_colors(colors or {})
    groups = open_study_groups(results, study)
    check_figure(_drawn_from(results, study, groups["/"].attrs["made_from"]), figure, "figure")
    with house_style():
        drawn = figures()[figure].draw(groups)
        dress(drawn, title, chosen)
        # ticks take their looks from the settings when they are first asked for
        drawn.draw_without_rendering()
    return drawn


def _drawn_from(results: Path, study: str, made_from: Mapping[str, object]) -> Study:
    """The study that a store is made from, by what the store says of itself."""
    from deeplimits.store.errors import StoreError
    from deeplimits.store.paths import study_store
    from deeplimits.sweep.description import as_content
    from deeplimits.sweep.study import study_of

    try:
        return study_of(as_content(made_from), study_store(results, study))
    except InputError as error:
        raise StoreError(f"the study that the store is made from is none of this version: {error}") from error
