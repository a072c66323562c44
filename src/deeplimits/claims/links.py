"""What the scoreboard leads to: of each claim the study file, the figures of that study, and the errata."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from deeplimits.errors import InputError

if TYPE_CHECKING:
    from deeplimits.sweep.config import Config

_ERRATA = Path("docs/errata.md")
"""Beside the folder of claims, in a checkout."""


@dataclass(frozen=True)
class Links:
    """Addresses, relative to the page.

    Attributes
    ----------
    studies
        The file of a study, by its name.
    figures
        The figures of a study, by its name: each by its own.
    errata
        The page of slips, where there is one.
    """

    studies: Mapping[str, str] = field(default_factory=dict)
    figures: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    errata: str | None = None


def links_of(page: Path, rows: Iterable[Mapping[str, Any]], results: Path, config: Config | None) -> Links:
    """The links of a page, by what the study files ask for, whether it has been drawn yet or not: the page
    is the same whenever it is written.
    """
    from deeplimits.store.paths import figure_files
    from deeplimits.sweep.study import read_study

    if config is None:
        return Links()

    def to(path: Path) -> str:
        return quote(Path(os.path.relpath(path, page.parent)).as_posix())

    studies: dict[str, str] = {}
    figures: dict[str, dict[str, str]] = {}
    for name in dict.fromkeys(str(row["study"]) for row in rows):
        try:
            path = config.study_path(name)
            asked = read_study(path).figures
        except InputError:
            # the claim is undecided for it, and says so
            continue
        studies[name] = to(path)
        # pictures that browsers show without a plugin
        figures[name] = {each: to(figure_files(results, name, each)[1]) for each in asked}
    errata = None if config.claims is None else config.claims.parent / _ERRATA
    return Links(studies, figures, to(errata) if errata is not None and errata.is_file() else None)
