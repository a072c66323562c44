"""Figures: one file each, drawn from study stores alone. A figure belongs to one study; its name is in
``names.FIGURE_NAMES``, its module has the same name and a ``draw``.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from deeplimits.sweep.study import Study


def build_figure(study: Study, figure: str, results: Path) -> list[Path]:
    """Draw a figure of a study from its store and write it as PDF, SVG and PNG.

    Raises
    ------
    StoreError
        If the study has not been aggregated.
    """
    from deeplimits.figures.data import StudyData
    from deeplimits.figures.style import save
    from deeplimits.store.paths import figure_files

    data = StudyData.open(results, study.name)
    drawn = import_module(f"deeplimits.figures.{figure}").draw(data)
    return save(drawn, figure_files(results, study.name, figure))
