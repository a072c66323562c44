"""Names of figures, for checking files without importing a plotting library."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deeplimits.errors import InputError, nearest_name, one_of
from deeplimits.figures.needs import NEEDS

if TYPE_CHECKING:
    from deeplimits.sweep.config import Config
    from deeplimits.sweep.study import Study

FIGURE_NAMES = tuple(NEEDS)


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
