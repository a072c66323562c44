"""A figure of a study, found by its name, drawn and written."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from deeplimits.errors import InputError, nearest_name, one_of
from deeplimits.figures import figures

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
    from deeplimits.drawing.colors import checked_colors, dress
    from deeplimits.drawing.style import house_style, save
    from deeplimits.store.digests import digests_of, write_digests
    from deeplimits.store.errors import StoreError
    from deeplimits.store.paths import figure_digests, figure_files, study_store
    from deeplimits.store.staleness import staleness, warn
    from deeplimits.store.study_groups import open_study_groups
    from deeplimits.sweep.looks import Look

    groups = open_study_groups(results, study.name)
    stale = staleness(groups["/"].attrs, study, config)
    if stale.differences:
        raise StoreError(f"{stale}; {figure} is not drawn")
    warn(stale)
    title, colors = study.looks.get(figure, Look())
    with house_style():
        drawn = figures()[figure].draw(groups)
        dress(drawn, title, checked_colors(colors))
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
