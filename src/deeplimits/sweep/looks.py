"""Which figures a study file asks for, and the titles and colours that it has for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from deeplimits.errors import InputError, check_name, nearest_name
from deeplimits.figures import figures
from deeplimits.sweep.grid import check_once
from deeplimits.sweep.models import FigureModel


class Look(NamedTuple):
    """How a figure looks where that is chosen: its title, and colours by role."""

    title: str | None = None
    colors: Mapping[str, str] = {}


def figures_asked(given: Sequence[str | FigureModel], where: Path) -> dict[str, Look]:
    """Figures by name, in the order of the file, and how each looks.

    Raises
    ------
    InputError
        For a name that is none, or is there twice.
    """
    entries = [FigureModel(figure=each) if isinstance(each, str) else each for each in given]
    for index, (each, entry) in enumerate(zip(given, entries, strict=True)):
        key = f"figures.{index}" + ("" if isinstance(each, str) else ".figure")
        check_name(entry.figure, figures(), where, key)
    check_once([entry.figure for entry in entries], where, "figures")
    return {
        entry.figure: Look(entry.title, entry.colors.model_dump(exclude_none=True) if entry.colors else {})
        for entry in entries
    }


def check_color(found: object, where: str | Path, key: str) -> None:
    """Refuse what is no colour.

    Raises
    ------
    InputError
        The message has the nearest name of a colour.
    """
    from matplotlib.colors import get_named_colors_mapping, is_color_like

    if not is_color_like(found):
        expected = "a colour of Matplotlib, such as 'black', '0.4' or '#0173b2'"
        raise InputError(where, key, found, expected, nearest_name(found, get_named_colors_mapping()))
