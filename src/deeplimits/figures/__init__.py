"""Figures: one file each, drawn from study stores alone. A figure belongs to one study; its name is in
``names.FIGURE_NAMES``, its module has the same name and a ``draw``.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from deeplimits.sweep.config import Config
    from deeplimits.sweep.study import Study


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
    from deeplimits.figures.style import house_style, save
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
        drawn = import_module(f"deeplimits.figures.{figure}").draw(groups)
    paths = save(drawn, figure_files(results, study.name, figure))
    beside = figure_digests(results, study.name, figure)
    write_digests(beside, digests_of(beside, [*paths, study_store(results, study.name)]))
    return paths
